"""An update of a model: its loss on sentences of a pair or on text, and what it moves."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from specialize.modules.policy import tiers
from specialize.modules.scope import Scope
from specialize.studies.transfer.trajectory import batch_at, mlm_loss
from specialize.studies.zeroshot.bench import Bench, Together
from specialize.studies.zeroshot.factorized import Factorized
from specialize.studies.zeroshot.plans import Plan, Training
from specialize.train.language_model import plain_attention
from specialize.train.optim import device

CLIP = 5.0  # bound on the gradient's norm, as in fine-tuning


def groups_of(
    bench: Bench, module: Together, plan: Plan, training: Training
) -> list[dict[str, Any]]:
    """Return the optimiser's groups: what the system trains, and the heads."""
    heads = {"params": module.head_parameters(), "weight_decay": training.decay}
    found = tiers(bench.system.policies, rate=plan.rate, decay=training.decay)
    return [*found, {**heads, "lr": training.head_rate}]


def loss_of(bench: Bench, scope: Scope, items: np.ndarray) -> Tensor:
    """Return the loss on sentences of a pair; of heads with draws, the bound on the evidence."""
    member, source = bench.members[scope.task], bench.system.factorized
    sentences = [bench.data[scope].train[i] for i in items]
    batch = bench.words.batch([s.words for s in sentences], next(bench.host.parameters()).device)
    head, mask = member.model.head, batch.mask_BW

    def loss(states_BWD: Tensor) -> Tensor:
        scores = head(states_BWD, mask)
        found = member.task.loss(head, scores, sentences, member.labels, mask)
        if source is None:
            return found
        return found + prior(bench, source, scope)

    with bench.system.at(scope):
        states = member.model.states(batch)
        losses = [loss(states) for _ in range(source.plan.samples if source else 1)]
    return sum(losses[1:], losses[0]) / len(losses)


def prior(bench: Bench, source: Factorized, scope: Scope) -> Tensor:
    """Return what a mean loss takes of the divergences: each by the number of terms it is of."""
    assert source.divergences is not None
    parameters, languages, tasks = source.divergences
    units, joint = bench.units, source.plan.rank > 0
    of_language = sum(n for own, n in units.items() if joint or own.language == scope.language)
    of_task = sum(n for own, n in units.items() if joint or own.task == scope.task)
    return parameters / units[scope] + languages / of_language + tasks / of_task


def text_loss_of(bench: Bench, scope: Scope, turn: int, seed: int) -> Tensor:
    """Return the loss on masked pieces of a language's text."""
    text, sequences = bench.text, bench.text.sequences[scope.language]
    batch = batch_at(sequences, text.pieces, text.plan.batches(0.0), turn, seed=seed)
    with bench.system.at(scope), plain_attention(bench.host, device()):
        return mlm_loss(bench.host, *batch)
