"""The answer of a comparison in sentences: the best arm of each language, and what is unproven."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from specialize.comparison.significance import marks
from specialize.comparison.values import TEXT, Cell, Comparison, Test
from specialize.reports.compare_cells import (
    best,
    chosen,
    groups,
    languages,
    lower_is_better,
    p_value,
    places,
    shown,
    signed,
    significant,
    test_of,
)
from specialize.reports.compare_matrix import heading
from specialize.reports.compare_text import probability
from specialize.reports.headline import listed


class Answer(NamedTuple):
    """What was found of a language."""

    language: str
    title: str
    verdict: str
    findings: list[str]  # a sentence for each task
    unproven: list[str]  # what may not be claimed


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
    """Return the score of a task's best arm beside the baseline and its rivals."""
    cell = chosen(cells)
    seeds = f"{cell.n} seed{'s' * (cell.n != 1)}"
    text = f"{_name(cell)}: {cell.arm} {shown(cell)} ({seeds})"
    if cell.arm != comparison.baseline and (test := test_of(comparison, cell)):
        text += f", {_beside(test)}"
    text += "."
    top = best(cells)
    if top.mean != cell.mean:
        text += f" {top.arm} has more on test ({shown(top)}), but was not chosen by dev scores."
    marked = marks(comparison.cells)
    level = [c.arm for c in cells if marked.get((c.language, c.task, c.arm)) == "level"]
    return f"{text} Not significantly worse than {top.arm}: {listed(level)}." if level else text


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
        if (test := test_of(comparison, cell)) and test.p is not None and not significant(test)
    ]
    if weak:
        are = "is" if len(weak) == 1 else "are"
        yield f"{name}: that {listed(weak)} {are} better than {comparison.baseline}"
