"""Merges of BPE pieces: all that produce a piece, as in tiktoken's ranks, or only those used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

Pair = tuple[str, str]


def merges_of(ids: Mapping[str, int], pieces: Iterable[str]) -> list[list[str]]:
    """Return the merges of ``pieces``, given in the order of their ranks: all of each.

    Those of one piece are in the order of the ids of their parts: ``[["a", "bc"], ["ab", "c"]]``.
    """
    return [pair for piece in pieces for pair in _splits(piece, ids)]


def _splits(piece: str, ids: Mapping[str, int]) -> list[list[str]]:
    pairs = ((piece[:i], piece[i:]) for i in range(1, len(piece)))
    found = [(ids[a], ids[b], a, b) for a, b in pairs if a in ids and b in ids]
    return [[a, b] for _, _, a, b in sorted(found)]


def intermediate_pieces(merges: Iterable[Sequence[str]], pieces: Iterable[str]) -> set[str]:
    """Return the pieces that ``pieces`` are merged from, by ``merges`` in the order of their ranks.

    Each piece is considered alone, because merges inside it do not depend on its context: if it is
    a piece of a word, no merge crossed its borders.
    """
    ranks = {(left, right): rank for rank, (left, right) in enumerate(merges)}
    return {part for piece in pieces for part in _merged(piece, ranks)}


def _merged(piece: str, ranks: Mapping[Pair, int]) -> list[str]:
    """Return the intermediate pieces of ``piece``; none if merges do not produce it."""
    symbols, passed = list(piece), list[str]()
    while len(symbols) > 1:
        pairs = enumerate(pairwise(symbols))
        rank, i = min((ranks.get(pair, len(ranks)), i) for i, pair in pairs)
        if rank == len(ranks):
            return []
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        passed.append(symbols[i])
    return [*piece, *passed] if passed else []
