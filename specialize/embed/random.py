"""Random rows: the baseline, and E-MBERT's choice."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from specialize.embed._rows import FreshRows, Tables, around_mean, fresh_rows
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return rows drawn around 0 with the old table's deviation in each dimension."""
    count = len(change.fresh)
    drawn = ["drawn around 0"] * count
    return fresh_rows(tables, change, [None] * count, seed=seed, draw=_draw, drawn=drawn)


def _draw(noise_FD: Tensor, old_VD: Tensor) -> Tensor:
    if old_VD.shape[1] == 1:
        return around_mean(noise_FD, old_VD)  # a bias around 0 would make fresh pieces likely
    return noise_FD * old_VD.std(dim=0)
