"""Scores of a comparison: looked up, ranked and formatted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import mean

from specialize.comparison.significance import ALPHA
from specialize.comparison.values import BITS, TEXT, Cell, Comparison, Test
from specialize.reports.numbers import Facts, spread


def languages(comparison: Comparison) -> list[str]:
    """Return the languages in the order of the runs."""
    return list(dict.fromkeys(run.language for run in comparison.runs))


def arms(comparison: Comparison, language: str = "") -> list[str]:
    """Return the names of all arms, or of those of a language, in the order of the runs."""
    runs = (run for run in comparison.runs if language in ("", run.language))
    return list(dict.fromkeys(arm["name"] for run in runs for arm in run.facts["arms"]))


def facts_of(comparison: Comparison, language: str) -> list[tuple[Facts, Facts]]:
    """Return (the facts of a run, those of an arm) of each arm of a language."""
    runs = (run.facts for run in comparison.runs if run.language == language)
    return [(facts, arm) for facts in runs for arm in facts["arms"]]


def groups(comparison: Comparison) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of all arms by (language, task), held-out text last."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for cell in sorted(comparison.cells, key=lambda cell: cell.task == TEXT):
        found.setdefault((cell.language, cell.task), []).append(cell)
    return found


def test_of(comparison: Comparison, cell: Cell) -> Test | None:
    """Return the comparison of a cell with the baseline."""
    wanted = cell.language, cell.arm, cell.task, cell.metric
    found = (t for t in comparison.tests if (t.language, t.arm, t.task, t.metric) == wanted)
    return next(found, None)


def lower_is_better(cell: Cell | Test) -> bool:
    """Return whether a low value is a good one."""
    return cell.metric == BITS


def places(cell: Cell | Test) -> int:
    """Return the decimals to print."""
    return 2 if cell.metric == BITS else 1


def best(cells: Iterable[Cell]) -> Cell:
    """Return the cell with the best mean on test, the first of equals."""
    return max(cells, key=lambda cell: -cell.mean if lower_is_better(cell) else cell.mean)


def chosen(cells: Iterable[Cell]) -> Cell:
    """Return the cell with the best mean on dev; on test where no dev score is known."""
    found = list(cells)
    dev = [(mean, cell) for cell in found if (mean := dev_mean(cell)) is not None]
    return max(dev, key=lambda pair: pair[0])[1] if dev else best(found)


def dev_mean(cell: Cell) -> float | None:
    """Return the mean on dev over the seeds with a score there, None without any."""
    known = [score for score in cell.dev if math.isfinite(score)]
    return mean(known) if known else None


def shown(cell: Cell) -> str:
    """Return ``"91.2 ± 0.3"``."""
    return spread(cell.values, places=places(cell))


def probability(p: float | None) -> str:
    """Return a p with three decimals, – for none."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_value(p: float) -> str:
    """Return ``"p = 0.012"``."""
    text = probability(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def significant(test: Test | None) -> bool:
    """Return whether the arm is better than the baseline after Holm's correction."""
    return test is not None and test.p_holm is not None and test.p_holm < ALPHA
