"""The documents of a corpus in their order, evaluation sentences removed, each on its side.

Whole documents are held out at random. In a corpus of fewer than ``FEW`` documents, blocks of
consecutive lines are held out instead: there are about ``BLOCKS``, each of at most ``LONGEST``
lines and within one document. Either way every unit (document or block) draws a number that
depends on its position and the seed alone, so that a larger share holds out the same units and
more, and a larger sample contains a smaller one. The units with the lowest draws are held out:
documents below the share, or the lowest if none is; of blocks, their exact share.
"""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from specialize.corpus.decontaminate import Cleared, clear, evaluation_keys
from specialize.corpus.files import expand
from specialize.corpus.formats import has_text, read_documents
from specialize.corpus.normalize import PUNCTUATION, UNICODE, treatments
from specialize.errors import DataError, UsageError

TRAIN, DEV = "train", "dev"
BOTH = frozenset((TRAIN, DEV))
FEW = 20  # documents; fewer are split by blocks of lines
BLOCKS = 200
LONGEST = 100  # lines of a block
_DRAWS = 1 << 64  # draws are integers below this

Side = frozenset[str]  # the sides that a view shows: one, or both


@dataclass(frozen=True)
class CorpusFiles:
    """Which text to read and how to treat it: the table ``[corpus]`` of a recipe."""

    files: tuple[str, ...]  # files and directories; $VARIABLES and ~ are expanded
    unicode: str = "keep"  # keep, NFC or NFKC
    punctuation: str = "keep"  # keep, or spaced as in the paper's appendix A.1
    remove: tuple[str, ...] = ()  # evaluation files whose sentences are removed
    dev: float = 0.05  # share of the documents held out; 0 = none
    lines: int = 0  # keep a random sample of documents of about so many lines; 0 = all
    seed: int = 0  # of the split and of the sample
    field: str = "text"  # of JSON rows, or column of parquet files, that holds the text

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name, paths in (("files", self.files), ("remove", self.remove)):
            if isinstance(paths, str):
                raise UsageError(f"corpus.{name} is a list of paths; write [{paths!r}]")
        if not self.files:
            raise UsageError("corpus.files is empty; name at least one file or directory")
        for name, value, known in (
            ("unicode", self.unicode, UNICODE),
            ("punctuation", self.punctuation, PUNCTUATION),
        ):
            if value not in known:
                raise UsageError(f"unknown corpus.{name} {value!r}; known: {', '.join(known)}")
        if not 0 <= self.dev < 1:
            raise UsageError(f"corpus.dev is a share from 0 to below 1, not {self.dev}")
        if self.lines < 0:
            raise UsageError(f"corpus.lines is a number of lines, 0 for all, not {self.lines}")


@dataclass(frozen=True)
class Part:
    """Consecutive lines of a document that are shown together."""

    view: int  # which of the sides asked for
    cleared: Cleared


class Source:
    """The documents of the files and their sides; shared by all views of a corpus."""

    def __init__(self, files: CorpusFiles) -> None:
        """Find the files and read the evaluation sentences; the text is read later."""
        self.files = files
        self.paths: list[Path] = expand(files.files)
        self.treatments = treatments(files.unicode, files.punctuation)
        self.keys = evaluation_keys(expand(files.remove))

    def has_text(self) -> bool:
        """Whether a line is left once the evaluation sentences are removed."""
        if self.keys:
            return any(clear(lines, self.keys).lines for _, lines in self._documents())
        return any(has_text(path, self.files.field) for path in self.paths)

    def read(self, *views: Side) -> Iterator[tuple[int, list[Part]]]:
        """Yield for each document the number of its file and its parts, untreated.

        A part holds the lines between two changes of view; lines in no view are left out. One
        pass over the files serves all views.
        """
        if views == (BOTH,) and not self.files.lines:
            for file, lines in self._documents():
                yield file, [Part(0, clear(lines, self.keys))]
            return
        unit = 0
        for file, lines in self._documents():
            parts: list[tuple[int | None, list[str]]] = []
            for block in self._units(lines):
                parts.append((self._view(unit, views), block))
                unit += 1
            shown = [
                Part(view, clear([line for _, block in run for line in block], self.keys))
                for view, run in groupby(parts, itemgetter(0))
                if view is not None
            ]
            yield file, shown

    def check_split(self, *, train: bool, dev: bool) -> None:
        """Raise DataError unless there is text for training and, if asked for, held-out text."""
        if train and (dev or not self.files.dev):
            return
        missing = "left for training" if not train else "held out"
        removed = ", evaluation sentences removed" if self.keys else ""
        larger = "raise corpus.lines, " if self.files.lines else ""
        raise DataError(
            f"{self.paths[0]}:1: no line is {missing}: expected at least 2 lines of text{removed}; "
            f"{larger}give more text, or hold none out with corpus.dev = 0"
        )

    def _documents(self) -> Iterator[tuple[int, list[str]]]:
        """Yield all documents, each with the number of its file."""
        for file, path in enumerate(self.paths):
            for lines in read_documents(path, self.files.field):
                yield file, lines

    def _units(self, lines: list[str]) -> list[list[str]]:
        """Return what is drawn of a document: all of it, or its blocks of lines."""
        if not self._block:
            return [lines]
        return [lines[at : at + self._block] for at in range(0, len(lines), self._block)]

    @cached_property
    def _block(self) -> int:
        """The lines of a block; 0 where whole documents are drawn."""
        lines = 0
        for number, (_, document) in enumerate(self._documents(), 1):
            if number == FEW:
                return 0
            lines += len(document)
        return min(max(1, lines // BLOCKS), LONGEST)

    def _view(self, unit: int, views: tuple[Side, ...]) -> int | None:
        if not self._sampled(unit):
            return None
        side = self._side(unit)
        return next((index for index, sides in enumerate(views) if side in sides), None)

    def _side(self, unit: int) -> str:
        return DEV if self._split_draw(unit) < self._bound else TRAIN

    def _split_draw(self, unit: int) -> int:
        return _draw("split", self.files.seed, unit)

    @cached_property
    def _bound(self) -> float:
        """The bound of the draws held out, such that neither side is empty if that is possible.

        Where documents are drawn, they are read until both sides have one, which takes few.
        """
        bound = self.files.dev * _DRAWS
        if not bound:
            return 0
        draws: list[int] = []
        seen: set[bool] = set()
        for unit, _ in self._sized_units():
            if self._sampled(unit):
                draws.append(self._split_draw(unit))
                seen.add(draws[-1] < bound)
                if len(seen) == 2 and not self._block:
                    return bound
        draws.sort()
        held_out = (
            round(self.files.dev * len(draws)) if self._block else len(draws) * (True in seen)
        )
        return draws[min(max(1, held_out), len(draws) - 1)] if draws else 0

    def _sized_units(self) -> Iterator[tuple[int, int]]:
        """Yield the number of each unit and its lines."""
        unit = 0
        for _, lines in self._documents():
            for block in self._units(lines):
                yield unit, len(block)
                unit += 1

    def _sampled(self, unit: int) -> bool:
        return self.files.lines == 0 or self._sample_draw(unit) <= self._highest_draw

    def _sample_draw(self, unit: int) -> int:
        return _draw("sample", self.files.seed, unit)

    @cached_property
    def _highest_draw(self) -> int:
        """The highest draw in the sample: the lowest draws whose units have enough lines."""
        drawn: list[tuple[int, int]] = []  # (-draw, lines), the highest draw first
        total = 0
        for unit, lines in self._sized_units():
            heapq.heappush(drawn, (-self._sample_draw(unit), lines))
            total += lines
            while total - drawn[0][1] >= self.files.lines:
                total -= heapq.heappop(drawn)[1]
        return -drawn[0][0]


def _draw(purpose: str, seed: int, unit: int) -> int:
    """Return an even draw below ``_DRAWS``; each unit draws apart, so one more changes no other."""
    digest = hashlib.blake2b(f"{purpose} {seed} {unit}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
