"""Mix-ins and new pieces together: what each gains alone, both, and how they interact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from specialize.comparison.values import Cell, Comparison
from specialize.reports.compare_cells import facts_of, groups, languages, lower_is_better, places
from specialize.reports.compare_matrix import heading
from specialize.reports.headline import same_setup, same_tasks
from specialize.reports.numbers import Facts


class Effect(NamedTuple):
    """Gains of a task, a seed each; positive is better, bits per byte too."""

    metric: str
    digits: int
    pieces: list[float]  # new pieces alone
    mixin: list[float]  # the mix-in alone
    both: list[float]
    interaction: list[float]  # both, less the two gains alone


class Square(NamedTuple):
    """Four arms: neither, new pieces, mix-in, both; and the effects in each task."""

    language: str
    arms: tuple[str, str, str, str]
    effects: list[Effect]


def squares(comparison: Comparison) -> list[Square]:
    """Return each arm with mix-in and new pieces beside the three arms that lack one or both."""
    found = []
    for language in languages(comparison):
        for facts, arm in facts_of(comparison, language):
            four = _four(facts, arm)
            if four and (effects := _effects(comparison, language, four)):
                found.append(Square(language, four, effects))
    return found


def _four(facts: Facts, both: Facts) -> tuple[str, str, str, str] | None:
    if not both["mixin"] or not both["pieces_added"]:
        return None
    others: list[Facts] = facts["arms"]
    same = [arm for arm in others if arm["lapt"] == both["lapt"] and same_tasks(both, arm)]
    plain = [arm for arm in same if not arm["pieces_added"]]
    neither = [arm for arm in plain if not arm["mixin"]]
    pieces = [arm for arm in same if not arm["mixin"] and same_setup(both, arm)]
    mixin = [arm for arm in plain if arm["mixin"] == both["mixin"]]
    if not (neither and pieces and mixin):
        return None
    first, second, third = (part[0]["name"] for part in (neither, pieces, mixin))
    return first, second, third, both["name"]


def _effects(comparison: Comparison, language: str, arms: Sequence[str]) -> list[Effect]:
    found = []
    for (code, _), cells in groups(comparison).items():
        own = {cell.arm: cell for cell in cells}
        if code == language and all(arm in own for arm in arms):
            found += _effect([own[arm] for arm in arms])
    return found


def _effect(cells: Sequence[Cell]) -> list[Effect]:
    """Return the effect in a task, none without a seed that all four arms have."""
    values = [dict(zip(cell.seeds, cell.values, strict=True)) for cell in cells]
    common = sorted(set.intersection(*(set(v) for v in values)))
    if not common:
        return []
    sign = -1 if lower_is_better(cells[0]) else 1
    rows = [[sign * v[seed] for v in values] for seed in common]
    return [
        Effect(
            heading(cells[0]).removesuffix(" ↓"),
            places(cells[0]),
            pieces=[p - n for n, p, _, _ in rows],
            mixin=[m - n for n, _, m, _ in rows],
            both=[b - n for n, _, _, b in rows],
            interaction=[b - p - m + n for n, p, m, b in rows],
        )
    ]
