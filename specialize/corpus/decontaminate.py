"""Sentences of evaluation files, taken out of a corpus so that nothing is learned from them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from specialize.corpus.conllu import read_sentences
from specialize.corpus.files import plain_name, read_lines
from specialize.errors import DataError

SHORTEST = 20  # characters of a sentence that is cut out of its line; shorter ones recur by chance

_SENTENCE_END = re.compile(r"(?<=[.!?؟۔])\s+")
_COLUMNS = re.compile(r"(?:([^\t]+)\t|(\S+) )(?:.*[ \t])?(?:O|[BIESLUM]-\S+)")
_PREFIX = re.compile(r"[a-z]{2,3}(?:[-_][a-z]+)*:")  # WikiAnn writes ug:token
_HEAD = 20  # lines that tell columns from text


def sentence_key(text: str) -> str:
    """Return what two sentences that differ in white space only share: NFC without white space."""
    return "".join(unicodedata.normalize("NFC", text).split())


def evaluation_keys(paths: Iterable[Path]) -> frozenset[str]:
    """Return the keys of all sentences of evaluation files.

    A sentence of CoNLL-U has up to three: its ``# text``, its surface tokens and its syntactic
    words. (The original's filter knew one, a line of multiword tokens *and* their parts, that
    stands in no corpus: 221 of the 470 Wolof test sentences were never looked for.) Of a file of
    NER columns it is the tokens, with and without a language prefix; of any other file each line.
    """
    keys: set[str] = set()
    for path in paths:
        found = {key for text in _sentences(path) if (key := sentence_key(text))}
        if not found:
            raise DataError(f"{path}:1: no sentence to remove in it; give an evaluation file")
        keys |= found
    return frozenset(keys)


def _sentences(path: Path) -> Iterator[str]:
    if plain_name(path).lower().endswith(".conllu"):
        for sentence in read_sentences(path):
            yield sentence.text
            yield "".join(sentence.tokens)
            yield "".join(sentence.words)
    elif _has_columns(path):
        yield from _column_sentences(path)
    else:
        yield from (line for _, line in read_lines(path))


def _has_columns(path: Path) -> bool:
    """Whether most of the first lines are a token and a tag."""
    lines = (line for _, line in read_lines(path) if line.strip() and not _is_comment(line))
    head = [_COLUMNS.fullmatch(line.rstrip()) is not None for line in islice(lines, _HEAD)]
    return 2 * sum(head) > len(head)


def _is_comment(line: str) -> bool:
    return line.startswith(("# ", "-DOCSTART-")) and not _COLUMNS.fullmatch(line.rstrip())


def _column_sentences(path: Path) -> Iterator[str]:
    tokens: list[str] = []
    for number, line in read_lines(path):
        if not line.strip():
            yield from _both_ways(tokens)
            tokens = []
        elif match := _COLUMNS.fullmatch(line.rstrip()):
            tokens.append(match[1] or match[2])
        elif not _is_comment(line):
            raise DataError(
                f"{path}:{number}: not a token and a tag (O, B-..., I-...) as the lines before; "
                "correct the line"
            )
    yield from _both_ways(tokens)


def _both_ways(tokens: list[str]) -> Iterator[str]:
    """Yield the tokens joined, and once more without the language prefix all of them have."""
    yield "".join(tokens)
    prefix = _PREFIX.match(tokens[0]) if tokens else None
    if prefix and all(token.startswith(prefix[0]) for token in tokens):
        yield "".join(token.removeprefix(prefix[0]) for token in tokens)


@dataclass(frozen=True)
class Cleared:
    """What is left of a document, and how much is not."""

    lines: list[str]
    removed_lines: int = 0
    removed_sentences: int = 0  # cut out of lines that stay


def clear(lines: list[str], keys: frozenset[str]) -> Cleared:
    """Take evaluation sentences out of the lines of a document.

    A line goes when it is one of them, or made of nothing else; of any other line each sentence of
    at least ``SHORTEST`` characters that is one is cut out.
    """
    if not keys:
        return Cleared(lines)
    left: list[str] = []
    sentences = 0
    for line in lines:
        kept, cut = _cut(line, keys)
        if kept:
            left.append(kept)
            sentences += cut
    return Cleared(left, len(lines) - len(left), sentences)


def _cut(line: str, keys: frozenset[str]) -> tuple[str, int]:
    """Return what is left of the line, and the number of sentences cut out of it."""
    if sentence_key(line) in keys:
        return "", 0
    sentences = _SENTENCE_END.split(line)
    if len(sentences) == 1:
        return line, 0
    kept = [s for s in sentences if len(s) < SHORTEST or sentence_key(s) not in keys]
    cut = len(sentences) - len(kept)
    return (" ".join(kept), cut) if cut else (line, 0)
