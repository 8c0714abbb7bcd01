"""Few-shot scores: training goes on with a few sentences of a pair (Ustun et al. 2022, §6.4)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from specialize.modules.scope import Scope
from specialize.studies.transfer.cells import derived
from specialize.studies.treebanks import Sentences
from specialize.studies.zeroshot.bench import Bench, Together
from specialize.studies.zeroshot.partition import Pair
from specialize.studies.zeroshot.plans import Few, Plan, Training
from specialize.studies.zeroshot.steps import CLIP, groups_of, loss_of
from specialize.studies.zeroshot.treebanks import Annotated, annotated
from specialize.train.loop import seeded
from specialize.train.optim import adamw
from specialize.train.sampling import batches_by_length


def drawn(pair: Pair, count: int, most: int, *, seed: int) -> Sentences:
    """Return ``count`` training sentences of a pair; fewer of them are among more of them."""
    found = annotated(pair, most).train
    places = np.random.default_rng(seed).permutation(len(found))[:count]
    return [found[i] for i in places]


def adapt(
    bench: Bench,
    module: Together,
    pair: Pair,
    count: int,
    few: Few,
    plan: Plan,
    training: Training,
    *,
    start: dict[str, Tensor],
    seed: int,
) -> None:
    """Train ``module``, whose weights are ``start`` at first, on ``count`` sentences of a pair."""
    module.load_state_dict(start)
    scope, own = pair.scope, derived(seed, pair.language, pair.task)
    sentences = drawn(pair, count, training.sentences, seed=own)
    alone = replace(bench, data={scope: Annotated(sentences, [])})
    lengths = bench.words.sizes(s.words for s in sentences)
    optimizer = adamw(groups_of(bench, module, plan, training))
    with seeded(module, own):
        for epoch in range(few.epochs):
            module.train()
            for items in batches_by_length(lengths, training.batch, seed=own, epoch=epoch):
                _step(alone, module, scope, items, optimizer)


def _step(
    bench: Bench,
    module: Together,
    scope: Scope,
    items: np.ndarray,
    optimizer: torch.optim.Optimizer,
) -> None:
    loss_of(bench, scope, items).backward()
    nn.utils.clip_grad_norm_(module.parameters(), CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
