"""Random changes of the vocabularies of tiny models, and every method with options for them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st
from tiny_models import SHAPES, write_model

from specialize.augment import replace
from specialize.embed._rows import FreshRows
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.recipe.methods import bind
from specialize.vocab.base import VocabChange
from specialize.vocab.unigram.model import Unigram

LETTERS = "abcdefAB\u0431\u062f"  # the last two are unknown, or bytes
MODELS = {"WordPiece": "electra", "BPE": "modernbert", "Unigram": "albert"}
SAMPLERS: Mapping[str, Mapping[str, Any]] = {
    "random": {},
    "mean": {},
    "moments": {},
    "covariance": {},
    "script": {"smallest": 2},
}
MIXERS: Mapping[str, Mapping[str, Any]] = {
    "subwords": {},
    "subwords (length)": {"weights": "length"},
    "subwords (position)": {"weights": "position"},
    "overlap": {},
    "transliterated": {"mixin": ["lower", {"method": "table", "scheme": "cyrillic"}]},
    "blend": {"of": ["subwords", {"method": "script", "smallest": 2}]},
}
AUXILIARY: Mapping[str, Mapping[str, Any]] = {  # with a file of vectors
    "focus": {},
    "knn": {"neighbours": 3},
    "ridge": {},
    "ridge (alone)": {"subwords": 0},
    "omp": {"atoms": 4},
}
METHODS = [*SAMPLERS, *MIXERS, *AUXILIARY, "alignment"]


def method_of(name: str, change: VocabChange[Any]) -> Callable[..., FreshRows]:
    """Return a method with the options that it needs for a change."""
    options = {**SAMPLERS, **MIXERS}.get(name)
    if name in AUXILIARY:
        options = {**AUXILIARY[name], "vectors": str(_vectors(change))}
    return bind("embed", name.split()[0], _aligned(change) if options is None else options)


def _aligned(change: VocabChange[Any]) -> Mapping[str, Any]:
    """Return a table that aligns the first piece with an old one, and the others with none."""
    file = Path(mkdtemp()) / "table.tsv"
    file.write_text(f"{change.fresh_pieces[0]}\t{change.old.pieces[-2]}\t1.0\n", "utf-8")
    return {"file": str(file)}


def _vectors(change: VocabChange[Any]) -> Path:
    """Return a file of vectors of all pieces but the last fresh one."""
    file, draw = Path(mkdtemp()) / "pieces.vec", Random(0)
    pieces = [p for p in change.new.pieces if p != change.fresh_pieces[-1]]
    lines = [" ".join([p, *(f"{draw.gauss(0, 1):.6f}" for _ in range(7))]) for p in pieces]
    file.write_text("\n".join([f"{len(pieces)} 7", *lines, ""]), "utf-8")
    return file


@cache
def checkpoint(family: str, tied: bool, padding: int) -> Checkpoint:
    """Return a tiny model; do not change it."""
    name = MODELS[family]
    return load_checkpoint(write_model(name, Path(mkdtemp()), tied=tied, padding=padding))


texts = st.lists(st.text(LETTERS, min_size=2, max_size=6), min_size=2, max_size=8, unique=True)


@st.composite
def changes(draw: st.DrawFn, family: str) -> VocabChange[Any]:
    """Draw a change that adds pieces, or one that replaces the vocabulary."""
    old: Any = checkpoint(family, True, 0).vocabulary
    words = draw(texts)
    if draw(st.booleans()):
        found = replace.change(old, [" ".join(words)] * 2, pieces=400, min_count=1)
        control = {found.new.ids[piece] for piece in found.new.control_pieces}
        # methods with vectors refuse a change that keeps no piece of text (test_auxiliary)
        usable = found.fresh and not control.issuperset(found.kept)
        return found if usable else _added(old, ["abc", "fed"])
    return _added(old, words)


def _added(old: Any, words: Sequence[str]) -> VocabChange[Any]:
    """Return the change that adds each of ``words``, in turn word-initial and continuing."""
    mark, inside = {"WordPiece": ("", "##"), "BPE": ("Ġ", ""), "Unigram": ("▁", "")}[_family(old)]
    pieces = [(inside if n % 2 else mark) + _spelt(old, word) for n, word in enumerate(words)]
    new = [piece for piece in dict.fromkeys(pieces) if piece not in old.ids]
    new = new or [mark + "abcfed"]
    return old.place(dict.fromkeys(new, -3.0) if isinstance(old, Unigram) else new)


def _spelt(old: Any, word: str) -> str:
    if _family(old) != "BPE":
        return word
    return "".join(old.words(f"a{word}"))[1:]


def _family(vocabulary: Any) -> str:
    return getattr(vocabulary, "family", "WordPiece")


assert {SHAPES[name].family for name in MODELS.values()} == set(MODELS)
