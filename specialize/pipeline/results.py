"""What came of a run, read from its finished stages: the facts that reports show."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specialize import atomic
from specialize.executors import unique
from specialize.pipeline.plan import ArmPlan
from specialize.pipeline.rows import read_sources
from specialize.pipeline.task_data import TaskData
from specialize.store import Stage, Store
from specialize.vocab.audit.coverage import with_sources
from specialize.vocab.open import read_vocabulary

Facts = dict[str, Any]


@dataclass(frozen=True)
class Scores:
    """A task's scores in one arm, seed by seed; metrics in percent."""

    method: str  # "pos", "dep", "ner", or a user's own
    metric: str  # that chose the best epoch and the best seed
    seeds: list[int]
    dev: list[dict[str, float]]
    test: list[dict[str, float]]
    test_unseen: list[dict[str, float]]  # on test sentences not in train; {} without any
    test_sentences: int
    shared: list[int]  # test sentences that are in train
    best_seed: int
    by_epoch: list[list[float | None]]  # a seed each: the metric on dev, from epoch 0


@dataclass(frozen=True)
class ArmFacts:
    """What an arm did and what came of it."""

    name: str
    base: str
    mixin: list[str]
    augment: str
    embed: str  # empty without fresh rows
    lapt: bool
    modules: str  # what trained in place of the model, empty if that did itself
    multitask: str  # how its tasks are trained together, empty if each is alone
    fresh_rate: float
    pieces_added: int
    vocabulary_sha256: str
    audit: dict[str, Facts]  # text -> audits before and after, and how many fresh pieces occur
    pieces: list[Facts]
    coverage: list[Any]
    losses: list[Facts]  # of the first seed's LAPT, by epoch
    best_epoch: int | None
    bits_per_byte: list[float]  # of the kept epoch, a seed each where LAPT was repeated
    bits_by_epoch: list[list[float | None]]  # the same from epoch 0
    scores: dict[str, Scores]
    stages: list[Facts]  # label, seconds, peak_memory (bytes)


def arm_facts(plan: ArmPlan, store: Store, tasks: Mapping[str, TaskData]) -> ArmFacts:
    """Return the facts of an arm whose stages are all finished."""
    adapted = unique(list(plan.adapted.values()), store, needs=False)
    histories = [atomic.read_json(store.folder(stage) / "history.json") for stage in adapted]
    kept = [min(history, key=_score) for history in histories if history]
    fresh = added(plan, store)
    return ArmFacts(
        name=plan.arm.name,
        base=plan.arm.base,
        mixin=[str(choice) for choice in plan.arm.mixin],
        augment=str(plan.arm.augment),
        embed=str(plan.arm.embed) if fresh else "",
        lapt=plan.lapt is not None,
        modules=str(plan.arm.modules or ""),
        multitask=str(plan.multitask or ""),
        fresh_rate=plan.lapt.fresh_rate if plan.lapt and fresh else 1.0,
        pieces_added=fresh,
        vocabulary_sha256=_vocabulary_hash(store.folder(next(iter(plan.adapted.values())))),
        audit=audits(plan, store),
        pieces=read_pieces(plan, store),
        coverage=atomic.read_json(store.folder(plan.vocabulary) / "pieces.json")["coverage"],
        losses=[_loss(epoch) for epoch in histories[0]],
        best_epoch=kept[0]["epoch"] if kept else None,
        bits_per_byte=[epoch["score"] for epoch in kept],
        bits_by_epoch=[_by_epoch(history) for history in histories if history],
        scores={name: _scores(plan, store, name, tasks[name]) for name in plan.tasks},
        stages=[
            _spent(store, stage)
            for stage in unique([*plan.early(), *plan.late()], store, needs=False)
        ],
    )


def added(plan: ArmPlan, store: Store) -> int:
    """Return how many pieces the arm's vocabulary change added."""
    return len(atomic.read_json(store.folder(plan.vocabulary) / "change.json").get("fresh", ()))


def read_pieces(plan: ArmPlan, store: Store) -> list[Facts]:
    """Return the facts of the arm's new pieces, with the sources of their initial rows."""
    pieces = atomic.read_json(store.folder(plan.vocabulary) / "pieces.json")["pieces"]
    return with_sources(pieces, read_sources(store.folder(plan.rows)) if plan.rows else ())


def audits(plan: ArmPlan, store: Store) -> dict[str, Facts]:
    """Return the audits of the arm's texts by their names."""
    return {
        name: atomic.read_json(store.folder(stage) / "audit.json")
        for name, stage in plan.audits.items()
    }


def best_head(plan: ArmPlan, store: Store, task: str) -> Stage:
    """Return the stage of the task's best seed on dev, the first of equals; all are finished."""

    def score(stage: Stage) -> float:
        scores = atomic.read_json(store.folder(stage) / "scores.json")
        return float(scores["dev"][scores["metric"]])

    return max((stage for (name, _), stage in plan.heads.items() if name == task), key=score)


def to_json(arms: Iterable[ArmFacts]) -> list[Facts]:
    """Return facts as JSON values."""
    return [asdict(arm) for arm in arms]


def _scores(plan: ArmPlan, store: Store, name: str, data: TaskData) -> Scores:
    seeds = [seed for task, seed in plan.heads if task == name]
    runs = [
        atomic.read_json(store.folder(plan.heads[name, seed]) / "scores.json") for seed in seeds
    ]
    return Scores(
        method=data.choice.method,
        metric=data.task.metric,
        seeds=seeds,
        dev=[run["dev"] for run in runs],
        test=[run["test"] for run in runs],
        test_unseen=[run["test_unseen"] for run in runs],
        test_sentences=runs[0]["test_sentences"] if runs else 0,
        shared=[run["shared"] for run in runs],
        best_seed=best_head(plan, store, name).arguments["seed"],
        by_epoch=[_by_epoch(run["history"]) for run in runs],
    )


def _by_epoch(history: Sequence[Facts]) -> list[float | None]:
    return [epoch["score"] for epoch in history]


def _score(epoch: Facts) -> float:
    """Return an epoch's bits per byte; a score that was not finite is the worst."""
    return math.inf if epoch["score"] is None else float(epoch["score"])


def _spent(store: Store, stage: Stage) -> Facts:
    record = store.record(stage)
    return {
        "label": stage.label.partition(": ")[2],
        "seconds": record.seconds,
        "peak_memory": record.peak_memory,
    }


def _loss(epoch: Facts) -> Facts:
    return {
        "epoch": epoch["epoch"],
        "steps": epoch["epoch"] * epoch["steps"],
        "train_nats": epoch["train_loss"],
        "bits_per_byte": epoch["score"],
    }


def _vocabulary_hash(adapted: Any) -> str:
    pieces = read_vocabulary(adapted / "model").pieces
    return hashlib.sha256("\n".join(pieces).encode()).hexdigest()
