"""The methods: the row of a fresh piece, for tied and untied tables."""

from pathlib import Path

import pytest
import torch
from tiny_models import SHAPES, change_of, write_model

from specialize.embed import mean, moments, random, subwords, unused
from specialize.embed._rows import Tables
from specialize.errors import UsageError
from specialize.model.language_model import tables
from specialize.model.load import load_checkpoint
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "[unused1]", "a", "b", "##a", "##b"])
TABLE = torch.arange(20.0).reshape(10, 2)
TABLES = Tables(TABLE, None, torch.arange(10.0))
UNTIED = Tables(TABLE, -TABLE, torch.arange(10.0))


def test_unused_takes_the_slots_rows_and_refuses_appended_pieces() -> None:
    rows = unused.init(UNTIED, OLD.place(["ab"]), [])
    assert rows.input.tolist() == [[10.0, 11.0]]
    assert rows.output.tolist() == [[-10.0, -11.0]]
    assert rows.bias.tolist() == [5.0]
    with pytest.raises(UsageError, match="1 of 2 pieces"):
        unused.init(TABLES, OLD.place(["ab", "ba"]), [])


def test_subwords_average_the_old_pieces_in_context() -> None:
    rows = subwords.init(UNTIED, OLD.place(["ab", "##ab", "xa"], slots=False), [])
    a, b, cont_a, cont_b = TABLE[6:]
    assert torch.equal(rows.input[0], (a + cont_b) / 2)
    assert torch.equal(rows.input[1], (cont_a + cont_b) / 2)
    assert not torch.equal(rows.input[2], b)  # x was never a piece, so its row is drawn
    assert torch.equal(rows.output[:2], -rows.input[:2])
    assert not torch.equal(rows.output[2], -rows.input[2])
    assert rows.bias.tolist() == [7.5, 8.5, 4.5]


def test_subwords_may_weigh_pieces_by_length() -> None:
    old = WordPiece([*SPECIAL, "abc", "##d"])
    table = torch.arange(14.0).reshape(7, 2)
    rows = subwords.init(
        Tables(table, None, table[:, 0]), old.place(["abcd"]), [], weights="length"
    )
    torch.testing.assert_close(rows.input[0], 0.75 * table[5] + 0.25 * table[6])
    assert rows.bias.tolist() == [10.5]
    assert rows.sources == ("mixed from abc 0.75, ##d 0.25",)


def test_subwords_may_weigh_the_last_piece_most_and_the_first_in_the_output() -> None:
    """mergekit's weighted mean does the reverse of what its comment says."""
    change = OLD.place(["abb", "bab"], slots=False)
    rows = subwords.init(UNTIED, change, [], weights="position")
    a, cont_b = TABLE[6], TABLE[9]
    torch.testing.assert_close(rows.input[0], (a + 2 * cont_b + 3 * cont_b) / 6)
    torch.testing.assert_close(rows.output[0], -(3 * a + 2 * cont_b + cont_b) / 6)
    torch.testing.assert_close(rows.bias[0], (3 * 6 + 2 * 9 + 9) / torch.tensor(6.0))
    assert rows.sources[0] == "mixed from ##b 0.83, a 0.17"
    tied = subwords.init(TABLES, change, [], weights="position")
    torch.testing.assert_close(tied.input, rows.input)
    torch.testing.assert_close(tied.bias[0], (6 + 2 * 9 + 3 * 9) / torch.tensor(6.0))
    assert not torch.equal(rows.input[0], rows.input[1])  # no anagrams: ab##b, ba##b


def test_moments_are_those_of_the_old_rows() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(10, 4000, generator=generator) * 2 + 3
    wide = Tables(table, table + 100, table[:, 0])
    rows = moments.init(wide, OLD.place(["ab"]), [])
    assert rows.input.mean() == pytest.approx(3, abs=0.1)
    assert rows.input.std() == pytest.approx(2, abs=0.3)
    assert rows.output.mean() == pytest.approx(103, abs=0.1)
    assert torch.equal(rows.bias[0], table[:, 0].mean())
    small = moments.init(wide, OLD.place(["ab"]), [], scale=0.5)
    centred = rows.input - table.mean(dim=0), small.input - table.mean(dim=0)
    torch.testing.assert_close(centred[0], 2 * centred[1], rtol=1e-3, atol=1e-4)
    assert not rows.unmatched


def test_mean_without_noise_is_the_mean_row() -> None:
    rows = mean.init(UNTIED, OLD.place(["ab", "ba"]), [], noise=0.0)
    assert rows.input.tolist() == [[9.0, 10.0]] * 2
    assert rows.output.tolist() == [[-9.0, -10.0]] * 2
    assert rows.bias.tolist() == [4.5, 4.5]


def test_random_is_drawn_around_zero() -> None:
    wide = Tables(5 + torch.randn(10, 4000, generator=torch.Generator().manual_seed(0)), None, None)
    rows = random.init(wide, OLD.place(["ab"]), [])
    assert abs(rows.input.mean()) < 0.1
    assert rows.input.std() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("method", [mean, random, subwords])
def test_rows_fit_the_tables_of_every_kind_of_vocabulary(method, tmp_path: Path) -> None:
    for name in ("electra", "roberta", "xlm-r"):
        base = load_checkpoint(write_model(name, tmp_path / name, tied=False, padding=2))
        change = change_of(base.vocabulary, SHAPES[name])
        found = tables(base.model)
        rows = method.init(found, change, ["ab cab"], seed=3)
        count = len(change.fresh)
        assert rows.input.shape == rows.output.shape == (count, found.input.shape[1])
        assert rows.bias.shape == (count,)
        assert not rows.input.requires_grad
        assert rows.input.abs().sum(dim=1).min() > 0  # no zero row
