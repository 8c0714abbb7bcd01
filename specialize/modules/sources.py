"""Sources of adapters: kept by key, stacked, fused, averaged, behind a norm of their own.

A source maps states at a site to states. ``view`` is how the site shows states to an adapter (the
host's norm where the adapter is before it), so that all sources are steps of one recursion:
x <- x + A(view(x)). In a layer without parameters of a source, states pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from specialize.errors import UsageError
from specialize.modules.functions import (
    Bottleneck,
    activation,
    bottleneck,
    bottleneck_shapes,
    couple,
    coupling_shapes,
    fuse,
    uncouple,
)
from specialize.modules.keyed import Keyed, normal
from specialize.modules.scope import By, Scope

View = Callable[[Tensor], Tensor]


class Source(nn.Module):
    """Adapters at the sites of one kind, a layer each."""

    layers: tuple[int, ...]
    width: int  # D

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states [B, L, D] after the modules of ``scope``."""
        raise NotImplementedError

    def check(self, scope: Scope) -> None:
        """Raise UsageError if there are no modules for ``scope``."""
        raise NotImplementedError


class Adapters(Source):
    """Bottleneck adapters, of which a subclass knows the parameters."""

    def __init__(
        self, width: int, layers: Iterable[int], *, act: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.width = width
        self.layers = tuple(layers)
        self.act = act
        self.dropout = dropout
        activation(act)

    def part(self, layer: int, scope: Scope) -> Bottleneck:
        """Return the parameters for ``scope``."""
        raise NotImplementedError

    def delta(self, states: Tensor, layer: int, scope: Scope) -> Tensor:
        """Return what the adapter of ``scope`` adds to the residual."""
        found = bottleneck(states, self.part(layer, scope), activation(self.act))
        return F.dropout(found, self.dropout, self.training)

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after the adapter of ``scope``."""
        if layer not in self.layers:
            return states
        return states + self.delta(view(states), layer, scope)


class PerKey(Adapters):
    """Adapters of one size, one for every key in every layer; ``by="all"`` is one for all scopes.

    ``dropout``: on what the adapter adds, as X-MOD has it; MAD-X has none.
    """

    def __init__(
        self,
        by: By,
        width: int,
        layers: Iterable[int],
        *,
        size: int,
        act: str = "relu",
        dropout: float = 0.0,
        std: float = 0.02,
        seed: int = 0,
    ) -> None:
        """``seed``: of the one adapter where ``by`` is "all"; others are added (`Keyed.add`)."""
        super().__init__(width, layers, act=act, dropout=dropout)
        self.size = size
        shapes = bottleneck_shapes(width, size)
        self.keyed = Keyed(by, self.layers, shapes, normal(std), seed=seed)

    def part(self, layer: int, scope: Scope) -> Bottleneck:
        """Return the parameters of the scope's key."""
        found = self.keyed.at(layer, scope.key(self.keyed.by))
        return Bottleneck(*(found[name] for name in Bottleneck._fields))

    def check(self, scope: Scope) -> None:
        """Raise UsageError if there is no adapter for ``scope``."""
        self.keyed.check(scope)


class Stack(Source):
    """Sources one after another: the task's adapter on the language's in MAD-X."""

    def __init__(self, *sources: Source) -> None:
        super().__init__()
        self.sources = nn.ModuleList(sources)
        if len(widths := {source.width for source in sources}) != 1:
            raise UsageError(f"expected sources of one width, got {sorted(widths)}")
        (self.width,) = widths
        self.layers = tuple(sorted({layer for source in sources for layer in source.layers}))

    @property
    def parts(self) -> list[Source]:
        """Return the sources, the first applied first."""
        return [source for source in self.sources if isinstance(source, Source)]

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after all sources."""
        for source in self.parts:
            states = source(states, view, layer, scope)
        return states

    def check(self, scope: Scope) -> None:
        """Raise UsageError if a source has no modules for ``scope``."""
        for source in self.parts:
            source.check(scope)


class Mean(Source):
    """The mean of what several members of a source add; the scope chooses none of them."""

    def __init__(self, source: PerKey, members: Sequence[str]) -> None:
        super().__init__()
        self.source, self.members = source, tuple(members)
        self.layers, self.width = source.layers, source.width
        _check_members(source, self.members)

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after the mean adapter."""
        if layer not in self.layers:
            return states
        return states + _deltas(self.source, self.members, view(states), layer).mean(-2)

    def check(self, scope: Scope) -> None:
        """Every scope has the mean."""


class Fuse(Source):
    """AdapterFusion: attention over what several members of a source add (Pfeiffer et al. 2021).

    Query and key are random before training, which makes an untrained fusion a noisy mean. So it is
    refused unless its parameters train or have been trained: use `Mean`, or train it.
    """

    trained: Tensor

    def __init__(self, source: PerKey, members: Sequence[str], *, seed: int = 0) -> None:
        super().__init__()
        self.source, self.members = source, tuple(members)
        self.layers, self.width = source.layers, source.width
        _check_members(source, self.members)
        square = dict.fromkeys(("query", "key", "value"), (self.width, self.width))
        shapes = {**square, "query_bias": (self.width,), "key_bias": (self.width,)}
        self.maps = Keyed("all", self.layers, shapes, _nearly_identity, seed=seed)
        self.register_buffer("trained", torch.tensor(False))

    @property
    def name(self) -> str:
        """Return the members, joined."""
        return "+".join(self.members)

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after the fused adapters."""
        if layer not in self.layers:
            return states
        if self.training and torch.is_grad_enabled() and self._trains():
            self.trained.fill_(True)
        seen = view(states)
        maps = self.maps.at(layer, "all")
        return states + fuse(seen, _deltas(self.source, self.members, seen, layer), maps)

    def check(self, scope: Scope) -> None:
        """Raise UsageError if the fusion is untrained, and is not being trained."""
        if not (self._trains() or bool(self.trained)):
            raise UsageError(
                f"the fusion {self.name} is untrained: its attention is random; train it, or "
                "average the adapters (Mean)"
            )

    def _trains(self) -> bool:
        return all(parameter.requires_grad for parameter in self.maps.parameters())


class Normed(Source):
    """A source behind a layer norm of its own in every layer, one for all scopes."""

    def __init__(
        self, source: Source, *, eps: float, tensors: Mapping[str, Tensor] | None = None
    ) -> None:
        super().__init__()
        self.source, self.eps = source, eps
        self.layers, self.width = source.layers, source.width
        shapes = {"scale": (self.width,), "bias": (self.width,)}
        self.norms = Keyed("all", self.layers, shapes, _norm, tensors=tensors)

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after the source, which sees normed states."""
        if layer not in self.layers:
            return states
        part = self.norms.at(layer, "all")
        width = states.shape[-1:]

        def normed(given: Tensor) -> Tensor:
            return F.layer_norm(view(given), width, part["scale"], part["bias"], self.eps)

        found: Tensor = self.source(states, normed, layer, scope)
        return found

    def check(self, scope: Scope) -> None:
        """Raise UsageError if the source has no modules for ``scope``."""
        self.source.check(scope)


class Invertible(nn.Module):
    """Invertible adapters of the embeddings, inverted before the output layer (MAD-X)."""

    def __init__(
        self, by: By, width: int, *, reduction: int = 2, act: str = "relu", std: float = 0.02
    ) -> None:
        super().__init__()
        self.width, self.reduction, self.act = width, reduction, act
        activation(act)
        self.keyed = Keyed(by, [0], coupling_shapes(width, reduction), normal(std))

    def forward(self, states: Tensor, scope: Scope) -> Tensor:
        """Return the embeddings [B, L, D] after the adapter of ``scope``."""
        return couple(states, self._part(scope), activation(self.act))

    def inverse(self, states: Tensor, scope: Scope) -> Tensor:
        """Return the states [..., D] that ``forward`` maps to ``states``."""
        return uncouple(states, self._part(scope), activation(self.act))

    def check(self, scope: Scope) -> None:
        """Raise UsageError if there is no adapter for ``scope``."""
        self.keyed.check(scope)

    def _part(self, scope: Scope) -> dict[str, Tensor]:
        return self.keyed.at(0, scope.key(self.keyed.by))


def _check_members(source: PerKey, members: Sequence[str]) -> None:
    if len(members) < 2:
        raise UsageError(f"expected two or more members, got {list(members)}")
    for member in members:
        source.keyed.set_of(member)


def _deltas(source: PerKey, members: Sequence[str], seen: Tensor, layer: int) -> Tensor:
    """Return what each member adds [B, L, N, D]."""
    by = source.keyed.by
    scopes = [Scope(**{by: member}) for member in members]
    return torch.stack([source.delta(seen, layer, scope) for scope in scopes], -2)


def _nearly_identity(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    """Initialise value as the identity, as `adapters` does, query and key by N(0, 0.02)."""
    if name == "value":
        tensor.fill_(1e-6).fill_diagonal_(1.0)
    else:
        normal(0.02)(name, tensor, generator)


def _norm(name: str, tensor: Tensor, generator: torch.Generator) -> None:
    tensor.fill_(1.0 if name == "scale" else 0.0)
