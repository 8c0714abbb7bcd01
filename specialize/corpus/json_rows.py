"""JSON as text: an object a line, CirrusSearch dumps, or one array of objects or strings."""

import codecs
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from specialize.corpus.files import blocks, read_lines
from specialize.corpus.wikiextractor import is_extracted, without_placeholders
from specialize.errors import DataError

_STRING = r'"(?:[^"\\]|\\.)*+"'
_BEGINS = re.compile(rf"(\[\s*)?\{{\s*({_STRING}\s*:|\}})|\[\s*{_STRING}\s*(,\s*[\"\{{]|\]\s*\Z)")
_BLANK = re.compile(r"[ \t\r\n]*")
_LINE_END = re.compile(r"\r\n|\r|\n")
_NEAR = 16  # an error so close to the end of what is read may be that of a value cut there
_DECODER = json.JSONDecoder(parse_int=float)  # a whole number of many digits is no error


def begins_json(head: str) -> bool:
    """Return whether a text begins like JSON: an object, or an array of objects or strings.

    >>> begins_json('{"text": 1'), begins_json('["a", "b"]'), begins_json('["a"] is a list')
    (True, True, False)
    """
    return _BEGINS.match(head) is not None


def read_rows(path: Path, field: str) -> Iterator[list[str]]:
    """Yield the lines of each row's text: its ``field``, or the row itself if it is a string.

    A first line that repeats the field ``title`` is left out. Action lines of CirrusSearch dumps,
    ``{"index": {...}}``, are skipped; WikiExtractor's placeholders are dropped.
    """
    for number, row in _rows(path):
        if isinstance(row, dict) and row.keys() == {"index"} and field != "index":
            continue
        text = row.get(field) if isinstance(row, dict) else row
        if not isinstance(text, str):
            names = ", ".join(row) if isinstance(row, dict) else type(row).__name__
            raise DataError(
                f"{path}:{number}: the row has no text in the field {field!r} (found: "
                f"{names[:200]}); name another: --field, corpus.field in a recipe"
            )
        if is_extracted(row):
            text = without_placeholders(text)
        lines = text_lines(path, number, text, field)
        title = row.get("title") if isinstance(row, dict) else None
        yield lines[1:] if lines and lines[0] == title else lines


def text_lines(path: Path, number: int, text: str, field: str) -> list[str]:
    """Return the non-empty stripped lines of a row's text; DataError if it is not Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise DataError(
            f"{path}:{number}: half a surrogate pair at character {fault.start + 1} of {field!r}; "
            "write the character as UTF-8"
        ) from None
    return [line for line in map(str.strip, _LINE_END.split(text)) if line]


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the values of an array, or of lines, each with its line."""
    lines = ((number, line) for number, line in read_lines(path) if line.strip())
    first = next(lines, None)
    if first is None:
        return
    if first[1].lstrip().startswith("["):
        yield from _elements(path)
        return
    for number, line in chain([first], lines):
        try:
            yield number, _DECODER.decode(line)
        except json.JSONDecodeError as fault:
            raise DataError(
                f"{path}:{number}: not JSON ({fault.msg} at column {fault.colno}); "
                'write one object a line, as {"text": "..."}, or an array of objects'
            ) from None
        except RecursionError:
            raise _too_deep(path, number) from None


def _elements(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a JSON array, one at a time in memory."""
    stream = _Stream(path)
    stream.expect("[")
    if stream.expect("]", optional=True):
        return
    while True:
        stream.character()
        yield stream.line, stream.value()
        if not stream.expect(",", optional=True):
            break
    stream.expect("]")
    if stream.character():
        raise stream.fault("text behind the array", stream.line)


class _Stream:
    """Text that is read on where a value goes beyond what is held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts = _decoded(path)
        self.text, self.at, self.line = "", 0, 1

    def character(self) -> str:
        """Return the next character that is not white space, "" at the end."""
        while True:
            blank = _BLANK.match(self.text, self.at)
            self._advance(blank.end() if blank else self.at)
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._read_on():
                return ""

    def expect(self, character: str, *, optional: bool = False) -> bool:
        """Pass ``character`` and return whether it was there; DataError unless ``optional``."""
        if found := self.character() == character:
            self._advance(self.at + 1)
        elif not optional:
            raise self.fault(f"expected {character!r}", self.line)
        return found

    def value(self) -> Any:
        """Return the value that begins here, and pass it."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except json.JSONDecodeError as fault:
                cut = fault.msg.startswith("Unterminated") or fault.pos + _NEAR > len(self.text)
                if cut and self._read_on():
                    continue
                below = self.text.count("\n", self.at, fault.pos)
                raise self.fault(fault.msg, self.line + below) from None
            except RecursionError:
                raise _too_deep(self.path, self.line) from None
            self._advance(end)
            return value

    def fault(self, what: str, line: int) -> DataError:
        """Return the error for a place in the array."""
        return DataError(f"{self.path}:{line}: malformed JSON array ({what}); correct the file")

    def _advance(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def _read_on(self) -> bool:
        """Read at least as much as is held, which keeps long values linear; False at the end."""
        held = [self.text[self.at :]]
        wanted = len(held[0]) + 1
        while wanted > 0 and (part := next(self.parts, "")):
            held.append(part)
            wanted -= len(part)
        self.text, self.at = "".join(held), 0
        return len(held) > 1


def _decoded(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        for block in blocks(path):
            if b"\0" in block:
                raise UnicodeDecodeError("utf-8", block, 0, 1, "NUL")
            if part := decoder.decode(block):
                yield part
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        for _ in read_lines(path):  # finds the place and raises
            pass
        raise


def _too_deep(path: Path, number: int) -> DataError:
    return DataError(f"{path}:{number}: JSON nested too deeply; write objects with a text field")
