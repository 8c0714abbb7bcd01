"""WordPiece's rule: longest match, left to right, without backtracking."""

from __future__ import annotations

from collections.abc import Container


def longest_first(
    text: str, pieces: Container[str], *, prefix: str, longest: int, continuing: bool = False
) -> tuple[list[str], int]:
    """Return the longest-match pieces of ``text``, and the number of characters they cover.

    ``longest``: maximal characters of a piece. ``continuing``: the first piece has the prefix too.
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
