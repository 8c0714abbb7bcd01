"""Units of a text, which tokenizers that split at spaces segment alike in any context.

A line is cut before a single space between two solid characters; the space begins the next unit.
Lines are the concatenation of their units, and a text has few types of units. If no rule of a
tokenizer looks across such cuts (``vocab.counting.separable``), each type is segmented once.

A line that does not begin with a solid character is not cut: if a normaliser deletes that
character, the tokenizers library's offsets are wrong to the end of the line. Only lines of ``LONG``
bytes or more are cut all the same, because the library takes minutes and gigabytes for them; the
characters under unknown pieces are then the right ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from specialize import native
from specialize.corpus.files import BLOCK
from specialize.vocab.marks import MARK

_ALONE = re.compile(r"(?<=\S) (?=\S)")
LONG = 10_000  # cpp_ext/include/specialize/units.hpp
CONTEXT = "a"  # solid: a context before units that are not the first of a line

# characters that SentencePiece maps to a space, and characters that are not marks but Extend,
# SpacingMark or Prepend in Unicode's grapheme clusters, which Precompiled maps depend on
_CLUSTERED = frozenset(
    f"{MARK}\ufffd"
    "\u0d4e\u0e33\u0eb3\uff9e\uff9f\U000111c2\U000111c3\U000113d1\U0001193f\U00011941"
    "\U00011a3a\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
    "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
)


@cache
def solid(character: str) -> bool:
    """Whether a unit may begin or end with ``character``.

    Not white space, control, format, mark, unassigned or private, nor a character that a normaliser
    may turn into one of these at either end, such as the acute accent (NFKC: a space and a mark).
    """
    code = ord(character)
    if code >= _LISTED:
        return code < _IDEOGRAPHS
    if unicodedata.category(character)[0] in "ZCM" or character in _CLUSTERED:
        return False
    if not unicodedata.decomposition(character):
        return True
    form = unicodedata.normalize("NFKD", character)
    first, last = unicodedata.category(form[0])[0], unicodedata.category(form[-1])[0]
    return first not in "ZCM" and last not in "ZC"


_LISTED, _IDEOGRAPHS = 0x20000, 0x40000  # cpp_ext/include/specialize/units.hpp


def units(line: str) -> Iterator[str]:
    """Yield the units of ``line``.

    Only later units begin with a space: if a line begins with a space or a line end, a line end is
    prepended. ``text_of`` removes it.
    """
    if not line:
        return
    if not solid(line[0]):
        if line[0] in " \n":
            line = "\n" + line
        if len(line.encode()) < LONG:
            yield line
            return
    begin = 0
    for alone in _ALONE.finditer(line):
        at = alone.start()
        if solid(line[at - 1]) and solid(line[at + 1]):
            yield line[begin:at]
            begin = at
    yield line[begin:]


def text_of(unit: str) -> str:
    """Return the text of a unit in its line."""
    return unit[1:] if unit[0] == "\n" else unit


def count_units(lines: Iterable[str]) -> Mapping[str, int]:
    """Return the occurrences of each unit in ``lines``, by first occurrence."""
    if native.core():
        return _count_natively(lines)
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(units(line))
    return counts


class UnitCounts(native.Counts):
    """Units counted by the native extension."""

    def __init__(self) -> None:
        """Create an empty table."""
        self.core = native.core()
        listed = bytes(map(solid, map(chr, range(_LISTED))))
        self.handle = self.core.units_new(listed)

    def __len__(self) -> int:
        return int(self.core.units_size(self.handle))

    def feed(self, lines: list[str]) -> None:
        """Count the units of ``lines``."""
        self.core.units_feed(self.handle, lines, native.threads())

    def characters(self) -> str:
        """Return the distinct characters."""
        return str(self.core.units_characters(self.handle))

    def occurrences(self, characters: str) -> dict[str, int]:
        """Return the occurrences of each of ``characters``, by first occurrence."""
        found = self.core.units_occurrences(self.handle, characters)
        return {chr(code): count for code, count in found}

    def _items(self) -> list[tuple[str, int]]:
        return self.core.units_items(self.handle)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class UnitAudit:
    """The extension's counts of units; for units left over, only characters and bytes."""

    words: int
    pieces: int
    unknown_words: int
    unknown_pieces: int
    continued_words: int
    characters: int
    bytes: int
    missing: list[tuple[int, int, int]]  # code point, occurrences, position of the first unit
    rest: list[tuple[str, int, int]]  # unit, occurrences, position of the first


def _count_natively(lines: Iterable[str]) -> UnitCounts:
    counts, waiting, held = UnitCounts(), list[str](), 0
    for line in lines:
        waiting.append(line)
        held += len(line)
        if held > BLOCK:
            counts.feed(waiting)
            waiting, held = [], 0
    counts.feed(waiting)
    return counts
