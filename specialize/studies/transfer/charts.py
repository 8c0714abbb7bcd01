"""Charts of transfer and interference as inline SVG, in the style of `reports.charts`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import mean, pstdev

from markupsafe import Markup

from specialize.reports import numbers
from specialize.reports.charts import DOT, FIGURE, LINE, PATH, TEXT, Scale
from specialize.reports.numbers import minus

RECT = Markup(
    '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" class="{}" '
    'fill-opacity="{:.2f}"><title>{}</title></rect>'
)
_STRENGTH = 0.75  # opacity of the largest value of a heat map
_ROW = 24

Value = float | None


def signed(value: Value, digits: int = 1) -> str:
    """Return "+1.2", "−1.2", "0.0", or "–" for None."""
    return "–" if value is None or math.isnan(value) else numbers.signed(value, digits)


def counted(count: int | str, noun: str) -> str:
    """Return "1 step", "10 steps".

    >>> counted(1, "step"), counted("10", "step")
    ('1 step', '10 steps')
    """
    return f"{count} {noun}{'' if int(count) == 1 else 's'}"


def scale(values: Iterable[Value], start: float, end: float) -> tuple[Scale, list[float]]:
    """Return a scale that holds 0 and all values, and its ticks, round numbers."""
    known = [0.0, *(v for v in values if v is not None and math.isfinite(v))]
    low, high = min(known), max(known)
    span = max(high - low, 1e-6)
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(f for f in (1, 2, 5, 10) if step * f * 4 >= span * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [round(step * i, 9) for i in range(first, max(last, first + 1) + 1)]
    per = (end - start) / (ticks[-1] - ticks[0])
    return (lambda value: start + (value - ticks[0]) * per), ticks


def bars(
    title: str, rows: Sequence[tuple[str, Value, Sequence[Value], bool]], *, left: int = 60
) -> Markup:
    """Return bars with intervals, largest first: (label, value, (low, high), seen).

    ``left``: the space for labels.
    """
    ordered = sorted(rows, key=lambda row: -math.inf if row[1] is None else -row[1])
    at, ticks = scale([v for row in rows for v in (row[1], *row[2])], left, 392)
    bottom = _ROW * len(rows) + 6
    body = [*_upright(ticks, at, bottom)]
    for y, (label, value, ends, seen) in zip(range(6, bottom, _ROW), ordered, strict=False):
        note = f"{label}: {signed(value)} ({signed(ends[0])} to {signed(ends[1])})"
        body.append(TEXT.format(0, y + 15, "label", label))
        if value is not None:
            low, high = sorted((at(0), at(value)))
            body.append(RECT.format(low, y + 3, high - low, 14, _style(seen), 0.8, note))
        if None not in ends:
            body.append(LINE.format(at(ends[0] or 0), y + 10, at(ends[1] or 0), y + 10, "whisker"))
        body.append(TEXT.format(452, y + 15, "value end", signed(value)))
    return figure(456, bottom + 22, title, (f"{r[0]}: {signed(r[1])}" for r in ordered), body)


def bubbles(title: str, rows: Sequence[tuple[str, float, Value, bool]]) -> Markup:
    """Return targets by the share of donors that help them: (label, share, mean ts, seen).

    Across: the share in percent; area: how large the mean is; a ring: it is negative. One line for
    each, most helped first.
    """
    largest = max([abs(row[2]) for row in rows if row[2] is not None], default=0.0) or 1.0
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    bottom = _ROW * len(rows) + 10

    def at(share: float) -> float:
        return 70 + share * 3.1

    body = [*_upright([0, 25, 50, 75, 100], at, bottom)]
    for y, (label, share, value, seen) in zip(range(16, bottom, _ROW), ordered, strict=False):
        radius = round(2.5 + 8.5 * math.sqrt(abs(value or 0.0) / largest), 1)
        style = _style(seen) if (value or 0.0) >= 0 else f"ring {_style(seen)}"
        note = f"{label}: {share:.0f} % of donors help, mean {signed(value)}"
        body.append(TEXT.format(0, y + 5, "label", label))
        body.append(DOT.format(at(share), y, radius, style, note))
        body.append(TEXT.format(452, y + 5, "value end", signed(value)))
    described = (f"{r[0]}: {r[1]:.0f} %, mean {signed(r[2])}" for r in ordered)
    return figure(456, bottom + 22, title, described, body)


def progression(
    title: str, steps: Sequence[int], values: Sequence[Sequence[float]], noise: Sequence[float]
) -> Markup:
    """Return the mean ts over targets by number of steps, a band of one deviation over targets.

    ``values``: those of the targets after each number of steps; dashed: noise of equal norm.
    """
    middles = [mean(own) if own else 0.0 for own in values]
    spreads = [pstdev(own) if own else 0.0 for own in values]
    ends = [m + sign * s for m, s in zip(middles, spreads, strict=True) for sign in (1, -1)]
    at, ticks = scale([*ends, *noise], 128, 8)
    xs = [34 + 196 * i / max(1, len(steps)) for i in range(len(steps) + 1)]
    body = [LINE.format(34, at(tick), 232, at(tick), "grid") for tick in ticks]
    body += [TEXT.format(28, at(tick) + 4, "tick end", minus(f"{tick:g}")) for tick in ticks]
    names = ["0", *map(str, steps)]
    body += [TEXT.format(x, 146, "tick middle", k) for x, k in zip(xs, names, strict=True)]
    high = [0.0, *(m + s for m, s in zip(middles, spreads, strict=True))]
    low = [0.0, *(m - s for m, s in zip(middles, spreads, strict=True))]
    around = [*zip(xs, high, strict=True), *reversed(list(zip(xs, low, strict=True)))]
    points = " ".join(f"{x:.1f},{at(y):.1f}" for x, y in around)
    body.append(Markup('<polygon points="{}" class="band"/>').format(points))
    body.append(PATH.format(_path(xs, [0.0, *noise], at), "curve s0"))
    body.append(PATH.format(_path(xs, [0.0, *middles], at), "curve s1"))
    for x, m, s, k in zip(xs[1:], middles, spreads, steps, strict=True):
        note = f"{title}, {counted(k, 'step')}: {signed(m)}, deviation {s:.1f}"
        body.append(DOT.format(x, at(m), 3.5, "s1", note))
    pairs = zip(steps, middles, noise, strict=True)
    described = (f"{counted(k, 'step')}: {signed(m)}, noise {signed(n)}" for k, m, n in pairs)
    return figure(240, 150, title, described, body)


def distributions(title: str, rows: Sequence[tuple[str, Sequence[float], float, bool]]) -> Markup:
    """Return the ts of all targets for each donor, highest variance first.

    Rows: (label, values, variance, seen); a dot a target, a bar at the mean, a line from quartile
    to quartile.
    """
    ordered = sorted(rows, key=lambda row: -row[2] if math.isfinite(row[2]) else math.inf)
    at, ticks = scale([v for row in rows for v in row[1]], 60, 392)
    bottom = _ROW * len(rows) + 10
    body = [*_upright(ticks, at, bottom)]
    for y, (label, values, variance, seen) in zip(range(18, bottom, _ROW), ordered, strict=False):
        body.append(TEXT.format(0, y + 5, "label", label))
        body += [DOT.format(at(v), y, 3.2, _style(seen), f"{label}: {signed(v)}") for v in values]
        if values:
            half = sorted(values)
            low, high = half[len(half) // 4], half[(3 * len(half) - 1) // 4]
            body.append(LINE.format(at(low), y, at(high), y, "quartiles"))
            middle = at(mean(values))
            body.append(LINE.format(middle, y - 8, middle, y + 8, f"mean {_style(seen)}"))
        body.append(TEXT.format(452, y + 5, "value end", f"{variance:.1f}"))
    described = (f"{r[0]}: variance {r[2]:.1f}" for r in ordered)
    return figure(456, bottom + 22, title, described, body)


def heat(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[Value]],
    *,
    notes: Sequence[Sequence[str]] = (),
    cut: tuple[int, int] = (0, 0),
    between: str = " to ",
) -> Markup:
    """Return a heat map; a note under a figure, and a rule after the first ``cut`` rows, columns.

    Colour by sign, opacity by size. ``between``: the names of a row and a column, in titles.
    """
    wide, high = (44, 26) if not notes else (110, 60)
    left = 14 + 8 * max(map(len, rows))
    largest = max([abs(v) for row in values for v in row if v is not None], default=0.0) or 1.0
    body = [
        TEXT.format(left + wide * c + wide / 2, 14, "tick middle", name)
        for c, name in enumerate(columns)
    ]
    for r, name in enumerate(rows):
        y = 22 + high * r
        body.append(TEXT.format(0, y + high / 2 + 4, "label", name))
        for c, value in enumerate(values[r]):
            x = left + wide * c
            note = f"{name}{between}{columns[c]}: {signed(value)}"
            strength = 0.0 if value is None else _STRENGTH * min(1.0, abs(value) / largest)
            style = "up" if (value or 0.0) > 0 else "down"
            body.append(RECT.format(x, y, wide - 2, high - 2, style, strength, note))
            shift = -4 if notes else 4
            middle = x + wide / 2 - 1, y + high / 2 + shift
            body.append(TEXT.format(*middle, "cell middle", signed(value)))
            if notes:
                body.append(TEXT.format(middle[0], middle[1] + 20, "cell middle", notes[r][c]))
    width, bottom = left + wide * len(columns), 22 + high * len(rows)
    if cut[0]:
        body.append(LINE.format(0, 21 + high * cut[0], width, 21 + high * cut[0], "cut"))
    if cut[1]:
        body.append(
            LINE.format(left + wide * cut[1] - 1, 4, left + wide * cut[1] - 1, bottom, "cut")
        )
    flat = (f"{r}: {' '.join(map(signed, own))}" for r, own in zip(rows, values, strict=True))
    return figure(int(width), int(bottom), title, flat, body)


def ranks(title: str, sides: Sequence[tuple[str, Sequence[str]]], seen: Sequence[str]) -> Markup:
    """Return rankings side by side, (name, languages best first), equal languages joined."""
    count = max(len(own) for _, own in sides)
    wide, bottom = 150, 22 * count + 34
    body = [
        TEXT.format(60 + wide * i, 14, "tick middle", name) for i, (name, _) in enumerate(sides)
    ]
    for i, ((_, left), (_, right)) in enumerate(pairwise(sides)):
        for place, language in enumerate(left):
            if language in right:
                ends = 34 + 22 * place, 34 + 22 * right.index(language)
                style = f"join {_style(language in seen)}"
                body.append(
                    LINE.format(82 + wide * i, ends[0], 38 + wide * (i + 1), ends[1], style)
                )
    for i, (_, own) in enumerate(sides):
        for place, language in enumerate(own):
            style = f"middle {_style(language in seen)}"
            body.append(TEXT.format(60 + wide * i, 38 + 22 * place, style, language))
    described = (f"{name}: {', '.join(own)}" for name, own in sides)
    return figure(60 + wide * (len(sides) - 1) + 60, bottom, title, described, body)


def _style(seen: bool) -> str:
    return "s1" if seen else "s2"


def _path(xs: Sequence[float], ys: Sequence[float], at: Scale) -> str:
    return " ".join(f"{x:.1f},{at(y):.1f}" for x, y in zip(xs, ys, strict=True))


def _upright(ticks: Sequence[float], at: Scale, bottom: int) -> Iterable[Markup]:
    for tick in ticks:
        yield LINE.format(at(tick), 4, at(tick), bottom, "zero" if tick == 0 else "grid")
        yield TEXT.format(at(tick), bottom + 16, "tick middle", minus(f"{tick:g}"))


def figure(
    width: int, height: int, title: str, described: Iterable[str], body: Iterable[Markup]
) -> Markup:
    """Return an image of ``body`` with a title and a description for those who cannot see it."""
    return FIGURE.format(width, height, title, "; ".join(described), Markup("").join(body))
