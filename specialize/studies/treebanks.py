"""Checks of treebanks that all studies share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from specialize.errors import DataError
from specialize.tasks._base import Sentence

_NO_FORM = "_"  # a word of a treebank that is released without its text
_MOST_FORMLESS = 0.5  # share of words; "_" is a word of its own too
_MOST_SEEN = 0.1  # share of test sentences that may be in train: short ones are, by chance


def check_forms(what: str, sentences: Sequence[Sentence[Any]]) -> None:
    """Raise DataError for a treebank without its text."""
    words = [word for sentence in sentences for word in sentence.words]
    missing = words.count(_NO_FORM)
    if words and missing > _MOST_FORMLESS * len(words):
        first = next(s for s in sentences if _NO_FORM in s.words)
        raise DataError(
            f"{first.where}: {what}: {missing:,} of {len(words):,} words have no form (_): the "
            "treebank is released without its text; merge the forms in, or choose another"
        )


def overlap(name: str, test: Sequence[Sentence[Any]], train: Iterable[Sentence[Any]]) -> list[str]:
    """Return a warning where test sentences are trained on; DataError for more than a tenth."""
    known = {sentence.words: sentence for sentence in train}
    seen = [sentence for sentence in test if sentence.words in known]
    if len(seen) > _MOST_SEEN * len(test):
        longest = max(seen, key=lambda sentence: len(sentence.words))
        raise DataError(
            f"{longest.where}: treebank.{name}: {len(seen)} of {len(test)} test sentences are also "
            f"trained on (this one at {known[longest.words].where}); choose disjoint files"
        )
    if not seen:
        return []
    return [f"{name}: {len(seen)} of {len(test)} test sentences also occur in train"]
