"""The matrix of a comparison: arms × languages of a task, or arms × tasks of one language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from specialize.comparison.significance import ALPHA, marks, paired, paired_p
from specialize.comparison.values import TEXT, Cell, Comparison, Test, label
from specialize.reports.compare_cells import (
    arms,
    best,
    chosen,
    dev_mean,
    groups,
    languages,
    lower_is_better,
    p_value,
    places,
    probability,
    shown,
    test_of,
)
from specialize.reports.numbers import signed


class Entry(NamedTuple):
    """One score of a matrix."""

    text: str
    value: float
    best: bool
    level: bool  # not significantly worse than the best
    note: str


class Column(NamedTuple):
    """A column: the language it belongs to, its heading, the entries by arm."""

    language: str
    heading: str
    entries: dict[str, Entry]


class Matrix(NamedTuple):
    """A table of scores."""

    title: str
    arms: list[str]
    columns: list[Column]


def matrices(comparison: Comparison) -> list[Matrix]:
    """Return a matrix for each task, or one for all tasks of a single language."""
    names, found = arms(comparison), groups(comparison)
    several = len(languages(comparison)) > 1
    tables: dict[str, list[Column]] = {}
    for (language, _), cells in found.items():
        name = heading(cells[0])
        title, above = (name, language) if several else ("All tasks", name)
        column = Column(language, above, _entries(comparison, cells))
        tables.setdefault(title, []).append(column)
    return [
        Matrix(title, [arm for arm in names if any(arm in c.entries for c in columns)], columns)
        for title, columns in tables.items()
    ]


def heading(scored: Cell | Test) -> str:
    """Return ``"LAS"``, ``"news: LAS"`` of a task so named, ``"bits per byte ↓"``."""
    name = label(scored.task, [scored.metric])
    return f"{name} ↓" if lower_is_better(scored) else name


def _entries(comparison: Comparison, cells: Sequence[Cell]) -> dict[str, Entry]:
    top, tasks = best(cells), number_of_tasks(comparison, cells[0].language)
    marked = marks(comparison.cells)
    found = {}
    for cell in cells:
        mark = marked.get((cell.language, cell.task, cell.arm))
        test = test_of(comparison, cell)
        note = _note(cell, test, comparison.baseline, on_dev=cell is chosen(cells))
        beside = "Best on test." if mark == "best" else _beside(top, cell, tasks)
        found[cell.arm] = Entry(
            shown(cell), cell.mean, mark == "best", mark == "level", f"{note} {beside}"
        )
    return found


def number_of_tasks(comparison: Comparison, language: str) -> int:
    """Return by how much 0.05 is divided in tests against the best, as ``marks`` does."""
    tasks = {cell.task for cell in comparison.cells if cell.language == language}
    return max(1, len(tasks - {TEXT}))


def _note(cell: Cell, test: Test | None, baseline: str, *, on_dev: bool) -> str:
    digits = places(cell)
    values = zip(cell.seeds, cell.values, strict=True)
    by_seed = ", ".join(f"{seed}: {value:.{digits}f}" for seed, value in values)
    name = f"{cell.arm}, {cell.metric}, {cell.language}: {shown(cell)}"
    text = f"{name}; n = {cell.n} seed{'s' * (cell.n != 1)} ({by_seed})."
    if (dev := dev_mean(cell)) is not None:
        text += f" On dev {dev:.{digits}f}{', the best: chosen' if on_dev else ''}."
    if cell.arm == baseline:
        return f"{text} The baseline."
    return f"{text} {against(test)}" if test else text


def against(test: Test) -> str:
    """Return how an arm differs from the baseline, with interval and p."""
    digits = places(test)
    text = f"{signed(test.difference, digits)} against {test.baseline}"
    if test.bootstrap_low is not None and test.bootstrap_high is not None:
        low, high = (signed(v, digits) for v in (test.bootstrap_low, test.bootstrap_high))
        text += f", 95 % interval {low} to {high} (bootstrap over test sentences)"
    if test.p is None or test.p_holm is None or test.p_bonferroni is None:
        why = "one common seed" if test.n == 1 else "the same difference in every seed"
        return f"{text}; not tested: {why}."
    corrected = f"Holm {probability(test.p_holm)}, Bonferroni {probability(test.p_bonferroni)}"
    return f"{text}; {p_value(test.p)} ({corrected}; one-sided paired t, n = {test.n})."


def _beside(top: Cell, cell: Cell, tasks: int) -> str:
    pairs = list(paired(top, cell).values())
    if len(pairs) < 2:
        return f"Not tested against the best on test, {top.arm}: fewer than two common seeds."
    p = paired_p(*zip(*pairs, strict=True), lower=lower_is_better(top))
    if p is None:
        return f"Not tested against the best on test, {top.arm}: the same difference in every seed."
    verdict = "Significantly" if p < ALPHA / tasks else "Not significantly"
    limit = f", limit {ALPHA:g} / {tasks} tasks" if tasks > 1 else ""
    how = f"{p_value(p)}, one-sided paired t over {len(pairs)} seeds{limit}"
    return f"{verdict} worse than the best on test, {top.arm} ({how})."
