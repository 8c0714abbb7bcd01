"""How long stages take and how much disk they need, roughly, before anything is run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.corpus.prepare import Prepared
from specialize.model.header import tensor_shapes
from specialize.pipeline.plan import CORPUS, ArmPlan, holds_encoder
from specialize.reports.numbers import DEV
from specialize.store import Stage, Store

_BYTES_PER_PIECE = 4.0  # of text, by rule of thumb
_BYTES_PER_LINE = 300.0
_PIECES_PER_WORD = 2.0  # before a text is audited
_SHORT = 2.0  # times as long as text of LAPT take as many pieces of sentences, scoring included
_EFFICIENCY = 0.4  # of a large matrix product's speed that training reaches


@dataclass(frozen=True)
class Size:
    """What the headers of a model's files say."""

    parameters: int
    embedding: int  # parameters of the largest table

    @property
    def body(self) -> int:
        """Return the parameters that every piece passes through."""
        return self.parameters - self.embedding


def model_size(folder: Path) -> Size:
    """Return the sizes of the tensors in a folder's safetensors files; no weight is read."""
    sizes = [0]
    for file in folder.glob("*.safetensors"):
        sizes += map(prod, tensor_shapes(file).values())
    return Size(sum(sizes), max(sizes))


def bytes_needed(plans: Sequence[ArmPlan], store: Store) -> int:
    """Return how much disk the missing stages need: weights in float32, checkpoints, ids."""
    weights = {plan.base: 4 * model_size(plan.base).parameters for plan in plans}
    models = {
        store.key(stage): weights[plan.base]
        for plan in plans
        for stage in plan.adapted.values()
        if not store.done(stage)
    }
    heads = [
        weights[plan.base] * len(plan.tasks)  # one head a task stays
        for plan in plans
        if holds_encoder(plan.arm) and any(not store.done(stage) for stage in plan.heads.values())
    ]
    ids = {  # an id has as many bytes as a piece of text
        store.key(plan.ids): round(_text_bytes(plan, store))
        for plan in plans
        if plan.ids and not store.done(plan.ids)
    }
    checkpoint = 4 * max(weights.values(), default=0)  # with moments
    return sum(models.values()) + sum(heads) + sum(ids.values()) + checkpoint


def with_work(plan: ArmPlan, store: Store, *, words: dict[str, int]) -> ArmPlan:
    """Return the plan with an estimate of seconds for each long stage.

    ``words``: of each task's train file. Finished stages of ``store`` correct the estimate.
    """
    size, speed = model_size(plan.base), flops_per_second()
    pieces = _text_bytes(plan, store) / _bytes_per_piece(plan, store)
    lapt = plan.lapt
    adapting = 0.0
    if lapt:
        from specialize.model.config import read_config
        from specialize.model.language_model import is_causal

        asked = 1.0 if is_causal(read_config(plan.base)) else lapt.mask
        per_piece = 6 * size.body + 6 * asked * size.embedding
        read = lapt.steps * lapt.batch * lapt.length or pieces * lapt.epochs
        adapting = read * per_piece / speed
    adapted = {
        seed: replace(stage, work=adapting + size.parameters / 1e8)
        for seed, stage in plan.adapted.items()
    }
    trained = {
        task: 1 + _SHORT * words.get(task, 0) * _length(plan, store, task) * 6 * size.body / speed
        for task in plan.tasks
    }
    together = {
        seed: _with_work(stage, sum(trained.values()), adapted=adapted[seed])
        for seed, stage in plan.together.items()
    }
    heads = {}
    for (task, seed), stage in plan.heads.items():
        needs = {"adapted": adapted[seed], "together": together.get(seed)}
        needs["start"] = needs["together"]
        given = {name: need for name, need in needs.items() if name in stage.arguments}
        heads[task, seed] = _with_work(stage, trained[task] if "adapted" in given else 0, **given)
    return replace(plan, adapted=adapted, together=together, heads=heads)


def _bytes_per_piece(plan: ArmPlan, store: Store) -> float:
    """Return the bytes of text per piece: audited where that is done, else by rule of thumb."""
    audit = plan.audits.get(CORPUS)
    if audit is None or not store.done(audit):
        return _BYTES_PER_PIECE
    found = atomic.read_json(store.folder(audit) / "audit.json")["after"]
    return found["bytes"] / found["pieces"] if found["pieces"] else _BYTES_PER_PIECE


def _length(plan: ArmPlan, store: Store, task: str) -> float:
    """Return the pieces per word of a task in all epochs: audited where that is done, else 2."""
    audit = plan.audits[task + DEV]
    pieces = _PIECES_PER_WORD
    if store.done(audit):
        pieces = (
            atomic.read_json(store.folder(audit) / "audit.json")["after"]["fertility"] or pieces
        )
    return pieces * plan.finetune.epochs


def _with_work(stage: Stage, seconds: float, **needs: Any) -> Stage:
    """Return a stage with an estimate, and the stages it needs with theirs."""
    arguments = {**stage.arguments, **needs}
    return replace(stage, work=seconds, arguments=arguments)


def _text_bytes(plan: ArmPlan, store: Store) -> float:
    """Return the bytes of the text to train on: counted where it is prepared, else guessed."""
    if not plan.text:
        return 0
    if store.done(plan.text):
        return Prepared(store.folder(plan.text)).facts.train.bytes
    found = sum(_size(path) for path in plan.text.arguments["files"])
    lines = plan.text.arguments["options"]["lines"]
    return min(found, lines * _BYTES_PER_LINE) if lines else found


def _size(path: Path) -> float:
    """Return the bytes of a file of text; compressed ones hold about four times theirs."""
    size = path.stat().st_size
    return size * (4 if path.suffix in (".xz", ".gz", ".bz2", ".zst") else 1)


@cache
def flops_per_second() -> float:
    """Return what training reaches on this machine, from one matrix product (0.1 s)."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    left = torch.ones(1024, 1024, device=device)
    left @ left
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < 0.1:
        product = left @ left
        rounds += 1
    float(product.sum())
    return _EFFICIENCY * 2 * 1024**3 * rounds / (time.perf_counter() - began)


def seconds_left(stages: Sequence[Stage], store: Store) -> float:
    """Return the estimated seconds of the stages that are not finished."""
    return store.seconds(stage for stage in stages if not store.done(stage))
