"""The pieces that save the most, of more candidates than there is room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_ROUND = 0.25  # of the candidates that are too many, the share that goes in one round
_LAST = 50  # no more rounds for so few


def prune_candidates(
    candidates: Sequence[str], wanted: int, use: Callable[[Sequence[str]], Mapping[str, float]]
) -> list[str]:
    """Return at most ``wanted`` of ``candidates``, the most useful first.

    ``use`` returns what each of the candidates saves while just these are there. Those that save
    nothing, or that it leaves out, go at once, then the least useful, round by round, since those
    that stay take over their work. Ties go to the first candidate.
    """
    while True:
        saved = use(candidates)
        useful = (piece for piece in candidates if saved.get(piece, 0) > 0)
        ranked = sorted(useful, key=lambda piece: -saved[piece])  # stable
        if len(ranked) == len(candidates) <= wanted:
            return ranked
        excess = max(0, int((1 - _ROUND) * (len(ranked) - wanted)))
        candidates = ranked[: wanted + (excess if excess > _LAST else 0)]
