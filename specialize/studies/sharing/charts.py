"""Charts of a study as inline SVG: the grid as heat maps, and the main effects."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup

from specialize.reports.charts import DOT, FIGURE, LINE, TEXT, Scale
from specialize.reports.numbers import minus, signed
from specialize.studies.sharing.effects import Effect, Estimate, Interval
from specialize.studies.sharing.sharing import MODES, Mode, Sharing
from specialize.studies.sharing.tables import MARKS, between

_RECT = Markup(
    '<rect x="{}" y="{}" width="{}" height="{}" rx="5" class="{}" fill-opacity="{:.2f}">'
    "<title>{}</title></rect>"
)
_LEFT, _TOP, _WIDE, _HIGH, _GAP = 34, 26, 78, 54, 4  # of a heat map's cells
_STRONGEST = 0.55  # opacity of the largest difference: text stays readable


def heat_map(found: Mapping[Sharing, Estimate], score: Mode, largest: float) -> Markup:
    """Return the nine cells with one mode of scoring: rows characters, columns words.

    Colour: the gain over the monolingual parsers, as a share of ``largest``; the interval over
    seeds below it; a frame where that excludes 0.
    """
    body, described = [], []
    for column, word in enumerate(MODES):
        x = _LEFT + column * (_WIDE + _GAP)
        body.append(TEXT.format(x + _WIDE / 2, 16, "tick middle", f"W {MARKS[word]}"))
        for row, char in enumerate(MODES):
            y = _TOP + row * (_HIGH + _GAP)
            gain = found[Sharing(char, word, score)]
            name = f"C {MARKS[char]}, W {MARKS[word]}, S {MARKS[score]}"
            note = f"{name}: {signed(gain.value)} ({between(gain.seeds)})"
            described.append(note)
            body += [*_cell(x, y, gain, largest, note)]
    for row, char in enumerate(MODES):
        middle = _TOP + row * (_HIGH + _GAP) + _HIGH / 2 + 4
        body.append(TEXT.format(0, middle, "tick", f"C {MARKS[char]}"))
    size = _LEFT + 3 * (_WIDE + _GAP), _TOP + 3 * (_HIGH + _GAP)
    title = f"Gain over MONO where scoring is {MARKS[score]}"
    return FIGURE.format(*size, title, "; ".join(described), Markup("").join(body))


def _cell(x: float, y: float, gain: Estimate, largest: float, note: str) -> Iterator[Markup]:
    strength = _STRONGEST * min(1.0, abs(gain.value) / largest) if largest else 0.0
    kind = f"{'up' if gain.value > 0 else 'down'}{' framed' if gain.shown else ''}"
    yield _RECT.format(x, y, _WIDE, _HIGH, kind, strength, note)
    middle = x + _WIDE / 2
    if gain.seeds is None:
        yield TEXT.format(middle, y + 32, "gain middle", signed(gain.value))
        return
    low, high = map(signed, gain.seeds)
    yield TEXT.format(middle, y + 24, "gain middle", signed(gain.value))
    yield TEXT.format(middle, y + 42, "range middle", f"{low} … {high}")


def effects_chart(
    effects: Sequence[Effect], names: Mapping[str, str], title: str, bound: float
) -> Markup:
    """Return the main effects over no sharing, from -``bound`` to ``bound`` points.

    A thick line is the interval over seeds, a thin one that over pairs, cut at the chart's ends.
    """
    start, end = 14.0, 366.0
    middle, per = (start + end) / 2, (end - start) / 2 / bound

    def at(value: float) -> float:
        return middle + max(-bound, min(bound, value)) * per

    rows = [effect for effect in effects if effect.against == "none"]
    bottom = 44 * len(rows) + 8
    body = []
    for tick in (-bound, -bound / 2, 0.0, bound / 2, bound):
        kind = "zero" if tick == 0 else "grid"
        body.append(LINE.format(at(tick), 4, at(tick), bottom, kind))
        body.append(TEXT.format(at(tick), bottom + 16, "tick middle", minus(f"{tick:g}")))
    for number, effect in enumerate(rows):
        y, found = 30 + 44 * number, effect.estimate
        name = f"{names[effect.part]} {MARKS[effect.mode]}"
        body.append(TEXT.format(start, y - 10, "label", name))
        body.append(TEXT.format(end, y - 10, "value end", described(found)))
        body += [*_whisker(found.pairs, y, "wide", at), *_whisker(found.seeds, y, "narrow", at)]
        body.append(DOT.format(at(found.value), y, 5, "s1", described(found)))
    text = "; ".join(f"{names[e.part]} {MARKS[e.mode]}: {described(e.estimate)}" for e in rows)
    return FIGURE.format(380, bottom + 22, title, text, Markup("").join(body))


def _whisker(interval: Interval | None, y: float, kind: str, at: Scale) -> Iterator[Markup]:
    if interval:
        yield LINE.format(at(interval[0]), y, at(interval[1]), y, f"{kind} s1")


def described(found: Estimate) -> str:
    """Return "+0.4 (+0.1 to +0.7)", with the interval over seeds."""
    return f"{signed(found.value)} ({between(found.seeds)})" if found.seeds else signed(found.value)


def bound_of(effects: Sequence[Effect]) -> float:
    """Return the end of the effects' axis, a multiple of half a point."""
    ends = [abs(effect.estimate.value) for effect in effects]
    ends += [abs(end) for effect in effects for end in effect.estimate.seeds or ()]
    return max(0.5, math.ceil(2 * max(ends)) / 2)
