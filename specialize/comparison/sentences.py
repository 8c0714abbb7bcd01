"""The official metric of predictions, sentence by sentence: read from the folders of runs."""

from __future__ import annotations

import hashlib
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.comparison.bootstrap import of_all
from specialize.comparison.cells import Seeds
from specialize.comparison.read import RECIPE, Opened
from specialize.comparison.settings import FILES
from specialize.errors import SpecializeError, SpecializeWarning

if TYPE_CHECKING:
    from specialize.comparison.bootstrap import Counts
    from specialize.tasks._base import Sentence, Task

Arms = dict[str, dict[int, "Counts"]]


def counts_of(task: str, arms: Mapping[str, Seeds]) -> Arms:
    """Return the counts of each arm and seed of a task of one language.

    SpecializeError where they cannot be had, with the reason: a method of the user's own, whose
    code is not run, test data that are not the ones scored, predictions that do not have the
    score of the report.
    """
    runs = list(dict.fromkeys(run for seeds in arms.values() for run in seeds.runs.values()))
    method = runs[0].run.facts["tasks"][task]
    if method not in _COUNTERS:
        raise SpecializeError(f"the method {method} has no counts of sentences")
    reader, gold = gold_sentences(task, runs)
    count = _ufeats if reader.metric == "ufeats" else _COUNTERS[method]
    found: Arms = {}
    for arm, seeds in arms.items():
        for seed, run in seeds.runs.items():
            file = predictions_file(run, arm, task, seed)
            counts = _counts(count, gold, read_sentences(reader, file), file)
            if of_all(counts) != seeds.test[seed]:
                raise SpecializeError(
                    f"{file} scores {of_all(counts):.4f}, the report says {seeds.test[seed]:.4f}"
                )
            found.setdefault(arm, {})[seed] = counts
    return found


def gold_sentences(task: str, runs: Sequence[Opened]) -> tuple[Task[Any], list[Sentence[Any]]]:
    """Return the reader of a task's predictions and the sentences of its test file.

    SpecializeError if no run has the test file that it was scored on.
    """
    faults = []
    for run in runs:
        settings = run.task(task)
        if "test" not in settings:
            faults.append(f"{run.run.folder / RECIPE} names no test file")
            continue
        file = Path(settings["test"])
        if str(file) not in run.hashes:
            faults.append(f"{run.run.folder}: provenance.json has no hash of {file}")
        elif not file.is_file():
            faults.append(f"{file} is missing")
        elif _sha256(file) != run.hashes[str(file)]:
            faults.append(f"{file} has changed since it was scored")
        else:
            reader = _reader(run.run.facts["tasks"][task], settings)
            return reader, read_sentences(reader, file)
    raise SpecializeError("; ".join(dict.fromkeys(faults)))


def _reader(method: str, settings: Mapping[str, Any]) -> Task[Any]:
    from specialize.recipe.methods import bind

    options = {key: v for key, v in settings.items() if key not in ("method", "folds", *FILES)}
    task: Task[Any] = bind("task", method, options)()
    return task


def predictions_file(run: Opened, arm: str, task: str, seed: int) -> Path:
    """Return the file of an arm's predictions; SpecializeError without it."""
    folder = run.run.folder / "arms" / arm / "predictions"
    name = f"{task}-{seed}"
    found = [path for path in folder.glob(f"{name}*") if name in (path.name, path.stem)]
    if len(found) != 1:
        raise SpecializeError(f"{folder} has no predictions of {task}, seed {seed}")
    return found[0]


def read_sentences(reader: Task[Any], file: Path) -> list[Sentence[Any]]:
    """Return the sentences of a file, without the warnings given when it was first read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpecializeWarning)
        return reader.read(file)


def _counts(
    count: Callable[[Any, Any], tuple[int, int]],
    gold: Sequence[Sentence[Any]],
    predicted: Sequence[Sentence[Any]],
    file: Path,
) -> Counts:
    import numpy as np

    from specialize.tasks._base import paired

    rows = [count(ours, theirs) for ours, theirs in paired(gold, predicted)]
    return np.array(rows, np.int64).T


# Metrics ------------------------------------------------------------------------------------------


def _accuracy(gold: Sequence[Any], predicted: Sequence[Any]) -> tuple[int, int]:
    return sum(map(operator.eq, gold, predicted)), len(gold)


def _ufeats(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int]:
    from specialize.tasks._udwords import universal_features

    return _accuracy([*map(universal_features, gold)], [*map(universal_features, predicted)])


def _las(gold: Any, predicted: Any) -> tuple[int, int]:
    """Return correct arcs with relations, subtypes ignored, and words."""
    rows = zip(gold.heads, predicted.heads, gold.deprels, predicted.deprels, strict=True)
    right = sum(
        head == other and name.partition(":")[0] == label.partition(":")[0]
        for head, other, name, label in rows
    )
    return right, len(gold)


def _entities(gold: Sequence[str], predicted: Sequence[str]) -> tuple[int, int]:
    """Return what conlleval's F1 is the ratio of: twice the correct, and gold and found."""
    from specialize.tasks._nereval import spans

    ours, theirs = spans(gold), spans(predicted)
    return 2 * len(ours & theirs), len(ours) + len(theirs)


_COUNTERS: Mapping[str, Callable[[Any, Any], tuple[int, int]]] = {
    "pos": _accuracy,
    "dep": _las,
    "ner": _entities,
}


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
