"""Guarded words: words of languages already served, whose segmentation must not change.

Each family selects pieces its own way: ``Guard`` in wordpiece.guard, bpe.guard, unigram.guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.corpus import open_text
from specialize.errors import DataError, UsageError

if TYPE_CHECKING:
    from specialize.vocab.base import Vocabulary

Words = Mapping[str, int]  # word -> occurrences


@dataclass(frozen=True)
class GuardedWords:
    """Pre-tokenised words with their occurrences, of which a share ``budget`` may change.

    Only words that the vocabulary knows are guarded; the others are ignored.
    """

    words: Words
    budget: float = 0.0

    def __post_init__(self) -> None:
        """Check the budget; UsageError if it is not a share."""
        check_budget(self.budget)


def read_guard(
    vocabulary: Vocabulary, files: Sequence[str | Path], budget: float
) -> GuardedWords | None:
    """Return the guarded words of ``files``, texts or counts; None without files.

    UsageError for meaningless settings; DataError if the vocabulary knows none of the words.
    """
    if isinstance(files, str):
        raise UsageError(f"expected a list of guard files, got a string; write [{files!r}]")
    check_budget(budget)
    if not files:
        if budget:
            raise UsageError(f"guard_budget = {budget} without a guard; name files to guard")
        return None
    words = vocabulary.count_words(open_text([str(file) for file in files]))
    if not any(vocabulary.parts(word) for word in words):
        raise DataError(
            f"{files[0]}:1: the vocabulary knows no word of the guard; name texts of languages "
            "that it serves"
        )
    return GuardedWords(words, budget)


def check_budget(budget: float) -> None:
    """Refuse a budget that is not a share."""
    if not 0 <= budget <= 1:
        raise UsageError(f"expected a guard_budget from 0 to 1, a share of words, got {budget}")


def allowed_changes(budget: float, occurrences: int) -> int:
    """Return ``budget`` times ``occurrences``, rounded down."""
    return int(Fraction(str(budget)) * occurrences)
