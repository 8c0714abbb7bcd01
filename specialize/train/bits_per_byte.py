"""Bits per byte: a masked model's loss in a unit that vocabularies share.

Loss per piece cannot be compared across vocabularies (an [UNK] is easy to guess). So the same
white-space tokens of the same held-out text are masked whole for every vocabulary, and what it
takes to write them down is counted: the model's bits for their pieces, and, for words that are
[UNK], the bits of their bytes under the training text's byte frequencies, since the model says
nothing of them. Pieces of one token are predicted independently and the number of masks gives
away its length, so the figure is for comparison between arms, not a code length of the text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.model.mlm import MaskedModel, logits_at, positions
from specialize.train.packing import frame_of
from specialize.vocab.wordpiece.model import WordPiece

Chunk = tuple[tuple[str, bool], ...]  # white-space tokens of a stretch of text; True = masked


@dataclass(frozen=True)
class HeldOut:
    """Text to measure on: chunks with masked tokens, and what a byte of an unknown word costs."""

    chunks: tuple[Chunk, ...]
    byte_bits: tuple[float, ...]  # [256]


def held_out(
    lines: Iterable[str], train: Iterable[str], *, seed: int, rate: float = 0.15, tokens: int = 24
) -> HeldOut:
    """Return chunks of ``tokens`` tokens of ``lines``, each masked with probability ``rate``."""
    rng = np.random.default_rng(seed)
    chunks = []
    for line in lines:
        words = line.split()
        for start in range(0, len(words), tokens):
            part = words[start : start + tokens]
            chunk = tuple(zip(part, (rng.random(len(part)) < rate).tolist(), strict=True))
            if any(masked for _, masked in chunk):
                chunks.append(chunk)
    return HeldOut(tuple(chunks), _byte_bits(train))


@torch.no_grad()
def bits_per_byte(
    model: MaskedModel, vocabulary: WordPiece, text: HeldOut, *, length: int, batch: int = 64
) -> float:
    """Return the bits spent on each byte of the masked tokens of ``text``; nan without any."""
    device = next(model.parameters()).device
    coded = [c for chunk in text.chunks for c in _encode(chunk, vocabulary, text.byte_bits, length)]
    coded.sort(key=lambda c: len(c.inputs))
    bits, size = sum(c.escape for c in coded), sum(c.size for c in coded)
    was_training = model.training
    model.eval()
    pad = frame_of(vocabulary).pad
    for start in range(0, len(coded), batch):
        part = coded[start : start + batch]
        inputs = _pad([c.inputs for c in part], pad).to(device)
        targets = _pad([c.targets for c in part], -1).to(device)
        places = positions(targets >= 0)
        if len(places):
            real = _pad([[1] * len(c.inputs) for c in part], 0).to(device)
            logits = logits_at(model, inputs, real, places)
            loss = F.cross_entropy(logits.float(), targets.flatten()[places], reduction="sum")
            bits += float(loss) / math.log(2)
    model.train(was_training)
    return bits / size if size else math.nan


@dataclass(frozen=True)
class _Coded:
    inputs: list[int]
    targets: list[int]  # -1 where nothing is asked
    escape: float  # bits of unknown words' bytes
    size: int  # bytes of the masked tokens


def _encode(
    chunk: Chunk, vocabulary: WordPiece, byte_bits: Sequence[float], length: int
) -> list[_Coded]:
    frame = frame_ids(vocabulary)
    inputs, targets, escape, size = [frame[0]], [-1], 0.0, 0
    for token, masked in chunk:
        ids = vocabulary.encode(token)
        inputs += [frame[2]] * len(ids) if masked else ids
        targets += ids if masked else [-1] * len(ids)
        if masked:
            raw = token.encode()
            size += len(raw)
            escape += _escape(token, vocabulary, byte_bits)
    if len(inputs) + 1 > length and len(chunk) > 1:  # too long: two shorter stretches
        half = len(chunk) // 2
        parts = (chunk[:half], chunk[half:])
        return [c for part in parts for c in _encode(part, vocabulary, byte_bits, length)]
    inputs, targets = inputs[: length - 1], targets[: length - 1]
    return [_Coded([*inputs, frame[1]], [*targets, -1], escape, size)]


def frame_ids(vocabulary: WordPiece) -> tuple[int, int, int]:
    """Return the ids of [CLS], [SEP] and [MASK]."""
    return vocabulary.ids["[CLS]"], vocabulary.ids["[SEP]"], vocabulary.ids["[MASK]"]


def _escape(token: str, vocabulary: WordPiece, byte_bits: Sequence[float]) -> float:
    unknown = (w for w in vocabulary.words(token) if vocabulary.segment(w) == [vocabulary.unk])
    return sum(byte_bits[byte] for word in unknown for byte in word.encode())


def _byte_bits(lines: Iterable[str]) -> tuple[float, ...]:
    counts: Counter[int] = Counter()
    for line in lines:
        counts.update(line.encode())
    total = sum(counts.values()) + 256
    return tuple(-math.log2((counts[byte] + 1) / total) for byte in range(256))


def _pad(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])
