"""The native extension, if installed: loaded on first use, and without torch.

Every operator has a Python reference implementation in the package, the fallback if the extension
is missing. ``SPECIALIZE_NATIVE=0`` disables the extension, ``1`` requires it;
``SPECIALIZE_THREADS`` sets the number of threads, which never changes results.
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
INTERFACE = 8  # must equal the number in cpp_ext/src/core.cpp


def core() -> Any:
    """Return the extension's module, or None to use the reference implementations in Python."""
    wanted = os.environ.get("SPECIALIZE_NATIVE", "")
    if wanted not in ("", "0", "1"):
        raise UsageError(f"expected SPECIALIZE_NATIVE=0 or 1, got {wanted!r}")
    return None if wanted == "0" else _load(required=wanted == "1")


@cache
def _load(*, required: bool) -> Any:
    try:
        from specialize_native import _core
    except ImportError as error:
        state, detail = "not installed", f" ({error})"
    else:
        if getattr(_core, "INTERFACE", 1) == INTERFACE:
            return _core
        state, detail = "of a different version than this package", ""
    if required:
        raise MissingError(
            f"SPECIALIZE_NATIVE=1, but the native extension is {state}{detail}; run: {INSTALL}"
        )
    warnings.warn(
        f"the native extension is {state}; counting falls back to slow Python; run: {INSTALL}",
        SpecializeWarning,
        stacklevel=3,
    )
    return None


def threads() -> int:
    """Return the threads of native code: $SPECIALIZE_THREADS, by default one per core."""
    wanted = os.environ.get("SPECIALIZE_THREADS", "")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise UsageError(f"expected SPECIALIZE_THREADS of 1 or more, got {wanted!r}")
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Counts(Mapping[str, int]):
    """Text -> occurrences, in order of first occurrence, stored in the extension.

    Native operators take ``handle``. The mapping itself is built on first access; nothing may be
    added after that.
    """

    handle: Any

    def __getitem__(self, text: str) -> int:
        return self._counts[text]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def total(self) -> int:
        """Return the sum of the counts, as a Counter does."""
        return sum(self._counts.values())

    @cached_property
    def _counts(self) -> dict[str, int]:
        return dict(self._items())

    @abstractmethod
    def _items(self) -> list[tuple[str, int]]: ...


class TokenCounts(Counts):
    """Tokens of a text, separated by spaces, tabs and line ends."""

    def __init__(self) -> None:
        """Create an empty table."""
        self._core = core()
        self.handle = self._core.text_new()
        self.derived: dict[Any, Any] = {}  # results of callers, valid until tokens are added

    def __len__(self) -> int:
        return self.facts()[2]

    def feed(self, data: Any, *, whole: bool) -> None:
        """Count the tokens of UTF-8 ``data``; ``whole``: the text ends here."""
        self.derived.clear()
        self._core.text_feed(self.handle, data, whole, threads())

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (token, occurrences, position of the first)."""
        self.derived.clear()
        self._core.text_add(self.handle, items)

    def merge(self, other: TokenCounts) -> None:
        """Add the tokens of a text that follows this one."""
        self.derived.clear()
        self._core.text_merge(self.handle, other.handle, threads())

    def prune(self, max_types: int) -> tuple[int, int]:
        """Drop the rarest types beyond ``max_types``; return types and occurrences dropped."""
        self.derived.clear()
        return self._core.text_prune(self.handle, max_types, threads())  # type: ignore[no-any-return]

    def valid(self) -> bool:
        """Whether all data so far is valid UTF-8."""
        return bool(self._core.text_valid(self.handle, threads()))

    def facts(self) -> tuple[int, int, int, int]:
        """Return characters and bytes of the lines, the number of types, and bytes of memory."""
        return self._core.text_facts(self.handle)  # type: ignore[no-any-return]

    def _items(self) -> list[tuple[str, int]]:
        return self._core.text_tokens(self.handle)  # type: ignore[no-any-return]


class WordCounts(Counts):
    """Pre-tokenised words."""

    def __init__(self, handle: Any = None) -> None:
        """Wrap a handle of words, or create an empty table."""
        self.handle = core().words_new() if handle is None else handle

    def __len__(self) -> int:
        return int(core().words_size(self.handle))

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (word, occurrences, position of the first)."""
        core().words_add(self.handle, items)

    def _items(self) -> list[tuple[str, int]]:
        return core().words_items(self.handle)  # type: ignore[no-any-return]


def as_tokens(counts: Mapping[str, int]) -> TokenCounts:
    """Return token counts as the extension stores them."""
    if isinstance(counts, TokenCounts):
        return counts
    tokens = TokenCounts()
    tokens.add(numbered(counts.items()))
    return tokens


def as_words(counts: Mapping[str, int]) -> WordCounts:
    """Return word counts as the extension stores them."""
    if isinstance(counts, WordCounts):
        return counts
    words = WordCounts()
    words.add(numbered(counts.items()))
    return words


def numbered(items: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield the items of ``add``, for (text, occurrences) in order of first occurrence."""
    position = 0
    for text, count in items:
        yield text, count, position
        position += 4 * len(text) + 1  # subtle: words of a token are at byte offsets within it
