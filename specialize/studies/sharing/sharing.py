"""The ways to share a parser's parts between two languages, and its sources of randomness."""

from __future__ import annotations

import hashlib
from itertools import product
from typing import Literal, NamedTuple

PARTS = ("char", "word", "score")
Mode = Literal["none", "soft", "hard"]
MODES: tuple[Mode, ...] = ("none", "soft", "hard")


class Sharing(NamedTuple):
    """How each part is shared: columns C, W and S of the paper's tables.

    "none": each language has the part for itself; "hard": both use one; "soft": both use one, to
    whose input a vector of the language is appended.
    """

    char: Mode
    word: Mode
    score: Mode

    @property
    def name(self) -> str:
        """The modes, as in "none-soft-hard"."""
        return "-".join(self)

    def of(self, part: str) -> Mode:
        """Return the mode of a part."""
        mode: Mode = getattr(self, part)
        return mode


GRID = tuple(Sharing(*modes) for modes in product(MODES, repeat=3))
NOTHING = Sharing("none", "none", "none")


def derived(*parts: object) -> int:
    """Return a seed below 2^31 of a generator of its own, the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4]) >> 1
