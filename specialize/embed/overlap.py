"""The rows of old pieces that are written alike: lexical overlap, exact or fuzzy."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

from specialize.embed._rows import FreshRows, Tables, Weights, fresh_rows
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    case: bool = True,
    marks: bool = True,
    role: bool = True,
    seed: int = 0,
) -> FreshRows:
    """Return copies of the rows of old pieces that are written alike.

    A piece that both vocabularies have keeps its row under every method, and is never fresh. Other
    pieces are compared in the normal form NFKC, then regardless of ``case``, then of combining
    ``marks`` too; of several old pieces that are alike, the first is copied. ``role``: word-initial
    pieces are alike to word-initial ones only, continuing to continuing. A piece without any is
    drawn around the mean. ``case = false`` and ``marks = false`` is the extension of X-MOD
    (Pfeiffer et al. 2022): overlapping rows copied, all others random. Several pieces may copy one
    row.
    """
    old, new = _texts(change.old, range(len(change.old.pieces))), _texts(change.new, change.fresh)
    found: dict[int, Weights] = {}
    for fold in _folds(case, marks):
        known: dict[tuple[str, bool], int] = {}
        for i, text in old.items():
            known.setdefault((fold(text), role and change.old.continues(i)), i)
        for i, text in new.items():
            like = known.get((fold(text), role and change.new.continues(i)))
            if like is not None:
                found.setdefault(i, {like: 1.0})
    return fresh_rows(tables, change, [found.get(i) for i in change.fresh], seed=seed)


def _texts(vocabulary: Vocabulary, ids: Iterable[int]) -> dict[int, str]:
    """Return the texts of those pieces that are text."""
    apart = set(vocabulary.control_pieces)
    given = ((i, vocabulary.pieces[i]) for i in ids)
    texts = {i: vocabulary.text(piece) for i, piece in given if piece not in apart}
    return {i: text for i, text in texts.items() if text}


def _folds(case: bool, marks: bool) -> list[Callable[[str], str]]:
    """Return what makes texts alike, the strictest first."""

    def compatible(text: str) -> str:
        return unicodedata.normalize("NFKC", text)

    def caseless(text: str) -> str:
        return compatible(text).casefold() if case else compatible(text)

    def bare(text: str) -> str:
        split = unicodedata.normalize("NFKD", caseless(text))
        # subtle: a combining mark alone would be empty, and alike to every other one
        return "".join(c for c in split if not unicodedata.combining(c)) or text

    return [compatible, *[caseless] * case, *[bare] * marks]
