"""Token counts of a text, with its characters and bytes, from one pass."""

from __future__ import annotations

import codecs
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from specialize import native
from specialize.corpus.files import BLOCK, blocks, plain_file, read_lines
from specialize.errors import UsageError

TOKEN = re.compile(r"[^ \t\r\n]+")
_SHARED = 64  # blocks that many threads count at once
_CACHED = BLOCK // 8  # bytes that one thread reads at once: they stay in its cache
PRUNED_BLOCK = 16 * BLOCK  # bytes of a file between two looks at how many types there are


@dataclass(frozen=True)
class Dropped:
    """What ``prune`` removed from counts, which makes them lower bounds."""

    types: int = 0  # one that recurs and is dropped again counts twice
    tokens: int = 0  # their occurrences

    def __add__(self, other: Dropped) -> Dropped:
        """Return the sum."""
        return Dropped(self.types + other.types, self.tokens + other.tokens)


@dataclass(frozen=True)
class TextCounts:
    """A text as its tokens: the strings between spaces, tabs and line ends.

    These separate words by the rules of every tokenizer, so everything else can be done by type,
    of which there are few. A token may contain other white space.
    """

    tokens: Mapping[str, int]  # -> occurrences, in order of first occurrence
    characters: int  # code points of the lines, their ends left out
    bytes: int  # of these in UTF-8
    dropped: Dropped = Dropped()  # tokens that were counted and are not in ``tokens``

    def __iter__(self) -> Iterator[str]:
        """Refuse to yield lines where counts are used as a text."""
        raise UsageError("counts have no lines, which are needed here; name the text itself")


@runtime_checkable
class Countable(Iterable[str], Protocol):
    """Lines of a text that counts its own tokens, as a corpus does."""

    def counts(self) -> TextCounts:
        """Return the tokens counted."""


def count_lines(lines: Iterable[str], *, max_types: int = 0) -> TextCounts:
    """Return the counts of ``lines``, given without their ends.

    They are pruned to ``max_types``, 0 for no bound, after every 2^20 characters of lines.
    """
    if isinstance(lines, str | bytes):
        raise TypeError(f"expected a list of lines, got {type(lines).__name__}")
    return _count_blocks(_blocks_of(lines), max_types)


def _count_blocks(
    parts: Iterable[list[str]], max_types: int, *, stripped: bool = False
) -> TextCounts:
    """Count the tokens of lines in blocks, and measure the lines, stripped or as they are."""
    check_max_types(max_types)
    tokens: native.TokenCounts | Counter[str]
    tokens = native.TokenCounts() if native.core() else Counter()
    characters = size = 0
    dropped = Dropped()
    for lines in parts:
        data = "\n".join([*lines, ""]).encode()
        if isinstance(tokens, native.TokenCounts):
            tokens.feed(data, whole=True)
        else:
            for line in lines:
                tokens.update(TOKEN.findall(line))
        if stripped:
            lines = [line.strip() for line in lines]
            data = "\n".join([*lines, ""]).encode()
        characters += sum(map(len, lines))
        size += len(data) - len(lines)
        dropped += prune(tokens, max_types)
    return TextCounts(tokens, characters, size, dropped)


def _blocks_of(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    held = 0
    for line in lines:
        block.append(line)
        held += len(line)
        if held >= BLOCK:
            yield block
            block, held = [], 0
    yield block


def count_files(paths: Iterable[Path], *, max_types: int = 0) -> TextCounts:
    """Return the counts of files of plain text, compressed or not: those of their stripped lines.

    They are pruned to ``max_types``, 0 for no bound, after every block of a file: ``PRUNED_BLOCK``
    bytes and the rest of their last line.
    """
    paths = list(paths)
    if not native.core():
        return _count_blocks(_blocks_of_files(paths), max_types, stripped=True)
    check_max_types(max_types)
    tokens, dropped = native.TokenCounts(), Dropped()
    for path in paths:
        if max_types:
            for block in _whole_lines(_text_blocks(path)):
                tokens.feed(block, whole=True)
                if len(tokens) > max_types and not tokens.valid():
                    _say_where(paths)
                dropped += prune(tokens, max_types)
        else:
            _feed_file(path, tokens)
    if not tokens.valid():
        _say_where(paths)
    characters, size = tokens.extent()
    return TextCounts(tokens, characters, size, dropped)


def count_prepared(path: Path) -> TextCounts:
    """Return the counts of a plain file whose lines are stripped and end at LF only.

    Unlike those of ``count_files``, a byte order mark and NUL are characters like others.
    """
    if not native.core():
        with path.open(encoding="utf-8", newline="\n") as lines:
            return count_lines(line.removesuffix("\n") for line in lines)
    tokens = native.TokenCounts()
    _feed(blocks(path, _block_size(BLOCK)), tokens)
    characters, size = tokens.extent()
    return TextCounts(tokens, characters, size)


def _say_where(paths: Iterable[Path]) -> None:
    """Read files that are not all UTF-8, which finds the place and raises DataError."""
    for path in paths:
        for _ in read_lines(path):
            pass


def _feed_file(path: Path, tokens: native.TokenCounts) -> None:
    with plain_file(path) as file:
        if file is None:
            _feed(_text_blocks(path), tokens)
            return
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        size = os.fstat(file.fileno()).st_size
        if not tokens.feed_file(file.fileno(), size=size, block=_block_size(_CACHED)):
            _say_where([path])


def _feed(parts: Iterable[bytes], tokens: native.TokenCounts) -> None:
    for part in parts:
        tokens.feed(part, whole=False)
    tokens.feed(b"", whole=True)


def _block_size(of_one: int) -> int:
    """Return the bytes that are counted at once: ``of_one`` by a thread, more by many.

    Two would not gain what merging their tables costs.
    """
    return of_one if native.threads() <= 2 else _SHARED * BLOCK


def _text_blocks(path: Path) -> Iterator[bytes]:
    for nth, block in enumerate(blocks(path, _block_size(BLOCK))):
        if b"\0" in block:
            _say_where([path])
        yield block if nth else block.removeprefix(codecs.BOM_UTF8)


def _whole_lines(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of ``parts`` in blocks, cut at the first LF that makes them long enough."""
    held = bytearray()
    for part in parts:
        begin = max(len(held), PRUNED_BLOCK - 1)
        held += part
        while end := held.find(b"\n", begin) + 1:
            yield bytes(held[:end])
            del held[:end]
            begin = PRUNED_BLOCK - 1
    yield bytes(held)


def _blocks_of_files(paths: Iterable[Path]) -> Iterator[list[str]]:
    """Yield the lines of the files, in the same blocks as of their bytes."""
    for path in paths:
        for block in _whole_lines(_text_blocks(path)):
            try:
                yield [line.decode() for line in block.splitlines()]
            except UnicodeDecodeError:
                _say_where([path])


def check_max_types(max_types: int) -> None:
    """Refuse a bound below 0."""
    if max_types < 0:
        raise UsageError(f"max_types is a number of types, 0 for no bound, not {max_types}")


def prune(tokens: native.TokenCounts | Counter[str], max_types: int) -> Dropped:
    """Drop the rarest of more than ``max_types`` types (0: no bound); return what was dropped.

    All types that occur once are dropped, then, while more than half of ``max_types`` are left, all
    that occur twice, and so on: ties are dropped together, so the result depends on no order.
    """
    if not 0 < max_types < len(tokens):
        return Dropped()
    if isinstance(tokens, native.TokenCounts):
        return Dropped(*tokens.prune(max_types))
    most = sorted(tokens.values(), reverse=True)[max_types // 2]  # that a dropped type occurs
    kept = {token: count for token, count in tokens.items() if count > most}
    dropped = Dropped(len(tokens) - len(kept), tokens.total() - sum(kept.values()))
    tokens.clear()
    tokens.update(kept)
    return dropped
