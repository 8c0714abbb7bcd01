"""What the methods count in a corpus."""

from __future__ import annotations

from collections.abc import Mapping

from specialize.errors import DataError, UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.words import Text, count_words
from specialize.vocab.wordpiece.model import WordPiece


def words_in(text: Text, vocabulary: Vocabulary) -> Mapping[str, int]:
    """Return how often each pre-tokenised word of a WordPiece occurs; one there must be."""
    if words := count_words(text, wordpiece(vocabulary).rules):
        return words
    raise no_words()


def wordpiece(vocabulary: Vocabulary) -> WordPiece:
    """Return ``vocabulary`` if it is a WordPiece; UsageError, naming what to do, if it is not."""
    if isinstance(vocabulary, WordPiece):
        return vocabulary
    raise UsageError(
        f"this method is for WordPiece, and the vocabulary is a {type(vocabulary).__name__}; "
        "use extend"
    )


def no_words() -> DataError:
    """Return the error of a corpus that has no word."""
    return DataError("the corpus has no word to choose pieces by; name files with text")
