"""Counts of tokens and words that the native extension holds, as mappings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from specialize.native.extension import core, threads


class Counts(Mapping[str, int]):
    """Text -> occurrences, in order of first occurrence, held by the extension.

    Native functions take ``handle``. The mapping itself is built on first access, so nothing may
    be added after that.
    """

    handle: Any

    def __getitem__(self, text: str) -> int:
        return self._built[text]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def total(self) -> int:
        """Return the sum of the counts, as a Counter does."""
        return sum(self._built.values())

    @cached_property
    def _built(self) -> dict[str, int]:
        return dict(self._items())

    @abstractmethod
    def _items(self) -> list[tuple[str, int]]: ...


class TokenCounts(Counts):
    """Counted tokens: the runs between spaces, tabs and line ends."""

    def __init__(self) -> None:
        """Create an empty table."""
        self._core = core()
        self.handle = self._core.text_new()
        self.derived: dict[Any, Any] = {}  # cached results, dropped when tokens are added

    def __len__(self) -> int:
        return int(self._core.text_size(self.handle))

    def feed(self, data: Any, *, whole: bool) -> None:
        """Count the tokens of UTF-8 ``data``; ``whole``: the text ends with it."""
        self.derived.clear()
        self._core.text_feed(self.handle, data, whole, threads())

    def feed_file(self, file: int, *, size: int, block: int) -> bool:
        """Count the tokens of an open file from here to its end, ``block`` bytes at a time.

        ``size``: about that of the file, for which the table gets room. Return False at a NUL,
        where it stops. Raise OSError if the file cannot be read.
        """
        self.derived.clear()
        return self._core.text_feed_file(  # type: ignore[no-any-return]
            self.handle, file, size, block, threads()
        )

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (token, occurrences, position of the first)."""
        self.derived.clear()
        self._core.text_add(self.handle, items)

    def merge(self, other: TokenCounts) -> None:
        """Add the tokens of a text that follows this one."""
        self.derived.clear()
        self._core.text_merge(self.handle, other.handle, threads())

    def prune(self, max_types: int) -> tuple[int, int]:
        """Drop the rarest of more than ``max_types``; return types and occurrences dropped."""
        self.derived.clear()
        return self._core.text_prune(self.handle, max_types, threads())  # type: ignore[no-any-return]

    def valid(self) -> bool:
        """Return whether all that was fed is UTF-8."""
        return bool(self._core.text_valid(self.handle, threads()))

    def extent(self) -> tuple[int, int]:
        """Return characters and bytes of the lines that were fed, each line stripped."""
        return self._core.text_extent(self.handle)  # type: ignore[no-any-return]

    def write(self, write: Callable[[bytes], object]) -> int:
        """Write rows ``count<tab>token<LF>`` without a Python object each; return the sum."""
        return int(self._core.text_write(self.handle, write, threads()))

    def _items(self) -> list[tuple[str, int]]:
        return self._core.text_tokens(self.handle)  # type: ignore[no-any-return]


class WordCounts(Counts):
    """Counted pre-tokenised words."""

    def __init__(self, handle: Any = None) -> None:
        """Take a handle of words, or create an empty table."""
        self.handle = core().words_new() if handle is None else handle

    def __len__(self) -> int:
        return int(core().words_size(self.handle))

    def add(self, items: Iterable[tuple[str, int, int]]) -> None:
        """Add (word, occurrences, position of the first)."""
        core().words_add(self.handle, items)

    def _items(self) -> list[tuple[str, int]]:
        return core().words_items(self.handle)  # type: ignore[no-any-return]


def as_tokens(counts: Mapping[str, int]) -> TokenCounts:
    """Return token counts held by the extension, which copies others."""
    if isinstance(counts, TokenCounts):
        return counts
    tokens = TokenCounts()
    tokens.add(positioned(counts.items()))
    return tokens


def as_words(counts: Mapping[str, int]) -> WordCounts:
    """Return word counts held by the extension, which copies others."""
    if isinstance(counts, WordCounts):
        return counts
    words = WordCounts()
    words.add(positioned(counts.items()))
    return words


def positioned(items: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, int]]:
    """Yield (text, occurrences, position) for (text, occurrences) in order of first occurrence."""
    position = 0
    for text, count in items:
        yield text, count, position
        position += 4 * len(text) + 1  # subtle: words inside a token are placed by their bytes
