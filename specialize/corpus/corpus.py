"""The corpus: documents of files, some taken out, split by a seed, treated and mixed."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from specialize import native
from specialize.corpus.decontaminate import Cleared, clear, evaluation_keys
from specialize.corpus.files import expand
from specialize.corpus.formats import has_text, is_text, read_documents
from specialize.corpus.normalize import PUNCTUATION, UNICODE, treatments
from specialize.corpus.token_counts import TextCounts, count_files, count_lines
from specialize.errors import DataError, UsageError

_TRAIN, _DEV = "train", "dev"
_DRAWS = 1 << 64  # a draw is one of so many numbers


@dataclass(frozen=True)
class CorpusFiles:
    """Which text to read and what to do to it: the table ``[corpus]`` of a recipe."""

    files: tuple[str, ...]  # files and directories; $VARIABLES and ~ are expanded
    unicode: str = "keep"  # keep, NFC or NFKC
    punctuation: str = "keep"  # keep, or spaced as in the paper's appendix A.1
    remove: tuple[str, ...] = ()  # evaluation files whose sentences are taken out
    dev: float = 0.05  # share of the documents held out; 0 = none
    lines: int = 0  # keep a random sample of documents of about so many lines; 0 = all
    seed: int = 0  # of the split and of the sample

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
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
class FileFacts:
    """What came of one file, or of all of them."""

    path: str
    documents: int
    lines: int
    bytes: int  # UTF-8, a line end for each line included
    removed_lines: int  # evaluation sentences
    removed_sentences: int  # cut out of lines that stayed


@dataclass(frozen=True)
class CorpusFacts:
    """What came of each file, and their sums."""

    files: tuple[FileFacts, ...]
    documents: int
    lines: int
    bytes: int
    removed_lines: int
    removed_sentences: int


def open_corpus(files: CorpusFiles | str | Path) -> "Corpus":
    """Return the corpus of ``files`` (or of one file or folder, with the defaults).

    Missing files and a corpus without any line are refused here.
    """
    if not isinstance(files, CorpusFiles):
        files = CorpusFiles((str(files),))
    source = _Source(files)
    if not source.has_text():
        left = " is left once the evaluation sentences are removed" if source.keys else ""
        raise DataError(
            f"{source.paths[0]}:1: no line of text{left or ' in the corpus'} "
            f"({len(source.paths)} file(s)); name files with text"
        )
    return Corpus(source)


class Corpus:
    """Documents and lines that can be read again and again, each time from the files.

    Memory holds one document at a time, the keys of the evaluation sentences, and, to draw a
    sample, one number for each of its documents. Lines are treated in this order: evaluation
    sentences out, Unicode, punctuation, mix-ins. Lines that become empty go.
    """

    def __init__(
        self,
        source: "_Source",
        *,
        sides: frozenset[str] = frozenset((_TRAIN, _DEV)),
        mixins: tuple[Callable[[str], str], ...] = (),
    ) -> None:
        """Show the documents of ``source`` on ``sides``; ``open_corpus`` is the usual way here."""
        self._source = source
        self._sides = sides
        self._mixins = mixins
        self._treatments = (*source.treatments, *mixins)

    def documents(self) -> Iterator[list[str]]:
        """Yield the documents, each as its non-empty stripped lines."""
        for _, cleared in self._chosen():
            if lines := self._treated(cleared.lines):
                yield lines

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        for document in self.documents():
            yield from document

    def train(self) -> "Corpus":
        """Return the documents not held out."""
        return self._side(_TRAIN)

    def dev(self) -> "Corpus":
        """Return the documents held out.

        Each document is drawn for itself, so that a corpus of a few may have none here.
        """
        return self._side(_DEV)

    def _side(self, side: str) -> "Corpus":
        return Corpus(self._source, sides=self._sides & {side}, mixins=self._mixins)

    def mixed(self, *mixins: Callable[[str], str]) -> "Corpus":
        """Return the corpus with each line passed through ``mixins`` in order, last of all."""
        return Corpus(self._source, sides=self._sides, mixins=(*self._mixins, *mixins))

    def counts(self) -> TextCounts:
        """Return the tokens of the lines counted; read once, then kept."""
        return self._counts

    @cached_property
    def _counts(self) -> TextCounts:
        return self._count()

    def tokens_kept_by(self, sieve: Any) -> Mapping[str, int]:
        """Return at least the tokens that ``sieve``, of the native extension, keeps.

        All, where they are counted already; else the files are read, each time anew.
        """
        counts = self._counts if "_counts" in vars(self) else self._count(sieve)
        return counts.tokens

    def _count(self, sieve: Any = None) -> TextCounts:
        if native.core() and self._sides == {_TRAIN, _DEV} and not self._treatments:
            source = self._source
            if not source.keys and not source.files.lines and all(map(is_text, source.paths)):
                # the lines are those of the files
                return count_files(source.paths, sieve=sieve)
        return count_lines(self, sieve=sieve)

    def facts(self) -> CorpusFacts:
        """Return counts of what ``documents`` yields, mix-ins applied; read once, then kept."""
        return self._facts

    @cached_property
    def _facts(self) -> CorpusFacts:
        counts: list[Counter[str]] = [Counter() for _ in self._source.paths]
        for file, cleared in self._chosen():
            lines = self._treated(cleared.lines)
            counts[file].update(
                documents=bool(lines),
                lines=len(lines),
                bytes=sum(len(line.encode()) + 1 for line in lines),
                removed_lines=cleared.removed_lines,
                removed_sentences=cleared.removed_sentences,
            )
        names = ("documents", "lines", "bytes", "removed_lines", "removed_sentences")
        files = zip(self._source.paths, counts, strict=True)
        return CorpusFacts(
            files=tuple(FileFacts(str(path), *(of[name] for name in names)) for path, of in files),
            **{name: sum(of[name] for of in counts) for name in names},
        )

    def _chosen(self) -> Iterator[tuple[int, Cleared]]:
        """Yield the documents of this view, each with the number of its file."""
        source, sides = self._source, self._sides
        if not sides or (sides == {_DEV} and source.files.dev == 0):
            return
        for index, (file, lines) in enumerate(source.documents()):
            if (len(sides) == 2 or source.side(index) in sides) and source.sampled(index):
                yield file, clear(lines, source.keys)

    def _treated(self, lines: list[str]) -> list[str]:
        if not self._treatments:
            return lines
        for treat in self._treatments:
            lines = [treat(line) for line in lines]
        return [stripped for line in lines if (stripped := line.strip())]


class _Source:
    """The documents of the files in their order, and where chance puts each: shared by views."""

    def __init__(self, files: CorpusFiles) -> None:
        self.files = files
        self.paths: list[Path] = expand(files.files)
        self.keys = evaluation_keys(expand(files.remove))
        self.treatments = treatments(files.unicode, files.punctuation)

    def has_text(self) -> bool:
        """Whether a line is left once the evaluation sentences are out."""
        if self.keys:
            return any(clear(lines, self.keys).lines for _, lines in self.documents())
        return any(map(has_text, self.paths))

    def documents(self) -> Iterator[tuple[int, list[str]]]:
        """Yield all documents untreated, each with the number of its file."""
        for file, path in enumerate(self.paths):
            for lines in read_documents(path):
                yield file, lines

    def side(self, index: int) -> str:
        """Return the side of the split a document is on, whatever else is in the corpus."""
        share = self.files.dev * _DRAWS
        return _DEV if _draw("split", self.files.seed, index) < share else _TRAIN

    def sampled(self, index: int) -> bool:
        """Whether a document is in the sample."""
        return self.files.lines == 0 or self._sample_draw(index) <= self._highest_draw

    def _sample_draw(self, index: int) -> int:
        return _draw("sample", self.files.seed, index)

    @cached_property
    def _highest_draw(self) -> int:
        """The highest draw in the sample: the lowest draws whose documents have enough lines.

        Samples are nested: a smaller one is part of a larger one.
        """
        drawn: list[tuple[int, int]] = []  # (-draw, lines), the highest draw first
        total = 0
        for index, (_, lines) in enumerate(self.documents()):
            heapq.heappush(drawn, (-self._sample_draw(index), len(lines)))
            total += len(lines)
            while total - drawn[0][1] >= self.files.lines:
                total -= heapq.heappop(drawn)[1]
        return -drawn[0][0]


def _draw(purpose: str, seed: int, index: int) -> int:
    """Return an even draw below ``_DRAWS``; documents draw apart, so one more changes no other."""
    digest = hashlib.blake2b(f"{purpose} {seed} {index}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
