"""Text packed into sequences of equal length, the input of masked training."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.long_lines import LONGEST, encode_long
from specialize.vocab.framing import Framing

_BLOCK = 4096  # lines and document ends encoded at once

# shapes: N sequences, L pieces a sequence


def pack(
    vocabulary: Vocabulary,
    framing: Framing,
    documents: Iterable[Sequence[str]],
    length: int,
) -> np.ndarray:
    """Return sequences [N, L] of ids (int32): the prefix, pieces, the suffix after each document.

    Documents stay together and in order; a sequence is cut where it is full (RoBERTa's
    FULL-SENTENCES, Liu et al. 2019, §4.2), so only the last sequence is padded. The prefix, as
    [CLS], begins every sequence; the suffix, as [SEP], separates documents. The authors' code
    still builds BERT's sentence pairs, although it drops the loss that needs them.
    """
    room = length - len(framing.prefix)
    if room < 1:
        raise UsageError(f"length = {length} leaves no room for text; raise it")
    stream = _stream(vocabulary, framing.suffix, documents)
    rows = -(-len(stream) // room)
    padded = np.full(rows * room, framing.pad, np.int32)
    padded[: len(stream)] = stream
    prefixes = np.tile(np.array(framing.prefix, np.int32), (rows, 1))
    return np.concatenate([prefixes, padded.reshape(rows, room)], axis=1)


def _stream(
    vocabulary: Vocabulary, suffix: tuple[int, ...], documents: Iterable[Sequence[str]]
) -> np.ndarray:
    """Return the ids of all documents, each with ``suffix`` behind it; empty ones leave nothing."""
    ids, start = array("i"), 0
    lines = _lines(documents)
    while block := list(islice(lines, _BLOCK)):
        short = [line for line in block if line is not None and len(line) <= LONGEST]
        encoded = iter(vocabulary.encode_lines(short))
        for line in block:
            if line is not None:
                long = len(line) > LONGEST
                ids.extend(encode_long(vocabulary, line) if long else next(encoded))
            elif len(ids) > start:
                ids.extend(suffix)
                start = len(ids)
    return np.array(ids, np.int32)


def _lines(documents: Iterable[Sequence[str]]) -> Iterator[str | None]:
    """Yield the lines of the documents, and None after each document."""
    for document in documents:
        yield from document
        yield None
