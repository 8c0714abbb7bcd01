"""Sentences of words as batches of framed rows of pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing

# shapes: B sentences, W words, R rows of pieces (a long sentence takes several), L pieces of a row,
# K words of a row

_REMEMBERED = 1 << 17  # sentences


@dataclass(frozen=True)
class WordBatch:
    """Sentences as tensors: rows of pieces, which pieces make a word, which words a sentence."""

    ids_RL: Tensor
    real_RL: Tensor
    mean_RKL: Tensor  # 1/n at the n pieces of a word
    place_BW: Tensor  # flat place r * K + k of each word's state; 0 at padding
    mask_BW: Tensor  # True at words


@dataclass(frozen=True)
class _Row:
    """Framed pieces, and for each piece of a word which word of the row it belongs to."""

    ids: np.ndarray  # [L]
    words: int
    word_of: np.ndarray  # [n], for the n pieces between prefix and suffix
    share: np.ndarray  # [n], 1 / pieces of the word


class WordEncoder:
    """How a vocabulary turns sentences into batches; encoded sentences are remembered."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        framing: Framing,
        *,
        length: int,
        mix: Callable[[str], str] = lambda word: word,
    ) -> None:
        """``length``: the most pieces of a row, frame included; UsageError beyond the positions."""
        check_length("finetune.length", length, framing)
        self.vocabulary, self.framing, self.length, self.mix = vocabulary, framing, length, mix
        self._known: dict[tuple[str, ...], list[_Row]] = {}

    def batch(self, sentences: Sequence[Sequence[str]], device: torch.device) -> WordBatch:
        """Return the batch of ``sentences``, each a sequence of words."""
        encoded = [self._rows(tuple(words)) for words in sentences]
        rows = [row for sentence in encoded for row in sentence]
        width, most = max(len(row.ids) for row in rows), max(row.words for row in rows)
        ids = np.full((len(rows), width), self.framing.pad, np.int64)
        real = np.zeros((len(rows), width), np.int64)
        mean = np.zeros((len(rows), most, width), np.float32)
        start = len(self.framing.prefix)
        for r, row in enumerate(rows):
            ids[r, : len(row.ids)] = row.ids
            real[r, : len(row.ids)] = 1
            mean[r, row.word_of, np.arange(start, start + len(row.word_of))] = row.share
        place, mask = _places(encoded, most)
        return WordBatch(*(torch.from_numpy(a).to(device) for a in (ids, real, mean, place, mask)))

    def sizes(self, sentences: Iterable[Sequence[str]]) -> list[int]:
        """Return how many pieces each sentence has, frames included."""
        return [sum(len(row.ids) for row in self._rows(tuple(words))) for words in sentences]

    def _rows(self, words: tuple[str, ...]) -> list[_Row]:
        """Return the rows of a sentence: cut between words where the next word would not fit."""
        known = self._known.get(words)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[words] = self._encode(words)
        return known

    def _encode(self, words: tuple[str, ...]) -> list[_Row]:
        room = self.length - len(self.framing.prefix) - len(self.framing.suffix)
        rows: list[list[list[int]]] = [[]]
        size = 0
        for ids in self.vocabulary.encode_words([self.mix(word) for word in words]):
            pieces = ids[:room]
            if size + len(pieces) > room and rows[-1]:
                rows.append([])
                size = 0
            rows[-1].append(pieces)
            size += len(pieces)
        return [self._row(row) for row in rows]

    def _row(self, words: list[list[int]]) -> _Row:
        pieces = [i for word in words for i in word]
        sizes = np.array([len(word) for word in words], np.int64)
        return _Row(
            np.array([*self.framing.prefix, *pieces, *self.framing.suffix], np.int64),
            len(words),
            np.repeat(np.arange(len(words)), sizes),
            np.repeat(1 / sizes, sizes).astype(np.float32),
        )


def check_length(name: str, length: int, framing: Framing) -> None:
    """Raise UsageError if ``length`` pieces, the option ``name``, do not fit the model's positions.

    Also where the frame leaves no room for a piece.
    """
    if length > framing.positions:
        raise UsageError(
            f"{name} = {length}, but the model has {framing.positions} positions; lower it"
        )
    frame = len(framing.prefix) + len(framing.suffix)
    if length <= frame:
        raise UsageError(f"{name} = {length}, but {frame} special pieces frame a text; raise it")


def _places(encoded: Sequence[Sequence[_Row]], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the flat places [B, W] of the words' states, and the mask [B, W] of words."""
    longest = max(sum(row.words for row in rows) for rows in encoded)
    place = np.zeros((len(encoded), longest), np.int64)
    mask = np.zeros((len(encoded), longest), bool)
    r = 0
    for b, rows in enumerate(encoded):
        w = 0
        for row in rows:
            place[b, w : w + row.words] = np.arange(r * most, r * most + row.words)
            w += row.words
            r += 1
        mask[b, :w] = True
    return place, mask
