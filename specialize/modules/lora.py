"""LoRA (Hu et al. 2021): W x + s B A x at linear layers of the attention, s = alpha / rank.

Query and value, as in the paper and by default in peft; where query, key and value are one layer
(ModernBERT), that. The host's layers stay what they are: peft, which replaces them, computes the
same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.modules.attach import Table
from specialize.modules.keyed import Keyed
from specialize.modules.scope import By, Scope
from specialize.modules.sites import sites
from specialize.modules.sources import Source, View

# shapes: D width, O width of a layer's output, K rank


class LowRank(Source):
    """A pair of matrices A [K, D] and B [O, K] for every key in every layer; O = outputs * D.

    A is drawn, B is 0, so that training begins at the host as it is.
    """

    def __init__(
        self, by: By, width: int, layers: Iterable[int], *, rank: int, alpha: float, outputs: int
    ) -> None:
        super().__init__()
        self.width, self.layers = width, tuple(layers)
        self.rank, self.alpha, self.outputs = rank, alpha, outputs
        shapes = {"a": (rank, width), "b": (outputs * width, rank)}
        self.keyed = Keyed(by, self.layers, shapes, _uniform_and_zero)

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the layer's output with the part of ``scope`` added; ``view``: to its input."""
        if layer not in self.layers:
            return states
        part = self.keyed.at(layer, scope.key(self.keyed.by))
        inner = F.linear(view(states), part["a"])
        return states + self.alpha / self.rank * F.linear(inner, part["b"])

    def check(self, scope: Scope) -> None:
        """Raise UsageError if there are no matrices for ``scope``."""
        self.keyed.check(scope)


def table(host: LanguageModel, by: By, *, rank: int, alpha: float) -> Table:
    """Return low-rank sources of the attention's layers, without a key yet."""
    if rank < 1:
        raise UsageError(f"expected rank of at least 1, got {rank}")
    found = sites(host)
    return {
        name: LowRank(by, found.width, range(found.layers), rank=rank, alpha=alpha, outputs=outputs)
        for name, outputs in (("query", 1), ("value", 1), ("qkv", 3))
        if name in found.points
    }


def _uniform_and_zero(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Fill A as peft does (Kaiming's uniform initialisation with a = sqrt(5)) and B with 0."""
    if name == "b":
        tensor.zero_()
    else:
        bound = 1 / math.sqrt(tensor.shape[1])
        tensor.uniform_(-bound, bound, generator=generator)
