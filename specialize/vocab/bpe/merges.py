"""The merges of BPE pieces where every way to put one together counts, as in tiktoken's ranks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def merges_of(ids: Mapping[str, int], pieces: Iterable[str]) -> list[list[str]]:
    """Return the merges of ``pieces``, given in the order of their ranks: all of each.

    Those of one piece are in the order of the ids of their parts: ``[["a", "bc"], ["ab", "c"]]``.
    """
    return [pair for piece in pieces for pair in _splits(piece, ids)]


def _splits(piece: str, ids: Mapping[str, int]) -> list[list[str]]:
    pairs = ((piece[:i], piece[i:]) for i in range(1, len(piece)))
    found = [(ids[a], ids[b], a, b) for a, b in pairs if a in ids and b in ids]
    return [[a, b] for _, _, a, b in sorted(found)]
