"""Random rows: the baseline, and E-MBERT's choice."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from specialize.embed._rows import FreshRows, drawn, mixture
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    table_VD: Tensor, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return rows drawn around 0 with the old table's deviation in each dimension."""
    nothing = mixture([[] for _ in change.fresh], len(table_VD))
    return FreshRows(nothing, drawn(table_VD, len(change.fresh), seed=seed, mean=False))
