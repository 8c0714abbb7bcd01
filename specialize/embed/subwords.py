"""The mean of the old pieces that spelt the new one, in context."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from specialize.embed._rows import FreshRows, drawn, mixture
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    table_VD: Tensor, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return the mean of the old rows of each piece's old segmentation (FVT, Gee et al. 2022).

    In context: a ``##piece`` is covered by continuing pieces, where published code strips the mark
    and segments the surface form. A piece with characters that the old vocabulary lacks has no such
    segmentation; its row is drawn around the mean row.
    """
    old = change.old
    parts = [[old.ids[part] for part in old.parts(piece)] for piece in change.fresh_pieces]
    rows = drawn(table_VD, len(parts), seed=seed, mean=True)
    return FreshRows(mixture(parts, len(table_VD)), rows)
