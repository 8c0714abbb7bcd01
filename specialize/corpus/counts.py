"""The tokens of a text counted, its characters and bytes with them: what one pass yields."""

from __future__ import annotations

import codecs
import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from specialize import native
from specialize.corpus.files import BLOCK, COMPRESSED, blocks, read_lines, refuse_binary
from specialize.errors import UsageError

_TOKEN = re.compile(r"[^ \t\r\n]+")


@dataclass(frozen=True)
class TextCounts:
    """A text as its tokens: what stands between spaces, tabs and line ends.

    These part words whatever a tokenizer's rules, so all else can wait for the types, of which
    there are few. A token may hold other white space.
    """

    tokens: Mapping[str, int]  # -> occurrences, in order of first occurrence
    characters: int  # code points of the lines, their ends left out
    bytes: int  # of these in UTF-8

    def __iter__(self) -> Iterator[str]:
        """Refuse to yield lines, to whoever takes the counts for a text."""
        raise UsageError("counts have no lines, which are read here; name the text itself")


def count_lines(lines: Iterable[str]) -> TextCounts:
    """Return the counts of ``lines``, given without their ends."""
    if native.core():
        return _count_lines_natively(lines)
    tokens: Counter[str] = Counter()
    characters = size = 0
    for line in lines:
        tokens.update(_TOKEN.findall(line))
        characters += len(line)
        size += len(line.encode())
    return TextCounts(tokens, characters, size)


def _count_lines_natively(lines: Iterable[str]) -> TextCounts:
    tokens, characters, size = native.TokenCounts(), 0, 0
    waiting: list[str] = []
    held = 0

    def feed() -> int:
        data = "\n".join([*waiting, ""]).encode()
        tokens.feed(data, whole=True)
        return len(data) - len(waiting)

    for line in lines:
        waiting.append(line)
        characters += len(line)
        held += len(line)
        if held > BLOCK:
            size += feed()
            waiting.clear()
            held = 0
    size += feed()
    return TextCounts(tokens, characters, size)


def count_files(paths: Iterable[Path]) -> TextCounts:
    """Return the counts of files of plain text, compressed or not, by the native extension.

    The same as those of their stripped lines. Plain files are mapped, not read.
    """
    paths, tokens = list(paths), native.TokenCounts()
    for path in paths:
        if path.suffix.lower() in COMPRESSED:
            _feed_blocks(path, tokens)
        elif path.stat().st_size:
            _feed_mapped(path, tokens)
    if not tokens.valid():
        for path in paths:
            for _ in read_lines(path):  # finds the place, and says it
                pass
    characters, size, _, _ = tokens.facts()
    return TextCounts(tokens, characters, size)


def _feed_mapped(path: Path, tokens: native.TokenCounts) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        refuse_binary(path, data[:BLOCK])
        begin = len(codecs.BOM_UTF8) if data[:3] == codecs.BOM_UTF8 else 0
        with memoryview(data) as view, view[begin:] as text:
            tokens.feed(text, whole=True)


def _feed_blocks(path: Path, tokens: native.TokenCounts) -> None:
    for nth, block in enumerate(blocks(path)):
        if nth == 0:
            refuse_binary(path, block)
            block = block.removeprefix(codecs.BOM_UTF8)
        tokens.feed(block, whole=False)
    tokens.feed(b"", whole=True)
