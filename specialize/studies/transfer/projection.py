"""Interference between language adapters, counted and projected (Faisal & Anastasopoulos 2024, §2).

A language gains where its score with several adapters is above that with its own alone. A language
A is placed by what it receives (x: its own gains) and gives (y: those of its partners): the mean of
the signs over its combinations. A gain of exactly 0 has no sign; the paper does not say what
becomes of such ties, so combinations with one are left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Signs = tuple[int, ...]  # 1 or -1: of A, then of its partners
Alone = Mapping[str, float]  # the score of each language with its own adapter
Combined = Mapping[tuple[str, ...], Mapping[str, float]]  # of each member, by combination


@dataclass(frozen=True)
class Projection:
    """Where a language stands: the counts of sign combinations and their mean.

    ``place``: (x, y) for pairs, (x, y, z) for triples; x is received, the others are given to the
    first and second partner in the order of the combination. Empty without a combination.
    """

    language: str
    counts: Mapping[Signs, int]
    place: tuple[float, ...]
    ties: int


def projections(languages: Iterable[str], alone: Alone, combined: Combined) -> list[Projection]:
    """Return the projection of each language over the combinations it is in, all of one size."""
    found = []
    for language in languages:
        counts: Counter[Signs] = Counter()
        ties = 0
        for members, scores in combined.items():
            if language not in members:
                continue
            ordered = [language, *(other for other in members if other != language)]
            signs = tuple(_sign(scores[name] - alone[name]) for name in ordered)
            if 0 in signs:
                ties += 1
            else:
                counts[signs] += 1
        found.append(Projection(language, dict(counts), place_of(counts), ties))
    return found


def place_of(counts: Mapping[Signs, int]) -> tuple[float, ...]:
    """Return the mean of the signs, each combination of signs as often as it is counted.

    >>> place_of({(-1, -1): 1, (-1, 1): 1, (1, -1): 1, (1, 1): 1})
    (0.0, 0.0)
    """
    total = sum(counts.values())
    if not total:
        return ()
    axes = zip(*([sign * count for sign in signs] for signs, count in counts.items()), strict=True)
    return tuple(sum(axis) / total for axis in axes)


def signs_of(size: int) -> list[Signs]:
    """Return the quadrants (``size`` 2) or octants (3), all gains first."""
    found: Sequence[Signs] = [()]
    for _ in range(size):
        found = [(*signs, sign) for signs in found for sign in (1, -1)]
    return list(found)


def _sign(gain: float) -> int:
    return (gain > 0) - (gain < 0)
