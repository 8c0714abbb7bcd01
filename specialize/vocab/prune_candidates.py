"""Prune candidates to the pieces that save the most."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_ROUND = 0.25  # share of surplus candidates dropped per round
_LAST = 50  # drop this few in one round


def prune_candidates(
    candidates: Sequence[str], wanted: int, use: Callable[[Sequence[str]], Mapping[str, float]]
) -> list[str]:
    """Return at most ``wanted`` of ``candidates``, the most useful first.

    ``use`` returns the savings of each candidate in the presence of the others. Candidates without
    savings are dropped at once, then the least useful in rounds, since the others partly replace
    them. Ties go to the first candidate.
    """
    while True:
        saved = use(candidates)
        useful = (piece for piece in candidates if saved.get(piece, 0) > 0)
        ranked = sorted(useful, key=lambda piece: -saved[piece])  # stable
        if len(ranked) == len(candidates) <= wanted:
            return ranked
        excess = max(0, int((1 - _ROUND) * (len(ranked) - wanted)))
        candidates = ranked[: wanted + (excess if excess > _LAST else 0)]
