"""Count files: the token counts of a text, read and merged wherever words are counted.

A file ``NAME.counts`` is UTF-8 and may be compressed (``.counts.xz``, ``.gz``, ``.zst``, ``.bz2``);
here is that of the lines ``a b`` and ``a``, with a tab after each count::

    # specialize counts 1
    # characters 4
    # bytes 4
    # types 2
    2   a
    1   b

The first line names the format and its version; characters and bytes are those of ``TextCounts``;
the types follow, each with its occurrences, in order of first occurrence. Where counts were pruned,
a fifth line states what is missing: ``# dropped 7 tokens of 5 types``. A token has no space, tab,
CR or LF, so nothing is escaped. It may contain other white space and line ends, such as U+2028,
U+0085 or a form feed: lines end at LF only.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from specialize import native
from specialize.atomic import whole_file
from specialize.corpus.corpus import Corpus, open_corpus
from specialize.corpus.files import blocks, expand, not_utf8
from specialize.corpus.formats import has_text, is_counts, is_text
from specialize.corpus.source import CorpusFiles
from specialize.corpus.token_counts import (
    Dropped,
    TextCounts,
    check_max_types,
    count_files,
    count_lines,
    prune,
)
from specialize.errors import DataError, MissingError, UsageError

_FORMAT = "# specialize counts 1"
_FACTS = ("characters", "bytes", "types")
_DROPPED = re.compile(r"# dropped ([1-9][0-9]{0,17}) tokens of ([1-9][0-9]{0,17}) types")
_ROW = re.compile(r"([1-9][0-9]{0,11})\t([^ \t\r\n]+)")
_AGAIN = "count the text again"


def open_text(names: Sequence[str], *, field: str = "text") -> Corpus | TextCounts:
    """Return the corpus of files and folders or, with count files among them, the counts of all.

    ``field``: that of JSON rows and parquet files that holds the text.
    """
    paths = expand(names)
    if not any(map(is_counts, paths)):
        return open_corpus(CorpusFiles(tuple(names), dev=0.0, field=field))
    counts = (count_file(path, field=field) for path in paths)
    return next(counts) if len(paths) == 1 else merge_counts(counts)


def count_texts(names: Sequence[str], *, max_types: int = 0, field: str = "text") -> TextCounts:
    """Return the counts of files and folders, count files among them or not.

    Beyond ``max_types``, 0 for no bound, the rarest types are dropped as ``prune`` does, while a
    file is counted and as its counts are added to the others.
    """
    if not max_types:
        text = open_text(names, field=field)
        return text.counts() if isinstance(text, Corpus) else text
    paths = expand(names)
    if not any(map(is_counts, paths)):
        open_text(names, field=field)  # refuses texts without any line
    parts = (count_file(path, max_types=max_types, field=field) for path in paths)
    return merge_counts(parts, max_types=max_types)


def count_file(path: Path, *, max_types: int = 0, field: str = "text") -> TextCounts:
    """Return the counts of a text, which may be empty here, or those in a count file.

    Only the counts of a text are pruned to ``max_types``; pruning those of a file saves no memory.
    """
    if is_counts(path):
        return read_counts(path)
    if not has_text(path, field):
        return TextCounts({}, 0, 0)
    corpus = open_corpus(CorpusFiles((str(path),), dev=0.0, field=field))
    if not max_types:
        return corpus.counts()
    if is_text(path):
        return count_files([path], max_types=max_types)
    return count_lines(corpus, max_types=max_types)


def merge_counts(parts: Iterable[TextCounts], *, max_types: int = 0) -> TextCounts:
    """Return the counts of all ``parts``: those of their texts concatenated.

    ``parts`` are read one by one: memory holds the types of one and of the sum, which is pruned to
    ``max_types``, 0 for no bound, after each.
    """
    check_max_types(max_types)
    sums, characters, size, dropped = summed(()), 0, 0, Dropped()
    for part in parts:
        characters += part.characters
        size += part.bytes
        if isinstance(sums, native.TokenCounts):
            sums.merge(native.as_tokens(part.tokens))
        else:
            sums.update(part.tokens)
        dropped += part.dropped + prune(sums, max_types)
    return TextCounts(sums, characters, size, dropped)


def summed(items: Iterable[tuple[str, int]]) -> native.TokenCounts | Counter[str]:
    """Return the sum of (token, occurrences) by token, in order of first occurrence."""
    if native.core():
        tokens = native.TokenCounts()
        tokens.add(native.positioned(items))
        return tokens
    sums: Counter[str] = Counter()
    for token, count in items:
        sums[token] += count
    return sums


def write_counts(counts: TextCounts, path: str | Path) -> int:
    """Write ``counts`` as a count file, whole or not at all, compressed as its suffix says.

    Return the number of tokens, the sum of the counts.
    """
    path = Path(path)
    opened = _opener(path)
    facts = (counts.characters, counts.bytes, len(counts.tokens))
    with whole_file(path) as partial, opened(partial, "wb") as file:
        head = [_FORMAT, *(f"# {name} {n}" for name, n in zip(_FACTS, facts, strict=True))]
        if counts.dropped.types:
            head.append(f"# dropped {counts.dropped.tokens} tokens of {counts.dropped.types} types")
        file.write("\n".join([*head, ""]).encode())
        if isinstance(counts.tokens, native.TokenCounts):
            return counts.tokens.write(file.write)
        for token, count in counts.tokens.items():
            file.write(f"{count}\t{token}\n".encode())
    return sum(counts.tokens.values())


def check_counts_path(path: Path) -> None:
    """Raise the errors of ``write_counts`` before anything is counted."""
    _opener(path)


def _opener(path: Path) -> Callable[..., IO[Any]]:
    if not is_counts(path):
        raise UsageError(f"{path}: a count file is named FILE.counts, or FILE.counts.xz, .gz, .zst")
    if path.suffix.lower() != ".zst":
        return _OPENERS.get(path.suffix.lower(), open)
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        try:
            import zstandard as zstd
        except ImportError as fault:
            raise MissingError(f"{path}: needs zstandard: pip install specialize[zst]") from fault
    return zstd.open  # type: ignore[no-any-return]


_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def read_counts(path: str | Path) -> TextCounts:
    """Return the counts in a count file."""
    path = Path(path)
    lines = _lines(path)
    if next(lines, None) != (1, _FORMAT):
        raise DataError(f"{path}:1: not {_FORMAT!r}; count the text with this version")
    characters, size, types = [_fact(path, lines, name) for name in _FACTS]
    dropped, lines = _dropped(lines)
    tokens = summed(_rows(path, lines))
    if len(tokens) != types:
        raise DataError(f"{path}:4: {len(tokens)} types follow, not {types}; {_AGAIN}")
    return TextCounts(tokens, characters, size, dropped)


def _fact(path: Path, lines: Iterator[tuple[int, str]], name: str) -> int:
    number, line = next(lines, (len(_FACTS), ""))
    if found := re.fullmatch(rf"# {name} ([0-9]{{1,18}})", line):
        return int(found[1])
    raise DataError(f"{path}:{number}: not '# {name} NUMBER'; {_AGAIN}")


def _dropped(lines: Iterator[tuple[int, str]]) -> tuple[Dropped, Iterator[tuple[int, str]]]:
    """Return what was dropped, if the next line states it, and the lines that follow."""
    for number, line in lines:
        if found := _DROPPED.fullmatch(line):
            return Dropped(types=int(found[2]), tokens=int(found[1])), lines
        return Dropped(), chain([(number, line)], lines)
    return Dropped(), lines


def _rows(path: Path, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    for number, line in lines:
        found = _ROW.fullmatch(line)
        if not found:
            raise DataError(f"{path}:{number}: not a count, a tab and a token; {_AGAIN}")
        yield found[2], int(found[1])


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines, numbered from 1; unlike those of a text they end at LF only."""
    number, begun = 0, b""
    for block in blocks(path):
        *whole, begun = (begun + block).split(b"\n")
        for raw in whole:
            number += 1
            try:
                yield number, raw.decode()
            except UnicodeDecodeError as fault:
                raise not_utf8(path, number, raw, fault.start) from None
    if begun:
        raise DataError(f"{path}:{number + 1}: the last line has no end; {_AGAIN}")
