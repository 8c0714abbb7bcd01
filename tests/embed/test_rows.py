"""Mixtures and draws: by hand, from each table's own rows, and never from padding."""

import json
from functools import partial

import pytest
import torch
from small_tokenizers import byte_level

from specialize.embed._rows import Tables, around_mean, fresh_rows, mean_of
from specialize.vocab.bpe.model import BPE
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "a", "b", "##a"])  # eight pieces, a is 5, b is 6
CHANGE = OLD.place(["ab", "ba"])


def tables(*, padding: int = 0) -> Tables:
    """Input row i is (2i, 2i + 1), output row i is 100 more, bias is i; padding rows are huge."""
    table = torch.arange(16.0).reshape(8, 2)
    spare = torch.full((padding, 2), 1e6)
    input_rows = torch.cat([table, spare])
    output = torch.cat([table + 100, -spare])
    return Tables(input_rows, output, torch.cat([torch.arange(8.0), spare[:, 0]]))


def test_a_mixture_is_the_weighted_mean_of_rows_of_each_table() -> None:
    rows = fresh_rows(tables(), CHANGE, [{5: 0.5, 6: 0.5}, {7: 1.0}], seed=0)
    assert rows.input.tolist() == [[11.0, 12.0], [14.0, 15.0]]
    assert rows.output.tolist() == [[111.0, 112.0], [114.0, 115.0]]
    assert rows.bias.tolist() == [5.5, 7.0]


def test_negative_weights_and_weights_of_sum_zero_are_honoured() -> None:
    rows = fresh_rows(tables(), CHANGE, [{6: 1.0, 5: -1.0}, {5: -2.0}], seed=0)
    assert rows.input.tolist() == [[2.0, 2.0], [-20.0, -22.0]]
    assert rows.output.tolist() == [[2.0, 2.0], [-220.0, -222.0]]
    assert rows.bias.tolist() == [1.0, -10.0]


def test_only_fresh_pieces_without_a_mixture_are_drawn() -> None:
    """Without noise, a drawn row is the mean row of its table, and its bias the mean bias."""
    draw = partial(around_mean, scale=0.0)
    rows = fresh_rows(tables(), CHANGE, [None, {5: 0.0}], seed=0, draw=draw)
    assert rows.input.tolist() == [[7.0, 8.0], [0.0, 0.0]]
    assert rows.output.tolist() == [[107.0, 108.0], [0.0, 0.0]]
    assert rows.bias.tolist() == [3.5, 0.0]


@pytest.mark.parametrize("weights", [[None, None], [{5: 1.0}, None]])
def test_rows_of_padding_are_ignored(weights: list) -> None:
    rows, padded = (fresh_rows(tables(padding=n), CHANGE, weights, seed=4) for n in (0, 3))
    assert torch.equal(rows.input, padded.input)
    assert torch.equal(rows.output, padded.output)
    assert torch.equal(rows.bias, padded.bias)


def test_rows_of_padding_cannot_be_mixed_in() -> None:
    with pytest.raises(RuntimeError, match="size is inconsistent"):
        fresh_rows(tables(padding=3), CHANGE, [{9: 1.0}, None], seed=0)


def test_drawn_rows_have_the_moments_of_their_own_table() -> None:
    generator = torch.Generator().manual_seed(1)
    table = 3 + 0.5 * torch.randn(8, 4000, generator=generator)
    output = -2 + 0.1 * torch.randn(8, 4000, generator=generator)
    rows = fresh_rows(Tables(table, output, None), CHANGE, [None, None], seed=1)
    assert rows.bias is None
    assert rows.input.mean() == pytest.approx(3, abs=0.05)
    assert rows.input.std() == pytest.approx(0.5, abs=0.1)
    assert rows.output.mean() == pytest.approx(-2, abs=0.01)
    assert rows.output.std() == pytest.approx(0.1, abs=0.02)
    away = (rows.input - 3).flatten(), (rows.output + 2).flatten()
    assert abs(torch.corrcoef(torch.stack(away))[0, 1]) < 0.05  # independent streams


def test_the_seed_alone_decides_drawn_rows() -> None:
    first = fresh_rows(tables(), CHANGE, [None, None], seed=1)
    torch.manual_seed(5)
    again = fresh_rows(tables(), CHANGE, [None, None], seed=1)
    other = fresh_rows(tables(), CHANGE, [None, None], seed=2)
    assert torch.equal(first.input, again.input)
    assert torch.equal(first.output, again.output)
    assert not torch.equal(first.input, other.input)
    assert not torch.equal(first.output, other.output)


def test_the_seed_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    fresh_rows(tables(), CHANGE, [None, None], seed=1)
    assert torch.equal(torch.rand(2), expected)


def test_a_mean_weighs_rows_by_their_occurrences() -> None:
    assert mean_of([5, 6, 5, 5]) == {5: 0.75, 6: 0.25}
    assert mean_of([]) is None


@pytest.mark.parametrize(
    ("weights", "source"),
    [
        (None, "drawn around the mean"),
        ({5: 1.0}, "copied from a"),
        ({5: 0.5, 7: 0.5}, "mean of a, ##a"),
        ({5: 0.25, 7: 0.75}, "mixed from ##a 0.75, a 0.25"),
        ({5: -1.0, 6: 1.0}, "mixed from a -1.00, b 1.00"),
        ({5: 0.5, 6: 0.5, 7: 0.0}, "mean of a, b"),
        (
            {i: 0.125 for i in range(8)},
            "mean of [PAD], [UNK], [CLS], [SEP], [MASK], a, ... (2 more)",
        ),
    ],
)
def test_sources_name_the_old_pieces_of_a_mixture(weights: dict | None, source: str) -> None:
    assert fresh_rows(tables(), CHANGE, [weights, None], seed=0).sources == (
        source,
        "drawn around the mean",
    )


def test_sources_tell_a_slots_own_row_from_a_copied_one() -> None:
    old = WordPiece([*SPECIAL, "[unused1]", "a", "b"])
    change = old.place(["ab", "ba"])  # ab takes the slot, ba is appended
    rows = fresh_rows(tables(), change, [{5: 1.0}, {5: 1.0}], seed=0)
    assert rows.sources == ("slot row [unused1]", "copied from [unused1]")


def test_sources_of_byte_level_pieces_are_readable() -> None:
    old = BPE(json.loads(byte_level(merges=[("Ã", "¤")]).to_str()))
    change = old.place(["Ã¤b"])
    weights = {old.ids["Ã¤"]: 0.5, old.ids["b"]: 0.5}
    table = Tables(torch.zeros(len(old.pieces), 2), None, None)
    assert fresh_rows(table, change, [weights], seed=0).sources == ("mean of ä, b",)
