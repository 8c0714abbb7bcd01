"""Paired tests by seed, corrections for many comparisons, and what few seeds can show.

As in Chau & Smith 2021, appendix A.2.1: one-sided paired t tests with the scores of each seed as
pairs. The paper starts from the best arm of each language and divides 0.05 by the number of its
tasks (`marks` does); `corrected` covers every comparison with the baseline instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from specialize.comparison.values import TEXT, Cell

ALPHA = 0.05
Mark = Literal["best", "level"]  # level: not significantly worse than the best


def paired_p(arm: Sequence[float], other: Sequence[float], *, lower: bool = False) -> float | None:
    """Return the p of a one-sided paired t test of whether ``arm`` is better than ``other``.

    Better is higher, or lower if ``lower``. None where the test has no answer: fewer than two
    pairs, or equal differences in all of them, which leave no deviation to measure against.
    """
    differences = [a - b for a, b in zip(arm, other, strict=True)]
    if len(differences) < 2 or constant(differences):
        return None
    from scipy import stats  # it takes half a second

    side = "less" if lower else "greater"
    return float(stats.ttest_rel(arm, other, alternative=side).pvalue)


def constant(differences: Sequence[float]) -> bool:
    """Return whether differences of scores are equal, rounding errors aside."""
    return max(differences) - min(differences) <= 1e-9


def corrected(ps: Sequence[float | None]) -> list[tuple[float | None, float | None]]:
    """Return the p of Bonferroni and of Holm (1979) for each p of one family.

    None stays None and does not count as a comparison.
    """
    order = sorted((p, i) for i, p in enumerate(ps) if p is not None)
    count, highest = len(order), 0.0
    found: list[tuple[float | None, float | None]] = [(None, None)] * len(ps)
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (count - rank) * p))
        found[i] = min(1.0, count * p), highest
    return found


def least_sign_p(seeds: int) -> float:
    """Return the smallest p that a one-sided sign test can reach with so many seeds."""
    return 0.5**seeds


def deviations_needed(seeds: int, comparisons: int) -> float:
    """Return how large a mean difference must be for p < 0.05 after Bonferroni.

    In sample standard deviations of the differences.
    """
    from scipy import stats

    return float(stats.t.isf(ALPHA / comparisons, seeds - 1)) / math.sqrt(seeds)


def better(a: float, b: float, task: str) -> bool:
    """Return whether score ``a`` is better than ``b``."""
    return a < b if task == TEXT else a > b


def marks(cells: Sequence[Cell]) -> dict[tuple[str, str, str], Mark]:
    """Return the marks of (language, task, arm), as in the paper's Table 2.

    The arm with the best mean is "best". One that is not significantly worse is "level": p of the
    one-sided paired t test is at least 0.05 divided by the number of the language's tasks (bits
    per byte apart), or the scores of all seeds equal those of the best. Arms with fewer than two
    seeds in common with the best have no mark, nor has an arm alone.
    """
    groups: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.language, cell.task), []).append(cell)
    found: dict[tuple[str, str, str], Mark] = {}
    for (language, task), group in groups.items():
        tasks = sum(key[0] == language and key[1] != TEXT for key in groups)
        best = group[0]
        for cell in group:
            best = cell if better(cell.mean, best.mean, task) else best
        for cell in group if len(group) > 1 else ():
            if cell.mean == best.mean:
                found[language, task, cell.arm] = "best"
            elif _level(best, cell, ALPHA / max(tasks, 1)):
                found[language, task, cell.arm] = "level"
    return found


def _level(best: Cell, cell: Cell, alpha: float) -> bool:
    pairs = paired(best, cell)
    if len(pairs) < 2:
        return False
    ours, theirs = zip(*pairs.values(), strict=True)
    p = paired_p(ours, theirs, lower=cell.task == TEXT)
    return ours == theirs if p is None else p >= alpha


def paired(arm: Cell, other: Cell) -> Mapping[int, tuple[float, float]]:
    """Return the scores of both for each seed that both have."""
    theirs = dict(zip(other.seeds, other.values, strict=True))
    return {
        seed: (value, theirs[seed])
        for seed, value in zip(arm.seeds, arm.values, strict=True)
        if seed in theirs
    }
