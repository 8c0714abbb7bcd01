"""Output for a terminal: control characters in texts and file names are shown escaped."""

from __future__ import annotations

from typing import Any, TextIO

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
