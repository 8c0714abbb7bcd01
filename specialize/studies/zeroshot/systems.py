"""The systems of a study on a host: what of it trains, and what it is for each pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from specialize.model.mlm import MaskedModel
from specialize.modules.attach import attach
from specialize.modules.madx import table, task_adapters
from specialize.modules.policy import Policy
from specialize.modules.scope import Scope
from specialize.studies.zeroshot.languages import adapters_of, add_languages
from specialize.studies.zeroshot.plans import Full, Madx, Plan


@dataclass(frozen=True)
class System:
    """What a system trains on a host beside heads, and how the host runs for a pair."""

    policies: Sequence[Policy]
    at: Callable[[Scope], AbstractContextManager[Any]]
    loaded: int = 0  # parameters that were trained before, for all languages together


def system_of(
    plan: Plan, host: MaskedModel, tasks: Sequence[str], adapters: Mapping[str, Path], *, seed: int
) -> System:
    """Return the system of ``plan`` on ``host``; ``adapters``: of MAD-X's languages, trained."""
    if isinstance(plan, Full):
        return System([Policy(host.base_model)], lambda scope: nullcontext())
    return _madx(plan, host, tasks, adapters, seed)


def _madx(
    plan: Madx, host: MaskedModel, tasks: Sequence[str], folders: Mapping[str, Path], seed: int
) -> System:
    languages, embeddings = adapters_of(host, plan.language_reduction, plan.invertible, plan.last)
    add_languages(languages, embeddings, folders)
    own = task_adapters(host, reduction=plan.reduction, last=plan.last)
    for task in tasks:
        own.keyed.add(task, seed=seed)
    modules = attach(host, table(host, languages, tasks=own, invertible=embeddings))
    loaded = count(languages) + (count(embeddings) if embeddings else 0)
    return System([Policy(own)], modules.at, loaded)


def count(module: nn.Module) -> int:
    """Return how many parameters a module has."""
    return sum(parameter.numel() for parameter in module.parameters())
