"""Text as one stream of ids, in memory or in a file, cut into sequences of equal length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from specialize import atomic
from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.long_lines import LONGEST, encode_long
from specialize.vocab.framing import Framing

PADDING = -1  # in place of an id
_BLOCK = 4096  # lines and document ends encoded at once
_ID = np.dtype("<i4")  # of a piece in a file

# shapes: N sequences, B of a batch, L pieces a sequence


@dataclass(frozen=True)
class Sequences:
    """A stream of ids as sequences: the prefix, then pieces; only the last one is padded.

    Documents stay together and in order; a sequence is cut where it is full (RoBERTa's
    FULL-SENTENCES, Liu et al. 2019, §4.2). The prefix, as [CLS], begins every sequence; the
    separator, as [SEP] or <|endoftext|>, separates documents. The authors' code still builds BERT's
    sentence pairs, although it drops the loss that needs them.
    """

    stream: np.ndarray  # of any length, may be a memory map
    prefix: tuple[int, ...]
    length: int

    def __post_init__(self) -> None:
        """Raise UsageError for a length without room for text."""
        if self.room < 1:
            raise UsageError(f"length = {self.length} leaves no room for text; raise it")

    @property
    def room(self) -> int:
        """Return how many pieces of the text are in a sequence."""
        return self.length - len(self.prefix)

    def __len__(self) -> int:
        """Return the number of sequences N."""
        return -(-len(self.stream) // self.room)

    def __getitem__(self, items: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the sequences numbered ``items`` as int32 [B, L], ``PADDING`` behind the text."""
        found = np.full((len(items), self.length), PADDING, np.int32)
        found[:, : len(self.prefix)] = self.prefix
        for row, item in zip(found, items, strict=True):
            part = self.stream[int(item) * self.room : (int(item) + 1) * self.room]
            row[len(self.prefix) : len(self.prefix) + len(part)] = part
        return found


def pack(
    vocabulary: Vocabulary, framing: Framing, documents: Iterable[Sequence[str]], length: int
) -> np.ndarray:
    """Return all sequences [N, L] of ``documents``, which fit into memory."""
    blocks = [np.zeros(0, np.int32), *_blocks(vocabulary, framing.separator, documents)]
    sequences = Sequences(np.concatenate(blocks), framing.prefix, length)
    return sequences[range(len(sequences))]


def write_ids(
    vocabulary: Vocabulary, framing: Framing, documents: Iterable[Sequence[str]], file: Path
) -> int:
    """Write the stream of ``documents`` to ``file``, for `read_ids`; return its length.

    Memory does not grow with the text.
    """
    count = 0
    with atomic.whole_file(file) as partial, partial.open("wb") as opened:
        for block in _blocks(vocabulary, framing.separator, documents):
            opened.write(block.astype(_ID).tobytes())
            count += len(block)
    return count


def read_ids(file: Path) -> np.ndarray:
    """Return the stream in ``file`` as a memory map."""
    if not file.stat().st_size:  # which cannot be mapped
        return np.zeros(0, _ID)
    return np.memmap(file, _ID, mode="r")


def _blocks(
    vocabulary: Vocabulary, separator: tuple[int, ...], documents: Iterable[Sequence[str]]
) -> Iterator[np.ndarray]:
    """Yield the ids of all documents, each with ``separator`` behind it; empty ones leave none."""
    lines = _lines(documents)
    written = False  # whether the document at hand has pieces
    while block := list(islice(lines, _BLOCK)):
        ids = list[int]()
        short = [line for line in block if line is not None and len(line) <= LONGEST]
        encoded = iter(vocabulary.encode_lines(short))
        for line in block:
            if line is not None:
                long = len(line) > LONGEST
                found = encode_long(vocabulary, line) if long else next(encoded)
                ids.extend(found)
                written = written or len(found) > 0
            elif written:
                ids.extend(separator)
                written = False
        yield np.array(ids, np.int32)


def _lines(documents: Iterable[Sequence[str]]) -> Iterator[str | None]:
    """Yield the lines of the documents, and None after each document."""
    for document in documents:
        yield from document
        yield None
