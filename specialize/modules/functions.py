"""What modules compute: pure functions of states and parameter tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.errors import UsageError

# shapes: B sequences, L pieces, D width, K width of a bottleneck, N fused modules,
# P = D // 2, the first part of a coupled state, and Q = D - P, the second; I inner width

Parameters = Mapping[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu}


class Bottleneck(NamedTuple):
    """The parameters of a bottleneck adapter (Houlsby et al. 2019)."""

    down: Tensor  # [K, D]
    down_bias: Tensor  # [K]
    up: Tensor  # [D, K]
    up_bias: Tensor  # [D]


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """Return an activation function; UsageError for an unknown name."""
    if name not in ACTIVATIONS:
        raise UsageError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def bottleneck(states: Tensor, part: Bottleneck, act: Callable[[Tensor], Tensor]) -> Tensor:
    """Return up(act(down(states))) [..., D], without the residual connection."""
    inner = act(F.linear(states, part.down, part.down_bias))
    return F.linear(inner, part.up, part.up_bias)


def bottleneck_shapes(width: int, size: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the fields of a `Bottleneck`."""
    shapes = ((size, width), (size,), (width, size), (width,))
    return dict(zip(Bottleneck._fields, shapes, strict=True))


def fuse(query_BLD: Tensor, deltas_BLND: Tensor, maps: Parameters) -> Tensor:
    """Return AdapterFusion's attention [B, L, D] over modules (Pfeiffer et al. 2021).

    ``maps``: query [D, D], query_bias [D], key [D, D], key_bias [D], value [D, D].
    """
    query = F.linear(query_BLD, maps["query"], maps["query_bias"])
    keys = F.linear(deltas_BLND, maps["key"], maps["key_bias"])
    values = F.linear(deltas_BLND, maps["value"])
    shares_BLN = torch.softmax((keys @ query.unsqueeze(-1)).squeeze(-1), -1)
    return (shares_BLN.unsqueeze(-2) @ values).squeeze(-2)


def couple(states: Tensor, part: Parameters, act: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the invertible coupling (NICE; Dinh et al. 2015) of states [..., D].

    ``part``: two functions, f from the second part of a state to the first and g back:
    f_down [I, Q], f_up [P, I], g_down [I', P], g_up [Q, I'], each with its _bias.
    """
    first, second = _parts(states)
    first = first + _apply("f", second, part, act)
    second = second + _apply("g", first, part, act)
    return torch.cat([first, second], -1)


def uncouple(states: Tensor, part: Parameters, act: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the inverse of `couple`."""
    first, second = _parts(states)
    second = second - _apply("g", first, part, act)
    first = first - _apply("f", second, part, act)
    return torch.cat([first, second], -1)


def coupling_shapes(width: int, reduction: int) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters of `couple`; I = Q // reduction, I' = P // reduction."""
    first = width // 2
    shapes: dict[str, tuple[int, ...]] = {}
    for name, given, found in (("f", width - first, first), ("g", first, width - first)):
        inner = given // reduction
        shapes |= {f"{name}_down": (inner, given), f"{name}_down_bias": (inner,)}
        shapes |= {f"{name}_up": (found, inner), f"{name}_up_bias": (found,)}
    return shapes


def _parts(states: Tensor) -> tuple[Tensor, Tensor]:
    first = states.shape[-1] // 2
    return states[..., :first], states[..., first:]


def _apply(name: str, states: Tensor, part: Parameters, act: Callable[[Tensor], Tensor]) -> Tensor:
    fields = (part[f"{name}_{field}"] for field in Bottleneck._fields)
    return bottleneck(states, Bottleneck(*fields), act)
