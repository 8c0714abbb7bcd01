"""The native extension, if it is there: loaded when first asked for, and without torch.

It holds no rule of its own: each operator has its readable definition in the package, which is
used where the extension is missing. ``SPECIALIZE_NATIVE=0`` forbids the extension, ``1`` demands
it; ``SPECIALIZE_THREADS`` bounds the threads, of which results do not depend.
"""

from __future__ import annotations

import os
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Any

from specialize.errors import MissingError, SpecializeWarning, UsageError

INSTALL = "pip install ./cpp_ext"
INTERFACE = 8  # of the extension that this package is for: cpp_ext/src/core.cpp


def core() -> Any:
    """Return the extension's module, or None where the definitions in Python are to be used."""
    wanted = os.environ.get("SPECIALIZE_NATIVE", "")
    if wanted not in ("", "0", "1"):
        raise UsageError(f"SPECIALIZE_NATIVE is 0 or 1, not {wanted!r}")
    return None if wanted == "0" else _load(demanded=wanted == "1")


@cache
def _load(*, demanded: bool) -> Any:
    try:
        from specialize_native import _core
    except ImportError as error:
        why, state = str(error), "not there"
    else:
        if getattr(_core, "INTERFACE", 1) == INTERFACE:
            return _core
        why = state = "of another version than this package"
    if demanded:
        raise MissingError(
            f"SPECIALIZE_NATIVE=1, but the native extension cannot be loaded ({why}): {INSTALL}"
        )
    warnings.warn(
        f"the native extension is {state}, so counting is slow, in Python: {INSTALL}",
        SpecializeWarning,
        stacklevel=3,
    )
    return None


def threads() -> int:
    """Return how many threads native code uses: one a core, unless told otherwise."""
    wanted = os.environ.get("SPECIALIZE_THREADS", "")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise UsageError(f"SPECIALIZE_THREADS is a number from 1, not {wanted!r}")
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Counts(Mapping[str, int]):
    """Text -> occurrences, in order of first occurrence, held by the extension.

    Native operators take ``handle`` as it is; who looks into the mapping has it made then, so
    that nothing may be added afterwards.
    """

    handle: Any

    def __getitem__(self, text: str) -> int:
        return self._made[text]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def total(self) -> int:
        """Return the sum of the counts, as a Counter does."""
        return sum(self._made.values())

    @cached_property
    def _made(self) -> dict[str, int]:
        return dict(self._items())

    @abstractmethod
    def _items(self) -> list[tuple[str, int]]: ...


class TokenCounts(Counts):
    """Tokens of a text: what stands between spaces, tabs and line ends."""

    def __init__(self) -> None:
        """Begin without any."""
        self._core = core()
        self.handle = self._core.text_new()
        self.made: dict[Any, Any] = {}  # what others made of them, until there are more

    def __len__(self) -> int:
        return self.facts()[2]

    def feed(self, data: Any, *, whole: bool) -> None:
        """Count the tokens of UTF-8 ``data``; ``whole``: the text ends with it."""
        self.made.clear()
        self._core.text_feed(self.handle, data, whole, threads())

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (token, occurrences, place of the first)."""
        self.made.clear()
        self._core.text_add(self.handle, items)

    def merge(self, other: TokenCounts) -> None:
        """Add the tokens of a text that comes behind this one."""
        self.made.clear()
        self._core.text_merge(self.handle, other.handle, threads())

    def prune(self, max_types: int) -> tuple[int, int]:
        """Drop the rarest of more than ``max_types``; return types and occurrences dropped."""
        self.made.clear()
        return self._core.text_prune(self.handle, max_types, threads())  # type: ignore[no-any-return]

    def valid(self) -> bool:
        """Whether all that was fed is UTF-8."""
        return bool(self._core.text_valid(self.handle, threads()))

    def facts(self) -> tuple[int, int, int, int]:
        """Return characters and bytes of the lines, their types, and the bytes of memory taken."""
        return self._core.text_facts(self.handle)  # type: ignore[no-any-return]

    def _items(self) -> list[tuple[str, int]]:
        return self._core.text_tokens(self.handle)  # type: ignore[no-any-return]


class WordCounts(Counts):
    """Pre-tokenised words."""

    def __init__(self, handle: Any = None) -> None:
        """Take a handle of words, or begin without any."""
        self.handle = core().words_new() if handle is None else handle

    def __len__(self) -> int:
        return int(core().words_size(self.handle))

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (word, occurrences, place of the first)."""
        core().words_add(self.handle, items)

    def _items(self) -> list[tuple[str, int]]:
        return core().words_items(self.handle)  # type: ignore[no-any-return]


def as_tokens(counts: Mapping[str, int]) -> TokenCounts:
    """Return counts of tokens as the extension's."""
    if isinstance(counts, TokenCounts):
        return counts
    tokens = TokenCounts()
    tokens.add(numbered(counts.items()))
    return tokens


def as_words(counts: Mapping[str, int]) -> WordCounts:
    """Return counts of words as the extension's."""
    if isinstance(counts, WordCounts):
        return counts
    words = WordCounts()
    words.add(numbered(counts.items()))
    return words


def numbered(items: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield what ``add`` takes, for (text, occurrences) in order of first occurrence."""
    place = 0
    for text, count in items:
        yield text, count, place
        place += 4 * len(text) + 1  # subtle: words within a token are placed by their bytes
