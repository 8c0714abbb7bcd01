"""Fewer pieces: drop what a corpus never uses; its segmentation stays the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from specialize.augment._words import words_in
from specialize.errors import UsageError
from specialize.vocab.base import U, VocabChange, Vocabulary


def change(vocabulary: U, corpus: Iterable[str], *, min_count: int = 1) -> VocabChange[U]:
    """Drop the pieces that the corpus never uses; the others keep their order, and no row is fresh.

    Every word of the corpus keeps its pieces. Special pieces, bytes, the characters of the corpus
    and the pieces of its words are kept, and whatever these depend on: the merges and pieces that
    produce them (BPE), the lowest score, from which the unknown piece's is derived (Unigram), the
    pieces that lead an unknown word into its dead end (WordPiece).

    ``min_count``: above 1, rarer pieces are dropped too, and their words are segmented into smaller
    pieces. No known word becomes unknown: rare pieces that prevent this are kept.
    """
    if min_count < 1:
        raise UsageError(f"expected a min_count of 1 or more, got {min_count}")
    new = _pruned(vocabulary, words_in(vocabulary, corpus), min_count)
    kept = {i: vocabulary.ids[piece] for i, piece in enumerate(new.pieces)}
    return VocabChange(vocabulary, new, kept, (), coarsens=min_count == 1)


def _pruned(vocabulary: U, words: Mapping[str, int], min_count: int) -> U:
    used: Counter[str] = Counter()
    for word, count in words.items():
        for piece in vocabulary.trace(word):
            used[piece] += count
    keep = vocabulary.base_pieces({character for word in words for character in word})
    keep |= {piece for piece, n in used.items() if n >= min_count}
    new = vocabulary.restricted(keep)
    if min_count == 1:  # no segmentation has changed: see the tests
        return new
    known = [word for word in words if _is_known(vocabulary, word)]
    while lost := [word for word in known if not _is_known(new, word)]:
        keep |= {piece for word in lost for piece in vocabulary.trace(word)}
        new = vocabulary.restricted(keep)
    return new


def _is_known(vocabulary: Vocabulary, word: str) -> bool:
    return vocabulary.unk not in vocabulary.segment(word)
