"""What came of a run, read from its finished stages: the facts that reports show."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specialize import atomic
from specialize.executors import unique
from specialize.pipeline.plan import CORPUS, ArmPlan
from specialize.pipeline.rows import read_sources
from specialize.pipeline.task_data import TaskData
from specialize.reports.numbers import DEV, TEST, is_test
from specialize.store import Stage, Store
from specialize.tasks._checks import unseen
from specialize.terminal import named
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


def cautions(arms: Sequence[ArmFacts], tasks: Mapping[str, TaskData]) -> list[str]:
    """Return what a reader should know before trusting the figures."""
    found = [
        f"{name}: only {len(t.data.test)} test sentences; such scores move by several points"
        for name, t in tasks.items()
        if len(t.data.test) < 200
    ]
    for name, t in tasks.items():
        for part, sentences in (("dev", t.data.dev), ("test", t.data.test)):
            total, known = len(sentences), len(sentences) - len(unseen(t.data.train, sentences))
            if known > 0.02 * total:
                found.append(f"{name}: {known} of {total} {part} sentences also occur in train")
        words = t.task.check(t.data.test, t.task.labels([*t.data.train, *t.data.dev]))
        if words:
            found.append(f"{name}: words of test with labels that train and dev lack: {words}")
    for arm in arms:
        if arm.best_epoch == 0:
            found.append(f"{arm.name}: LAPT did not improve bits per byte; its start was kept")
        first = next(iter(arm.audit.values()), None)
        if arm.pieces_added and first and _changes_little(first["before"], first["after"]):
            found.append(
                f"{arm.name}: under 1 % of the pieces are unknown to the base, so that added "
                "pieces have few unknowns to replace, and words have hardly fewer with them"
            )
        found += _unknown_in_test(arm)
    return found


def _changes_little(before: Facts, after: Facts) -> bool:
    """Return whether new pieces neither replace unknowns nor shorten words by a tenth."""
    few = before["unknown_pieces"] < 0.01 * before["pieces"]
    return few and after["pieces"] > 0.9 * before["pieces"]


def _unknown_in_test(arm: ArmFacts) -> Iterator[str]:
    """Yield the texts of tests that have more unknown words than those of dev, by a point."""
    for text, audit in arm.audit.items():
        if not is_test(text):
            continue
        task = text.removesuffix(TEST)
        dev, test = (found["after"] for found in (arm.audit[task + DEV], audit))
        shares = [100 * found["unknown_words"] / max(1, found["words"]) for found in (dev, test)]
        if shares[1] > shares[0] + 1:
            yield (
                f"{arm.name}: {shares[1]:.1f} % of the words of {text} have unknown pieces, "
                f"{shares[0]:.1f} % of {task} dev; missing: {named(test['missing'])}"
            )


def early_warnings(plans: Sequence[ArmPlan], store: Store) -> list[str]:
    """Return what audits show to be doubtful before anything is trained, each warning once."""
    plain = next((plan for plan in plans if not plan.arm.mixin), None)
    known = [{t: a for t, a in audits(plan, store).items() if not is_test(t)} for plan in plans]
    original = known[plans.index(plain)] if plain else {}
    found = [
        warning
        for plan, texts in zip(plans, known, strict=True)
        for warning in (
            *_differences(plan, texts),
            *_unused_pieces(plan.arm.name, added(plan, store), texts),
            *_more_unknown(plan, texts, original),
        )
    ]
    return list(dict.fromkeys(found))


def _more_unknown(
    plan: ArmPlan, audits: Mapping[str, Facts], plain: Mapping[str, Facts]
) -> Iterator[str]:
    """Yield a warning for each text that mix-ins rewrite into much that is unknown."""
    if not plan.arm.mixin:
        return
    for text, audit in audits.items():
        if text not in plain:
            continue
        before, after = _unknown_share(plain[text]["before"]), _unknown_share(audit["after"])
        if after > before + 0.05:
            mixins, lacking = ", ".join(map(str, plan.arm.mixin)), audit["after"]["missing"]
            yield (
                f"{plan.arm.name}: {mixins} raises the unknown pieces of {text} from "
                f"{100 * before:.1f} % to {100 * after:.1f} %; the vocabulary lacks "
                f"characters that it writes, {named(lacking)}: choose another scheme, or add pieces"
            )


def _unknown_share(audit: Facts) -> float:
    return float(audit["unknown_pieces"]) / max(1, audit["pieces"])


def _differences(plan: ArmPlan, audits: Mapping[str, Facts]) -> Iterator[str]:
    """Yield how the texts of tasks are written differently from the corpus."""
    mixins = ", ".join(map(str, plan.arm.mixin))
    after = f" (after {mixins})" if mixins else ""
    for text, audit in audits.items():
        for difference in audit["mismatch"]:
            yield f"{text}{after}: {difference}"


def _unused_pieces(arm: str, pieces: int, audits: Mapping[str, Facts]) -> Iterator[str]:
    """Yield a warning for each text that hardly uses an arm's new pieces.

    Hardly: a tenth of their share in the held-out text, or a tenth as many different ones.
    """
    if not pieces or CORPUS not in audits:
        return
    usual = audits[CORPUS]
    for text, audit in audits.items():
        rare = audit["fresh_share"] < usual["fresh_share"] / 10
        if rare or audit["fresh_pieces_used"] < usual["fresh_pieces_used"] / 10:
            yield (
                f"{arm}: of {pieces:,} new pieces, {audit['fresh_pieces_used']:,} occur in {text} "
                f"and {usual['fresh_pieces_used']:,} in the held-out text of the corpus; are the "
                "two written alike?"
            )
