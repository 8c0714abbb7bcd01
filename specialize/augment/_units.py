"""What the methods count in a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from specialize.errors import DataError
from specialize.vocab.pretokenize import BertRules, count_tokens, words_of_tokens


def words_in(corpus: Iterable[str], rules: BertRules) -> Counter[str]:
    """Return how often each pre-tokenised word occurs in the lines; one there must be."""
    return words_of(count_tokens(corpus, rules), rules)


def words_of(tokens: Mapping[str, int], rules: BertRules) -> Counter[str]:
    """Return the same of white-space tokens of which the counts are known."""
    if words := words_of_tokens(tokens, rules):
        return words
    raise DataError("the corpus has no word to choose pieces by; name files with text")
