"""States of words from an encoder of pieces: scalar mix over layers, mean over a word's pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from specialize.model.mlm import MaskedModel, layers
from specialize.vocab.wordpiece.model import WordPiece

# shapes: B sentences, W words, R rows of pieces (a long sentence takes several), L pieces of a row,
# K words of a row, H layers, D width


class ScalarMix(nn.Module):
    """A learnt weighted mean of the layers (Peters et al. 2018), with layer dropout.

    In training each layer is left out with probability ``dropout`` (UDify; Kondratyuk & Straka
    2019). The authors' code leaves layers out when it evaluates as well, a fault not kept.
    """

    def __init__(self, count: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(count))
        self.scale = nn.Parameter(torch.ones(()))
        self.dropout = dropout

    def forward(self, layers_HBLD: Sequence[Tensor]) -> Tensor:
        """Return the mix [B, L, D]."""
        weights: Tensor = self.weights
        if self.training and self.dropout:
            out = torch.rand(len(weights), device=weights.device) < self.dropout
            weights = weights.masked_fill(out & ~out.all(), -1e20)
        shares = torch.softmax(weights, 0)
        return self.scale * sum(s * layer for s, layer in zip(shares, layers_HBLD, strict=True))


@dataclass(frozen=True)
class WordBatch:
    """Sentences as tensors: rows of pieces, which pieces make a word, which words a sentence."""

    ids_RL: Tensor
    real_RL: Tensor
    mean_RKL: Tensor  # 1/n at the n pieces of a word
    place_BW: Tensor  # flat place r * K + k of each word's state; 0 at padding
    mask_BW: Tensor  # True at words


class WordEncoder:
    """How a vocabulary turns sentences into batches; what it has encoded it remembers."""

    def __init__(
        self,
        vocabulary: WordPiece,
        *,
        length: int,
        mix: Callable[[str], str] = lambda word: word,
    ) -> None:
        self.vocabulary, self.length, self.mix = vocabulary, length, mix
        self._known: dict[str, list[int]] = {}

    def batch(self, sentences: Sequence[Sequence[str]], device: torch.device) -> WordBatch:
        """Return the batch of ``sentences``, each a sequence of words."""
        ids = self.vocabulary.ids
        rows: list[list[list[int]]] = []  # row -> words -> piece ids
        places: list[list[tuple[int, int]]] = []
        for words in sentences:
            rows.append([])
            size, where = 2, []
            for word in words:
                pieces = self._pieces(word)
                if size + len(pieces) > self.length and rows[-1]:
                    rows.append([])
                    size = 2
                where.append((len(rows) - 1, len(rows[-1])))
                rows[-1].append(pieces)
                size += len(pieces)
            places.append(where)
        flat = [[ids["[CLS]"], *(p for w in row for p in w), ids["[SEP]"]] for row in rows]
        width, most = max(map(len, flat)), max(len(row) for row in rows)
        mean = torch.zeros(len(rows), most, width)
        for r, row in enumerate(rows):
            start = 1
            for k, pieces in enumerate(row):
                mean[r, k, start : start + len(pieces)] = 1 / len(pieces)
                start += len(pieces)
        longest = max(len(where) for where in places)
        place = [[r * most + k for r, k in w] + [0] * (longest - len(w)) for w in places]
        mask = [[True] * len(w) + [False] * (longest - len(w)) for w in places]
        pad = ids["[PAD]"]
        return WordBatch(
            torch.tensor([row + [pad] * (width - len(row)) for row in flat], device=device),
            torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in flat], device=device),
            mean.to(device),
            torch.tensor(place, device=device),
            torch.tensor(mask, device=device),
        )

    def _pieces(self, word: str) -> list[int]:
        """Return the ids of a word's pieces: at least one, so that every word has a state."""
        known = self._known.get(word)
        if known is None:
            found = self.vocabulary.encode(self.mix(word)) or [self.vocabulary.ids["[UNK]"]]
            known = self._known[word] = found[: self.length - 2]
        return known


class WordModel(nn.Module):
    """An encoder, a scalar mix of its layers, and a task's head on the states of words."""

    def __init__(
        self, model: MaskedModel, head: nn.Module, *, layer_dropout: float, precision: str
    ) -> None:
        super().__init__()
        self.encoder = model.base_model
        self.mix = ScalarMix(model.config.num_hidden_layers, dropout=layer_dropout)
        self.head = head
        self.precision = precision

    def forward(self, batch: WordBatch, *, frozen: bool = False) -> object:
        """Return the head's scores; ``frozen``: nothing is learnt below the scalar mix."""
        states = self.states(batch, frozen=frozen)
        return self.head(states, batch.mask_BW)

    def states(self, batch: WordBatch, *, frozen: bool = False) -> Tensor:
        """Return the states [B, W, D] of the words, in float32."""
        bfloat = self.precision == "bfloat16"
        kind = batch.ids_RL.device.type
        with (
            torch.set_grad_enabled(torch.is_grad_enabled() and not frozen),
            torch.autocast(kind, dtype=torch.bfloat16, enabled=bfloat),
        ):
            every = layers(self, batch.ids_RL, batch.real_RL)
        mixed_RLD = self.mix([layer.float() for layer in every])
        words_RKD = batch.mean_RKL @ mixed_RLD
        return words_RKD.flatten(0, 1)[batch.place_BW]

    @property
    def base_model(self) -> nn.Module:
        """Return the encoder, under the name that masked models have for it."""
        return self.encoder
