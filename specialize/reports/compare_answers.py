"""The answer of a comparison in sentences: the best arm of each language, and what is unproven."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import mean
from typing import NamedTuple

from specialize.comparison.significance import ALPHA, better, paired, paired_p
from specialize.comparison.values import TEXT, Cell, Comparison, Test
from specialize.reports.compare_cells import (
    best,
    chosen,
    groups,
    languages,
    lower_is_better,
    p_value,
    places,
    probability,
    shown,
    significant,
    test_of,
)
from specialize.reports.compare_matrix import heading, number_of_tasks
from specialize.reports.headline import listed
from specialize.reports.numbers import signed


class Answer(NamedTuple):
    """What was found of a language."""

    language: str
    title: str
    verdict: str
    findings: list[str]  # a sentence for each task
    unproven: list[str]  # what may not be claimed


class _Paired(NamedTuple):
    """An arm beside another over common seeds; p: one-sided, whether it is better."""

    n: int
    difference: float
    p: float | None


_VERDICTS = (
    "significantly better than",
    "not significantly better than",
    "level with",
    "not tested against",
)


def answers(comparison: Comparison) -> list[Answer]:
    """Return the answer of each language."""
    return [_answer(comparison, language) for language in languages(comparison)]


def _answer(comparison: Comparison, language: str) -> Answer:
    tasks = {task: cells for (code, task), cells in groups(comparison).items() if code == language}
    titles = dict.fromkeys(run.title for run in comparison.runs if run.language == language)
    return Answer(
        language=language,
        title=" · ".join(titles),
        verdict=_verdict(comparison, {t: c for t, c in tasks.items() if t != TEXT} or tasks),
        findings=[_finding(comparison, cells) for cells in tasks.values()],
        unproven=[u for cells in tasks.values() for u in _unproven(comparison, cells)],
    )


def _verdict(comparison: Comparison, tasks: dict[str, list[Cell]]) -> str:
    """Return which arm is the best, chosen on dev, and whether it beats the baseline."""
    if not tasks:
        return "No score was measured."
    winners: dict[str, list[Cell]] = {}
    for cells in tasks.values():
        cell = chosen(cells)
        winners.setdefault(cell.arm, []).append(cell)
    clauses = []
    for arm, cells in winners.items():
        names = listed([_name(cell) for cell in cells])
        clauses.append(f"{arm} is the best arm in {names}{_claim(comparison, cells)}")
    return f"{'; '.join(clauses)}."


def _claim(comparison: Comparison, cells: list[Cell]) -> str:
    """Return whether the best arm is significantly better than the baseline."""
    if cells[0].arm == comparison.baseline:
        return ": no arm is better than the baseline"
    tests = [test_of(comparison, cell) for cell in cells]
    if all(test is not None and test.difference == 0 for test in tests):
        return f", level with {comparison.baseline}"
    proven = [cell for cell in cells if significant(test_of(comparison, cell))]
    if len(proven) == len(cells):
        return f", significantly better than {comparison.baseline}"
    if proven:
        names = listed([_name(cell) for cell in proven])
        return f", significantly better than {comparison.baseline} in {names} only"
    return f", not significantly better than {comparison.baseline}"


def _name(cell: Cell) -> str:
    return heading(cell).removesuffix(" ↓")


def _finding(comparison: Comparison, cells: list[Cell]) -> str:
    """Return the score of a task's best arm, and which arms it is significantly better than."""
    cell = chosen(cells)
    seeds = f"{cell.n} seed{'s' * (cell.n != 1)}"
    text = f"{_name(cell)}: {cell.arm} {shown(cell)} ({seeds})"
    if cell.arm != comparison.baseline and (test := test_of(comparison, cell)):
        text += f", {_beside(test)}"
    text += "."
    top = best(cells)
    if top.mean != cell.mean:
        text += f" {top.arm} has more on test ({shown(top)}), but was not chosen by dev scores."
    rivals = [c for c in cells if c.arm not in (cell.arm, comparison.baseline)]
    clauses = _against_rivals(cell, rivals, ALPHA / number_of_tasks(comparison, cell.language))
    return f"{text} {cell.arm} is {'; '.join(clauses)}." if clauses else text


def _against_rivals(cell: Cell, rivals: list[Cell], limit: float) -> list[str]:
    """Return ``"significantly better than latin (+8.3, p = 0.002)"`` and what else is found."""
    found: dict[str, list[str]] = {verdict: [] for verdict in _VERDICTS}
    for rival in rivals:
        beside = _paired(cell, rival)
        if beside.n == 0:
            continue
        value = signed(beside.difference, places(cell))
        if beside.p is not None:
            verdict = _VERDICTS[0 if beside.p < limit else 1]
            value += f", {p_value(beside.p)}"
        else:
            verdict = _VERDICTS[3 if beside.difference else 2]
        found[verdict].append(f"{rival.arm} ({value})")
    return [f"{verdict} {listed(names)}" for verdict, names in found.items() if names]


def _paired(cell: Cell, other: Cell) -> _Paired:
    pairs = list(paired(cell, other).values())
    if not pairs:
        return _Paired(0, 0.0, None)
    ours, theirs = zip(*pairs, strict=True)
    p = paired_p(ours, theirs, lower=lower_is_better(cell))
    return _Paired(len(pairs), mean(ours) - mean(theirs), p)


def _beside(test: Test) -> str:
    """Return ``"1.2 points above lapt (significant: p = 0.003, Holm 0.012)"``."""
    value = f"{abs(test.difference):.{places(test)}f}"
    if not float(value):
        return f"level with {test.baseline}"
    unit = "" if lower_is_better(test) else " points"
    side = "above" if test.difference > 0 else "below"
    text = f"{value}{unit} {side} {test.baseline}"
    if test.p is None or test.p_holm is None:
        return text
    verdict = "significant" if significant(test) else "not significant"
    return f"{text} ({verdict}: {p_value(test.p)}, Holm {probability(test.p_holm)})"


def _unproven(comparison: Comparison, cells: list[Cell]) -> Iterator[str]:
    """Yield what may not be claimed of a task."""
    name, few = _name(cells[0]), [cell.arm for cell in cells if cell.n < 2]
    if few:
        single = "one seed" if len(few) == len(cells) else f"one seed of {listed(few)}"
        yield f"{name}: {single}, so no difference can be called significant"
    weak = [
        f"{cell.arm} ({signed(test.difference, places(cell))})"
        for cell in cells
        if (test := test_of(comparison, cell))
        and test.n > 1
        and better(test.difference, 0, cell.task)
        and not significant(test)
    ]
    yield from _not_better(name, weak, comparison.baseline)
    top = chosen(cells)
    if top.arm != comparison.baseline:
        limit = ALPHA / number_of_tasks(comparison, top.language)
        yield from _not_better(name, _higher(top, cells, limit), top.arm)


def _higher(top: Cell, cells: list[Cell], limit: float) -> list[str]:
    """Return the arms with a better score than ``top`` whose p is not below ``limit``."""
    found = []
    for cell in cells:
        beside = _paired(cell, top)
        unproven = beside.p is None or beside.p >= limit
        if beside.n > 1 and better(beside.difference, 0, cell.task) and unproven:
            found.append(f"{cell.arm} ({signed(beside.difference, places(cell))})")
    return found


def _not_better(name: str, arms: list[str], than: str) -> Iterator[str]:
    if arms:
        yield f"{name}: that {listed(arms)} {'is' if len(arms) == 1 else 'are'} better than {than}"
