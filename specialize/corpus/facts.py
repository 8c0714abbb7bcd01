"""How much text a corpus has and what was removed from it, by file and in all."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from specialize.corpus.decontaminate import Cleared


@dataclass(frozen=True)
class FileFacts:
    """The text of one file."""

    path: str
    documents: int
    lines: int
    bytes: int  # UTF-8, a line end for each line included
    removed_lines: int  # evaluation sentences
    removed_sentences: int  # cut out of lines that stayed


@dataclass(frozen=True)
class CorpusFacts:
    """The text of each file, and the sums."""

    files: tuple[FileFacts, ...]
    documents: int
    lines: int
    bytes: int
    removed_lines: int
    removed_sentences: int


@dataclass
class Tally:
    """Sums over the documents of each file."""

    counts: list[Counter[str]]

    @classmethod
    def of_files(cls, number: int) -> "Tally":
        """Return sums of nothing for so many files."""
        return cls([Counter() for _ in range(number)])

    def add(self, file: int, lines: Sequence[str], cleared: Iterable[Cleared]) -> None:
        """Add the lines of a document, as shown, and what was removed from its parts."""
        cleared = list(cleared)
        self.counts[file].update(
            documents=bool(lines),
            lines=len(lines),
            bytes=sum(len(line.encode()) + 1 for line in lines),
            removed_lines=sum(part.removed_lines for part in cleared),
            removed_sentences=sum(part.removed_sentences for part in cleared),
        )

    def facts(self, paths: Sequence[Path]) -> CorpusFacts:
        """Return the sums by file and in all."""
        names = [field.name for field in fields(CorpusFacts)][1:]
        return CorpusFacts(
            files=tuple(
                FileFacts(str(path), *(counts[name] for name in names))
                for path, counts in zip(paths, self.counts, strict=True)
            ),
            **{name: sum(counts[name] for counts in self.counts) for name in names},
        )
