"""Rows like the old ones on average: a normal distribution with their moments."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from specialize.embed._rows import DRAWN, FreshRows, Tables, around_mean, fresh_rows
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    scale: float = 1.0,
    seed: int = 0,
) -> FreshRows:
    """Return rows from N(mean, deviation), dimension by dimension, of the old rows.

    The usual baseline of the literature (FOCUS, WECHSEL). ``scale`` multiplies the deviations.
    """
    count = len(change.fresh)
    draw = partial(around_mean, scale=scale)
    return fresh_rows(tables, change, [None] * count, seed=seed, draw=draw, drawn=[DRAWN] * count)
