"""A corpus written once as plain files: what every later stage of a run reads.

``prepare`` reads the sources in one pass and writes to a folder:

- ``train.txt`` and ``dev.txt``: the stripped lines of either side, treated and passed through the
  mix-ins, UTF-8, a blank line between documents;
- ``dev_original.txt``: the held-out lines before the mix-ins, line by line beside ``dev.txt``.
  Where a mix-in leaves nothing of a line, that line of ``dev.txt`` is empty;
- ``facts.json``: how much text there is and how much was removed, written last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from specialize import atomic
from specialize.corpus.corpus import open_corpus
from specialize.corpus.facts import CorpusFacts, FileFacts, Tally
from specialize.corpus.formats import columns_note
from specialize.corpus.normalize import Rewrite, rewrite
from specialize.corpus.source import DEV, TRAIN, CorpusFiles, Source
from specialize.corpus.token_counts import TextCounts, count_prepared
from specialize.errors import UsageError

_TRAIN, _DEV, _ORIGINAL, _FACTS = "train.txt", "dev.txt", "dev_original.txt", "facts.json"
_QUIET = 10.0  # seconds between two lines of the log


@dataclass(frozen=True)
class Size:
    """How much text a file has."""

    documents: int
    lines: int
    bytes: int  # UTF-8, a line end for each line included


@dataclass(frozen=True)
class PreparedFacts:
    """The text of a prepared corpus: ``corpus`` counts both sides and what was removed."""

    corpus: CorpusFacts
    train: Size
    dev: Size

    def to_json(self) -> dict[str, Any]:
        """Return the facts as one table, as in ``facts.json``."""
        return {**asdict(self.corpus), "train": asdict(self.train), "dev": asdict(self.dev)}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> PreparedFacts:
        """Return the facts that ``to_json`` wrote."""
        table = dict(table)
        train, dev = Size(**table.pop("train")), Size(**table.pop("dev"))
        files = tuple(FileFacts(**file) for file in table.pop("files"))
        return cls(CorpusFacts(files, **table), train, dev)


def prepare(
    files: CorpusFiles, mixins: Sequence[Rewrite], folder: Path, log: Callable[[str], None]
) -> PreparedFacts:
    """Write the corpus of ``files``, rewritten by ``mixins``, to ``folder`` and return its facts.

    The lines are those of ``open_corpus(files).mixed(*mixins)``. Raises DataError if there is no
    text for training, or none held out though ``files.dev`` asks for some.
    """
    source = open_corpus(files).source
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        paths = (
            stack.enter_context(atomic.whole_file(folder / name))
            for name in (_TRAIN, _DEV, _ORIGINAL)
        )
        train, dev, original = (
            _Writer(stack.enter_context(path.open("w", encoding="utf-8", newline="\n")))
            for path in paths
        )
        corpus = _write(source, mixins, train, dev, original, log)
        facts = PreparedFacts(corpus, train.size(), dev.size())
        source.check_split(train=facts.train.lines > 0, dev=facts.dev.lines > 0)
    atomic.write_json(folder / _FACTS, facts.to_json())
    log(_summary(facts, cleared=bool(source.keys)))
    if note := columns_note(source.paths):
        log(f"corpus: {note}")
    return facts


def _write(
    source: Source,
    mixins: Sequence[Rewrite],
    train: _Writer,
    dev: _Writer,
    original: _Writer,
    log: Callable[[str], None],
) -> CorpusFacts:
    """Write all documents and return what they were."""
    tally = Tally.of_files(len(source.paths))
    logged = time.monotonic()
    for file, parts in source.read(frozenset({TRAIN}), frozenset({DEV})):
        shown: list[str] = []
        for part in parts:
            before = rewrite(part.cleared.lines, source.treatments)
            after = [_one_line(line) for line in rewrite(before, mixins, keep_empty=True)]
            kept = [line for line in after if line]
            if part.view == 0:
                train.write(kept, kept)
            else:
                dev.write(after, kept)
                original.write(before, before)
            shown += kept
        tally.add(file, shown, [part.cleared for part in parts])
        if time.monotonic() - logged > _QUIET:
            logged = time.monotonic()
            log(f"corpus: {train.bytes / 1e6:,.0f} MB written, at {source.paths[file].name}")
    return tally.facts(source.paths)


def _one_line(line: str) -> str:
    if "\n" in line or "\r" in line:
        raise UsageError(f"expected one line from a mix-in, got a line break in {line[:60]!r}")
    return line


def _summary(facts: PreparedFacts, *, cleared: bool) -> str:
    whole, dev = facts.corpus, facts.dev
    removed, size = whole.removed_lines + whole.removed_sentences, whole.bytes / 1e6
    return (
        f"corpus: {whole.documents:,} documents, {whole.lines:,} lines, {size:.1f} MB; "
        f"{dev.lines:,} lines held out"
    ) + (f"; {removed:,} evaluation sentences removed" if cleared else "")


class _Writer:
    """Documents written to a file, and their sizes."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.documents = self.lines = self.bytes = 0
        self.begun = False

    def write(self, lines: list[str], kept: list[str]) -> None:
        """Write the ``lines`` of a document, of which those ``kept`` are not empty."""
        if not lines:
            return
        text = "\n".join([*lines, ""])
        self.file.write("\n" + text if self.begun else text)
        self.begun = True
        self.documents += bool(kept)
        self.lines += len(kept)
        self.bytes += len(text.encode()) - (len(lines) - len(kept))

    def size(self) -> Size:
        return Size(self.documents, self.lines, self.bytes)


class PreparedText:
    """One side of a prepared corpus, read from its file each time."""

    def __init__(self, path: Path, layout: Path) -> None:
        """Show ``path``, whose documents end where ``layout`` has a blank line."""
        self.path = path
        self._layout = layout

    def documents(self) -> Iterator[list[str]]:
        """Yield the documents, each as its non-empty stripped lines."""
        document: list[str] = []
        for line, beside in self._lines():
            if not beside and document:
                yield document
                document = []
            elif line:
                document.append(line)
        if document:
            yield document

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        return (line for line, _ in self._lines() if line)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each line before the mix-ins and after them, when it may be empty."""
        return ((beside, line) for line, beside in self._lines() if beside)

    def counts(self) -> TextCounts:
        """Return the tokens of the lines counted; read once, then kept."""
        return self._counts

    @cached_property
    def _counts(self) -> TextCounts:
        return count_prepared(self.path)

    def _lines(self) -> Iterator[tuple[str, str]]:
        """Yield the lines without their ends, each with that of the layout."""
        if self.path == self._layout:
            for line in _read(self.path):
                yield line, line
        else:
            yield from zip(_read(self.path), _read(self._layout), strict=True)


def _read(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n")


@dataclass(frozen=True)
class Prepared:
    """The corpus that ``prepare`` wrote to a folder."""

    folder: Path

    def key_parts(self) -> list[Path]:
        """Return the files that later stages of a run depend on."""
        return [self.folder / name for name in (_TRAIN, _DEV, _ORIGINAL)]

    @cached_property
    def train(self) -> PreparedText:
        """Return the text for training."""
        return PreparedText(self.folder / _TRAIN, self.folder / _TRAIN)

    @cached_property
    def dev(self) -> PreparedText:
        """Return the text held out."""
        return PreparedText(self.folder / _DEV, self.folder / _ORIGINAL)

    def dev_pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each held-out line before the mix-ins and after them, when it may be empty."""
        return self.dev.pairs()

    @cached_property
    def facts(self) -> PreparedFacts:
        """Return how much text there is and what was removed."""
        return PreparedFacts.from_json(atomic.read_json(self.folder / _FACTS))
