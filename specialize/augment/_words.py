"""What the methods ask of their corpus and options."""

from __future__ import annotations

from collections.abc import Mapping

from specialize.errors import DataError, UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.words import Text


def words_in(vocabulary: Vocabulary, corpus: Text) -> Mapping[str, int]:
    """Return how often each pre-tokenised word occurs in ``corpus``: DataError if none does."""
    if words := vocabulary.count_words(corpus):
        return words
    raise DataError("the corpus has no word; name files with text")


def check_pieces(pieces: int, new_vocabulary: int) -> None:
    """Refuse to choose more pieces than there are to choose from."""
    if pieces < 0:
        raise UsageError(f"expected n of 0 pieces or more, got {pieces}")
    if pieces > new_vocabulary:
        raise UsageError(
            f"n = {pieces} pieces cannot be chosen from a new vocabulary of V = {new_vocabulary}; "
            "lower pieces or raise new_vocabulary"
        )
