"""The systems of a study on a host: what of it trains, and what it is for each pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from torch import nn

from specialize.model.language_model import LanguageModel, hidden_size
from specialize.modules import hyperx, madx
from specialize.modules.attach import attach
from specialize.modules.policy import Policy
from specialize.modules.scope import Scope
from specialize.modules.sites import sites
from specialize.studies.zeroshot.factorized import Factorized
from specialize.studies.zeroshot.languages import adapters_of, add_languages
from specialize.studies.zeroshot.plans import Full, Hyperx, Madx, Plan, Psf

MLM = "mlm"  # predicting masked pieces, as a task


@dataclass(frozen=True)
class System:
    """What a system trains on a host beside heads, and how the host runs for a pair."""

    policies: Sequence[Policy]
    at: Callable[[Scope], AbstractContextManager[Any]]
    loaded: int = 0  # parameters that were trained before, for all languages together
    factorized: Factorized | None = None  # what heads take their last layer from


@dataclass(frozen=True)
class Keys:
    """The languages and tasks of a system, and the folders of its trained language adapters."""

    languages: Sequence[str]
    tasks: Sequence[str]
    adapters: Mapping[str, Path]


def system_of(plan: Plan, host: LanguageModel, keys: Keys, *, seed: int) -> System:
    """Return the system of ``plan`` on ``host``."""
    if isinstance(plan, Madx):
        return _madx(plan, host, keys, seed)
    if isinstance(plan, Hyperx):
        return _hyperx(plan, host, keys, seed)
    policies = [Policy(host.base_model)]
    if isinstance(plan, Psf):
        found = Factorized(plan, hidden_size(host), [*keys.languages], seed=seed)
        found.module.to(next(host.parameters()).device)
        return System(policies, found.at, factorized=found)
    assert isinstance(plan, Full)
    return System(policies, lambda scope: nullcontext())


def _madx(plan: Madx, host: LanguageModel, keys: Keys, seed: int) -> System:
    languages, embeddings = adapters_of(host, plan.language_reduction, plan.invertible, plan.last)
    add_languages(languages, embeddings, keys.adapters)
    own = madx.task_adapters(host, reduction=plan.reduction, last=plan.last)
    for task in keys.tasks:
        own.keyed.add(task, seed=seed)
    modules = attach(host, madx.table(host, languages, tasks=own, invertible=embeddings))
    loaded = count(languages) + (count(embeddings) if embeddings else 0)
    return System([Policy(own)], modules.at, loaded)


def _hyperx(plan: Hyperx, host: LanguageModel, keys: Keys, seed: int) -> System:
    found = sites(host)
    network = hyperx.Hypernetwork(
        found.width,
        found.layers,
        by=cast("Sequence[Literal['language', 'task']]", plan.by),
        size=plan.size,
        projected=plan.projected,
        embedding=plan.embedding,
        embedding_std=plan.deviation,
        seed=seed,
    )
    for language in keys.languages:
        network.languages.add(language, seed=seed)
    for task in (*keys.tasks, MLM):
        network.tasks.add(task, seed=seed)
    modules = attach(host, {hyperx.SITE: network})
    return System(hyperx.policies(host, network), modules.at)


def count(module: nn.Module) -> int:
    """Return how many parameters a module has."""
    return sum(parameter.numel() for parameter in module.parameters())
