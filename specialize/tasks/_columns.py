"""NER files: a word and its tag a line, a blank line behind every sentence.

Word and tag are parted by a tab (then the word may hold spaces) or by spaces; columns between
them, as in CoNLL-2003, are kept. WikiAnn writes its language before every word, ``ug:``; where
all words of a file have the same such prefix it is not part of the word.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from specialize.corpus import read_lines
from specialize.errors import DataError
from specialize.tasks._base import Sentence, Tags
from specialize.tasks._plain import is_txt, read_plain

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


_Parse = Callable[[str, int, Path], _Line]


def read_columns(path: Path | str) -> list[Sentence[Tags]]:
    """Return the sentences of a NER file (.xz and .gz too)."""
    return _sentences(Path(path), _line)


def read_words(path: Path | str) -> list[Sentence[Tags]]:
    """Return the sentences of a file to annotate: columns with or without tags, or plain text.

    Where a line is one word, spaces in it need a tab behind it. A ``.txt`` is plain text
    (`_plain`), unless all of its first ten lines are tagged.
    """
    if is_txt(path) and not _begins_tagged(path):
        return [
            Sentence(words, (), Lines(tuple(f"{word}\t" for word in words), str(path), number))
            for number, words in read_plain(path)
        ]
    return [replace(sentence, gold=()) for sentence in _sentences(Path(path), _line_to_annotate)]


def write_columns(sentences: Iterable[Sentence[Tags]], path: Path | str) -> None:
    """Write sentences in the format they were read from, with the tags they carry now."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for sentence in sentences:
            stems = sentence.source.stems
            lines = [stem + tag for stem, tag in zip(stems, sentence.gold, strict=True)]
            file.write("\n".join(lines) + "\n\n")


def _sentences(path: Path, parse: _Parse) -> list[Sentence[Tags]]:
    """Return the sentences of a file, ``parse`` making parts of its lines."""
    groups = list(_groups(path, parse))
    if not groups:
        raise DataError(f"{path}:1: no sentence in the file")
    prefix = _shared_prefix([line.word for group in groups for line in group])
    return [_sentence(group, len(prefix), str(path)) for group in groups]


def _groups(path: Path, parse: _Parse) -> Iterator[list[_Line]]:
    """Yield the lines of each sentence."""
    group: list[_Line] = []
    for number, text in read_lines(path):
        if text.strip(_BLANKS):
            group.append(parse(text, number, path))
        elif group:
            yield group
            group = []
    if group:
        yield group


def _line(text: str, number: int, path: Path) -> _Line:
    """Return a line of a word and its tag in its parts."""
    if line := _tagged(text, number):
        return line
    fields = _fields(text)
    if len(fields) < 2:
        raise DataError(f"{path}:{number}: one column where a word and its tag are due")
    raise DataError(f"{path}:{number}: tag {fields[-1]!r} is neither O, nor B-TYPE, nor I-TYPE")


def _line_to_annotate(text: str, number: int, path: Path) -> _Line:
    """Return a line in its parts, its tag empty where it has none."""
    if line := _tagged(text, number):
        return line
    rest = text.strip(_BLANKS)
    if len(_fields(text)) == 1 or "\t" in text[len(text.rstrip(_BLANKS)) :]:
        return _Line(number, f"{rest}\t", rest.partition("\t")[0], "")
    raise DataError(
        f"{path}:{number}: neither a word nor a word and its tag, O, B-TYPE or I-TYPE; a word "
        "with spaces needs a tab behind it, plain text (one sentence a line) the name .txt"
    )


def _tagged(text: str, number: int) -> _Line | None:
    """Return a line of a word and its tag in its parts; None if it has no tag."""
    fields = _fields(text)
    if len(fields) < 2 or not _TAG.fullmatch(fields[-1]):
        return None
    return _Line(number, text.rstrip(_BLANKS)[: -len(fields[-1])], fields[0], fields[-1])


def _begins_tagged(path: Path | str) -> bool:
    """Return whether all of a file's first ten lines, blank ones apart, have a tag."""
    lines = islice((line for line in read_lines(path) if line[1].strip()), 10)
    tagged = [_tagged(text, number) for number, text in lines]
    return bool(tagged) and all(tagged)


def _fields(text: str) -> list[str]:
    """Return the columns of a line."""
    line = text.rstrip(_BLANKS)
    return [part for part in line.split("\t" if "\t" in line else " ") if part]


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
