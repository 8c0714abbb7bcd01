"""From a zero-shot recipe to results: stages run, and their scores with who saw what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from specialize import atomic
from specialize.errors import DataError
from specialize.executors import run_all, unique
from specialize.progress import Log, Silent
from specialize.store import Store
from specialize.studies.running import check_out, finite, made_by, planned, warned
from specialize.studies.transfer.cells import RESULT
from specialize.studies.zeroshot.cells import Cells, Key, cells
from specialize.studies.zeroshot.partition import models_of
from specialize.studies.zeroshot.plans import kind_of
from specialize.studies.zeroshot.recipe import Study
from specialize.studies.zeroshot.treebanks import check_treebanks

Facts = dict[str, Any]
FILE = "results.json"
METRICS = {"pos": "UPOS", "dep": "LAS", "ner": "F1"}


def run(
    study: Study, out: Path, *, command: str = "", jobs: int = 1, log: Log | None = None
) -> Facts:
    """Run the stages of a study into ``out``; return what ``results.json`` holds.

    What is finished in ``out`` for the same inputs is not done again: an interrupted run resumes,
    and one with one more system or seed runs only what is new.
    """
    log = log or Silent()
    check_out(out, "zeroshot")
    store = Store(out)
    log.say("reading the annotated sentences")
    cautions = warned(check_treebanks(study), log)
    found = cells(study)
    run_all(found.all, store, log, jobs=jobs)
    facts = facts_of(study, found, store) | made_by(command)
    facts |= {
        "cautions": [*cautions, *_cautions(study), *_undrawn(found, store)],
        "inputs": store.inputs(unique(found.all, store)),
    }
    found_facts: Facts = finite(facts)
    atomic.write_json(out / FILE, found_facts)
    return found_facts


def plan(study: Study, out: Path) -> str:
    """Return which stages are done, and about how long the rest takes."""
    check_out(out, "zeroshot")
    store = Store(out)
    return planned(cells(study).all, store, check_treebanks(study))


def facts_of(study: Study, found: Cells, store: Store) -> Facts:
    """Return the results of finished stages: a row for each score, and what each system costs."""
    results = {key: atomic.read_json(store.folder(s) / RESULT) for key, s in found.models.items()}
    return {
        "title": study.title,
        "note": study.note,
        "tasks": {task: METRICS[task] for task in study.tasks},
        "languages": list(study.languages),
        "halves": [list(half) for half in study.halves],
        "both": list(study.both),
        "known": list(study.known),
        "seeds": list(study.seeds),
        "few": list(study.few.sentences),
        "systems": {name: _cost(study, name, found, results, store) for name in study.systems},
        "rows": [row for key, own in results.items() for row in _rows(study, key, own)],
        "settings": {
            "training": asdict(study.training),
            "mlm": asdict(study.mlm),
            "few": asdict(study.few),
        },
        "seconds": {
            "all": sum(store.record(stage).seconds for stage in unique(found.all, store)),
        },
    }


def _rows(study: Study, key: Key, result: Facts) -> list[Facts]:
    """Return the scores of a model; DataError for one that is not what the partition says."""
    system, model, seed = key
    trained = {(language, task) for language, task in result["trained"]}
    rows = []
    for own in result["scores"]:
        pair = own["language"], own["task"]
        (scope,) = (p.scope for p in study.pairs if (p.language, p.task) == pair)
        seen = model in models_of(scope, study.halves, study.both, study.tasks)
        if own["seen"] != seen or (pair in trained and not seen):
            raise DataError(
                f"{system}, model {model}, seed {seed}: {pair[1]} of {pair[0]} is scored as "
                f"{'seen' if own['seen'] else 'unseen'}, against the partition; remove its stage "
                "and run the same command again"
            )
        rows.append({"system": system, "model": model, "seed": seed, **own})
    return rows


def _cost(study: Study, name: str, found: Cells, results: Mapping[Key, Facts], store: Store) -> Any:
    """Return the options of a system, and per model its parameters, updates and seconds."""
    own = {key: result for key, result in results.items() if key[0] == name}
    plan, adapters = study.systems[name], found.adapters[name]
    updates = {
        task: round(mean(r["updates"][task] for r in own.values()))
        for task in next(iter(own.values()))["updates"]
    }
    if adapters:  # trained once, for all models
        updates["mlm"] = study.mlm.steps * len(adapters)
    return {
        "kind": kind_of(plan),
        "options": asdict(plan),
        "parameters": round(mean(r["parameters"] + r["loaded"] for r in own.values())),
        "updates": updates,
        "dev": {f"{model}, seed {seed}": r["dev"] for (_, model, seed), r in own.items()},
        "seconds": mean(store.record(found.models[key]).seconds for key in own),
        "language_seconds": sum(store.record(s).seconds for s in adapters.values()),
    }


def _undrawn(found: Cells, store: Store) -> Iterator[str]:
    """Yield the pairs that count as seen and of which a model has drawn no sentence."""
    for (system, model, seed), stage in found.models.items():
        result = atomic.read_json(store.folder(stage) / RESULT)
        trained = [(language, task) for language, task in result["trained"]]
        listed = [(own["language"], own["task"]) for own in result["scores"] if own["seen"]]
        if missing := [f"{task} of {name}" for name, task in listed if (name, task) not in trained]:
            yield (
                f"{system}, model {model}, seed {seed}: no update was of {', '.join(missing)}, "
                "which count as seen; raise training.steps"
            )


def _cautions(study: Study) -> list[str]:
    found = []
    if len(study.seeds) < 2:
        found.append("one seed: no deviation; take two or more")
    if not study.known:
        found.append("no language is listed as known to the base; add known = [...]")
    once = [name for name, plan in study.systems.items() if kind_of(plan) == "madx"]
    if once:
        found.append(
            f"{', '.join(once)}: language adapters were trained once, so that their share of the "
            "variation over seeds is not in the intervals"
        )
    blind = [name for name, plan in study.systems.items() if not plan.needs_text]
    if blind and len(blind) < len(study.systems):
        found.append(
            f"{', '.join(blind)}: trained on no text, unlike the others: a difference may come of "
            "the text"
        )
    return found
