"""Dependency trees as inline SVG: one analysis above the words, another below."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from specialize.tasks._base import Tree

_FIGURE = Markup(
    '<svg class="tree" viewBox="0 0 {0} {1}" style="width:{0}px" role="img" aria-label="{2}">'
    "<title>{2}</title>{3}</svg>"
)
_PATH = Markup('<path class="{}" d="{}"/>')
_GROUP = Markup('<g class="{}">{}</g>')
_TEXT = Markup('<text x="{:.0f}" y="{:.0f}">{}</text>')
_ARC = "M{:.0f} {:.0f}C{:.0f} {:.0f} {:.0f} {:.0f} {:.0f} {:.0f}{}"
_STEP, _WORD, _LABEL = 17, 26, 6.2  # height of a level and of the words, width of a character


def right_to_left(words: Iterable[str]) -> bool:
    """Return whether most letters with a direction are written from right to left."""
    kinds = [unicodedata.bidirectional(character) for word in words for character in word]
    return sum(kind in ("R", "AL") for kind in kinds) > kinds.count("L")


def two_trees(words: Sequence[str], gold: Tree, above: Tree, below: Tree, *, title: str) -> Markup:
    """Return the words with the arcs of one analysis above them and of another below.

    Arcs with a wrong head or relation are marked, and the head of ``gold`` is dashed where the head
    is wrong. Sentences written from right to left begin at the right.
    """
    xs, width = _positions(words, [gold, above, below])
    tops = [_heights(tree, gold) for tree in (above, below)]
    top = 20 + _STEP * max(tops[0].values())
    bottom = top + _WORD
    drawn = _Drawn({}, {})
    _draw(drawn, above, gold, xs, tops[0], base=top, sign=-1)
    _draw(drawn, below, gold, xs, tops[1], base=bottom, sign=+1)
    shown = (_TEXT.format(x, top + 18, word) for x, word in zip(xs, words, strict=True))
    body = [_PATH.format(kind, "".join(paths)) for kind, paths in drawn.arcs.items()]
    body += [_GROUP.format(kind, Markup("").join(own)) for kind, own in drawn.labels.items()]
    body.append(_GROUP.format("words", Markup("").join(shown)))
    height = bottom + 20 + _STEP * max(tops[1].values())
    return _FIGURE.format(width, height, title, Markup("").join(body))


def _positions(words: Sequence[str], trees: Sequence[Tree]) -> tuple[list[float], int]:
    """Return the middle of each word and the width of all."""
    labels = zip(*(tree.deprels for tree in trees), strict=True)
    widths = [
        max(_wide(word) * 8.5 + 14, max(map(len, own)) * _LABEL + 8)
        for word, own in zip(words, labels, strict=True)
    ]
    ends = [sum(widths[: i + 1]) for i in range(len(words))]
    xs = [end - width / 2 for end, width in zip(ends, widths, strict=True)]
    total = ends[-1]
    return ([total - x for x in xs] if right_to_left(words) else xs), round(total)


def _wide(word: str) -> float:
    """Return the width of a word in narrow characters; marks have none."""
    return sum(
        0 if unicodedata.combining(c) else 1.7 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in word
    )


Arc = tuple[int, int]  # dependent, head; words from 0, -1 the root


def _wrong_heads(tree: Tree, gold: Tree) -> list[Arc]:
    """Return the gold arcs of the words whose head in ``tree`` is another."""
    pairs = enumerate(zip(tree.heads, gold.heads, strict=True))
    return [(i, right - 1) for i, (head, right) in pairs if head != right]


def _heights(tree: Tree, gold: Tree) -> dict[Arc, int]:
    """Return the level of each arc, above all arcs within its span; the root's is the highest."""
    arcs = [(i, head - 1) for i, head in enumerate(tree.heads)] + _wrong_heads(tree, gold)
    spans = {arc: (min(arc), max(arc)) for arc in arcs if arc[1] >= 0}
    found: dict[Arc, int] = {}
    for arc in sorted(spans, key=lambda arc: spans[arc][1] - spans[arc][0]):
        low, high = spans[arc]
        within = [
            level
            for other, level in found.items()
            if low <= spans[other][0] and spans[other][1] <= high
        ]
        found[arc] = 1 + max(within, default=0)
    highest = max(found.values(), default=1)
    return found | {arc: highest for arc in arcs if arc[1] < 0}


class _Drawn(NamedTuple):
    """Paths and labels by class."""

    arcs: dict[str, list[str]]
    labels: dict[str, list[Markup]]


def _draw(
    drawn: _Drawn,
    tree: Tree,
    gold: Tree,
    xs: Sequence[float],
    levels: dict[Arc, int],
    *,
    base: float,
    sign: int,
) -> None:
    """Add the arcs of ``tree`` to ``drawn``, away from ``base``: up (``sign`` -1) or down (1)."""
    for arc in _wrong_heads(tree, gold):
        drawn.arcs.setdefault("gold", []).append(
            _arc(arc, xs, levels[arc], base=base, sign=sign)[0]
        )
    rows = zip(tree.heads, tree.deprels, gold.heads, gold.deprels, strict=True)
    for dependent, (head, relation, right, named) in enumerate(rows):
        wrong = head != right or relation.partition(":")[0] != named.partition(":")[0]
        kind, arc = "wrong" if wrong else "arc", (dependent, head - 1)
        path, x, y = _arc(arc, xs, levels[arc], base=base, sign=sign)
        drawn.arcs.setdefault(kind, []).append(path)
        drawn.labels.setdefault(kind, []).append(_TEXT.format(x, y, relation))


def _arc(
    arc: Arc, xs: Sequence[float], level: int, *, base: float, sign: int
) -> tuple[str, float, float]:
    """Return an arc that points at its dependent, and where its label goes."""
    dependent, head = arc
    end = xs[dependent]
    peak = base + sign * (_STEP * level + 2)
    tip = f"M{end - 3:.0f} {base + sign * 5:.0f}l3 {-sign * 5}l3 {sign * 5}"
    label = peak - 3 if sign < 0 else peak + 9
    if head < 0:
        return _ARC.format(end, peak, end, peak, end, peak, end, base, tip), end, label
    start = xs[head] + (5 if end > xs[head] else -5)
    # a Bézier curve reaches three quarters of the height of its control points
    control = base + (peak - base) * 4 / 3
    path = _ARC.format(start, base, start, control, end, control, end, base, tip)
    return path, (start + end) / 2, label
