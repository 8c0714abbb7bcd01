"""The mean of the old pieces that the new one replaces, in context."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.embed._rows import FreshRows, Tables, fresh_rows, mean_of
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return the mean of the old rows of each piece's old segmentation (FVT, Gee et al. 2022).

    In context: a ``##piece`` is covered by continuing pieces, where published code strips the mark
    and segments the surface form. A piece with characters that the old vocabulary lacks has no such
    segmentation; its row is drawn around the mean row.
    """
    old = change.old
    weights = [mean_of([old.ids[p] for p in old.parts(piece)]) for piece in change.fresh_pieces]
    return fresh_rows(tables, change, weights, seed=seed)
