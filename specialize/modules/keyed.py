"""Parameter sets by key: a language's, a task's, a pair's, or one for all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from specialize.errors import UsageError
from specialize.modules.scope import By, Scope, check_by

_KEY = re.compile(r"[^\W_][\w+@-]*")

Shapes = Mapping[str, tuple[int, ...]]
Init = Callable[[str, Tensor, torch.Generator], None]  # name, tensor to fill, its randomness


def normal(std: float) -> Init:
    """Return the initialisation of matrices by N(0, std) and of biases by 0."""

    def fill(name: str, tensor: Tensor, generator: torch.Generator) -> None:
        if name.endswith("bias"):
            tensor.zero_()
        else:
            tensor.normal_(0, std, generator=generator)

    return fill


class Keyed(nn.Module):
    """Parameters of some shapes in some layers, one set for every key.

    A forward pass reads the set of its scope and no other, so that the gradients of idle sets stay
    None and no optimiser moves them. All are frozen until a policy trains them (`policy.trained`).
    """

    def __init__(
        self,
        by: By,
        layers: Iterable[int],
        shapes: Shapes,
        init: Init,
        *,
        seed: int = 0,
        tensors: Mapping[str, Tensor] | None = None,
    ) -> None:
        """``seed``, ``tensors``: of the one set where ``by`` is "all"; others are added (`add`)."""
        super().__init__()
        check_by(by)
        self.by: By = by
        self.layers = tuple(layers)
        self.shapes = dict(shapes)
        self.init = init
        self.sets = nn.ModuleDict()
        if by == "all":
            self.add("all", seed=seed, tensors=tensors)

    @property
    def keys(self) -> list[str]:
        """Return the keys in the order in which they were added."""
        return [name[1:-1] for name in self.sets]

    def add(self, key: str, *, seed: int = 0, tensors: Mapping[str, Tensor] | None = None) -> None:
        """Add a parameter set, drawn from ``seed`` and the key, or a copy of ``tensors``.

        ``tensors`` has the names of `tensors_of`. Nothing that is there changes. UsageError for a
        key there is, or tensors of other names or shapes.
        """
        check_key(key)
        if key in self.keys:
            raise UsageError(f"there are parameters of {self.by} {key!r} already")
        if tensors is not None:
            self._check(key, tensors)
        words = np.random.SeedSequence((seed, *key.encode())).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(words[0] >> np.uint64(1)))
        device = next((p.device for p in self.parameters()), torch.device("cpu"))
        made = nn.ModuleDict()
        for layer in self.layers:
            part = nn.ParameterDict()
            for name, shape in self.shapes.items():
                if tensors is not None:
                    value = tensors[f"{layer}.{name}"].detach().clone()
                else:
                    self.init(name, value := torch.empty(shape), generator)
                part[name] = nn.Parameter(value.to(device), requires_grad=False)
            made[str(layer)] = part
        self.sets[_name(key)] = made

    def set_of(self, key: str) -> nn.Module:
        """Return the parameters of a key; UsageError, naming the known ones, if there are none."""
        if _name(key) not in self.sets:
            known = ", ".join(self.keys) or "none"
            raise UsageError(f"no parameters of {self.by} {key!r}; known: {known}")
        return self.sets[_name(key)]

    def at(self, layer: int, key: str) -> dict[str, Tensor]:
        """Return the parameters of a key in a layer."""
        found = self.set_of(key).get_submodule(str(layer))
        return dict(found.named_parameters())

    def tensors_of(self, key: str) -> dict[str, Tensor]:
        """Return the parameters of a key as tensors with the names ``layer.name``."""
        return {name: p.detach() for name, p in self.set_of(key).named_parameters()}

    def check(self, scope: Scope) -> None:
        """Raise UsageError if there are no parameters for ``scope``."""
        self.set_of(scope.key(self.by))

    def _check(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        expected = {f"{i}.{name}": s for i in self.layers for name, s in self.shapes.items()}
        for name in sorted(expected.keys() | tensors.keys()):
            shape = tuple(tensors[name].shape) if name in tensors else None
            if shape != expected.get(name):
                raise UsageError(
                    f"parameters of {self.by} {key!r}: expected {name} of shape "
                    f"{expected.get(name)}, got {shape}"
                )


def check_key(key: str) -> None:
    """Raise UsageError if parameters cannot have this key."""
    if not _KEY.fullmatch(key):
        raise UsageError(f"expected a key of letters, digits and -, got {key!r}")


def _name(key: str) -> str:
    """Return the name of a key's module; brackets keep "to", Tongan, from being an attribute."""
    return f"[{key}]"
