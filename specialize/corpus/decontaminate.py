"""Evaluation sentences, removed from a corpus so that nothing is learned from them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from specialize.corpus.columns import is_columns, language_prefix, read_tokens
from specialize.corpus.conllu import FORM, is_conllu, read_blocks
from specialize.corpus.files import read_lines
from specialize.errors import DataError

SHORTEST = 20  # characters of a sentence that is cut from a line; shorter ones recur by chance

_SENTENCE_END = re.compile(r"(?<=[.!?؟۔])\s+")


def sentence_key(text: str) -> str:
    """Return the sentence without case and white space in NFC, which is what is compared."""
    folded = unicodedata.normalize("NFC", text).casefold()
    return "".join(unicodedata.normalize("NFC", folded).split())


def evaluation_keys(paths: Iterable[Path]) -> frozenset[str]:
    """Return the keys of all sentences of evaluation files.

    A sentence of CoNLL-U has up to three: its ``# text``, its surface tokens and its syntactic
    words. (The authors' filter uses one, the multiword tokens *and* their parts, which occurs in
    no corpus: it misses 221 of the 470 Wolof test sentences.) A sentence of NER columns is its
    tokens without a language prefix; any other file has a sentence on each line.
    """
    return _keys(tuple((path, path.stat().st_mtime_ns) for path in paths))


@lru_cache(maxsize=1)
def _keys(files: tuple[tuple[Path, int], ...]) -> frozenset[str]:
    """Return the keys of the files, each with the time of its last change.

    Remembered: the languages of a base share their evaluation files.
    """
    keys: set[str] = set()
    for path, _ in files:
        found = {key for text in _sentences(path) if (key := sentence_key(text))}
        if not found:
            raise DataError(f"{path}:1: no sentence to remove; name an evaluation file")
        keys |= found
    return frozenset(keys)


def _sentences(path: Path) -> Iterator[str]:
    if is_conllu(path):
        for block in read_blocks(path):
            yield block.text
            yield "".join(block.surface())
            yield "".join(block.column(FORM))
    elif is_columns(path):
        for _, tokens in read_tokens(path):
            yield "".join(tokens)
            prefix = language_prefix(tokens)  # in a file of several languages
            yield "".join(token.removeprefix(prefix) for token in tokens)
    else:
        yield from (line for _, line in read_lines(path))


@dataclass(frozen=True)
class Cleared:
    """The lines left of a document, and how much was removed."""

    lines: list[str]
    removed_lines: int = 0
    removed_sentences: int = 0  # cut from lines that stay


def clear(lines: list[str], keys: frozenset[str]) -> Cleared:
    """Remove evaluation sentences from the lines of a document.

    A line that is one of them, or consists of them, is removed; from any other line each sentence
    of at least ``SHORTEST`` characters that is one is cut.
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
    """Return the line without evaluation sentences, and how many were cut from it."""
    if sentence_key(line) in keys:
        return "", 0
    sentences = _SENTENCE_END.split(line)
    if len(sentences) == 1:
        return line, 0
    kept = [s for s in sentences if len(s) < SHORTEST or sentence_key(s) not in keys]
    cut = len(sentences) - len(kept)
    return (" ".join(kept), cut) if cut else (line, 0)
