"""What came of a run, read from its finished stages: the facts that reports show."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specialize import atomic
from specialize.pipeline.plan import CORPUS, ArmPlan
from specialize.pipeline.stages import TaskData
from specialize.store import Stage, Store
from specialize.tasks._checks import repeated
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
    best_seed: int


@dataclass(frozen=True)
class ArmFacts:
    """What an arm did and what came of it."""

    name: str
    mixin: list[str]
    augment: str
    embed: str  # empty without fresh rows
    lapt: bool
    fresh_rate: float
    pieces_added: int
    vocabulary_sha256: str
    audit: dict[str, Facts]  # text -> audits before and after, and how many fresh pieces occur
    pieces: list[Facts]
    coverage: list[Any]
    losses: list[Facts]  # of the first seed's LAPT, by epoch
    best_epoch: int | None
    bits_per_byte: list[float]  # of the kept epoch, a seed each where LAPT was repeated
    scores: dict[str, Scores]
    stages: list[Facts]  # label, seconds, peak_memory (bytes)


def arm_facts(plan: ArmPlan, store: Store, tasks: Mapping[str, TaskData]) -> ArmFacts:
    """Return the facts of an arm whose stages are all finished."""
    found = atomic.read_json(store.folder(plan.vocabulary) / "pieces.json")
    histories = [
        atomic.read_json(store.folder(stage) / "history.json") for stage in _each(plan.adapted)
    ]
    kept = [min(history, key=lambda epoch: epoch["score"]) for history in histories if history]
    fresh = added(plan, store)
    return ArmFacts(
        name=plan.arm.name,
        mixin=[str(choice) for choice in plan.arm.mixin],
        augment=str(plan.arm.augment),
        embed=str(plan.arm.embed) if fresh else "",
        lapt=plan.lapt is not None,
        fresh_rate=plan.lapt.fresh_rate if plan.lapt and fresh else 1.0,
        pieces_added=fresh,
        vocabulary_sha256=_vocabulary_hash(store.folder(next(iter(plan.adapted.values())))),
        audit=audits(plan, store),
        pieces=found["pieces"],
        coverage=found["coverage"],
        losses=[_loss(epoch) for epoch in histories[0]],
        best_epoch=kept[0]["epoch"] if kept else None,
        bits_per_byte=[epoch["score"] for epoch in kept],
        scores={name: _scores(plan, store, name, tasks[name]) for name in plan.tasks},
        stages=[_spent(store, stage) for stage in _each_stage(plan)],
    )


def added(plan: ArmPlan, store: Store) -> int:
    """Return how many pieces the arm's vocabulary change added."""
    return len(atomic.read_json(store.folder(plan.vocabulary) / "change.json").get("fresh", ()))


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

    return max((plan.heads[task, seed] for seed in plan.arm.seeds), key=score)


def to_json(arms: Iterable[ArmFacts]) -> list[Facts]:
    """Return facts as JSON values."""
    return [asdict(arm) for arm in arms]


def _scores(plan: ArmPlan, store: Store, name: str, data: TaskData) -> Scores:
    seeds = list(plan.arm.seeds)
    runs = [
        atomic.read_json(store.folder(plan.heads[name, seed]) / "scores.json") for seed in seeds
    ]
    return Scores(
        method=data.choice.method,
        metric=data.task.metric,
        seeds=seeds,
        dev=[run["dev"] for run in runs],
        test=[run["test"] for run in runs],
        best_seed=best_head(plan, store, name).arguments["seed"],
    )


def _each(stages: Mapping[Any, Stage]) -> list[Stage]:
    """Return each stage once."""
    return list({id(stage): stage for stage in stages.values()}.values())


def _each_stage(plan: ArmPlan) -> list[Stage]:
    return _each({id(stage): stage for stage in (*plan.early(), *plan.late())})


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


def cautions(arms: Sequence[ArmFacts], tasks: Mapping[str, TaskData]) -> list[str]:
    """Return what a reader should know before trusting the figures."""
    found = [
        f"{name}: only {len(t.data.test)} test sentences; such scores move by several points"
        for name, t in tasks.items()
        if len(t.data.test) < 200
    ]
    for name, t in tasks.items():
        known = repeated(t.data.train, t.data.test)
        if known > 0.02 * len(t.data.test):
            found.append(
                f"{name}: {known} of {len(t.data.test)} test sentences also occur in train"
            )
        unseen = t.task.check(t.data.test, t.task.labels([*t.data.train, *t.data.dev]))
        if unseen:
            found.append(f"{name}: {unseen} test words carry labels that train and dev lack")
    for arm in arms:
        found += unused_pieces(arm.name, arm.pieces_added, arm.audit)
        before = next((audit["before"] for audit in arm.audit.values()), None)
        if arm.pieces_added and before and before["unknown_pieces"] < 0.01 * before["pieces"]:
            found.append(
                f"{arm.name}: under 1 % of the pieces are unknown to the base; added pieces have "
                "few unknowns to replace"
            )
    return found


def unused_pieces(arm: str, pieces: int, audits: Mapping[str, Facts]) -> list[str]:
    """Return a warning for each text that hardly uses an arm's new pieces, with likely reasons.

    Hardly is a tenth of their share in the held-out text of the corpus.
    """
    if not pieces or CORPUS not in audits:
        return []
    usual = audits[CORPUS]["fresh_share"]
    return [
        f"{arm}: new pieces are {audit['fresh_share']:.1%} of the pieces of {text}, and "
        f"{usual:.1%} of the held-out text's; "
        + ("; ".join(audit["mismatch"]) or "no difference in writing was found")
        for text, audit in audits.items()
        if audit["fresh_share"] < usual / 10
    ]
