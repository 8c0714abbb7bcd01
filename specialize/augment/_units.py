"""What the methods count in a corpus."""

from __future__ import annotations

from collections.abc import Mapping

from specialize.errors import DataError
from specialize.vocab.count import Text, count_words
from specialize.vocab.pretokenize import BertRules


def words_in(text: Text, rules: BertRules) -> Mapping[str, int]:
    """Return how often each pre-tokenised word occurs in ``text``; one there must be."""
    if words := count_words(text, rules):
        return words
    raise DataError("the corpus has no word to choose pieces by; name files with text")
