"""Defects that other tools have, and this package must not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import SHAPES, change_of, write_model
from tokenizers_made import cyrillic, gpt2_like, latin, xlmr_like

from specialize.augment import extend, replace
from specialize.embed import moments, subwords, transliterated
from specialize.embed._rows import Tables
from specialize.model.install import install, snapshot
from specialize.model.language_model import tables
from specialize.model.load import load_checkpoint, save_model
from specialize.recipe.methods import bind
from specialize.vocab.bpe.model import BPE
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

LINES = [cyrillic(line) for line in latin()]


def wordpiece() -> WordPiece:
    letters = sorted({c for line in (*LINES, *latin()) for c in line if c.isalpha()})
    return WordPiece([*SPECIAL, *letters, *(f"##{c}" for c in letters), "."])


OLD: dict[str, Callable[[], Any]] = {
    "WordPiece": wordpiece,
    "BPE": lambda: BPE(gpt2_like()),
    "Unigram": lambda: Unigram(xlmr_like()),
}


def tables_of(vocabulary: Any) -> Tables:
    """Row i is (i, 1 / (i + 1))."""
    ids = torch.arange(1.0 * len(vocabulary.pieces))
    return Tables(torch.stack([ids, 1 / (ids + 1)], dim=1), None, ids)


@pytest.mark.parametrize("family", OLD)
def test_a_pieces_parts_spell_it_in_its_position(family: str) -> None:
    """FVT encodes byte-level letters once more, and segments the surface form of ##pieces."""
    old = OLD[family]()
    change = extend.change(old, [*LINES, *latin(seed=5)], pieces=90)
    rows = subwords.init(tables_of(old), change, [])
    matched = [f for f in range(len(change.fresh)) if f not in rows.unmatched]
    assert len(matched) > 20
    for f in matched:
        piece = change.fresh_pieces[f]
        parts = old.parts(piece)
        marks = [part.startswith("##") for part in parts]
        joined = parts[0] + "".join(p.removeprefix("##") for p in parts[1:])
        assert joined == piece, parts
        assert all(marks[1:]) or family != "WordPiece"
        expected = sum(old.ids[part] for part in parts) / len(parts)
        assert rows.bias[f].item() == pytest.approx(expected)


def test_mix_ins_are_given_the_text_of_a_piece_without_marks() -> None:
    """WECHSEL looks the literal ##ing up."""
    given: list[str] = []

    def mix(line: str) -> str:
        given.append(line)
        return line

    for family, pieces in (("WordPiece", ["##аб"]), ("BPE", ["ĠÐ°Ð±Ð°Ð±Ð±"]), ("Unigram", None)):
        old: Any = OLD[family]()
        change = old.place({"▁абабб": -9.0} if pieces is None else pieces)
        transliterated.init(tables_of(old), change, [], mixin=mix)
    assert given == ["аб", "абабб", "абабб"]


def test_drawn_rows_are_not_all_alike() -> None:
    """Transformers' default has 3e-5 of the old deviation: all new pieces are one."""
    table = torch.randn(300, 50, generator=torch.Generator().manual_seed(0)) + 4
    old = WordPiece([*SPECIAL, *(f"a{i}" for i in range(295))])
    change = old.place([f"b{i}" for i in range(100)])
    for name in ("random", "mean", "moments", "covariance", "script"):
        rows = bind("embed", name, {})(Tables(table, None, None), change, []).input
        assert rows.std(dim=0).mean() > 0.8 * table.std(dim=0).mean(), name
        centred = torch.nn.functional.normalize(rows - rows.mean(dim=0), dim=1)
        similar = centred @ centred.T - torch.eye(len(rows))
        assert similar.abs().mean() < 0.3, name


def test_rows_are_written_where_the_tables_have_padding(tmp_path: Path) -> None:
    """Transformers' resizing initialises nothing where the ids of new pieces have rows already."""
    base = load_checkpoint(write_model("bert", tmp_path, padding=5, tied=False))
    before, change = snapshot(base.model), change_of(base.vocabulary, SHAPES["bert"])
    rows = moments.init(before, change, [])
    install(base.model, change, rows)
    fresh = list(change.fresh)
    assert torch.equal(tables(base.model).input[fresh], rows.input)
    assert not torch.equal(before.input[fresh], rows.input)
    assert len(tables(base.model).input) == len(before.input)


@pytest.mark.parametrize("shape", ["bert", "roberta", "xlm-r", "modernbert"])
def test_all_other_parameters_are_untouched_after_reload(shape: str, tmp_path: Path) -> None:
    """mergekit's tokensurgeon drops the transform of BERT's head."""
    base = load_checkpoint(write_model(shape, tmp_path / "base"))
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    change = change_of(base.vocabulary, SHAPES[shape])
    install(base.model, change, subwords.init(tables(base.model), change, []))
    save_model(base.model, change.new, tmp_path / "new", source=tmp_path / "base")
    after = load_checkpoint(tmp_path / "new").model.state_dict()
    assert after.keys() == before.keys()
    size = len(change.old.pieces)
    changed = {name for name, old in before.items() if after[name].shape != old.shape}
    assert changed
    for name, old in before.items():
        assert torch.equal(after[name][:size] if name in changed else after[name], old), name


@pytest.mark.parametrize("family", ["WordPiece", "BPE"])
def test_kept_rows_follow_their_pieces_to_other_ids(family: str) -> None:
    """vocabtrimmer moves the rows, and leaves the ids of WordPiece and BPE as they were."""
    old = OLD[family]()
    change = replace.change(old, LINES, pieces=330, min_count=2)
    assert any(new != before for new, before in change.kept.items())
    assert all(change.new.pieces[n] == old.pieces[o] for n, o in change.kept.items())
    both = [*change.kept, *change.fresh]
    assert sorted(both) == list(range(len(change.new.pieces)))
    assert not {*change.fresh_pieces} & {*old.pieces}
