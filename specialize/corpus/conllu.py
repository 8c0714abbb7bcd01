"""Sentences of CoNLL-U files, as far as a corpus needs them: texts and forms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from specialize.corpus.files import read_lines
from specialize.errors import DataError

_ID = re.compile(r"(\d+)(?:([-.])(\d+))?")


@dataclass(frozen=True)
class Sentence:
    """One sentence three ways: ``aux`` (French) is one surface token but two words, *à les*."""

    text: str  # its "# text" comment, "" without one
    tokens: tuple[str, ...]  # surface tokens: a multiword token stands for its words
    words: tuple[str, ...]  # syntactic words; empty nodes are in neither
    opens_document: bool  # has a "# newdoc" comment


def read_sentences(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a CoNLL-U file, compressed or not."""
    block: list[tuple[int, str]] = []
    for number, line in read_lines(path):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _sentence(path, block)
            block = []
    if block:
        yield _sentence(path, block)


def _sentence(path: Path, block: list[tuple[int, str]]) -> Sentence:
    text, opens_document = "", False
    tokens: list[str] = []
    words: list[str] = []
    covered = 0  # the last word inside a multiword token
    for number, line in block:
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            text = value.strip() if name.strip() == "text" else text
            opens_document |= line[1:].split()[:1] == ["newdoc"]
            continue
        first, separator, last, form = _row(path, number, line)
        if separator == "-":
            tokens.append(form)
            covered = last
        elif not separator:
            words.append(form)
            if first > covered:
                tokens.append(form)
    return Sentence(text, tuple(tokens), tuple(words), opens_document)


def _row(path: Path, number: int, line: str) -> tuple[int, str, int, str]:
    """Return first id, separator ("", "-" or "."), last id and form of a row."""
    columns = line.split("\t")
    if len(columns) != 10:
        raise DataError(
            f"{path}:{number}: a CoNLL-U row has 10 columns parted by tabs, this one "
            f"{len(columns)}; correct the row"
        )
    match = _ID.fullmatch(columns[0])
    if match is None:
        raise DataError(
            f"{path}:{number}: {columns[0]!r} is no CoNLL-U id (such as 3, 3-4 or 3.1); "
            "correct the row"
        )
    first, separator, last = match.groups()
    return int(first), separator or "", int(last or first), columns[1]
