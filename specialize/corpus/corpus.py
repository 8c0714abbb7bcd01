"""The corpus: the lines of text files, split, normalised and rewritten as they are read."""

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from specialize import native
from specialize.corpus.facts import CorpusFacts, Tally
from specialize.corpus.formats import is_text
from specialize.corpus.normalize import Rewrite, rewrite
from specialize.corpus.source import BOTH, DEV, TRAIN, CorpusFiles, Part, Side, Source
from specialize.corpus.token_counts import TextCounts, count_files, count_lines
from specialize.errors import DataError


def open_corpus(files: CorpusFiles | str | Path) -> "Corpus":
    """Return the corpus of ``files`` (or of one file or folder, with the defaults).

    Missing files and a corpus without any line are refused here.
    """
    if isinstance(files, str | os.PathLike):
        files = CorpusFiles((os.fspath(files),))
    if not isinstance(files, CorpusFiles):
        raise TypeError(
            f"expected a path or CorpusFiles, got {type(files).__name__}; write "
            "CorpusFiles((path, ...)) for several files"
        )
    source = Source(files)
    if not source.has_text():
        left = " is left once the evaluation sentences are removed" if source.keys else ""
        raise DataError(
            f"{source.paths[0]}:1: no line of text{left or ' in the corpus'} "
            f"({len(source.paths)} file(s)); name files with text"
        )
    return Corpus(source)


class Corpus:
    """Documents and lines that can be read again and again, each time from the files.

    Memory holds one document at a time, the keys of the evaluation sentences and, to draw a
    sample, one number for each of its documents. Lines are treated in this order: evaluation
    sentences removed, Unicode, punctuation, mix-ins. Lines that become empty are left out.
    """

    def __init__(
        self, source: Source, *, sides: Side = BOTH, mixins: tuple[Rewrite, ...] = ()
    ) -> None:
        """Show the documents of ``source`` on ``sides``; use ``open_corpus`` to get a corpus."""
        self.source = source
        self._sides = sides
        self._mixins = mixins

    def documents(self) -> Iterator[list[str]]:
        """Yield the documents, each as its non-empty stripped lines.

        Where blocks of lines are held out (``source``), the lines between two blocks are one.
        """
        for _, parts in self._read():
            for part in parts:
                if lines := self._treated(part.cleared.lines):
                    yield lines

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        for document in self.documents():
            yield from document

    def train(self) -> "Corpus":
        """Return the text not held out."""
        return self._side(TRAIN)

    def dev(self) -> "Corpus":
        """Return the text held out."""
        return self._side(DEV)

    def check_split(self) -> None:
        """Raise DataError if a side of the split that is asked for has no line."""
        train, dev = (any(True for _ in side) for side in (self.train(), self.dev()))
        self.source.check_split(train=train, dev=dev)

    def _side(self, side: str) -> "Corpus":
        return Corpus(self.source, sides=self._sides & {side}, mixins=self._mixins)

    def mixed(self, *mixins: Rewrite) -> "Corpus":
        """Return the corpus with each line passed through ``mixins`` in order, last of all."""
        return Corpus(self.source, sides=self._sides, mixins=(*self._mixins, *mixins))

    def counts(self) -> TextCounts:
        """Return the tokens of the lines counted; read once, then kept."""
        return self._counts

    @cached_property
    def _counts(self) -> TextCounts:
        return self._count()

    def _count(self) -> TextCounts:
        if native.core() and self._sides == BOTH and not (self.source.treatments or self._mixins):
            source = self.source
            if not source.keys and not source.files.lines and all(map(is_text, source.paths)):
                # the lines are those of the files
                return count_files(source.paths)
        return count_lines(self)

    def facts(self) -> CorpusFacts:
        """Return the size of the text, mix-ins applied, and what was removed; read once, then kept.

        A document of which blocks are held out counts once.
        """
        return self._facts

    @cached_property
    def _facts(self) -> CorpusFacts:
        tally = Tally.of_files(len(self.source.paths))
        for file, parts in self._read():
            lines = [line for part in parts for line in self._treated(part.cleared.lines)]
            tally.add(file, lines, [part.cleared for part in parts])
        return tally.facts(self.source.paths)

    def _read(self) -> Iterator[tuple[int, list[Part]]]:
        if not self._sides or (self._sides == {DEV} and not self.source.files.dev):
            return iter(())
        return self.source.read(self._sides)

    def _treated(self, lines: list[str]) -> list[str]:
        return rewrite(rewrite(lines, self.source.treatments), self._mixins)
