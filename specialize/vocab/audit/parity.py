"""Parallel sentences: does one language need more pieces for the same content?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specialize.corpus import read_lines
from specialize.corpus.files import plain_name
from specialize.errors import DataError
from specialize.vocab.audit.audit import Audit
from specialize.vocab.audit.metrics import parity


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, in the same order."""

    ours: list[str]
    theirs: list[str]
    skipped: int = 0  # pairs left out because a sentence is blank


@dataclass(frozen=True)
class Parity:
    """Totals of sentence pairs under one tokenizer."""

    file: str
    pairs: int
    skipped: int
    pieces: int  # of the language of the text
    other_pieces: int  # of the other language
    bytes: int
    other_bytes: int
    unknown_words: float  # share of the words, from 0 to 1
    other_unknown_words: float
    fertility: float
    other_fertility: float
    parity: float | None  # pieces / other_pieces

    def to_json(self) -> dict[str, Any]:
        """Return the totals as JSON values."""
        return asdict(self)


def is_table(path: Path) -> bool:
    """Return whether ``path`` has the name of a table: ug-en.tsv, .tsv.xz."""
    return Path(plain_name(path)).suffix.lower() == ".tsv"


def read_pairs(path: Path, text: Path | None = None) -> Pairs:
    """Return the pairs of ``path``: a .tsv whose first column is ours, or lines beside ``text``.

    Blank lines count as lines. DataError if a row does not have two columns, or ``path`` and
    ``text`` differ in their number of lines.
    """
    if text is None:
        return _pairs(_columns(path))
    ours, theirs = ([line for _, line in read_lines(file)] for file in (text, path))
    if len(ours) != len(theirs):
        raise DataError(
            f"{path}:{min(len(ours), len(theirs)) + 1}: {len(theirs):,} lines, where {text} has "
            f"{len(ours):,}; parallel files have a line for each line"
        )
    return _pairs(zip(ours, theirs, strict=True))


def _columns(path: Path) -> Iterable[tuple[str, str]]:
    for number, line in read_lines(path):
        columns = line.split("\t") if line else ["", ""]
        if len(columns) != 2:
            raise DataError(
                f"{path}:{number}: {len(columns)} column(s), where a sentence, a tab and the same "
                "in another language are needed"
            )
        yield columns[0], columns[1]


def _pairs(rows: Iterable[tuple[str, str]]) -> Pairs:
    ours, theirs, skipped = list[str](), list[str](), 0
    for our, their in rows:
        if our.strip() and their.strip():
            ours.append(our.strip())
            theirs.append(their.strip())
        else:
            skipped += 1
    return Pairs(ours, theirs, skipped)


def parity_of(pairs: Pairs, ours: Audit, theirs: Audit, file: str) -> Parity:
    """Return the totals from the audits of both sides of ``pairs``."""
    return Parity(
        file=file,
        pairs=len(pairs.ours),
        skipped=pairs.skipped,
        pieces=ours.pieces,
        other_pieces=theirs.pieces,
        bytes=ours.bytes,
        other_bytes=theirs.bytes,
        unknown_words=ours.unknown_words / ours.words if ours.words else 0.0,
        other_unknown_words=theirs.unknown_words / theirs.words if theirs.words else 0.0,
        fertility=ours.fertility,
        other_fertility=theirs.fertility,
        parity=parity(ours, theirs),
    )
