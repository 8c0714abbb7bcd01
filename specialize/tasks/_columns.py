"""NER files: a word and its tag a line, a blank line behind every sentence.

Word and tag are parted by a tab (then the word may hold spaces) or by spaces; columns between
them, as in CoNLL-2003, are kept. WikiAnn writes its language before every word, ``ug:``; where
all words of a file have the same such prefix it is not part of the word.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from specialize.corpus import read_lines
from specialize.errors import DataError
from specialize.tasks._base import Sentence, Tags

_TAG = re.compile(r"O|[BI]-\S+")
_PREFIX = re.compile(r"[a-z]{2,3}(-[a-z]+)*:")  # ug: and, in WikiAnn, zh-yue:
_BLANKS = " \t\r\n"


@dataclass(frozen=True)
class Lines:
    """The lines of a sentence, each up to its tag."""

    stems: tuple[str, ...]
    path: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)


@dataclass(frozen=True)
class _Line:
    number: int
    stem: str
    word: str
    tag: str


def read_columns(path: Path | str) -> list[Sentence[Tags]]:
    """Return the sentences of a NER file (.xz and .gz too)."""
    groups = list(_groups(Path(path)))
    if not groups:
        raise DataError(f"{path}:1: no sentence in the file")
    prefix = _shared_prefix([line.word for group in groups for line in group])
    return [_sentence(group, len(prefix), str(path)) for group in groups]


def write_columns(sentences: Iterable[Sentence[Tags]], path: Path | str) -> None:
    """Write sentences in the format they were read from, with the tags they carry now."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            stems = sentence.source.stems
            lines = [stem + tag for stem, tag in zip(stems, sentence.gold, strict=True)]
            file.write("\n".join(lines) + "\n\n")


def _groups(path: Path) -> Iterator[list[_Line]]:
    """Yield the lines of each sentence."""
    group: list[_Line] = []
    for number, text in read_lines(path):
        line = text.rstrip(_BLANKS)
        if line:
            group.append(_line(line, number, path))
        elif group:
            yield group
            group = []
    if group:
        yield group


def _line(text: str, number: int, path: Path) -> _Line:
    """Return a line in its parts."""
    fields = [part for part in text.split("\t" if "\t" in text else " ") if part]
    if len(fields) < 2:
        raise DataError(f"{path}:{number}: one column where a word and its tag are due")
    word, tag = fields[0], fields[-1]
    if not _TAG.fullmatch(tag):
        raise DataError(f"{path}:{number}: tag {tag!r} is neither O, nor B-TYPE, nor I-TYPE")
    return _Line(number, text[: -len(tag)], word, tag)


def _shared_prefix(words: list[str]) -> str:
    """Return the language prefix that all words have, or ''."""
    found = _PREFIX.match(words[0])
    prefix = found[0] if found else ""
    return prefix if all(word.startswith(prefix) for word in words) else ""


def _sentence(group: list[_Line], cut: int, path: str) -> Sentence[Tags]:
    """Return the sentence of some lines, ``cut`` characters of prefix taken off its words."""
    return Sentence(
        words=tuple(line.word[cut:] or line.word for line in group),
        gold=tuple(line.tag for line in group),
        source=Lines(tuple(line.stem for line in group), path, group[0].number),
    )
