"""The scores of runs, by language, task and arm; seeds of several runs together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import Any

from specialize.comparison.read import Opened
from specialize.comparison.values import BITS, TEXT, Cell, metric_name
from specialize.errors import UsageError

Key = tuple[str, str, str]  # language, task, arm


@dataclass
class Seeds:
    """The scores of one arm in one task, seed by seed, with the runs they came from."""

    metric: str
    test: dict[int, float] = field(default_factory=dict)
    dev: dict[int, float] = field(default_factory=dict)
    runs: dict[int, Opened] = field(default_factory=dict)


def collect(opened: Sequence[Opened]) -> dict[Key, Seeds]:
    """Return the finite scores; UsageError where two runs give a seed different scores."""
    found: dict[Key, Seeds] = {}
    for run in opened:
        for arm in run.run.facts["arms"]:
            for task, metric, rows in _scores(run, arm):
                seeds = found.setdefault((run.run.language, task, arm["name"]), Seeds(metric))
                for seed, test, dev in rows:
                    _add(seeds, seed, test, dev, run, f"{arm['name']}, {task}")
    return found


def cells(scores: Mapping[Key, Seeds]) -> tuple[Cell, ...]:
    """Return mean and deviation of every arm with a score: languages, then tasks, as they come."""
    order: dict[str, dict[str, None]] = {}
    for language, task, _ in scores:
        order.setdefault(language, {})[task] = None
    return tuple(
        _cell(key, seeds)
        for language, tasks in order.items()
        for task in sorted(tasks, key=lambda task: task == TEXT)
        for key, seeds in scores.items()
        if key[:2] == (language, task) and seeds.test
    )


def not_finished(opened: Sequence[Opened], scores: Mapping[Key, Seeds]) -> Iterator[str]:
    """Yield what is missing: unfinished stages, scores that are not finite, seeds of some arms.

    And points of axes that have no arm of their own, as they would do the same as another.
    """
    told: set[tuple[str, str, str, int]] = set()
    for run in opened:
        language = run.run.language
        for arm, other in run.run.facts.get("same", {}).items():
            yield f"{language}: {arm} does the same as {other} and has no scores of its own"
        for label in run.run.facts.get("missing", ()):
            name = str(label).removeprefix(f"{run.run.folder.name} ")  # of the point in a grid
            yield f"{language}: {_unfinished(name)}"
            told.add((language, *_parts(name)))
        for arm, task, seed in _not_finite(run):
            yield f"{language}: {arm}, {task}: seed {seed} has no finite score"
            told.add((language, arm, task, seed))
    for (language, task, arm), seeds in scores.items():
        others = {
            seed for key, own in scores.items() if key[:2] == (language, task) for seed in own.test
        }
        lacking = sorted(others - seeds.test.keys()) if task != TEXT else []
        if unknown := [seed for seed in lacking if (language, arm, task, seed) not in told]:
            plural = "s" if len(unknown) > 1 else ""
            names = ", ".join(map(str, unknown))
            yield f"{language}: {arm}, {task}: no score of seed{plural} {names}, which others have"


def _not_finite(run: Opened) -> Iterator[tuple[str, str, int]]:
    """Yield the arm, task and seed of each score on test that is not a finite number."""
    for arm in run.run.facts["arms"]:
        for task, own in arm["scores"].items():
            for seed, value in zip(own["seeds"], own["test"], strict=True):
                if not _finite(value.get(own["metric"])):
                    yield arm["name"], task, seed


def _scores(
    run: Opened, arm: Mapping[str, Any]
) -> Iterator[tuple[str, str, list[tuple[int, float, float]]]]:
    """Yield (task, metric, rows of seed, test, dev)."""
    for task, own in arm["scores"].items():
        key = own["metric"]
        method = run.run.facts["tasks"].get(task, own.get("method"))
        rows = zip(own["seeds"], own["test"], own["dev"], strict=True)
        pairs = [(seed, test.get(key), dev.get(key)) for seed, test, dev in rows]
        kept = [(seed, t, d if _finite(d) else math.nan) for seed, t, d in pairs if _finite(t)]
        yield task, metric_name(str(method), str(key)), kept
    bits = [value for value in arm["bits_per_byte"] if _finite(value)]
    seeds = _lapt_seeds(run, arm, len(bits))
    yield TEXT, BITS, [(seed, value, math.nan) for seed, value in zip(seeds, bits, strict=True)]


def _lapt_seeds(run: Opened, arm: Mapping[str, Any], count: int) -> list[int]:
    """Return the seeds of LAPT: the first of the arm's, or all of them with lapt.per_seed."""
    table = run.recipe.get("arm", {}).get(arm["name"], {})
    seeds = [seed for own in arm["scores"].values() for seed in own["seeds"]]
    known = list(dict.fromkeys([*table.get("seeds", ()), *seeds]))
    return [*known, *(n for n in range(1, count + 1) if n not in known)][:count]


def _add(seeds: Seeds, seed: int, test: float, dev: float, run: Opened, what: str) -> None:
    known = seeds.test.setdefault(seed, test)
    if known != test:
        raise UsageError(
            f"{seeds.runs[seed].run.folder} and {run.run.folder}: {what}: seed {seed} scores "
            f"{known:.2f} in one and {test:.2f} in the other; name one of the two runs"
        )
    seeds.dev.setdefault(seed, dev)
    seeds.runs.setdefault(seed, run)


def _cell(key: Key, own: Seeds) -> Cell:
    language, task, arm = key
    seeds = tuple(sorted(own.test))
    values = tuple(own.test[seed] for seed in seeds)
    return Cell(
        language=language,
        arm=arm,
        task=task,
        metric=own.metric,
        seeds=seeds,
        values=values,
        dev=() if task == TEXT else tuple(own.dev[seed] for seed in seeds),
        mean=mean(values),
        sd=stdev(values) if len(values) > 1 else None,
        n=len(values),
    )


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _parts(label: str) -> tuple[str, str, int]:
    """Return arm, task and seed of a stage's label, ``"tva: dep, seed 3"``."""
    arm, _, stage = label.partition(": ")
    task, _, seed = stage.partition(", seed ")
    return arm, task, int(seed) if seed.isdecimal() else 0


def _unfinished(label: str) -> str:
    arm, task, seed = _parts(label)
    if label.partition(", seed ")[1]:
        return f"{arm}, {task}: seed {seed} is not finished"
    return f"{arm}, {task} is not finished" if task else f"{arm} is not finished"
