"""CoNLL-U: sentences as blocks of rows, checked as they are read, written back as they were.

The format: https://universaldependencies.org/format.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from specialize.corpus import read_lines
from specialize.errors import DataError
from specialize.tasks._plain import is_txt, read_plain

ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL = range(8)
_WIDTH = 10
_WORD = re.compile(r"[1-9][0-9]*")
_RANGE = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY = re.compile(r"([0-9]+)\.[1-9][0-9]*")
_NUMBER = re.compile(r"[0-9]+")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A sentence as it stands in the file: comments, then rows of ten columns.

    Rows are words (``8``), multiword tokens (``8-9``) and empty nodes (``8.1``), in file order.
    """

    comments: tuple[str, ...]
    rows: tuple[Row, ...]
    path: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)  # of the first row

    @cached_property
    def words(self) -> tuple[int, ...]:
        """The positions in ``rows`` of the syntactic words."""
        return tuple(i for i, row in enumerate(self.rows) if _WORD.fullmatch(row[ID]))

    def tokens(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield each token's position in ``rows`` and those of its words: itself, or its parts."""
        words = iter(self.words)
        parts: tuple[int, ...] = ()  # of the last multiword token
        for i, row in enumerate(self.rows):
            if span := _RANGE.fullmatch(row[ID]):
                parts = tuple(islice(words, int(span[2]) - int(span[1]) + 1))
                yield i, parts
            elif i not in parts and _WORD.fullmatch(row[ID]):
                yield i, (next(words),)

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


def read_blocks(path: Path | str) -> list[Block]:
    """Return the sentences of a CoNLL-U file (.xz and .gz too), ids and heads checked.

    A missing last blank line and repeated blank lines are no fault.
    """
    blocks = []
    for block in _blocks(Path(path)):
        _check_ids(block)
        _check_heads(block)
        blocks.append(block)
    if not blocks:
        raise DataError(f"{path}:1: no sentence in the file")
    return blocks


def read_words(path: Path | str) -> list[Block]:
    """Return the sentences of a file to annotate: CoNLL-U, or plain text (`_plain`) made CoNLL-U.

    A ``.txt`` whose first row has ten columns is CoNLL-U too.
    """
    lines = ((n, line) for n, line in read_lines(path) if line.strip() and line[0] != "#")
    number, row = next(lines, (1, ""))
    if row.count("\t") + 1 == _WIDTH:
        return read_blocks(path)
    if is_txt(path):
        plain = enumerate(read_plain(path), 1)
        return [_plain_block(words, name, str(path), line) for name, (line, words) in plain]
    if row:
        raise DataError(
            f"{path}:{number}: neither CoNLL-U, a word a line in 10 columns parted by tabs, nor "
            "plain text, one sentence a line in a file named .txt"
        )
    return read_blocks(path)  # which names what is missing


def write_blocks(blocks: Iterable[Block], path: Path | str) -> None:
    """Write sentences as CoNLL-U, comments, multiword tokens and empty nodes included."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for block in blocks:
            lines = [*block.comments, *("\t".join(row) for row in block.rows)]
            file.write("\n".join(lines) + "\n\n")


def tree(block: Block) -> tuple[int, ...]:
    """Return the heads of the words; anything but a tree with one root is a `DataError`."""
    for i in block.words:
        if block.rows[i][HEAD] == "_":
            raise block.fault(i, "the word has no head, '_'; give its number, or 0 for the root")
    heads = tuple(map(int, block.column(HEAD)))
    roots = [word for word, head in enumerate(heads) if head == 0]
    if len(roots) > 1:
        other = block.rows[block.words[roots[0]]][ID]
        raise block.fault(
            block.words[roots[1]], f"a second root (head 0) beside word {other}; a tree has one"
        )
    loop = _cycle(heads)
    if loop is not None:
        missing = "" if roots else ", and no word has head 0"
        raise block.fault(block.words[loop], f"the heads from here run in a circle{missing}")
    return heads


def _blocks(path: Path) -> Iterator[Block]:
    """Yield the sentences, every row of ten columns, nothing else checked."""
    comments: list[str] = []
    rows: list[Row] = []
    first = 0
    for number, text in read_lines(path):
        line = text.rstrip("\r\n")
        if not line:
            if rows:
                yield Block(tuple(comments), tuple(rows), str(path), first)
                comments, rows = [], []
        elif line.startswith("#") and not rows:
            comments.append(line)
        else:
            if not rows:
                first = number
            rows.append(_row(line, f"{path}:{number}"))
    if rows:
        yield Block(tuple(comments), tuple(rows), str(path), first)


def _plain_block(words: Sequence[str], name: int, path: str, line: int) -> Block:
    """Return words as a block, all that is not known of them '_'."""
    comments = (f"# sent_id = {name}", f"# text = {' '.join(words)}")
    unknown = ("_",) * (_WIDTH - 2)
    rows = tuple((str(number), word, *unknown) for number, word in enumerate(words, 1))
    return Block(comments, rows, path, line)


def _row(line: str, where: str) -> Row:
    """Return the ten columns of a line."""
    columns = tuple(line.split("\t"))
    if len(columns) != _WIDTH:
        raise DataError(f"{where}: {len(columns)} columns where CoNLL-U has 10, parted by tabs")
    if "" in columns:
        raise DataError(f"{where}: column {columns.index('') + 1} is empty; write _ for no value")
    return columns


def _check_ids(block: Block) -> None:
    """Words count from 1; a range stands before its words, an empty node behind a word."""
    last = covered = row = 0
    for row, columns in enumerate(block.rows):
        text = columns[ID]
        if _WORD.fullmatch(text):
            last += 1
            if int(text) != last:
                raise block.fault(row, f"id {text} where {last} is due")
        elif span := _RANGE.fullmatch(text):
            start, end = map(int, span.groups())
            if start != last + 1 or start <= covered or end < start:
                raise block.fault(row, f"range {text} does not fit behind word {last}")
            covered = end
        elif empty := _EMPTY.fullmatch(text):
            if int(empty[1]) != last:
                raise block.fault(row, f"empty node {text} stands behind word {last}")
        else:
            raise block.fault(row, f"id {text!r} is neither 8, nor 8-9, nor 8.1")
    if covered > last:
        raise block.fault(row, f"a range ends at word {covered}, the sentence at word {last}")
    if not last:
        raise block.fault(0, "a sentence without a word")


def _check_heads(block: Block) -> None:
    """Heads are '_' or the number of a word, or 0."""
    count = len(block.words)
    for i in block.words:
        head = block.rows[i][HEAD]
        if head == "_":
            continue
        if not _NUMBER.fullmatch(head):
            raise block.fault(i, f"head {head!r} is not a number")
        if int(head) > count:
            raise block.fault(i, f"head {head} in a sentence of {count} words")


def _cycle(heads: Sequence[int]) -> int | None:
    """Return a word (from 0) whose heads lead back to it, or None."""
    seen = [-1] * len(heads)  # the walk that passed each word
    for start in range(len(heads)):
        word = start
        while word >= 0 and seen[word] < 0:
            seen[word] = start
            word = heads[word] - 1
        if word >= 0 and seen[word] == start:
            return word
    return None
