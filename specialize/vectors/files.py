"""Files of vectors in fastText's text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from specialize.corpus import read_lines
from specialize.errors import DataError


def read_vectors(
    file: Path, *, limit: int, wanted: Callable[[str], bool] = bool
) -> tuple[list[str], Tensor]:
    """Return the first ``limit`` words of a file in fastText's text format, and vectors [n, d].

    The first line gives the number of words and d; every other one a word and d numbers. Words that
    are not ``wanted`` are left out; of a word that occurs twice, the first counts. DataError,
    with the line, for anything else.
    """
    lines = read_lines(file)
    size, width = _header(file, lines)
    found: dict[str, np.ndarray] = {}
    read = 0
    for number, line in lines:
        word, vector = _row(file, number, line, width)
        read += 1
        if wanted(word):
            found.setdefault(word, vector)
        if len(found) == limit:
            break
    if len(found) < limit and read != size:
        raise DataError(
            f"{file}:{read + 1}: expected {size} words, as the first line says, got {read}; is the "
            "file complete?"
        )
    if not found:
        raise DataError(f"{file}:1: expected words that are one piece each, got none")
    return list(found), torch.from_numpy(np.stack(list(found.values())))


def _header(file: Path, lines: Iterator[tuple[int, str]]) -> tuple[int, int]:
    _, first = next(lines, (1, ""))
    parts = first.split()
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise DataError(
            f"{file}:1: expected the number of words and the width of their vectors, got "
            f"{first[:40]!r}; add such a line"
        )
    return int(parts[0]), int(parts[1])


def _row(file: Path, number: int, line: str, width: int) -> tuple[str, np.ndarray]:
    word, *fields = line.rstrip(" ").split(" ")
    try:
        vector = np.array(fields, np.float32)
    except ValueError:
        vector = np.zeros(0, np.float32)
    if len(fields) != width or len(vector) != width or not np.isfinite(vector).all():
        raise DataError(
            f"{file}:{number}: expected a word and {width} numbers, got {line[:40]!r} "
            f"({len(fields)} fields behind the word)"
        )
    return word, vector
