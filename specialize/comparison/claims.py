"""What may not be claimed from a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from specialize.comparison.read import Opened
from specialize.comparison.significance import ALPHA, deviations_needed, least_sign_p
from specialize.comparison.values import BITS, TEXT, Cell, Test

if TYPE_CHECKING:
    from specialize.comparison.sentences import Counted


def of_tests(tests: Sequence[Test], equal: Sequence[Test]) -> Iterator[str]:
    """Yield what the number of seeds does not allow; ``equal``: tests with no deviation."""
    alone = [test for test in tests if test.n == 1]
    tasks = [test for test in alone if test.task != TEXT]
    if tasks:
        yield (
            f"one seed is no test: {_named(tasks)}; add some, as in "
            '`--set "seeds=[1,2,3,4,5]"` of `specialize run`'
        )
    if len(tasks) < len(alone):
        yield f"{BITS}: LAPT ran once in each arm, so nothing is tested; set lapt.per_seed = true"
    count = sum(test.p is not None for test in tests)
    for seeds in sorted({test.n for test in tests if test.p is not None}):
        yield _power(seeds, count)
    if same := [test for test in equal if test.difference == 0]:
        yield f"scores equal the baseline's in every seed, which is no test: {_named(same)}"
    if constant := [test for test in equal if test.difference != 0]:
        yield (
            "the difference is the same in every seed, so the t test has no deviation to measure "
            f"it against and gives no p: {_named(constant)}"
        )


def _power(seeds: int, count: int) -> str:
    """Return what so many seeds can show at best."""
    least = least_sign_p(seeds)
    several = count > 1
    after = f" ({min(1, least * count):.3g} after Bonferroni)" if several else ""
    family = f" after Bonferroni over {count} comparisons" if several else ""
    return (
        f"{seeds} seeds: a sign test cannot reach a p below {least:.3g}{after}. A smaller p of the "
        f"t test assumes normally distributed differences, which so few seeds cannot show; for "
        f"p < {ALPHA:g}{family}, the mean difference must exceed "
        f"{deviations_needed(seeds, count):.1f} of their standard deviations"
    )


def of_lapt(opened: Sequence[Opened], cells: Sequence[Cell]) -> Iterator[str]:
    """Yield in which languages all seeds of an arm share one LAPT."""
    seeds = {(c.language, c.arm) for c in cells if c.task != TEXT and c.n > 1}
    found = dict.fromkeys(
        run.run.language
        for run in opened
        for arm in run.run.facts["arms"]
        if len(arm["bits_per_byte"]) == 1 and (run.run.language, arm["name"]) in seeds
    )
    if found:
        yield (
            f"{', '.join(found)}: LAPT ran once in each arm, so seeds vary fine-tuning alone; p "
            "says nothing of another LAPT (lapt.per_seed = true repeats it)"
        )


def of_bases(opened: Sequence[Opened]) -> Iterator[str]:
    """Yield in which languages bits per byte are those of arms with different bases."""
    for run in opened:
        facts = run.run.facts
        measured = [arm for arm in facts["arms"] if arm["bits_per_byte"]]
        if len({arm.get("base") or facts["base"] for arm in measured}) > 1:
            yield (
                f"{run.run.language}: {BITS} of arms with different bases: one that was pretrained "
                "on this text has read the held-out lines too"
            )


def of_runs(opened: Sequence[Opened]) -> Iterator[str]:
    """Yield what the reports of the runs caution of their test data."""
    for run in opened:
        tasks = tuple(f"{task}: " for task in run.run.facts["tasks"])
        for caution in run.run.facts.get("cautions", ()):
            if str(caution).startswith(tasks):
                yield f"{run.run.language}: {caution}"


def of_predictions(counted: Counted, *, some: bool) -> str:
    """Return which seeds lack predictions and what that leaves out; ``some``: intervals, or no."""
    what = "not finished, no predictions yet" if counted.pending else "no predictions"
    if not counted.counts:
        return f"{what}, so there is no interval"
    names = "; ".join(
        f"{arm}, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
        for arm, seeds in counted.lacking.items()
    )
    left = "intervals cover the other seeds alone" if some else "so there is no interval"
    return f"{what} of {names}; {left}"


def _named(tests: Sequence[Test]) -> str:
    """Return tests by language and task, as ``"ug dep (lapt, tva)"``."""
    groups: dict[str, list[str]] = {}
    for test in tests:
        groups.setdefault(f"{test.language} {test.task}", []).append(test.arm)
    return ", ".join(f"{where} ({', '.join(arms)})" for where, arms in groups.items())
