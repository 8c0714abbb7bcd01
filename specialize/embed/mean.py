"""Rows around the mean of the old rows."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from specialize.embed._rows import FreshRows, drawn, mixture
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    table_VD: Tensor,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    noise: float = 1.0,
    seed: int = 0,
) -> FreshRows:
    """Return the mean old row plus noise: ``noise`` times the old deviation of each dimension.

    With ``noise = 0`` all fresh rows are one and the same, which no later training may tell apart
    quickly (transformers' default is close to that).
    """
    nothing = mixture([[] for _ in change.fresh], len(table_VD))
    centre = table_VD.mean(dim=0)
    rows = drawn(table_VD, len(change.fresh), seed=seed, mean=False)
    return FreshRows(nothing, centre + noise * rows)
