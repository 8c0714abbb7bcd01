"""NER columns: a token and its tag on every line, a blank line between sentences.

Columns are separated by tabs (then a token may hold spaces) or by spaces. Recognised are an index
before the token (GermEval, UNER), other columns anywhere, comments (``# id 7``), ``-DOCSTART-``
lines, and the language that WikiAnn writes before every token (``ug:``, ``simple:``).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from specialize.corpus.files import BOM, INNER_MARK, MISSING_BLANK, read_lines
from specialize.errors import DataError

BLANKS = " \t\r\n"
DOCUMENT = "-DOCSTART-"
_TAG = re.compile(r"O|[BIESLUM]-\S+")  # IOB1, IOB2, IOBES and BILOU
_PREFIX = re.compile(r"[a-z]{2,12}(?:[-_][a-z]+)*:")
_FIELDS = {True: re.compile(r"[^\t]+"), False: re.compile(r"[^ ]+")}  # by whether there are tabs
_LONGEST = 10_000  # characters of a row; a longer line is text
_HEAD = 100  # rows that show the layout of a file
_MANY = 8  # columns of a treebank
_HEAD_LINES = 1_000  # lines that have these rows


@dataclass(frozen=True)
class Row:
    """A line with a token."""

    number: int
    line: str

    @cached_property
    def text(self) -> str:
        """The line without blanks at its end."""
        return self.line.rstrip(BLANKS)

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where each column begins and ends."""
        return tuple(m.span() for m in _FIELDS["\t" in self.text].finditer(self.text))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.text[begin:end] for begin, end in self.spans)

    @property
    def tagged(self) -> bool:
        """Whether a column after the first is a tag."""
        return len(self.text) < _LONGEST and any(map(is_tag, self.fields[1:]))


@dataclass(frozen=True)
class Group:
    """The rows of a sentence, and the other lines above: comments and document marks."""

    above: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def opens_document(self) -> bool:
        """Whether a ``-DOCSTART-`` line is above."""
        return any(line.startswith(DOCUMENT) for line in self.above)


def is_tag(field: str) -> bool:
    """Return whether a column is a tag of an entity scheme.

    >>> is_tag("O"), is_tag("B-LOC"), is_tag("LOC")
    (True, True, False)
    """
    return _TAG.fullmatch(field) is not None


def check_row(row: Row, path: Path | str, *, tabs: bool) -> None:
    """Raise DataError for a byte order mark, or spaces in a file whose columns have ``tabs``."""
    if row.line.startswith(BOM):
        raise DataError(f"{path}:{row.number}: {INNER_MARK}")
    if tabs and "\t" not in row.text and row.tagged:
        raise DataError(
            f"{path}:{row.number}: the columns are separated by spaces, by tabs in the first row; "
            "replace the spaces by tabs"
        )


def read_groups(path: Path | str) -> Iterator[Group]:
    """Yield the sentences of a file of columns, tagged or not."""
    return _groups(read_lines(path))


def _groups(lines: Iterable[tuple[int, str]]) -> Iterator[Group]:
    above: list[str] = []
    rows: list[Row] = []
    for number, line in lines:
        row = Row(number, line)
        if rows and (not row.text or row.text.startswith(DOCUMENT)):
            yield Group(tuple(above), tuple(rows))
            above, rows = [], []
            if row.text:
                above.append(row.text)
        elif not row.text:
            if above:
                above.append("")
        elif not rows and _is_above(row):
            above.append(row.text)
        else:
            rows.append(row)
    if rows:
        yield Group(tuple(above), tuple(rows))


def _is_above(row: Row) -> bool:
    """Whether a line before the first row of a sentence is a comment or a document mark."""
    if row.text.startswith(DOCUMENT):
        return True
    return row.text.startswith(("# ", "#\t")) and not row.tagged


def is_columns(path: Path | str) -> bool:
    """Return whether a file is tokens with entity tags, judging by its first rows.

    More than half of them have a tag; there are at least two, and one tag is O or all rows have
    tabs, as plain text may end in ``vitamin B-12``.
    """
    rows = [row for group in _head(path) for row in group.rows]
    if len(rows) < 2:
        return False
    tagged = [row for row in rows if row.tagged]
    sure = all("\t" in row.text for row in rows) or any("O" in row.fields[1:] for row in rows)
    return sure and 2 * len(tagged) > len(rows)


def _head(path: Path | str) -> list[Group]:
    """Return the first sentences, of ``_HEAD`` rows in all."""
    lines = islice(read_lines(path), _HEAD_LINES)  # text may have no blank line to end a group
    found: list[Group] = []
    left = _HEAD
    for group in _groups(lines):
        found.append(replace(group, rows=group.rows[:left]))
        left -= len(group.rows)
        if left <= 0:
            break
    return found


def refuse_numbered(path: Path | str) -> None:
    """Raise DataError if a file is numbered words in many columns, as CoNLL-2009."""
    head = _head(path)
    rows = [row for group in head for row in group.rows]
    if all("\t" in row.text and len(row.fields) >= _MANY for row in rows) and token_column(head):
        raise DataError(
            f"{path}:{rows[0].number}: numbered words in {len(rows[0].fields)} columns that are "
            "not CoNLL-U, probably CoNLL-X or CoNLL-2009; convert the file to CoNLL-U"
        )


def token_column(groups: Iterable[Group]) -> int:
    """Return which column holds the tokens: 0, or 1 where column 0 numbers them in sentences."""
    numbered = 0
    for group in groups:
        expected = 0
        for row in group.rows:
            if len(row.fields) < 3 or not row.fields[0].isdecimal():
                return 0
            index = int(row.fields[0])
            if index != expected and not (expected == 0 and index == 1):
                return 0
            expected = index + 1
            numbered += 1
    return int(numbered > 1)


def language_prefix(tokens: Sequence[str]) -> str:
    """Return the language prefix that all tokens have, or "".

    >>> language_prefix(["be-x-old:a", "be-x-old::"]), language_prefix(["ug:a", "b"])
    ('be-x-old:', '')
    """
    found = _PREFIX.match(tokens[0]) if tokens else None
    prefix = found[0] if found else ""
    return prefix if all(token.startswith(prefix) for token in tokens) else ""


def read_tokens(path: Path | str) -> Iterator[tuple[bool, list[str]]]:
    """Yield for each sentence of tagged tokens whether it opens a document, and its tokens.

    The language prefix is dropped if all tokens of the first sentences have it.
    """
    head = list(islice(read_groups(path), _HEAD))
    column, tabs = token_column(head), any("\t" in row.text for row in head[0].rows[:1])
    prefix = language_prefix([row.fields[column] for group in head for row in group.rows])
    for group in read_groups(path):
        for row in group.rows:
            check_row(row, path, tabs=tabs)
            if not row.tagged:
                what = MISSING_BLANK if row.text.startswith("# ") else "correct the line"
                raise DataError(
                    f"{path}:{row.number}: expected a token and a tag (O, B-TYPE or I-TYPE) as in "
                    f"the lines before, got {row.text[:40]!r}; {what}"
                )
        tokens = [row.fields[column] for row in group.rows]
        yield group.opens_document, [token.removeprefix(prefix) or token for token in tokens]
