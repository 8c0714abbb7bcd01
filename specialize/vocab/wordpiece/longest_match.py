"""WordPiece's rule: the longest piece first, from left to right, never going back."""

from __future__ import annotations

from collections.abc import Container


def longest_first(
    text: str, pieces: Container[str], *, prefix: str, longest: int, continuing: bool = False
) -> tuple[list[str], int]:
    """Return the pieces taken from the left, the longest first, and how far into ``text`` they go.

    ``longest``: the most characters of a piece. ``continuing``: the first piece has the prefix too.
    """
    path: list[str] = []
    start = 0
    while start < len(text):
        mark = prefix if start or continuing else ""
        rest = mark + text[start : start + longest]
        for end in range(len(rest), len(mark), -1):
            if rest[:end] in pieces:
                break
        else:
            return path, start
        path.append(rest[:end])
        start += end - len(mark)
    return path, start
