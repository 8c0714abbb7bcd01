"""The paper's: a piece placed in an [unusedN] slot starts from the row that lies there."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from specialize.embed._rows import FreshRows, drawn, mixture
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import is_slot


def init(
    table_VD: Tensor, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return the rows of the slots as they are (Chau & Smith 2021, §2.1); bias entries likewise.

    UsageError if a piece was appended: there is no row for it to start from.
    """
    old = change.old.pieces
    appended = [i for i in change.fresh if i >= len(old) or not is_slot(old[i])]
    if appended:
        raise UsageError(
            f"embed 'unused' has no rows for {len(appended)} of {len(change.fresh)} pieces, which "
            "were appended for want of [unused] slots; use random, mean or subwords"
        )
    rows = mixture([[i] for i in change.fresh], len(table_VD))
    return FreshRows(rows, drawn(table_VD, len(change.fresh), seed=seed, mean=False))
