"""CoNLL-U: sentences as blocks of rows, their structure checked as they are read.

The format: https://universaldependencies.org/format.html. Heads and relations are checked by the
tasks (``tasks/_conllu``); a corpus needs the forms only. More lenient than the format: white space
in a blank line, repeated blank lines and a missing last one are accepted.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from specialize.corpus.files import BOM, INNER_MARK, MISSING_BLANK, plain_name, read_lines
from specialize.errors import DataError

ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC = range(10)
WIDTH = 10
_WORD = re.compile(r"[1-9][0-9]{0,8}")
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY = re.compile(r"([0-9]{1,9})\.[1-9][0-9]*")
_BEGINS = re.compile(r"1|1-[0-9]+|0\.1")  # ids of the first row of a sentence
_HEAD_LINES = 100  # lines read to recognise a file, comments for the most part

Row = tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A sentence as in its file: comments, then rows of ten columns.

    Rows are words (``8``), multiword tokens (``8-9``) and empty nodes (``8.1``), in file order.
    """

    comments: tuple[str, ...]
    rows: tuple[Row, ...]
    path: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)  # of the first row

    @cached_property
    def words(self) -> tuple[int, ...]:
        """The positions in ``rows`` of the syntactic words."""
        return tuple(i for i, row in enumerate(self.rows) if row[ID].isdecimal())

    def tokens(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield each token's position in ``rows`` and those of its words: itself, or its parts."""
        words = iter(self.words)
        parts: tuple[int, ...] = ()  # of the last multiword token
        for i, row in enumerate(self.rows):
            if span := _RANGE.fullmatch(row[ID]):
                parts = tuple(islice(words, int(span[2]) - int(span[1]) + 1))
                yield i, parts
            elif i not in parts and row[ID].isdecimal():
                yield i, (next(words),)

    @property
    def text(self) -> str:
        """The sentence as its ``# text`` comment has it; "" without one."""
        return next((value for name, value in self._comments() if name == "text"), "")

    @property
    def opens_document(self) -> bool:
        """Whether the sentence has a ``# newdoc`` comment."""
        return any(name.split()[:1] == ["newdoc"] for name, _ in self._comments())

    def _comments(self) -> Iterator[tuple[str, str]]:
        for comment in self.comments:
            name, _, value = comment[1:].partition("=")
            yield name.strip(), value.strip()

    def surface(self) -> tuple[str, ...]:
        """Return the forms of the tokens; a multiword token replaces its words."""
        return tuple(self.rows[i][FORM] for i, _ in self.tokens())

    def column(self, index: int) -> tuple[str, ...]:
        """Return one column of the words."""
        return tuple(self.rows[i][index] for i in self.words)

    def filled(self, columns: Mapping[int, Sequence[str]]) -> "Block":
        """Return the block with these columns of its words replaced."""
        rows = [list(row) for row in self.rows]
        for index, values in columns.items():
            for i, value in zip(self.words, values, strict=True):
                rows[i][index] = value
        return replace(self, rows=tuple(map(tuple, rows)))

    def fault(self, row: int, message: str) -> DataError:
        """Return the error to raise for a row."""
        return DataError(f"{self.path}:{self.line + row}: {message}")


def is_conllu(path: Path | str) -> bool:
    """Return whether a file is CoNLL-U: by its name, ``.conllu``, or by its first row."""
    if Path(plain_name(Path(path))).suffix.lower() == ".conllu":
        return True
    lines = islice(read_lines(path), _HEAD_LINES)
    row = next((line for _, line in lines if line.strip() and not line.startswith("#")), "")
    columns = row.split("\t")
    return (
        len(columns) == WIDTH
        and _BEGINS.fullmatch(columns[ID]) is not None
        and (columns[HEAD] == "_" or columns[HEAD].isdecimal())
    )


def read_blocks(path: Path | str) -> Iterator[Block]:
    """Yield the sentences of a CoNLL-U file, compressed or not, columns and ids checked."""
    for block in _blocks(Path(path)):
        _check_ids(block)
        yield block


def _blocks(path: Path) -> Iterator[Block]:
    """Yield the sentences, every row of ten columns, nothing else checked."""
    comments: list[str] = []
    rows: list[Row] = []
    first = 0
    for number, line in read_lines(path):
        if not line.strip():
            if rows:
                yield Block(tuple(comments), tuple(rows), str(path), first)
                comments, rows = [], []
        elif line.startswith("#") and not rows:
            comments.append(line)
        else:
            first = first if rows else number
            rows.append(_row(line, f"{path}:{number}"))
    if rows:
        yield Block(tuple(comments), tuple(rows), str(path), first)


def _row(line: str, where: str) -> Row:
    """Return the ten columns of a line."""
    columns = tuple(line.split("\t"))
    if len(columns) == WIDTH and columns[FORM] and line[0] != BOM:
        return columns
    if line[0] == BOM:
        raise DataError(f"{where}: {INNER_MARK}")
    if line[0] == "#":
        raise DataError(f"{where}: a comment inside a sentence: {MISSING_BLANK}")
    if len(columns) == WIDTH:
        raise DataError(f"{where}: the form (column 2) is empty; write _ for no value")
    if len(columns) < WIDTH and len(line.split()) == WIDTH:
        raise DataError(f"{where}: the columns are separated by spaces; replace them by tabs")
    many = len(columns) > WIDTH and line[0].isdecimal()
    hint = "CoNLL-2009 has 14 or more: convert the file to CoNLL-U" if many else "correct the row"
    if len(columns) < 5 and not line[0].isdecimal():
        hint = "correct the row; a file of words and tags in columns is for the task ner"
    raise DataError(f"{where}: expected 10 columns separated by tabs, got {len(columns)}; {hint}")


def _check_ids(block: Block) -> None:
    """Words count from 1; a range precedes its words, an empty node follows a word."""
    last = covered = row = 0
    for row, columns in enumerate(block.rows):
        text = columns[ID]
        if row and _BEGINS.fullmatch(text) and last:
            raise block.fault(row, f"id {text} after id {last}: {MISSING_BLANK}")
        if _WORD.fullmatch(text):
            last += 1
            if int(text) != last:
                raise block.fault(row, f"expected id {last}, got {text}; number the words from 1")
        elif span := _RANGE.fullmatch(text):
            start, end = map(int, span.groups())
            if start != last + 1 or start <= covered or end < start:
                raise block.fault(
                    row, f"range {text} after id {last}; write it above its first word"
                )
            covered = end
        elif empty := _EMPTY.fullmatch(text):
            if int(empty[1]) != last:
                raise block.fault(
                    row, f"empty node {text} after id {last}; write it below its word"
                )
        else:
            raise block.fault(row, f"expected an id such as 8, 8-9 or 8.1, got {text[:20]!r}")
    if covered > last:
        raise block.fault(row, f"a range ends at word {covered}, the sentence at word {last}")
    if not last:
        raise block.fault(0, "a sentence without a word; remove it")
