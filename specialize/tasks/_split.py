"""Training and dev sentences of one file, where a task has no file for one of the two."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

FOLDS = 5  # of a single split: 80 % to train on, 20 % dev


def split(sentences: Sequence[T], *, fold: int = 0, folds: int = FOLDS) -> tuple[list[T], list[T]]:
    """Return training and dev sentences: dev is every ``folds``-th sentence, from ``fold`` on.

    >>> split("abcdef", fold=1, folds=3)
    (['a', 'c', 'd', 'f'], ['b', 'e'])
    """
    parts: tuple[list[T], list[T]] = ([], [])
    for number, sentence in enumerate(sentences):
        parts[number % folds == fold].append(sentence)
    return parts
