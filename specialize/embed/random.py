"""Random rows: the baseline, and E-MBERT's choice."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.embed._rows import FreshRows, Tables, fresh_rows
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return rows drawn around 0 with the old table's deviation in each dimension."""
    return fresh_rows(tables, change, [None] * len(change.fresh), seed=seed, centred=False)
