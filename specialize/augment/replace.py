"""Another vocabulary, trained on the corpus: rows of pieces that the old one has are kept."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.augment._words import words_in
from specialize.errors import UsageError
from specialize.vocab.base import U, VocabChange


def change(
    vocabulary: U,
    corpus: Iterable[str],
    *,
    pieces: int = 8000,
    min_count: int = 5,
) -> VocabChange[U]:
    """Replace the vocabulary by one of ``pieces`` pieces, of its own family, trained on the corpus.

    Normaliser, pre-tokeniser and special pieces stay what they are (``vocab.train.retrain``). A
    piece that both have, with the mark of its place (``##``, ``Ġ``, ``▁``), keeps its row; the
    others, by their ids, are fresh. ``min_count``: rarer pairs are not merged (not for Unigram),
    and rarer characters are left out, so that words with these are unknown (or bytes) from now on.
    """
    if pieces < 1:
        raise UsageError(f"expected a vocabulary of 1 piece or more, got {pieces}")
    words = words_in(vocabulary, corpus)
    new = vocabulary.retrained(words, size=pieces, min_count=min_count)
    known = vocabulary.ids
    kept = {i: known[piece] for i, piece in enumerate(new.pieces) if piece in known}
    fresh = tuple(i for i, piece in enumerate(new.pieces) if piece not in known)
    return VocabChange(vocabulary, new, kept, fresh)
