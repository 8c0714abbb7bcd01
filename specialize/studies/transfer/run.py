"""From a recipe of transfer to results: stages run, scores read, measures taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from specialize import atomic
from specialize.errors import DataError
from specialize.executors import run_all, unique
from specialize.progress import Log, Silent
from specialize.store import Store
from specialize.studies.running import check_out, finite, made_by, planned, warned
from specialize.studies.transfer.bootstrap import Counts, interval, resampled, scores_of
from specialize.studies.transfer.cautions import cautions_of
from specialize.studies.transfer.cells import RESULT, Cells, cells
from specialize.studies.transfer.measures import (
    by_seen,
    by_trained,
    donors,
    overlap,
    own_text,
    recipients,
    spearman,
    ties,
    transfer_scores,
)
from specialize.studies.transfer.recipe import Study
from specialize.studies.transfer.treebanks import check_treebanks

Facts = dict[str, Any]
FILE = "results.json"
_TOP = 5  # languages of which rankings are compared

# shapes: A transfer languages, N repeats, B targets, R resamples


def run(
    study: Study, out: Path, *, command: str = "", jobs: int = 1, log: Log | None = None
) -> Facts:
    """Run the cells of a study into ``out``; return what ``results.json`` holds.

    What is finished in ``out`` for the same inputs is not done again: an interrupted run resumes,
    and one with one more transfer language or repeat runs only what is new.
    """
    log = log or Silent()
    check_out(out, "transfer")
    store = Store(out)
    log.say("reading the treebanks")
    cautions = warned(check_treebanks(study), log)
    found = cells(study)
    run_all(found.all, store, log, jobs=jobs)
    facts = facts_of(study, found, store) | made_by(command)
    facts |= {
        "cautions": [*cautions, *cautions_of(study, facts, found, store)],
        "inputs": store.inputs(unique(found.all, store)),
    }
    found_facts: Facts = finite(facts)
    atomic.write_json(out / FILE, found_facts)
    return found_facts


def plan(study: Study, out: Path) -> str:
    """Return which stages are done, and about how long the rest takes."""
    check_out(out, "transfer")
    store = Store(out)
    return planned(cells(study).all, store, check_treebanks(study))


def facts_of(study: Study, found: Cells, store: Store) -> Facts:
    """Return the results of finished cells: scores, and what they say."""
    base = atomic.read_json(store.folder(found.base) / RESULT)
    trained = {
        key: atomic.read_json(store.folder(stage) / RESULT)
        for key, stage in found.trajectories.items()
    }
    screen = atomic.read_json(store.folder(found.screen) / RESULT)
    for (name, repeat), own in trained.items():
        if own["after"]["0"] != base["right"]:
            raise DataError(
                f"{name}, repeat {repeat + 1}: scores after 0 steps differ from those of the base; "
                "remove its stage and run the same command again"
            )
    tasks = {task: of_task(study, task, base, trained, screen) for task in study.tasks}
    return {
        "title": study.title,
        "note": study.note,
        "transfer": list(study.transfer),
        "seen": list(study.seen),
        "steps": list(study.steps),
        "repeats": study.repeats,
        "settings": {"mlm": asdict(study.mlm), "adapter": asdict(study.adapter)},
        "tasks": tasks,
        "between_tasks": between(study, tasks),
        "seconds": {
            "cells": [store.record(stage).seconds for stage in found.trajectories.values()],
            "all": sum(store.record(stage).seconds for stage in unique(found.all, store)),
        },
    }


def of_task(study: Study, task: str, base: Facts, trained: Any, screen: Any) -> Facts:
    """Return the results of a task, by number of steps."""
    targets = [target.name for target in study.of_task(task)[1]]
    first = {
        str(k): _measured(study, task, targets, base, trained, str(k), screen) for k in study.steps
    }
    right, words = base["right"][task], base["words"][task]
    scores = {name: 100 * sum(right[name]) / sum(words[name]) for name in targets}
    return {
        "metric": "LAS" if task == "dep" else "UPOS",
        "targets": targets,
        "left_out": [name for name in targets if scores[name] < study.least],
        "base": scores,
        "words": {name: sum(words[name]) for name in targets},
        "steps": first,
    }


def _measured(
    study: Study, task: str, targets: list[str], base: Facts, trained: Any, k: str, screen: Any
) -> Facts:
    """Return what is measured after ``k`` steps, beside noise of equal norm and the screen."""
    names, seen = list(study.transfer), list(study.seen)
    train = [treebank.name for treebank in study.of_task(task)[0]]
    counts = _counts(study, task, targets, base, trained, "after", k)
    base_B, after_ANB = scores_of(counts)
    drawn_RAB = resampled(counts)
    drawn_RAB[:, :, base_B < study.least] = np.nan
    base_B[base_B < study.least] = 0.0  # without a transfer score
    ts_AB = transfer_scores(base_B, after_ANB)
    _, noise_ANB = scores_of(_counts(study, task, targets, base, trained, "noise", k))
    noise_AB = transfer_scores(base_B, noise_ANB)
    norms_A = [float(np.mean(_norms(study, trained, name, k))) for name in names]
    own_donors, own_recipients = donors(ts_AB, names), recipients(ts_AB, names, targets)
    noise_mean = [r.mean for r in recipients(noise_AB, names, targets)]
    equal, unclear = ties(ts_AB)
    rows = {
        "donors": [
            {**asdict(d), "interval": interval(drawn_RAB[:, a])} for a, d in enumerate(own_donors)
        ],
        "recipients": [
            {**asdict(r), "interval": interval(drawn_RAB[:, :, b]), "noise": n}
            for b, (r, n) in enumerate(zip(own_recipients, noise_mean, strict=True))
        ],
    }
    return {
        "scores": after_ANB.tolist(),
        "ts": ts_AB.tolist(),
        "intervals": [
            [interval(drawn_RAB[:, a, b, None]) for b in range(len(targets))]
            for a in range(len(names))
        ],
        "deviation": transfer_deviation(base_B, after_ANB).tolist(),
        "noise": noise_AB.tolist(),
        "norm": norms_A,
        "norm_by_donor": _correlation([d.mean for d in own_donors], norms_A),
        "own_text": own_text(ts_AB, names, targets),
        **rows,
        "ties": equal,
        "targets_without_best": unclear,
        "by_seen": [
            {"transfer": a, "target": b, "mean": mean, "pairs": pairs}
            for (a, b), (mean, pairs) in by_seen(ts_AB, names, targets, seen).items()
        ],
        "by_trained": [
            {"seen": a, "trained": b, "mean": mean, "pairs": pairs}
            for (a, b), (mean, pairs) in by_trained(ts_AB, names, targets, seen, train).items()
        ],
        "noise_by_target": _correlation([r.mean for r in own_recipients], noise_mean),
        "screen": {
            kind: _screened(screen[kind][task], ts_AB, names, targets) for kind in ("dot", "sign")
        },
    }


def transfer_deviation(base_B: Any, after_ANB: Any) -> Any:
    """Return the deviation [A, B] of ts over repeats, with N - 1; 0 with one."""
    if after_ANB.shape[1] < 2:
        return np.zeros((after_ANB.shape[0], after_ANB.shape[2]))
    return 100 * after_ANB.std(1, ddof=1) / np.where(base_B > 0, base_B, np.nan)


def _counts(
    study: Study, task: str, targets: list[str], base: Facts, trained: Any, kind: str, k: str
) -> list[Counts]:
    """Return the counts of each target."""
    found = []
    for target in targets:
        after = [
            [trained[name, r][kind][k][task][target] for r in range(study.repeats)]
            for name in study.transfer
        ]
        words, right = (np.array(base[key][task][target], float) for key in ("words", "right"))
        found.append(Counts(words, right, np.array(after, float)))
    return found


def _norms(study: Study, trained: Any, name: str, k: str) -> list[float]:
    return [trained[name, repeat]["norms"][k] for repeat in range(study.repeats)]


def _screened(
    products: Mapping[str, Mapping[str, float]], ts_AB: Any, names: list[str], targets: list[str]
) -> Facts:
    """Return the products [A, B] and how their order agrees with that of the measured scores.

    "pairs": over all pairs, without a p, for pairs of one language or target are not independent;
    "within": the mean over targets of the correlation over transfer languages, which is what
    choosing a donor needs.
    """
    values = [[products[name][target] for target in targets] for name in names]
    flat = [value for row in values for value in row]
    own = [
        found[0]
        for b in range(len(targets))
        if (found := spearman([row[b] for row in values], [float(x) for x in ts_AB[:, b]]))
    ]
    over_pairs = spearman(flat, [float(x) for x in np.ravel(ts_AB)])
    return {
        "values": values,
        "pairs": over_pairs[0] if over_pairs else None,
        "within": float(np.mean(own)) if own else None,
    }


def _correlation(first: list[float], second: list[float]) -> dict[str, float] | None:
    found = spearman(first, second)
    return None if found is None else {"rho": found[0], "p": found[1]}


def between(study: Study, tasks: Facts) -> Facts:
    """Return how rankings of transfer languages agree between tasks, at the last step."""
    k = str(study.steps[-1])
    means = {
        task: {d["language"]: d["mean"] for d in own["steps"][k]["donors"]}
        for task, own in tasks.items()
    }
    return {
        "steps": int(k),
        "top": min(_TOP, len(study.transfer)),
        "pairs": [
            {
                "tasks": list(pair),
                "common": common,
                "spearman": _correlation(*(list(means[task].values()) for task in pair)),
            }
            for pair, common in overlap(means, min(_TOP, len(study.transfer))).items()
        ],
    }
