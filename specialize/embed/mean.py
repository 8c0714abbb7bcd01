"""Rows around the mean of the old rows."""

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
    noise: float = 1.0,
    seed: int = 0,
) -> FreshRows:
    """Return the mean old row plus noise: ``noise`` times the old deviation of each dimension.

    With ``noise = 0`` all fresh rows are equal, and training is slow to tell them apart
    (transformers' default is close to that). With ``noise = 1`` it is ``moments``.
    """
    count = len(change.fresh)
    return fresh_rows(
        tables,
        change,
        [None] * count,
        seed=seed,
        draw=partial(around_mean, scale=noise),
        drawn=[DRAWN if noise else "the mean row"] * count,
    )
