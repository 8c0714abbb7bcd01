"""Checks that the methods share: of their corpus and of their options."""

from __future__ import annotations

from collections.abc import Mapping

from specialize.errors import DataError, UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.words import Text


def words_in(vocabulary: Vocabulary, corpus: Text) -> Mapping[str, int]:
    """Return the occurrences of each pre-tokenised word of ``corpus``; DataError without words."""
    if words := vocabulary.count_words(corpus):
        return words
    raise DataError("expected a corpus with words, got none; name files that contain text")


def check_pieces(pieces: int, new_vocabulary: int) -> None:
    """Refuse to choose more pieces than the new vocabulary has."""
    if pieces < 0:
        raise UsageError(f"expected pieces of 0 or more, got {pieces}")
    if pieces > new_vocabulary:
        raise UsageError(
            f"expected pieces of at most new_vocabulary = {new_vocabulary}, got {pieces}; "
            "lower pieces or raise new_vocabulary"
        )
