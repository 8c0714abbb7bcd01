"""States of words from an encoder of pieces: scalar mix over layers, mean over a word's pieces."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from specialize.model.language_model import LanguageModel, layer_count, layers
from specialize.model.word_encoder import WordBatch

# shapes: B sentences, W words, R rows of pieces (a long sentence takes several), L pieces of a row,
# K words of a row, H layers, D width


_SHORT = 96  # pieces of a row


class ScalarMix(nn.Module):
    """A learned weighted mean of the layers (Peters et al. 2018), with layer dropout.

    In training each layer is left out with probability ``dropout`` (UDify; Kondratyuk & Straka
    2019). ``always``: in evaluation too, as in the authors' code; the caller seeds it.
    """

    def __init__(self, count: int, *, dropout: float = 0.1, always: bool = False) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(count))
        self.scale = nn.Parameter(torch.ones(()))
        self.dropout = dropout
        self.always = always

    def forward(self, layers_HBLD: Sequence[Tensor]) -> Tensor:
        """Return the mix [B, L, D]."""
        weights: Tensor = self.weights
        if (self.training or self.always) and self.dropout:
            out = torch.rand(len(weights), device=weights.device) < self.dropout
            weights = weights.masked_fill(out & ~out.all(), -1e20)
        shares = torch.softmax(weights, 0)
        return self.scale * sum(s * layer for s, layer in zip(shares, layers_HBLD, strict=True))


class WordModel(nn.Module):
    """An encoder, a scalar mix of its layers, and a task's head on the states of words."""

    def __init__(
        self,
        model: LanguageModel,
        head: nn.Module,
        *,
        layer_dropout: float,
        precision: str,
        evaluation_dropout: bool = False,
    ) -> None:
        super().__init__()
        self.encoder = model.base_model
        self.mix = ScalarMix(layer_count(model), dropout=layer_dropout, always=evaluation_dropout)
        self.head = head
        self.precision = precision

    def forward(self, batch: WordBatch, *, frozen: bool = False) -> object:
        """Return the head's scores; ``frozen``: no gradient below the scalar mix."""
        states = self.states(batch, frozen=frozen)
        return self.head(states, batch.mask_BW)

    def states(self, batch: WordBatch, *, frozen: bool = False) -> Tensor:
        """Return the states [B, W, D] of the words, in float32."""
        bfloat = self.precision == "bfloat16"
        kind = batch.ids_RL.device.type
        with (
            torch.set_grad_enabled(torch.is_grad_enabled() and not frozen),
            torch.autocast(kind, dtype=torch.bfloat16, enabled=bfloat),
            _attention(batch),
        ):
            every = layers(self, batch.ids_RL, batch.real_RL)
        mixed_RLD = self.mix([layer.float() for layer in every])
        words_RKD = batch.mean_RKL @ mixed_RLD
        return words_RKD.flatten(0, 1)[batch.place_BW]

    @property
    def base_model(self) -> nn.Module:
        """Return the encoder, under the name it has in masked models."""
        return self.encoder


def _attention(batch: WordBatch) -> AbstractContextManager[object]:
    """Return the context that chooses the kernel of attention.

    On a CPU the fused kernel's backward pass is slow for short rows: without it, a step of mini in
    bfloat16 takes 16 % less.
    """
    short = batch.ids_RL.device.type == "cpu" and batch.ids_RL.shape[1] <= _SHORT
    trained = torch.is_grad_enabled()
    return sdpa_kernel(SDPBackend.MATH) if short and trained else nullcontext()
