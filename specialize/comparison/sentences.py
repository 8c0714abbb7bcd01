"""The official metric of predictions, sentence by sentence: read from the folders of runs."""

from __future__ import annotations

import hashlib
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Counted:
    """The counts of each arm and seed of a task, and which seeds have no predictions."""

    counts: Arms
    lacking: Mapping[str, Sequence[int]]  # seeds by arm
    pending: bool  # all that lack are of runs that are not finished


def counts_of(task: str, arms: Mapping[str, Seeds]) -> Counted:
    """Return the counts of each arm and seed of a task of one language, where predictions are.

    While a run is not finished, its folder has predictions of an earlier run or none.
    SpecializeError where there can be no counts, with the reason: a method of the user's own,
    whose code is not run, test data that are not the ones scored, predictions that do not have the
    score of the report.
    """
    runs = list(dict.fromkeys(run for seeds in arms.values() for run in seeds.runs.values()))
    method = runs[0].run.facts["tasks"][task]
    if method not in _COUNTERS:
        raise SpecializeError(f"the method {method} has no counts of sentences")
    files = {
        (arm, seed): predictions_file(run, arm, task, seed)
        for arm, seeds in arms.items()
        for seed, run in seeds.runs.items()
    }
    lacking = [key for key, file in files.items() if file is None]
    there = {key: file for key, file in files.items() if file}
    found: Arms = {}
    for (arm, seed), counts in _counts_in(task, runs, there):
        score, reported = of_all(counts), arms[arm].test[seed]
        if score == reported:
            found.setdefault(arm, {})[seed] = counts
        elif arms[arm].runs[seed].unfinished:
            lacking.append((arm, seed))
        else:
            file = there[arm, seed]
            raise SpecializeError(f"{file} scores {score:.4f}, the report says {reported:.4f}")
    return Counted(
        found,
        {arm: sorted(s for name, s in lacking if name == arm) for arm in dict(lacking)},
        all(arms[arm].runs[seed].unfinished for arm, seed in lacking),
    )


def _counts_in(
    task: str, runs: Sequence[Opened], files: Mapping[tuple[str, int], Path]
) -> Iterator[tuple[tuple[str, int], Counts]]:
    """Yield the counts of each file; without files, the test file is not read either."""
    if not files:
        return
    reader, gold = gold_sentences(task, runs)
    ufeats = reader.metric == "ufeats"
    count = _ufeats if ufeats else _COUNTERS[runs[0].run.facts["tasks"][task]]
    for key, file in files.items():
        yield key, _counts(count, gold, read_sentences(reader, file), file)


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


def predictions_file(run: Opened, arm: str, task: str, seed: int) -> Path | None:
    """Return the file of an arm's predictions, None without it."""
    folder = run.run.folder / "arms" / arm / "predictions"
    name = f"{task}-{seed}"
    found = [path for path in folder.glob(f"{name}*") if name in (path.name, path.stem)]
    return found[0] if len(found) == 1 else None


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
