"""A new vocabulary trained on the corpus; pieces that the old one has keep their rows."""

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
    """Replace the vocabulary with one of ``pieces`` of the same family, trained on the corpus.

    Normaliser, pre-tokeniser and special pieces stay the same (``vocab.train.retrain``). A piece
    of both vocabularies, its marker (``##``, ``Ġ``, ``▁``) included, keeps its row; all others are
    fresh, in the order of their ids. ``min_count``: rarer pairs are not merged (except by Unigram)
    and rarer characters are left out: words with them become unknown (or bytes).
    """
    if pieces < 1:
        raise UsageError(f"expected pieces of 1 or more, got {pieces}")
    words = words_in(vocabulary, corpus)
    new = vocabulary.retrained(words, size=pieces, min_count=min_count)
    known = vocabulary.ids
    kept = {i: known[piece] for i, piece in enumerate(new.pieces) if piece in known}
    fresh = tuple(i for i, piece in enumerate(new.pieces) if piece not in known)
    return VocabChange(vocabulary, new, kept, fresh)
