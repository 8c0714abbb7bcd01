"""From folders of runs to a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

from specialize.comparison import claims, settings
from specialize.comparison.cells import Key, Seeds, cells, collect, not_finished
from specialize.comparison.read import open_runs
from specialize.comparison.significance import corrected, paired, paired_p
from specialize.comparison.values import TEXT, Cell, Comparison, Test
from specialize.errors import DataError, SpecializeError, UsageError

Intervals = Mapping[Key, tuple[float, float]]


def compare(folders: Sequence[Path], *, baseline: str | None = None) -> Comparison:
    """Return the comparison of the runs in ``folders``, each a run's folder or one of several.

    ``baseline``: the arm that others are compared with; default: lapt, else unadapted, else the
    first. One family of tests, for Bonferroni and Holm: every other arm in every task of every
    language for which there is a p. UsageError for folders without runs, an unknown baseline or
    runs that are not comparable, DataError for damaged ones.
    """
    opened, missing = open_runs(folders)
    settings.check_comparable(opened)
    scores = collect(opened)
    found = cells(scores)
    if not found:
        raise DataError(f"{opened[0].run.folder}: no arm has a score or bits per byte to compare")
    arms = {arm["name"] for o in opened for arm in o.run.facts["arms"]}
    chosen = _baseline(found, baseline, arms)
    intervals, pending, impossible = _intervals(scores, chosen)
    missing += [*not_finished(opened, scores), *_uncompared(found, chosen), *pending]
    tests = _corrected(_tests(found, chosen, intervals))
    equal = [test for test in tests if test.n > 1 and test.p is None]
    return Comparison(
        runs=tuple(o.run for o in opened),
        baseline=chosen,
        cells=found,
        tests=tests,
        missing=tuple(dict.fromkeys(missing)),
        cautions=(
            *claims.of_tests(tests, equal),
            *claims.of_lapt(opened, found),
            *claims.of_bases(opened),
            *impossible,
            *settings.cautions(opened),
            *claims.of_runs(opened),
        ),
    )


def _baseline(found: Sequence[Cell], name: str | None, arms: Collection[str]) -> str:
    known = list(dict.fromkeys(cell.arm for cell in found))
    if name is None:
        return next((arm for arm in ("lapt", "unadapted") if arm in known), known[0])
    if name not in known:
        fault = "no score yet" if name in arms else "no such arm"
        raise UsageError(f"--baseline {name}: {fault}; arms with scores: {', '.join(known)}")
    return name


def _tests(found: Sequence[Cell], baseline: str, intervals: Intervals) -> Iterator[Test]:
    references = {(c.language, c.task): c for c in found if c.arm == baseline}
    for cell in found:
        reference = references.get((cell.language, cell.task))
        if reference is None or cell.arm == baseline:
            continue
        pairs = list(paired(cell, reference).values())
        if not pairs:
            continue
        ours, theirs = zip(*pairs, strict=True)
        low, high = intervals.get((cell.language, cell.task, cell.arm), (None, None))
        yield Test(
            language=cell.language,
            arm=cell.arm,
            baseline=baseline,
            task=cell.task,
            metric=cell.metric,
            mean=mean(ours),
            sd=stdev(ours) if len(ours) > 1 else None,
            n=len(ours),
            difference=mean(ours) - mean(theirs),
            p=paired_p(ours, theirs, lower=cell.task == TEXT),
            p_bonferroni=None,
            p_holm=None,
            bootstrap_low=low,
            bootstrap_high=high,
        )


def _corrected(tests: Iterator[Test]) -> tuple[Test, ...]:
    found = list(tests)
    ps = corrected([test.p for test in found])
    return tuple(
        replace(test, p_bonferroni=bonferroni, p_holm=holm)
        for test, (bonferroni, holm) in zip(found, ps, strict=True)
    )


def _uncompared(found: Sequence[Cell], baseline: str) -> Iterator[str]:
    """Yield where the baseline has no score, or none of another arm's seeds.

    Without LAPT, a baseline has no bits per byte, which is nothing missing.
    """
    references = {(c.language, c.task): c for c in found if c.arm == baseline}
    without: dict[str, dict[str, None]] = {}
    for cell in found:
        reference = references.get((cell.language, cell.task))
        if reference is None and cell.task != TEXT:
            without.setdefault(cell.language, {})[cell.task] = None
        elif reference is not None and not paired(cell, reference):
            yield f"{cell.language}: {cell.arm}, {cell.task}: no seed in common with {baseline}"
    for language, tasks in without.items():
        names = ", ".join(tasks)
        yield f"{language}: {baseline} has no score in {names}, so no arm is tested there"


def _intervals(
    scores: Mapping[Key, Seeds], baseline: str
) -> tuple[Intervals, list[str], list[str]]:
    """Return the bootstrap's interval of each arm, what is not finished, why there is none."""
    from specialize.comparison.bootstrap import intervals
    from specialize.comparison.sentences import counts_of

    found: dict[Key, tuple[float, float]] = {}
    pending: list[str] = []
    impossible: list[str] = []
    for language, task in dict.fromkeys(key[:2] for key in scores if key[1] != TEXT):
        arms = {key[2]: own for key, own in scores.items() if key[:2] == (language, task)}
        if len(arms) < 2 or not (baseline in arms and arms[baseline].test):
            continue
        try:
            counted = counts_of(task, arms)
        except (SpecializeError, OSError) as error:
            impossible.append(f"{language}, {task}: bootstrap not possible: {error}")
            continue
        own = intervals(counted.counts, baseline)
        found |= {(language, task, arm): interval for arm, interval in own.items()}
        if counted.lacking:
            reason = claims.of_predictions(counted, some=bool(own))
            (pending if counted.pending else impossible).append(f"{language}, {task}: {reason}")
    return found, pending, impossible
