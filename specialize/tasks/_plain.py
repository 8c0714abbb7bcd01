"""Plain text to annotate: named ``.txt``, one sentence a line, words parted by white space."""

from pathlib import Path

from specialize.corpus import read_lines
from specialize.corpus.files import plain_name
from specialize.errors import DataError


def is_txt(path: Path | str) -> bool:
    """Return whether the file is named ``.txt`` (``.txt.xz`` and so on too)."""
    return plain_name(Path(path)).lower().endswith(".txt")


def read_plain(path: Path | str) -> list[tuple[int, tuple[str, ...]]]:
    """Return the sentences of plain text: the numbers of their lines, and their words."""
    sentences = [(n, words) for n, text in read_lines(path) if (words := tuple(text.split()))]
    if not sentences:
        raise DataError(f"{path}:1: no sentence in the file")
    return sentences
