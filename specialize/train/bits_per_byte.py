"""Bits per byte: a model's loss in a unit that vocabularies and mix-ins share.

**Masked models.** Loss per piece cannot be compared across vocabularies (an unknown piece is easy
to guess). So the same white-space tokens of the same held-out text are masked whole for every arm,
and the bits that describe them are summed: the model's for their pieces, and for what is unknown
the bits of its bytes under the training text's byte frequencies, since the model knows nothing of
them. The sum is divided by the bytes of the tokens in the original text, whatever a mix-in makes of
them.

The figure compares arms; it is not a code length of the text. Pieces of one token are predicted
independently, the number of masks gives away its length, and distinctions that a mix-in drops (case
under lower-casing) cost nothing.

**Causal models** pay for every piece of the same lines given all pieces before it, and the sum is
divided by all bytes of the lines: a code length of the text (an upper bound, since the same text
has other segmentations too), exactly comparable across vocabularies. The first piece follows the
tokenizer's prefix (BOS), else the piece that ends a document. A line longer than the length is read
in windows, in which each piece still sees half a window or more. Unknown text is paid for by its
bytes as above.

The two figures are not comparable with each other: a masked model sees both sides of a token.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from specialize.model.language_model import LanguageModel, positions
from specialize.model.loss import loss_sum
from specialize.train.masking import mask_piece
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing

WHOLE: Any = {"rate": 1.0, "tokens": 10**9}  # how `held_out` takes whole lines, for causal models


class Token(NamedTuple):
    """A white-space token of the original text, and the model's view of it."""

    original: str
    shown: str  # after the mix-ins
    masked: bool


@dataclass(frozen=True)
class HeldOut:
    """Text to measure on: chunks with masked tokens, and the price in bits of each byte."""

    chunks: tuple[tuple[Token, ...], ...]
    byte_bits: tuple[float, ...]  # [256]


def held_out(
    lines: Iterable[str],
    train: Iterable[str],
    *,
    seed: int,
    mix: Callable[[str], str] = lambda token: token,
    rate: float = 0.15,
    tokens: int = 24,
) -> HeldOut:
    """Return chunks of ``tokens`` tokens of ``lines``, each masked with probability ``rate``.

    ``lines`` and ``train`` are original text, the latter for its byte frequencies; ``mix`` is
    applied to each token for the model's input. The masks do not depend on it.
    """
    rng = np.random.default_rng(seed)
    chunks = []
    for line in lines:
        words = line.split()
        for start in range(0, len(words), tokens):
            part = words[start : start + tokens]
            masked = (rng.random(len(part)) < rate).tolist()
            if any(masked):
                chunks.append(tuple(Token(w, mix(w), m) for w, m in zip(part, masked, strict=True)))
    return HeldOut(tuple(chunks), _byte_bits(train))


@dataclass(frozen=True)
class Row:
    """One input of the model."""

    ids: list[int]
    targets: list[int]  # -1 where nothing is predicted
    escape: float  # bits of the bytes of unknown text
    size: int  # bytes of the masked tokens


def encode(text: HeldOut, vocabulary: Vocabulary, framing: Framing, *, length: int) -> list[Row]:
    """Return ``text`` as rows of at most ``length`` pieces, the shortest first.

    Masked tokens pay for unknown text by its bytes: where the model sees the original token, those
    of ``vocabulary.unknown_text``; if a mix-in rewrote it, all bytes of the original token, because
    its unknown part cannot be traced back to bytes.
    """
    room = length - len(framing.prefix) - len(framing.suffix)
    rows = []
    for chunk in text.chunks:
        pieces = _pieces(chunk, vocabulary)
        escapes = [
            _escape(*pair, vocabulary, text.byte_bits) for pair in zip(chunk, pieces, strict=True)
        ]
        rows += _rows(chunk, pieces, escapes, framing, room)
    return sorted(rows, key=lambda row: len(row.ids))


def encode_following(
    text: HeldOut, vocabulary: Vocabulary, framing: Framing, *, length: int
) -> list[Row]:
    """Return ``text`` (of whole lines) as rows in which each piece is asked for once.

    Rows have at most ``length`` pieces and come the shortest first.
    """
    rows = []
    start = [*framing.prefix] or [*framing.separator[-1:]] or [framing.pad]
    room = max(1, length - len(start))
    for line in text.chunks:
        ids = vocabulary.encode(" ".join(token.shown for token in line if token.shown.strip()))
        escapes = _escapes(line, ids, vocabulary, text.byte_bits)
        size = len(" ".join(token.original for token in line).encode())
        done = 0
        while done < max(1, len(ids)):
            begin = max(0, done - room // 2) if done else 0
            end = min(len(ids), begin + room)
            shown = [*start, *ids[begin:end]]
            asked = [*[-1] * (len(start) - 1 + done - begin), *ids[done:end], -1]
            rows.append(Row(shown, asked, 0.0 if done else escapes, 0 if done else size))
            done = max(1, end)
    return sorted(rows, key=lambda row: len(row.ids))


def _escapes(
    line: Sequence[Token], ids: Sequence[int], vocabulary: Vocabulary, byte_bits: Sequence[float]
) -> float:
    """Return the bits of the bytes that the pieces ``ids`` of a line leave unknown."""
    if vocabulary.ids.get(vocabulary.unk, -1) not in ids:
        return 0.0
    pieces = (vocabulary.encode(token.shown) for token in line)
    return sum(_escape(t, p, vocabulary, byte_bits) for t, p in zip(line, pieces, strict=True))


@torch.no_grad()
def score(model: LanguageModel, rows: Sequence[Row], pad: int, *, batch: int = 64) -> float:
    """Return the bits spent on each byte asked for in ``rows``; nan without any."""
    device = next(model.parameters()).device
    bits, size = sum(row.escape for row in rows), sum(row.size for row in rows)
    was_training = model.training
    model.eval()
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        targets = _pad([row.targets for row in part], -1).to(device)
        places = positions(targets >= 0)
        if len(places):
            inputs = _pad([row.ids for row in part], pad).to(device)
            real = _pad([[1] * len(row.ids) for row in part], 0).to(device)
            loss = loss_sum(model, inputs, real, places, targets.flatten()[places])
            bits += float(loss) / math.log(2)
    model.train(was_training)
    return bits / size if size else math.nan


def bits_per_byte(
    model: LanguageModel,
    vocabulary: Vocabulary,
    framing: Framing,
    text: HeldOut,
    *,
    length: int,
    batch: int = 64,
) -> float:
    """Return the bits that ``model`` spends on each byte of the masked tokens of ``text``."""
    rows = encode(text, vocabulary, framing, length=length)
    return score(model, rows, framing.pad, batch=batch)


def _pieces(chunk: Sequence[Token], vocabulary: Vocabulary) -> list[list[int]]:
    """Return the ids of each token; none of one that a mix-in emptied or the normaliser deletes."""
    unknown = [vocabulary.ids.get(vocabulary.unk, -1)]
    pieces = vocabulary.encode_words([token.shown for token in chunk])
    return [
        ids if token.shown.strip() and (ids != unknown or vocabulary.encode(token.shown)) else []
        for token, ids in zip(chunk, pieces, strict=True)
    ]


def _escape(
    token: Token, ids: Sequence[int], vocabulary: Vocabulary, byte_bits: Sequence[float]
) -> float:
    """Return the bits of the bytes that the pieces of a masked token leave unknown."""
    if not token.masked or vocabulary.ids.get(vocabulary.unk, -1) not in ids:
        return 0.0
    rewritten = token.shown != token.original
    unknown = token.original if rewritten else vocabulary.unknown_text(token.original)
    return sum(byte_bits[byte] for byte in unknown.encode())


def _rows(
    chunk: Sequence[Token],
    pieces: Sequence[list[int]],
    escapes: Sequence[float],
    framing: Framing,
    room: int,
) -> list[Row]:
    """Return a chunk as one row, or where it is too long as two halves or a token's parts."""
    if sum(map(len, pieces)) > room and len(chunk) > 1:
        half = len(chunk) // 2
        parts = (slice(half), slice(half, None))
        return [row for p in parts for row in _rows(chunk[p], pieces[p], escapes[p], framing, room)]
    mask, shown, targets = mask_piece(framing), list[int](), list[int]()
    for token, ids in zip(chunk, pieces, strict=True):
        shown += [mask] * len(ids) if token.masked else ids
        targets += ids if token.masked else [-1] * len(ids)
    size = sum(len(token.original.encode()) for token in chunk if token.masked)
    rows = []
    for start in range(0, max(1, len(shown)), room):  # one, or several of a single long token
        part = slice(start, start + room)
        inputs = [*framing.prefix, *shown[part], *framing.suffix]
        asked = [*[-1] * len(framing.prefix), *targets[part], *[-1] * len(framing.suffix)]
        rows.append(Row(inputs, asked, 0.0 if start else sum(escapes), 0 if start else size))
    return rows


def _byte_bits(lines: Iterable[str]) -> tuple[float, ...]:
    counts: Counter[int] = Counter()
    for line in lines:
        counts.update(line.encode())
    total = sum(counts.values()) + 256
    return tuple(-math.log2((counts[byte] + 1) / total) for byte in range(256))


def _pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])
