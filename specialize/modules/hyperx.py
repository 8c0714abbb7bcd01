"""Hyper-X: adapters generated from a language, a task and a layer (Ustun et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from specialize.model.language_model import LanguageModel
from specialize.modules.functions import Bottleneck, bottleneck_shapes
from specialize.modules.keyed import Keyed, normal
from specialize.modules.policy import Policy
from specialize.modules.scope import Scope
from specialize.modules.sites import sites
from specialize.modules.sources import Adapters

SITE = "ffn_h"
_STD = 0.01  # of all weights (authors' code, adapter_utils.py)


class Hypernetwork(Adapters):
    """Adapters whose parameters one network generates for all layers, languages and tasks.

    Embeddings of the scope and the layer, concatenated, pass a projector (a linear layer as wide as
    its input, ReLU, a linear layer to ``projected``), then a linear generator for each field of a
    `Bottleneck`. Predicting masked pieces is a task as well. The paper's d_s of 32 and 192 is
    ``projected``. Adding a language adds one embedding: ``languages.add``.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        *,
        by: Sequence[Literal["language", "task"]] = ("language", "task"),
        size: int = 256,
        projected: int = 192,
        embedding: int = 64,
        embedding_std: float = 1.0,
        seed: int = 0,
    ) -> None:
        """``by``: what the network sees beside the layer; ("task",) is the task-only baseline."""
        super().__init__(width, range(layers), act="relu")
        shape, init = {"embedding": (embedding,)}, normal(embedding_std)
        self.by = tuple(by)
        self.size, self.projected, self.embedding = size, projected, embedding
        self.languages = Keyed("language", [0], shape, init)
        self.tasks = Keyed("task", [0], shape, init)
        self.places = Keyed("all", self.layers, shape, init, seed=seed)
        given = embedding * (len(self.by) + 1)
        self.projector = nn.Sequential(
            nn.Linear(given, given), nn.ReLU(), nn.Linear(given, projected)
        )
        self.shapes = bottleneck_shapes(width, size)
        self.generators = nn.ModuleDict(
            {name: nn.Linear(projected, math.prod(s)) for name, s in self.shapes.items()}
        )
        _initialise(self.projector, self.generators, seed=seed)
        self.requires_grad_(False)

    def part(self, layer: int, scope: Scope) -> Bottleneck:
        """Return the generated parameters for ``scope`` in a layer."""
        keyed = {"language": self.languages, "task": self.tasks}
        seen = [keyed[by].at(0, scope.key(by))["embedding"] for by in self.by]
        seen.append(self.places.at(layer, "all")["embedding"])
        projected: Tensor = self.projector(torch.cat(seen))
        return Bottleneck(
            *(self.generators[name](projected).view(s) for name, s in self.shapes.items())
        )

    def check(self, scope: Scope) -> None:
        """Raise UsageError if the language or the task of ``scope`` has no embedding."""
        if "language" in self.by:
            self.languages.check(scope)
        if "task" in self.by:
            self.tasks.check(scope)


def policies(host: LanguageModel, network: Hypernetwork) -> list[Policy]:
    """Return what trains beside the heads: the network and all layer norms of the host."""
    norms = (m for m in host.base_model.modules() if isinstance(m, nn.LayerNorm))
    return [Policy(network), *(Policy(norm) for norm in norms)]


def hypernetwork(host: LanguageModel, *, projected: int = 192, seed: int = 0) -> Hypernetwork:
    """Return a hypernetwork for the site `SITE` of a host, as in the paper."""
    found = sites(host)
    return Hypernetwork(found.width, found.layers, projected=projected, seed=seed)


@torch.no_grad()
def _initialise(*modules: nn.Module, seed: int) -> None:
    """Fill linear layers: weights by N(0, 0.01), biases by 0."""
    generator = torch.Generator().manual_seed(seed)
    fill = normal(_STD)
    for module in modules:
        for name, parameter in module.named_parameters():
            fill(name, parameter, generator)
