"""The paper's method: a piece placed in an [unusedN] slot starts from the slot's row."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.embed._rows import FreshRows, Tables, fresh_rows
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import is_slot


def init(
    tables: Tables, change: VocabChange[Vocabulary], corpus: Iterable[str], *, seed: int = 0
) -> FreshRows:
    """Return the slots' own rows (Chau & Smith 2021, §2.1), their bias entries too.

    UsageError if a piece was appended: it has no slot whose row it could start from.
    """
    old = change.old.pieces
    appended = [i for i in change.fresh if i >= len(old) or not is_slot(old[i])]
    if appended:
        raise UsageError(
            f"embed 'unused' has no rows for {len(appended)} of {len(change.fresh)} pieces, which "
            "were appended for want of [unused] slots; use subwords, script or mean"
        )
    return fresh_rows(tables, change, [{i: 1.0} for i in change.fresh], seed=seed)
