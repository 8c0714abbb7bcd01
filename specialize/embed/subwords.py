"""The mean of the old pieces that the new one replaces, in context."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from specialize.embed._rows import FreshRows, Tables, Weights, fresh_rows, weighted
from specialize.vocab.base import VocabChange, Vocabulary

Weighting = Literal["mean", "length", "position"]


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    weights: Weighting = "mean",
    seed: int = 0,
) -> FreshRows:
    """Return the mean of the old rows of each piece's old segmentation (FVT, Gee et al. 2022).

    In context: a ``##piece`` is covered by continuing pieces, where published code strips the mark
    and segments the surface form. A piece with characters that the old vocabulary lacks has no such
    segmentation; its row is drawn around the mean row. ``weights``: ``"length"`` weighs old pieces
    by their characters; ``"position"`` with 1, 2, 3 ..., so that the last counts most, and in an
    untied output layer, which predicts the first, the first. But for ``"position"``, pieces of the
    same old ones in another order get equal rows.
    """
    parts = [change.old.parts(piece) for piece in change.fresh_pieces]
    given = [_weights(change.old, p, weights) for p in parts]
    output = [_weights(change.old, p[::-1], weights) for p in parts]
    return fresh_rows(
        tables,
        change,
        given,
        seed=seed,
        output_weights=output if weights == "position" and tables.output is not None else None,
    )


def _weights(old: Vocabulary, parts: list[str], weighting: Weighting) -> Weights:
    ids = [old.ids[part] for part in parts]
    if weighting == "mean":
        return weighted([(i, 1.0) for i in ids])
    if weighting == "length":
        return weighted([(i, _length(old, p)) for i, p in zip(ids, parts, strict=True)])
    return weighted([(i, place) for place, i in enumerate(ids, 1)])


def _length(old: Vocabulary, part: str) -> int:
    """Return the characters of an old piece; a part of a character counts as one."""
    return len(old.text(part)) or 1
