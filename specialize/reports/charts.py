"""Charts as inline SVG; the page's style sheet colours their classes, ``s0`` … ``s5`` the arms."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import mean
from typing import NamedTuple

from markupsafe import Markup

from specialize.reports.numbers import spread

Scale = Callable[[float], float]  # from a value to its position in a chart
Format = Callable[[float], str]  # from a value to its label

STYLES = 6
DOT = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="{}"><title>{}</title></circle>')
LINE = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>')
TEXT = Markup('<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>')
PATH = Markup('<polyline points="{}" class="{}"/>')
FIGURE = Markup(
    '<svg viewBox="0 0 {0} {1}" style="max-width:{0}px" role="img" aria-label="{2}">'
    "<title>{2}</title><desc>{3}</desc>{4}</svg>"
)


class Dumbbell(NamedTuple):
    """A line of a dumbbell chart."""

    label: str
    before: float
    after: float


class Series(NamedTuple):
    """The points (x, y) of one arm, its style 0 … 5, and the x of the point with a ring.

    ``seeds``: the points of each seed, of which ``points`` are the means; drawn as thin lines.
    """

    label: str
    style: int
    points: Sequence[tuple[float, float]]
    ringed: float | None = None
    seeds: Sequence[Sequence[tuple[float, float]]] = ()


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return at most ``count`` + 2 evenly spaced round numbers that enclose low and high."""
    span = max(high - low, 0.02 * abs(high), 1e-6)
    step = 10.0 ** math.floor(math.log10(span / count))
    step *= next(factor for factor in (1, 2, 5, 10) if step * factor * count >= span * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(step * tick, 9) for tick in range(first, max(last, first + 1) + 1)]


def _scale(ticks: Sequence[float], start: float, end: float) -> Scale:
    per = (end - start) / (ticks[-1] - ticks[0])
    return lambda value: start + (value - ticks[0]) * per


def _even(ticks: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale on which neighbouring ticks are equally far apart."""
    per = (end - start) / (len(ticks) - 1)

    def at(value: float) -> float:
        i = min(max(bisect_right(ticks, value) - 1, 0), len(ticks) - 2)
        return start + (i + (value - ticks[i]) / (ticks[i + 1] - ticks[i])) * per

    return at


def _figure(
    width: int, height: int, title: str, description: Iterable[str], body: Iterable[Markup]
) -> Markup:
    return FIGURE.format(width, height, title, "; ".join(description), Markup("").join(body))


def _labels(ticks: Sequence[float], show: Format) -> list[str]:
    """Return the labels of ticks, without decimals where all of these are zero."""
    labels = [show(tick) for tick in ticks]
    short = [re.sub(r"\.0+(?!\d)", "", label) for label in labels]
    return short if all(map(str.__ne__, short, labels)) else labels


def _upright(ticks: Sequence[float], at: Scale, bottom: int, show: Format) -> Iterator[Markup]:
    """Yield grid lines down to ``bottom`` and the numbers below them."""
    for tick, label in zip(ticks, _labels(ticks, show), strict=True):
        yield LINE.format(at(tick), 6, at(tick), bottom, "grid")
        yield TEXT.format(at(tick), bottom + 16, "tick middle", label)


def dumbbells(title: str, rows: Sequence[Dumbbell], *, floor: float, show: Format) -> Markup:
    """Return a chart of values before and after, a line a row, on a scale from ``floor``."""
    ticks = _ticks(min([floor, *(min(row[1:]) for row in rows)]), max(max(r[1:]) for r in rows), 4)
    at, bottom = _scale(ticks, 58, 372), 46 * len(rows) + 6
    body = [*_upright(ticks, at, bottom, show)]
    for y, (label, before, after) in zip(range(36, bottom, 46), rows, strict=True):
        low, high = sorted((before, after))
        body += [
            TEXT.format(0, y - 18, "label", label),
            LINE.format(at(before), y, at(after), y, "link"),
            DOT.format(at(before), y, 5, "before", f"before: {show(before)}"),
            DOT.format(at(after), y, 6, "after", f"after: {show(after)}"),
            TEXT.format(at(high) + 11, y + 4, "value", show(high)),
            TEXT.format(at(low) - 11, y + 4, "value end", show(low) if low < high else ""),
        ]
    described = (f"{row.label}: {show(row.before)} before, {show(row.after)} after" for row in rows)
    return _figure(430, bottom + 22, title, described, body)


def strips(title: str, rows: Sequence[Series]) -> Markup:
    """Return a chart with a dot for each seed (seed, score) and a bar at their mean."""
    scores = [[y for _, y in row.points] for row in rows]
    ticks = _ticks(min(map(min, scores)), max(map(max, scores)), 4)
    at, bottom = _scale(ticks, 14, 286), 42 * len(rows) + 6
    body = [*_upright(ticks, at, bottom, "{:g}".format)]
    for y, row, values in zip(range(32, bottom, 42), rows, scores, strict=True):
        middle = at(mean(values))
        body += [
            TEXT.format(0, y - 15, "label", row.label),
            TEXT.format(300, y - 15, "value end", spread(values)),
            LINE.format(middle, y - 9, middle, y + 9, f"mean s{row.style}"),
        ]
        for seed, score in row.points:
            body.append(DOT.format(at(score), y, 4.5, f"s{row.style}", f"seed {seed}: {score:.1f}"))
    described = (f"{row.label}: {spread(v)}" for row, v in zip(rows, scores, strict=True))
    return _figure(300, bottom + 22, title, described, body)


def curves(
    title: str,
    rows: Sequence[Series],
    *,
    x_name: str,
    show: Format,
    steps: Sequence[float] = (),
) -> Markup:
    """Return a chart with a curve for each row and its label at the end; x are whole numbers.

    ``steps``: values of x, ascending, to be as far apart as each other.
    """
    lines = [line for row in rows for line in (row.points, *row.seeds)]
    xs, ys = zip(*(point for line in lines for point in line), strict=True)
    x_ticks = [*steps] or [tick for tick in _ticks(0, max(1, *xs), 8) if tick == int(tick)]
    y_ticks = _ticks(min(ys), max(ys), 5)
    x_at = _even(x_ticks, 58, 540) if steps else _scale(x_ticks, 58, 540)
    y_at = _scale(y_ticks, 260, 10)
    body = [LINE.format(58, y_at(tick), 540, y_at(tick), "grid") for tick in y_ticks]
    for tick, label in zip(y_ticks, _labels(y_ticks, show), strict=True):
        body.append(TEXT.format(48, y_at(tick) + 4, "tick end", label))
    body += [TEXT.format(x_at(tick), 280, "tick middle", f"{tick:,.0f}") for tick in x_ticks]
    body.append(TEXT.format(299, 302, "tick middle", x_name))
    ordered = sorted(rows, key=lambda row: y_at(row.points[-1][1]))
    heights = _apart([y_at(row.points[-1][1]) + 4 for row in ordered], gap=16, bottom=264)
    for row, height in zip(ordered, heights, strict=True):
        body += _curve(row, x_at, y_at, show)
        (start, _), (end, level) = row.points[0], row.points[-1]
        end_x, end_y = x_at(end), y_at(level)
        if start == end:  # draw a single point as a level
            end_x = 540
            body.append(LINE.format(x_at(start), end_y, end_x, end_y, f"level s{row.style}"))
        body.append(TEXT.format(end_x + 14, height, f"name s{row.style}", row.label))
    described = (f"{r.label}: {show(r.points[0][1])} to {show(r.points[-1][1])}" for r in rows)
    width = max(680, 560 + 8 * max(len(row.label) for row in rows))
    return _figure(width, 308, title, described, body)


def _apart(heights: Sequence[float], *, gap: float, bottom: float) -> list[float]:
    """Return ascending heights, moved to be ``gap`` apart and none below ``bottom``."""
    moved: list[float] = []
    for height in heights:
        moved.append(max(height, moved[-1] + gap) if moved else height)
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], bottom)
        bottom = moved[i] - gap
    return moved


def _curve(row: Series, x_at: Scale, y_at: Scale, show: Format) -> Iterator[Markup]:
    for kind, line in [*(("thin", line) for line in row.seeds), ("curve", row.points)]:
        path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in line)
        yield PATH.format(path, f"{kind} s{row.style}")
    for x, y in row.points if len(row.points) <= 40 else row.points[-1:]:
        note = f"{row.label}, {x:g}: {show(y)}"
        yield DOT.format(x_at(x), y_at(y), 3.5, f"s{row.style}", note)
        if x == row.ringed:
            yield DOT.format(x_at(x), y_at(y), 8, f"ring s{row.style}", f"{note}, kept")
