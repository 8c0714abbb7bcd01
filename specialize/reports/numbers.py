"""Numbers of a report, read from the facts of a run and formatted; nothing here measures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

from specialize.memory import shown_size
from specialize.progress import duration

Facts = Mapping[str, Any]


# Formats ------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> float | None:
    """Return ``part`` / ``whole``, None where there is nothing."""
    return part / whole if whole else None


def percent(value: float | None, *, places: int = 1) -> str:
    """Return a share from 0 to 1 in percent, – for none."""
    return "–" if value is None else f"{100 * value:.{places}f} %"


def decimal(value: float | None) -> str:
    """Return a number with two decimals, – for none."""
    return "–" if value is None else f"{value:.2f}"


def average(values: Sequence[float], places: int) -> str:
    """Return the mean, – of none."""
    return f"{mean(values):.{places}f}" if values else "–"


def spread(values: Sequence[float], *, places: int = 1) -> str:
    """Return mean ± sample standard deviation, the mean alone of one value, – of none."""
    deviation = f" ± {stdev(values):.{places}f}" if len(values) > 1 else ""
    return f"{average(values, places)}{deviation}"


def signed(value: float, digits: int = 1) -> str:
    """Return a difference with its sign, zero without."""
    text = f"{value:+.{digits}f}"
    return minus(text) if float(text) else f"{0:.{digits}f}"


def minus(figure: str) -> str:
    """Return a figure with the sign for minus in place of a hyphen."""
    return figure.replace("-", "−")


def memory(size: int) -> str:
    """Return bytes as ``"640 MB"`` or ``"1.9 GB"``, – where they were not measured."""
    return shown_size(size) if size else "–"


# Arms ---------------------------------------------------------------------------------------------


def result(facts: Facts) -> Facts:
    """Return the arm that the recipe names as the result."""
    arms: list[Facts] = facts["arms"]
    return next(arm for arm in arms if arm["name"] == facts["result"])


def baseline(facts: Facts, *, lapt: bool) -> Facts | None:
    """Return the first arm with the recipe's base, all of it trained, each task alone."""
    for arm in facts["arms"]:
        other = arm.get("base", facts["base"]) != facts["base"]
        other = other or arm.get("multitask") or arm.get("modules")
        if arm["lapt"] == lapt and not (other or arm["pieces_added"] or arm["mixin"]):
            found: Facts = arm
            return found
    return None


def reference(facts: Facts) -> Facts | None:
    """Return the baseline that the result is shown beside: with LAPT, else without; not itself."""
    chosen = result(facts)
    found = (baseline(facts, lapt=lapt) for lapt in (True, False))
    return next((arm for arm in found if arm is not None and arm is not chosen), None)


# Scores -------------------------------------------------------------------------------------------


def tasks(facts: Facts) -> list[str]:
    """Return the tasks scored in any arm, in the recipe's order."""
    scored = {task for arm in facts["arms"] for task in arm["scores"]}
    return [task for task in facts["tasks"] if task in scored]


def metric(facts: Facts, task: str) -> str:
    """Return the name of a task's score: ``"LAS"``; of a user's own method, its metric."""
    from specialize.comparison.values import metric_name  # slow, and not for every table

    method = str(facts["tasks"][task])
    scores = (arm["scores"].get(task) for arm in facts["arms"])
    key = next((str(score["metric"]) for score in scores if score), method)
    return metric_name(method, key)


def label(facts: Facts, task: str) -> str:
    """Return a task's score for a heading: ``"LAS"``, or ``"news: LAS"`` for a task so named."""
    from specialize.comparison.values import label  # slow, and not for every table

    return label(task, [metric(facts, task)])


def seeded(arm: Facts, task: str, split: str = "test") -> list[tuple[int, float]]:
    """Return (seed, score in percent) of the seeds with a finite score."""
    found = arm["scores"].get(task)
    if not found:
        return []
    rows = zip(found["seeds"], found[split], strict=True)
    pairs = ((seed, row.get(found["metric"])) for seed, row in rows)
    return [(seed, score) for seed, score in pairs if score is not None and math.isfinite(score)]


def scores(arm: Facts, task: str, split: str = "test") -> list[float]:
    """Return the scores of ``seeded`` alone."""
    return [score for _, score in seeded(arm, task, split)]


def unseen_counts(facts: Facts, task: str) -> tuple[int, int] | None:
    """Return how many test sentences are not in train, at least over seeds, and how many in all.

    None where no more than 2 % are in train: too few to show the score on the others.
    """
    found = [arm["scores"][task] for arm in facts["arms"] if task in arm["scores"]]
    shared = max((count for scores in found for count in scores.get("shared", ())), default=0)
    total = max((scores.get("test_sentences", 0) for scores in found), default=0)
    return (total - shared, total) if shared > 0.02 * total else None


def splits(facts: Facts, task: str) -> tuple[str, ...]:
    """Return the parts of a task's data that scores are shown of."""
    return ("dev", "test", "test_unseen") if unseen_counts(facts, task) else ("dev", "test")


def seed_counts(arm: Facts) -> str:
    """Return the number of seeds of an arm's scores: ``"3"``, or ``"1–3"`` if tasks differ."""
    counts = {len(scores(arm, task)) for task in arm["scores"]}
    return "–".join(str(count) for count in sorted({min(counts), max(counts)})) if counts else "–"


def best(facts: Facts, task: str, split: str) -> float | None:
    """Return the highest mean over seeds of any arm, rounded as it is printed."""
    found = [scores(arm, task, split) for arm in facts["arms"]]
    return max((round(mean(values), 1) for values in found if values), default=None)


class Difference(NamedTuple):
    """The mean of some values minus that of others, as printed."""

    value: float
    exact: float
    deviation: float | None  # the larger sample standard deviation; None with one seed each

    @property
    def within_spread(self) -> bool:
        """Return whether the means differ, but by no more than the deviation."""
        known = self.deviation is not None and abs(self.exact) <= self.deviation
        return known and self.value != 0


def difference(mine: Sequence[float], theirs: Sequence[float], *, places: int = 1) -> Difference:
    """Return the difference of two means that are printed with ``places`` decimals."""
    shown = round(round(mean(mine), places) - round(mean(theirs), places), places)
    deviations = (stdev(values) for values in (mine, theirs) if len(values) > 1)
    return Difference(shown, mean(mine) - mean(theirs), max(deviations, default=None))


# LAPT ---------------------------------------------------------------------------------------------


def bits_by_epoch(arm: Facts) -> list[tuple[int, float]]:
    """Return (epoch, bits per byte) where they were measured."""
    found = ((row["epoch"], row["bits_per_byte"]) for row in arm["losses"])
    return [(epoch, value) for epoch, value in found if value is not None and math.isfinite(value)]


def bits(arm: Facts) -> list[float]:
    """Return the bits per byte of the epochs kept, one for each LAPT."""
    return [value for value in arm["bits_per_byte"] if value is not None and math.isfinite(value)]


# Texts --------------------------------------------------------------------------------------------


def unknown(audit: Facts) -> float | None:
    """Return the share of unknown pieces among all pieces."""
    return share(audit["unknown_pieces"], audit["pieces"])


def texts(facts: Facts) -> dict[str, str]:
    """Return the audited texts by the names to show; equal ones together, as ``"pos, dep dev"``."""
    found: dict[str, list[str]] = {}
    for text in dict.fromkeys(text for arm in facts["arms"] for text in arm["audit"]):
        audits = [arm["audit"].get(text) for arm in facts["arms"]]
        found.setdefault(repr(audits), []).append(text)
    return {", ".join(names): names[0] for names in found.values()}


DEV, TEST = " dev", " test"  # the ends of the names of a task's texts


def is_test(text: str) -> bool:
    """Return whether an audited text is the test data of a task."""
    return text.endswith(TEST)


def original(facts: Facts, text: str) -> Facts | None:
    """Return the audit of a text before mix-ins and new pieces, None where no arm has it so."""
    plain = (arm for arm in facts["arms"] if not arm["mixin"] and text in arm["audit"])
    return next((arm["audit"][text]["before"] for arm in plain), None)


class Change(NamedTuple):
    """The audits of a text before and after an arm's mix-ins and new pieces."""

    text: str
    before: Facts
    after: Facts
    rewritten: bool  # ``before`` is after the mix-ins too: no arm has the original text


def changes(facts: Facts, arm: Facts) -> list[Change]:
    """Return the change of each text that ``arm`` audited."""
    found = []
    for text, audit in arm["audit"].items():
        first = original(facts, text)
        before = audit["before"] if first is None else first
        found.append(Change(text, before, audit["after"], rewritten=first is None))
    return found


def changed_arms(facts: Facts) -> list[Facts]:
    """Return the arms whose text or vocabulary is not the base's, or the result if none is."""
    found = [arm for arm in facts["arms"] if arm["pieces_added"] or arm["mixin"]]
    return found or [result(facts)]


# Stages -------------------------------------------------------------------------------------------


class Spent(NamedTuple):
    """The stages of an arm that differ in the seed alone."""

    label: str
    seconds: list[float]

    def __str__(self) -> str:
        times = f"{len(self.seconds)} × " if len(self.seconds) > 1 else ""
        return f"{self.label} {times}{duration(mean(self.seconds))}"


def spent(arm: Facts) -> list[Spent]:
    """Return the time of an arm's stages, seeds together, those under a second as one."""
    grouped: dict[str, list[float]] = {}
    for stage in arm["stages"]:
        grouped.setdefault(stage["label"].partition(", seed ")[0], []).append(stage["seconds"])
    long = [Spent(name, times) for name, times in grouped.items() if sum(times) >= 1]
    short = [sum(times) for times in grouped.values() if sum(times) < 1]
    return [*long, *([Spent("short stages", [sum(short)])] if short else [])]


def seconds(stages: Sequence[Facts]) -> float:
    """Return the seconds of ``stages`` together."""
    return float(sum(stage["seconds"] for stage in stages))


def peak(stages: Sequence[Facts]) -> int:
    """Return the most bytes that any of ``stages`` held; 0 where not measured."""
    return max((stage["peak_memory"] for stage in stages), default=0)


def stages_once(facts: Facts) -> list[Facts]:
    """Return the stages of all arms; one that arms share, with equal times, once."""
    found = [stage for arm in facts["arms"] for stage in arm["stages"]]
    return list({(s["label"], s["seconds"], s["peak_memory"]): s for s in found}.values())
