"""No new pieces: the baseline."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.vocab.base import VocabChange, unchanged
from specialize.vocab.wordpiece.model import WordPiece


def change(vocabulary: WordPiece, corpus: Iterable[str]) -> VocabChange[WordPiece]:
    """Return the vocabulary unchanged; the corpus is not read."""
    return unchanged(vocabulary)
