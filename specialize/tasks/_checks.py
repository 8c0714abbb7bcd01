"""Faults of a task's data, found before anything is trained on it."""

import filecmp
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from specialize.errors import DataError
from specialize.tasks._base import A, Sentence, Task, gaps


def check_data(
    task: Task[A],
    train: Sequence[Sentence[A]],
    dev: Sequence[Sentence[A]],
    test: Sequence[Sentence[A]],
) -> list[str]:
    """Return warnings about the sentences of a task; DataError if they cannot teach it.

    Nothing can be learned where ``train`` is empty or has no entity; little where all words have
    one label. A score needs sentences, and entities for F1.
    """
    for name, sentences in (("train", train), ("dev", dev), ("test", test)):
        if not sentences:
            raise DataError(f"{task.name}: no sentence in the {name} file; give one with sentences")
    warnings = [warning for part in (train, dev, test) for warning in gaps(task, part)]
    task.check(train, task.labels(train))
    labels = _labels(task, train)
    if len(labels) == 1:
        warnings.append(f"{train[0].where}: all words have the label {labels[0]!r}, the only one")
    warnings += [
        f"{sentences[0].where}: no entity in the {name} file; its F1 is always 0"
        for name, sentences in (("dev", dev), ("test", test))
        if _labels(task, sentences) == ["O"]
    ]
    return warnings


def same_files(files: Mapping[str, Path]) -> list[str]:
    """Return a warning for each two of a task's files (train, dev, test) with the same content."""
    why = {
        ("train", "dev"): "the best epoch is chosen on training data",
        ("train", "test"): "scores on training data say nothing of new text",
        ("dev", "test"): "the best epoch is chosen on test, so its scores are too high",
    }
    return [
        f"{first} and {second} are the same file ({_names(files[first], files[second])}); "
        + why[first, second]
        for first, second in combinations(files, 2)
        if filecmp.cmp(files[first], files[second], shallow=False)
    ]


def _names(first: Path, second: Path) -> str:
    return str(first) if first == second else f"{first} = {second}"


def unseen(train: Sequence[Sentence[A]], test: Sequence[Sentence[A]]) -> list[int]:
    """Return the places in ``test`` of sentences that are not in ``train``, word for word."""
    known = {sentence.words for sentence in train}
    return [i for i, sentence in enumerate(test) if sentence.words not in known]


def _labels(task: Task[A], sentences: Sequence[Sentence[A]]) -> list[str]:
    """Return the labels that occur, of the task's only inventory."""
    (labels,) = task.labels(sentences).values()
    return labels
