"""The special pieces around a text and its greatest length, as the tokenizer and model say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Framing:
    """What a model expects around the pieces of a text; ids are those of its vocabulary."""

    prefix: tuple[int, ...]  # before a text, as (101,) for BERT's [CLS]
    suffix: tuple[int, ...]  # after it
    pad: int
    mask: int | None  # None for models that predict the next piece
    special: frozenset[int]  # never masked, never drawn at random
    positions: int  # the most pieces at once, prefix and suffix included

    @property
    def room(self) -> int:
        """Return how many pieces of a text fit."""
        return self.positions - len(self.prefix) - len(self.suffix)
