"""Notes on counts that were pruned (--max-types)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specialize.corpus import Corpus, TextCounts
    from specialize.corpus.token_counts import Dropped


def dropped_from(text: Corpus | TextCounts) -> Dropped:
    """Return what pruning took from a text: nothing, unless it is counts."""
    from specialize.corpus.token_counts import Dropped, TextCounts

    return text.dropped if isinstance(text, TextCounts) else Dropped()


def note(dropped: Dropped) -> str:
    """Return a line about pruned counts, empty if nothing was dropped."""
    if not dropped.types:
        return ""
    return (
        f"{dropped.tokens:,} tokens of {dropped.types:,} rare types were dropped (--max-types): "
        "counts are lower bounds"
    )
