"""Charts of a comparison: learning curves with every seed, scores by number of new pieces."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import mean
from typing import NamedTuple

from markupsafe import Markup

from specialize.comparison.values import Cell, Comparison, Run
from specialize.reports import numbers
from specialize.reports.charts import STYLES, Series, curves
from specialize.reports.compare_cells import arms, facts_of, groups, languages, lower_is_better
from specialize.reports.compare_matrix import heading
from specialize.reports.numbers import Facts, decimal

Points = list[tuple[float, float]]


class Chart(NamedTuple):
    """A chart with its caption."""

    language: str
    caption: str
    svg: Markup


def styles(comparison: Comparison) -> dict[str, int]:
    """Return the colour of each arm, the same in all charts."""
    return {name: number % STYLES for number, name in enumerate(arms(comparison))}


def learning(comparison: Comparison) -> list[Chart]:
    """Return the curves of each run: bits per byte in LAPT, scores on dev in fine-tuning."""
    colours = styles(comparison)
    return [chart for run in comparison.runs for chart in _learning(run, colours)]


def _learning(run: Run, colours: Mapping[str, int]) -> list[Chart]:
    charts = []
    if rows := curves_of(run.facts["arms"], bits_by_epoch, colours):
        svg = curves("Bits per byte", rows, x_name="epoch", show=decimal)
        caption = "LAPT: bits per byte of held-out text by epoch (lower is better)"
        charts.append(Chart(run.language, caption, svg))
    for task in numbers.tasks(run.facts):
        if rows := curves_of(run.facts["arms"], partial(dev_by_epoch, task), colours):
            name = numbers.label(run.facts, task)
            svg = curves(name, rows, x_name="epoch", show="{:.1f}".format)
            charts.append(Chart(run.language, f"Fine-tuning: {name} on dev by epoch", svg))
    return charts


def bits_by_epoch(arm: Facts) -> list[Points]:
    """Return the bits per byte of each LAPT, from epoch 0."""
    by_epoch = arm.get("bits_by_epoch") or [[row["bits_per_byte"] for row in arm["losses"]]]
    return [_finite(values) for values in by_epoch]


def dev_by_epoch(task: str, arm: Facts) -> list[Points]:
    """Return the scores of each seed on dev, from epoch 0."""
    return [_finite(values) for values in arm["scores"].get(task, {}).get("by_epoch", ())]


def _finite(values: Sequence[float | None]) -> Points:
    return [(epoch, value) for epoch, value in enumerate(values) if value is not None]


def curves_of(
    found: Sequence[Facts], points: Callable[[Facts], list[Points]], colours: Mapping[str, int]
) -> list[Series]:
    """Return the curve of each arm: the mean over seeds as far as all go, and every seed."""
    rows = []
    for arm in found:
        seeds = [line for line in points(arm) if len(line) > 1]
        if seeds:
            shared = set.intersection(*({x for x, _ in line} for line in seeds))
            by_seed = [dict(line) for line in seeds]
            means = [(x, mean(line[x] for line in by_seed)) for x in sorted(shared)]
            thin = seeds if len(seeds) > 1 else []
            rows.append(Series(arm["name"], colours[arm["name"]], means, seeds=thin))
    return rows


# Scores by number of pieces -----------------------------------------------------------------------


def by_pieces(comparison: Comparison) -> list[Chart]:
    """Return charts of each task's score for arms that differ in the number of pieces alone."""
    charts = []
    for language in languages(comparison):
        families = _families([arm for _, arm in facts_of(comparison, language)])
        for (code, _), cells in groups(comparison).items():
            own = {cell.arm: cell for cell in cells}
            rows = [
                _by_pieces(name, number % STYLES, family, own)
                for number, (name, family) in enumerate(families.items(), 1)
            ]
            rows = [row for row in rows if len(row.points) > 2]
            if code == language and rows:
                charts.append(_chart(language, cells[0], rows))
    return charts


def _chart(language: str, cell: Cell, rows: Sequence[Series]) -> Chart:
    name = heading(cell).removesuffix(" ↓")
    show = decimal if lower_is_better(cell) else "{:.1f}".format
    svg = curves(f"{name} by new pieces", rows, x_name="new pieces", show=show)
    return Chart(language, f"{name} by number of new pieces", svg)


def _families(found: Sequence[Facts]) -> dict[str, list[Facts]]:
    """Return the arms that differ in ``pieces`` alone, with the arm without any as their first."""
    families: dict[str, list[Facts]] = {}
    for arm in found:
        if arm["pieces_added"]:
            families.setdefault(_setup(arm), []).append(arm)
    plain = {_without_pieces(arm): arm for arm in found if not arm["pieces_added"]}
    for family in families.values():
        start = plain.get(_without_pieces(family[0]))
        family[:0] = [start] if start else []
    return families


def _without_pieces(arm: Facts) -> tuple[object, ...]:
    """Return what an arm is apart from its vocabulary."""
    return tuple(arm["mixin"]), arm["lapt"], arm.get("modules", ""), arm.get("multitask", "")


def _setup(arm: Facts) -> str:
    """Return what an arm is, without its number of pieces."""
    method = re.sub(r"\bpieces = \d+(, )?", "", arm["augment"]).replace(" ()", "")
    rate = f"a = {arm['fresh_rate']:g}" if arm["lapt"] else "no LAPT"
    parts = [*arm["mixin"], method.replace(", )", ")"), arm["embed"], rate]
    return ", ".join([*parts, *filter(None, [arm.get("modules"), arm.get("multitask")])])


def _by_pieces(name: str, style: int, family: Sequence[Facts], own: Mapping[str, Cell]) -> Series:
    cells = [(arm["pieces_added"], own[arm["name"]]) for arm in family if arm["name"] in own]
    points: dict[int, float] = {}
    for pieces, cell in cells:
        points.setdefault(pieces, cell.mean)
    seeds = sorted(set.intersection(*(set(cell.seeds) for _, cell in cells))) if cells else []
    lines = [
        sorted((pieces, dict(zip(c.seeds, c.values, strict=True))[seed]) for pieces, c in cells)
        for seed in seeds
    ]
    return Series(name, style, sorted(points.items()), seeds=lines if len(lines) > 1 else ())
