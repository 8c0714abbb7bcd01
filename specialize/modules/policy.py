"""Which parameters train, at which rate: all that no policy names is frozen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch import nn

from specialize.modules.attach import Attached
from specialize.modules.scope import Scope
from specialize.train.optim import groups


@dataclass(frozen=True)
class Policy:
    """How the parameters of a module train."""

    module: nn.Module
    rate: float = 1.0  # multiplier of the learning rate
    decay: bool = True  # weight decay, of matrices


@contextmanager
def trained(model: nn.Module, policies: Sequence[Policy]) -> Iterator[None]:
    """Let only the parameters of ``policies`` train meanwhile; all others of ``model`` are frozen.

    Afterwards each parameter trains or not as before.
    """
    before = {id(p): (p, p.requires_grad) for p in model.parameters()}
    chosen = [p for policy in policies for p in policy.module.parameters()]
    before |= {id(p): (p, p.requires_grad) for p in chosen}
    try:
        model.requires_grad_(False)
        for parameter in chosen:
            parameter.requires_grad_(True)
        yield
    finally:
        for parameter, flag in before.values():
            parameter.requires_grad_(flag)


@contextmanager
def training(modules: Attached, scope: Scope, policies: Sequence[Policy]) -> Iterator[None]:
    """Run a host for ``scope`` meanwhile, and let only the parameters of ``policies`` train."""
    with trained(modules.host, policies), modules.at(scope):  # in this order: see Fuse.check
        yield


def tiers(policies: Sequence[Policy], *, rate: float, decay: float) -> list[dict[str, object]]:
    """Return AdamW's parameter groups; a parameter of several policies follows the first."""
    found: list[dict[str, object]] = []
    seen: set[int] = set()
    for policy in policies:
        named = [(n, p) for n, p in policy.module.named_parameters() if id(p) not in seen]
        seen.update(id(p) for _, p in named)
        found += groups(named, rate=rate * policy.rate, decay=decay if policy.decay else 0.0)
    return found
