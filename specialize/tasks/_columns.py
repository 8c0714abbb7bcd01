"""NER files: tokens and their tags (`specialize.corpus.columns`), read and written back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from specialize.corpus.columns import (
    BLANKS,
    Group,
    Row,
    check_row,
    is_columns,
    is_tag,
    language_prefix,
    read_groups,
    token_column,
)
from specialize.corpus.conllu import is_conllu
from specialize.corpus.files import MISSING_BLANK
from specialize.errors import DataError
from specialize.tasks._base import Sentence, Tags
from specialize.tasks._plain import is_plain, read_plain
from specialize.tasks._pretokenize import Style

_LAST = -1  # the column of the tag in rows of different lengths
# fmt: off
_CHUNKS = frozenset({  # of CoNLL-2000
    "NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP",
})
# fmt: on


@dataclass(frozen=True)
class Lines:
    """The lines of a sentence, without their tags."""

    rows: tuple[tuple[str, str], ...]  # of each row what is before its tag, and what is after
    above: tuple[str, ...] = ()  # comments and document marks
    path: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)


@dataclass(frozen=True)
class _Token:
    word: str
    tag: str
    before: str
    after: str


def read_columns(path: Path | str, column: int = 0) -> list[Sentence[Tags]]:
    """Return the sentences of a NER file (.xz and .gz too), their tags as they are.

    ``column`` is the number of the tags' column, counted from 1; 0 finds the only one with tags
    of entities.
    """
    groups = _groups(path)
    token = token_column(groups)
    tag, tabs = _tag_column(groups, token, column, path), "\t" in groups[0].rows[0].text
    for group in groups:
        for row in group.rows:
            check_row(row, path, tabs=tabs)
    tokens = [[_tagged(row, token, tag, path) for row in group.rows] for group in groups]
    return _sentences(groups, tokens, path)


def read_words(
    path: Path | str, column: int = 0, pretokenize: Style = "spaces"
) -> list[Sentence[Tags]]:
    """Return the sentences of a file to annotate: columns with or without tags, or plain text.

    Where a line is one word, spaces in it need a tab after it. A ``.txt`` is plain text
    (`_plain`) unless its first rows are tagged.
    """
    if is_plain(path):
        return [
            Sentence(
                s.words, (), Lines(tuple((f"{w}\t", "") for w in s.words), (), str(path), s.line)
            )
            for s in read_plain(path, pretokenize)
        ]
    groups = _groups(path)
    token = token_column(groups)
    tag = _tag_column(groups, token, column, path) if is_columns(path) else _LAST
    tokens = [[_to_annotate(row, token, tag, path) for row in group.rows] for group in groups]
    return [replace(sentence, gold=()) for sentence in _sentences(groups, tokens, path)]


def write_columns(sentences: Iterable[Sentence[Tags]], path: Path | str) -> None:
    """Write sentences in the format they were read from, with the tags they carry now."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            rows = zip(sentence.source.rows, sentence.gold, strict=True)
            lines = [*sentence.source.above, *(f"{b}{tag}{a}" for (b, a), tag in rows)]
            file.write("\n".join(lines) + "\n\n")


def _groups(path: Path | str) -> list[Group]:
    groups = list(read_groups(path))
    if not groups:
        raise DataError(f"{path}:1: no sentence in the file")
    return groups


def _tag_column(groups: Sequence[Group], token: int, column: int, path: Path | str) -> int:
    """Return which column holds the tags, counted from 0; negative from the end."""
    if column:
        return column - 1
    rows = [row for group in groups for row in group.rows]
    widths = {len(row.fields) for row in rows}
    if len(widths) > 1:
        return _LAST
    columns = {i: [row.fields[i] for row in rows] for i in range(token + 1, widths.pop())}
    tags = {i: sum(map(is_tag, fields)) for i, fields in columns.items()}
    tagged = [i for i, number in tags.items() if 0 < number == max(tags.values())]
    entities = [i for i in tagged if not _are_chunks(columns[i])]
    if len(entities) > 1:
        numbers = " and ".join(str(i + 1) for i in entities)
        raise DataError(
            f"{path}:{rows[0].number}: columns {numbers} hold tags; choose one: "
            f"column = {entities[0] + 1} in the table of the task, --column of evaluate"
        )
    return (entities or tagged or [_LAST])[-1]


def _are_chunks(tags: Iterable[str]) -> bool:
    types = {tag[2:] for tag in tags if tag != "O"}
    return bool(types) and types <= _CHUNKS


def _tagged(row: Row, token: int, tag: int, path: Path | str) -> _Token:
    """Return the parts of a row with a tag."""
    fields = row.fields
    if len(fields) < 2:
        raise DataError(f"{path}:{row.number}: expected a token and its tag, got one column")
    if tag >= len(fields) or tag == token:
        raise DataError(
            f"{path}:{row.number}: no tags in column {tag + 1} of {len(fields)}; correct the row "
            "or the option column"
        )
    found = fields[tag]
    if not is_tag(found):
        comment = MISSING_BLANK if row.text.startswith("# ") else "correct the row"
        if found == "0":
            comment = "0 is the digit zero: replace it by the letter O"
        raise DataError(
            f"{path}:{row.number}: expected a tag such as O, B-LOC or I-LOC, got {found!r}; "
            f"{comment}, or convert the file to IOB2{_as_conllu(path)}"
        )
    begin, end = row.spans[tag]
    return _Token(fields[token], found, row.text[:begin], row.text[end:])


def _as_conllu(path: Path | str) -> str:
    """Return the end of a message on a row, for a file that is CoNLL-U."""
    if not is_conllu(Path(path)):
        return ""
    return "; the file is CoNLL-U, but the task ner reads columns: a word and its tag a line"


def _to_annotate(row: Row, token: int, tag: int, path: Path | str) -> _Token:
    """Return the parts of a row, its tag empty where it has none."""
    if row.tagged:
        return _tagged(row, token, tag, path)
    if len(row.fields) == 1 or "\t" in row.line[len(row.text) :]:
        rest = row.text.strip(BLANKS)
        return _Token(rest.partition("\t")[0], "", f"{rest}\t", "")
    raise DataError(
        f"{path}:{row.number}: expected a token, or a token and its tag (O, B-TYPE or I-TYPE); a "
        "token with spaces needs a tab after it, plain text (a sentence a line) the name .txt"
        + _as_conllu(path)
    )


def _sentences(
    groups: Sequence[Group], tokens: Sequence[Sequence[_Token]], path: Path | str
) -> list[Sentence[Tags]]:
    """Return the sentences, without the language prefix that all words of the file have."""
    prefix = language_prefix([token.word for sentence in tokens for token in sentence])
    return [
        Sentence(
            words=tuple(token.word.removeprefix(prefix) or token.word for token in sentence),
            gold=tuple(token.tag for token in sentence),
            source=Lines(
                tuple((token.before, token.after) for token in sentence),
                group.above,
                str(path),
                group.rows[0].number,
            ),
        )
        for group, sentence in zip(groups, tokens, strict=True)
    ]
