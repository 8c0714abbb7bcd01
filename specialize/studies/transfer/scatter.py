"""The scatter of interference as inline SVG, its labels placed so that they do not overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from specialize.reports.charts import DOT, LINE, TEXT
from specialize.studies.transfer.charts import RECT, figure, signed

_START, _END = 16.0, 252.0  # of the frame, both ways
_DOT = 4.5  # radius
_LETTER, _LINE = 7.6, 13.0  # size of a label
_DIRECTIONS = 16
_GAPS = (4.0, 14.0, 26.0, 38.0, 50.0, 64.0, 80.0)  # between dot and label; lines from the second on


class Box(NamedTuple):
    """A rectangle by its centre and size."""

    x: float
    y: float
    wide: float
    high: float

    def meets(self, other: Box) -> bool:
        """Return whether two boxes overlap."""
        across = abs(self.x - other.x) < (self.wide + other.wide) / 2
        return across and abs(self.y - other.y) < (self.high + other.high) / 2

    @property
    def inside(self) -> bool:
        """Whether the box is in the frame."""
        return all(
            middle - size / 2 >= _START and middle + size / 2 <= _END
            for middle, size in ((self.x, self.wide), (self.y, self.high))
        )


def scatter(title: str, points: Sequence[tuple[str, float, float, bool]]) -> Markup:
    """Return languages by the interference they receive (across) and give (up), -1 to 1.

    Points: (label, x, y, style): the style is whether the language is seen, or the third gains.
    """
    middle = (_START + _END) / 2
    body = [
        LINE.format(middle, _START, middle, _END, "zero"),
        LINE.format(_START, middle, _END, middle, "zero"),
        RECT.format(_START, _START, _END - _START, _END - _START, "frame", 0.0, title),
        TEXT.format(_END, 268, "tick end", "receives more"),
        TEXT.format(_START, 268, "tick", "receives less"),
        TEXT.format(middle, 11, "tick middle", "gives more"),
        TEXT.format(middle, 268, "tick middle", "gives less"),
    ]
    dots = [(middle + 112 * x, middle - 112 * y) for _, x, y, _ in points]
    boxes = placed(dots, [label for label, *_ in points])
    lines, marks = [], []
    for (label, x, y, flag), (at_x, at_y), (box, far) in zip(points, dots, boxes, strict=True):
        style = "s1" if flag else "s2"
        if far:
            lines.append(LINE.format(at_x, at_y, box.x, box.y, "zero"))
        note = f"{label}: receives {signed(x, 2)}, gives {signed(y, 2)}"
        marks.append(DOT.format(at_x, at_y, _DOT, style, note))
        marks.append(TEXT.format(box.x, box.y + 4, f"name middle {style}", label))
    described = (f"{p[0]}: receives {signed(p[1], 2)}, gives {signed(p[2], 2)}" for p in points)
    return figure(270, 274, title, described, [*body, *lines, *marks])


def placed(dots: Sequence[tuple[float, float]], labels: Sequence[str]) -> list[tuple[Box, bool]]:
    """Return the place of each dot's label, and whether it is so far that it needs a line.

    The first that is in the frame and meets no dot and no label before it, from near to far;
    where there is none, that at the right.
    """
    taken = [Box(x, y, 2 * _DOT, 2 * _DOT) for x, y in dots]
    found = []
    for (x, y), label in zip(dots, labels, strict=True):
        candidates = [*_around(x, y, _LETTER * len(label))]
        free = (
            (box, far)
            for box, far in candidates
            if box.inside and not any(box.meets(other) for other in taken)
        )
        box, far = next(free, candidates[0])
        taken.append(box)
        found.append((box, far))
    return found


def _around(x: float, y: float, wide: float) -> Iterator[tuple[Box, bool]]:
    """Yield places of a label around a dot, near ones first, each round from the right on."""
    for number, gap in enumerate(_GAPS):
        for turn in range(_DIRECTIONS):
            angle = 2 * math.pi * turn / _DIRECTIONS
            away_x, away_y = _DOT + gap + wide / 2, _DOT + gap + _LINE / 2 - 2
            place = x + away_x * math.cos(angle), y - away_y * math.sin(angle)
            yield Box(*place, wide, _LINE), number > 0
