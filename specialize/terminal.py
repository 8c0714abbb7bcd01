"""Output for a terminal: control characters are shown escaped, live lines fit into its width."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TextIO

_WIDTH = 118  # characters of a line where the terminal does not tell

# as JSON escapes them, so that JSON stays JSON
_ESCAPES = {c: f"\\u{c:04x}" for c in (*range(32), *range(127, 160)) if chr(c) not in "\t\n"}


def escaped(text: str) -> str:
    r"""Return ``text`` without control characters; a live line keeps its ``\r`` at either end.

    >>> escaped("\r50 %"), escaped("a\x1b[2Jb")
    ('\r50 %', 'a\\u001b[2Jb')
    """
    if text.isprintable():
        return text
    inner = text.strip("\r")
    begin = len(text) - len(text.lstrip("\r"))
    return text[:begin] + inner.translate(_ESCAPES) + text[begin + len(inner) :]


class Escaped:
    """A stream that writes ``escaped`` text."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text and return its length."""
        self._stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream has."""
        return getattr(self._stream, name)


def width(out: TextIO) -> int:
    """Return how many characters fit on a line of the terminal ``out`` beside the cursor."""
    with suppress(OSError, ValueError):
        columns = os.get_terminal_size(out.fileno()).columns
        return columns - 1 if columns > 1 else _WIDTH
    return _WIDTH


def fitted(parts: Sequence[str], width: int) -> str:
    """Return as many of the first parts as fit, joined by commas.

    >>> fitted(["step 1 of 9", "loss 2.0", "memory 1.9 GB"], 24)
    'step 1 of 9, loss 2.0'
    """
    kept = list(parts)
    while len(kept) > 1 and len(", ".join(kept)) > width:
        kept.pop()
    return ", ".join(kept)[:width]


def named(characters: Mapping[str, int], most: int = 5) -> str:
    """Return the first ``most`` characters with code point and count, and how many more."""
    shown = [
        f"{c if c.isprintable() else ''} (U+{ord(c):04X}) {n:,}".lstrip()
        for c, n in [*characters.items()][:most]
    ]
    more = len(characters) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "") if shown else "none"
