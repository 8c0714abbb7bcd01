"""A model of a system: trained on the pairs of its partition, then scored on all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from torch import Tensor

from specialize import atomic
from specialize.modules.policy import trained
from specialize.modules.scope import Scope
from specialize.progress import Log
from specialize.studies.transfer.cells import RESULT, derived
from specialize.studies.zeroshot.bench import Bench, Together, open_bench
from specialize.studies.zeroshot.few import adapt
from specialize.studies.zeroshot.partition import Pair, Part
from specialize.studies.zeroshot.plans import Few, Mlm, Plan, Training
from specialize.studies.zeroshot.sampling import Draw, draws
from specialize.studies.zeroshot.steps import CLIP, groups_of, loss_of, text_loss_of
from specialize.studies.zeroshot.systems import MLM
from specialize.studies.zeroshot.treebanks import test_sentences
from specialize.tasks._base import dev_score
from specialize.train import loop
from specialize.train.optim import adamw
from specialize.train.sampling import batches_by_length
from specialize.train.schedules import linear


def train_model(
    folder: Path,
    *,
    log: Log,
    base: Path,
    kind: str,
    plan: Plan,
    seen: Sequence[Pair],
    unseen: Sequence[Pair],
    adapters: Mapping[str, Path],
    texts: Mapping[str, Path],
    training: Training,
    mlm: Mlm,
    few: Few,
    sentences: int,
    seed: int,
) -> None:
    """Train a system on the ``seen`` pairs and write its scores on these and the ``unseen`` ones.

    ``kind``: of the plan, in the key of the stage. ``texts``: of languages, if text is a task.
    """
    part = Part(tuple(seen), tuple(unseen))
    bench = open_bench(base, plan, part, training, mlm, adapters=adapters, texts=texts, seed=seed)
    factorized = bench.system.factorized
    module = Together(bench.host, bench.members, factorized.module if factorized else None)
    order = _order(bench, training, seed)
    with trained(bench.host, bench.system.policies):
        parameters = sum(p.numel() for p in module.parameters() if p.requires_grad)
        history = _train(bench, module, order, plan, training, seed=seed, folder=folder, log=log)
        used = {scope for scope, _ in order}
        assert not used & {pair.scope for pair in unseen}, "an unseen pair was trained on"
        scores = [_scored(bench, p, sentences, seen=p in part.seen) for p in (*seen, *unseen)]
        start = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        for pair in unseen:
            for count in few.sentences:
                adapt(bench, module, pair, count, few, plan, training, start=start, seed=seed)
                scores.append(_scored(bench, pair, sentences, seen=False) | {"few": count})
                log.say(f"{pair.task} of {pair.language}: {count} sentences")
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    best = loop.best_epoch(history, lower_is_better=False)
    updates = Counter({scope.task: 0 for scope in (*bench.data, *bench.text.sizes())})
    updates.update(scope.task for scope, _ in order)
    atomic.write_json(
        folder / RESULT,
        {
            "trained": sorted([scope.language, scope.task] for scope in used),
            "scores": scores,
            "parameters": parameters,
            "loaded": bench.system.loaded,
            "updates": dict(sorted(updates.items())),
            "dev": {"score": best.score, "evaluation": best.epoch},
        },
    )


def _order(bench: Bench, training: Training, seed: int) -> list[Draw]:
    """Return the pair of each update."""
    sizes = {scope: -(-len(own.train) // training.batch) for scope, own in bench.data.items()}
    return draws(
        sizes,
        bench.text.sizes(),
        training.steps,
        temperature=training.temperature,
        multiple=training.evaluations,
        seed=seed,
    )


def _train(
    bench: Bench,
    module: Together,
    order: Sequence[Draw],
    plan: Plan,
    training: Training,
    *,
    seed: int,
    folder: Path,
    log: Log,
) -> list[loop.Epoch]:
    """Train ``module``, leave it at its best evaluation on dev and return the history."""
    lengths = {
        scope: bench.words.sizes(s.words for s in d.train) for scope, d in bench.data.items()
    }

    @lru_cache(maxsize=len(lengths))
    def batches(scope: Scope, epoch: int) -> list[np.ndarray]:
        own = derived(seed, scope.language, scope.task)
        return batches_by_length(lengths[scope], training.batch, seed=own, epoch=epoch)

    def loss_at(_: int, step: int) -> Tensor:
        scope, turn = order[step]
        if scope.task == MLM:
            return text_loss_of(bench, scope, turn, derived(seed, scope.language, MLM))
        epoch, place = divmod(turn, -(-len(lengths[scope]) // training.batch))
        return loss_of(bench, scope, batches(scope, epoch)[place])

    def evaluate(_: int) -> float:
        return mean(
            dev_score(bench.members[scope.task].task, own.dev, bench.predict(scope, own.dev))
            for scope, own in bench.data.items()
        )

    how = loop.Plan(
        training.evaluations,
        len(order) // training.evaluations,
        seed,
        clip=CLIP,
        lower_is_better=False,
        metric="mean dev score",
        rates="the system's rate or training.head_rate",
        print_epochs=False,
    )
    return loop.run(
        module,
        [adamw(groups_of(bench, module, plan, training))],
        linear(round(training.warmup * len(order)), len(order)),
        loss_at,
        evaluate,
        how,
        checkpoint=folder / "checkpoint.pt",
        log=log,
    )


def _scored(bench: Bench, pair: Pair, most: int, *, seen: bool) -> dict[str, Any]:
    """Return the scores of a pair's test sentences, in percent."""
    gold = test_sentences(pair, most)
    task = bench.members[pair.task].task
    metrics = task.score(gold, bench.predict(pair.scope, gold))
    found = {"language": pair.language, "task": pair.task, "seen": seen}
    words = sum(len(sentence.words) for sentence in gold)
    return {
        **found,
        "few": 0,
        "score": metrics[task.metric],
        "metrics": metrics,
        "sentences": len(gold),
        "words": words,
    }
