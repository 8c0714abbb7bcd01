"""What the scores of a study say: means over seeds, averages over languages, paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, stdev

from specialize.modules.scope import Scope
from specialize.studies.sharing.effects import Estimate, Interval, estimate

GROUPS = ("known", "new", "all")
Differences = Mapping[tuple[str, str], Sequence[float]]  # by language and task, of each seed


@dataclass(frozen=True)
class Row:
    """The score of a model on the test sentences of a pair, in percent."""

    system: str
    seed: int
    model: str
    language: str
    task: str
    seen: bool  # whether the model was trained on the pair
    few: int  # sentences of the pair on which it was trained afterwards
    score: float


@dataclass(frozen=True)
class Mean:
    """A mean over seeds and its deviation (N - 1); None with one seed."""

    value: float
    deviation: float | None


@dataclass(frozen=True)
class Comparison:
    """A system less the reference on the same pairs, in points."""

    system: str
    difference: Estimate  # its intervals: over seeds, and over languages
    better: int  # languages on which the system is better on average over seeds
    worse: int


class Scores:
    """The rows of a study, by system, pair and whether the pair was seen."""

    def __init__(self, rows: Sequence[Row], *, both: Sequence[str], known: Sequence[str]) -> None:
        """``both``: languages that all models see, left out of averages; rows have one ``few``."""
        self.both, self.known = tuple(both), tuple(known)
        self.seeds = sorted({row.seed for row in rows})
        self._found: dict[tuple[str, Scope, bool], dict[int, list[float]]] = {}
        self._models: dict[tuple[Scope, bool], str] = {}  # which was scored
        for row in rows:
            key = row.system, Scope(row.language, row.task), row.seen
            self._models[key[1:]] = row.model
            self._found.setdefault(key, {}).setdefault(row.seed, []).append(row.score)

    def by_seed(self, system: str, scope: Scope, *, seen: bool) -> list[float]:
        """Return the score of a pair for each seed, the mean of the models that are scored."""
        found = self._found[system, scope, seen]
        return [mean(found[seed]) for seed in self.seeds]

    def languages(self, task: str, *, seen: bool) -> list[str]:
        """Return the languages that have scores, in the order of the rows."""
        found = (s.language for _, s, own in self._found if s.task == task and own == seen)
        return list(dict.fromkeys(found))

    def group(self, task: str, group: str) -> list[str]:
        """Return the languages of an average: those the base knows, new ones, or all."""
        names = [name for name in self.languages(task, seen=False) if name not in self.both]
        return [n for n in names if group == "all" or (n in self.known) == (group == "known")]

    def average(self, system: str, task: str, group: str, *, seen: bool) -> Mean | None:
        """Return the mean over a group's languages; None if it has none."""
        names = self.group(task, group)
        if not names:
            return None
        own = [self.by_seed(system, Scope(name, task), seen=seen) for name in names]
        return over_seeds([mean(values) for values in zip(*own, strict=True)])

    def compared(self, system: str, reference: str, task: str, *, seen: bool) -> Comparison:
        """Return the differences of two systems, paired by language and seed."""
        differences: Differences = {
            (name, task): [
                one - other
                for one, other in zip(
                    self.by_seed(system, Scope(name, task), seen=seen),
                    self.by_seed(reference, Scope(name, task), seen=seen),
                    strict=True,
                )
            ]
            for name in self.group(task, "all")
        }
        signs = [mean(values) for values in differences.values()]
        return Comparison(
            system,
            replace(estimate(differences), seeds=self._over_runs(differences, seen=seen)),
            sum(value > 0 for value in signs),
            sum(value < 0 for value in signs),
        )

    def _over_runs(self, differences: Differences, *, seen: bool) -> Interval | None:
        """Return the interval over seeds: languages scored by one model share its error."""
        models: dict[str, list[list[float]]] = {}
        for (name, task), values in differences.items():
            models.setdefault(self._models[Scope(name, task), seen], []).append(list(values))
        share = len(models) / len(differences)  # so that each language weighs the same
        runs = {
            (model, ""): [share * sum(values) for values in zip(*own, strict=True)]
            for model, own in models.items()
        }
        return estimate(runs).seeds


def over_seeds(values: Sequence[float]) -> Mean:
    """Return the mean of a value for each seed."""
    return Mean(mean(values), stdev(values) if len(values) > 1 else None)
