"""Interference: language adapters alone, in pairs and in triples below one task adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specialize import atomic
from specialize.comparison.bootstrap import intervals, of_all
from specialize.executors import run_all, unique
from specialize.model.find import find_model
from specialize.progress import Log, Silent
from specialize.store import Stage, Store
from specialize.studies.running import check_out, finite, made_by, planned, warned
from specialize.studies.transfer.cells import (
    RESULT,
    adapter_stages,
    derived,
    evaluation_seconds,
    setting_of,
    text_stages,
)
from specialize.studies.transfer.charts import counted
from specialize.studies.transfer.fusions import FUSIONS, train_language, write_combination
from specialize.studies.transfer.projection import projections, signs_of
from specialize.studies.transfer.recipe import InterferencePlan, Mlm, Study
from specialize.studies.transfer.treebanks import check_partners, check_treebanks, test_sentences

if TYPE_CHECKING:
    from specialize.comparison.bootstrap import Counts

FILE = "interference.json"
_STEP = 0.3  # seconds of a step of MLM
_FEW = 100  # test sentences
_RESAMPLES = 1_000  # of test sentences

Facts = dict[str, Any]
Members = tuple[str, ...]


def stages(study: Study) -> dict[Members, Stage]:
    """Return the stages of each combination, single languages first."""
    base, names = find_model(study.base), check_partners(study)
    texts = {name: own for name, own in text_stages(study, base).items() if name in names}
    plan, mlm = study.interference, replace(study.mlm, rate=Mlm.rate)  # it has rates of its own
    # in the keys only what stages read
    alone = replace(plan, sizes=InterferencePlan.sizes, fusion_steps=InterferencePlan.fusion_steps)
    fused = replace(plan, sizes=InterferencePlan.sizes)
    languages = {
        name: Stage(
            "language-adapter",
            f"{name} adapter",
            train_language,
            {
                "base": base,
                "language": name,
                "text": texts[name],
                "mlm": mlm,
                "plan": alone,
                "seed": derived(study.seed, "language", name),
            },
            work=_STEP * plan.steps,
        )
        for name in names
    }
    common = {
        "base": base,
        "adapters": adapter_stages(study, base),
        "setting": setting_of(study),
        "mlm": mlm,
    }
    share = evaluation_seconds(study) / len(study.targets)
    found = {}
    for members in (c for size in (1, *plan.sizes) for c in combinations(names, size)):
        work = len(members) * share
        if len(members) > 1:
            work = len(FUSIONS) * work + _STEP * plan.fusion_steps
        found[members] = Stage(
            "interference",
            f"{'+'.join(members)} fused" if len(members) > 1 else f"{members[0]} alone",
            write_combination,
            {
                **common,
                "plan": fused if len(members) > 1 else alone,
                "members": list(members),
                "languages": {name: languages[name] for name in members},
                "texts": {name: texts[name] for name in members},
                "seed": derived(study.seed, "fusion", *members),
            },
            work=work,
        )
    return found


def run(
    study: Study, out: Path, *, command: str = "", jobs: int = 1, log: Log | None = None
) -> Facts:
    """Run the combinations of a study into ``out``; return what ``interference.json`` holds.

    Stages that a study of transfer in ``out`` has finished, such as the task adapters, are used.
    """
    log = log or Silent()
    check_out(out, "interference")
    store = Store(out)
    cautions = warned(check_treebanks(study), log)
    found = stages(study)
    run_all(list(found.values()), store, log, jobs=jobs)
    done = {m: atomic.read_json(store.folder(stage) / RESULT) for m, stage in found.items()}
    single = {task: _single(task, done) for task in study.tasks}
    alone = {
        task: {name: scores["alone"] for name, scores in own.items()}
        for task, own in single.items()
    }
    runs = _combinations(done)
    facts: Facts = finite(
        {
            "title": study.title,
            "note": study.note,
            "seen": list(study.seen),
            "settings": {"interference": asdict(study.interference), "mlm": asdict(study.mlm)},
            "single": single,
            "alone": alone,
            "combinations": runs,
            "found": projected(check_partners(study), alone, runs),
            "seconds": {
                "all": sum(store.record(s).seconds for s in unique([*found.values()], store))
            },
            **made_by(command),
            "cautions": [*cautions, *cautions_of(study, alone, runs)],
        }
    )
    atomic.write_json(out / FILE, facts)
    return facts


def _single(task: str, done: Mapping[Members, Facts]) -> dict[str, dict[str, float]]:
    """Return the scores of each language by itself: with its adapter, less of it, without."""
    return {
        members[0]: {kind: of_all(_counts(own, kind, task, members[0])) for kind in own["right"]}
        for members, own in done.items()
        if len(members) == 1
    }


def _combinations(done: Mapping[Members, Facts]) -> list[Facts]:
    """Return the scores of combinations, and intervals of what they add to a language's adapter."""
    runs: dict[str, Facts] = {}
    for members, own in done.items():
        for fusion in own["right"] if len(members) > 1 else ():
            scores = {
                task: {name: of_all(_counts(own, fusion, task, name)) for name in found}
                for task, found in own["right"][fusion].items()
            }
            run = {"members": list(members), "fusion": fusion, "scores": scores}
            runs["+".join([fusion, *members])] = run | {"intervals": {task: {} for task in scores}}
    for members, own in done.items():
        if len(members) > 1:
            continue
        (name,) = members
        for task in own["words"]:
            counts = {"": {0: _counts(own, "alone", task, name)}}  # of one seed
            for key, run in runs.items():
                if name in run["members"]:
                    fused = done[tuple(run["members"])]
                    counts[key] = {0: _counts(fused, run["fusion"], task, name)}
            for key, interval in intervals(counts, "", resamples=_RESAMPLES).items():
                runs[key]["intervals"][task][name] = list(interval)
    return list(runs.values())


def _counts(own: Facts, kind: str, task: str, name: str) -> Counts:
    """Return the right words and all words of each test sentence."""
    return np.array([own["right"][kind][task][name], own["words"][task][name]], np.int64)


def cautions_of(
    study: Study, alone: Mapping[str, Mapping[str, float]], runs: Sequence[Facts]
) -> list[str]:
    """Return why the gains may say little: one seed, few test sentences, nothing learned."""
    found = ["one seed: every adapter and fusion is trained once; small gains may be chance"]
    for name in next(iter(alone.values())):
        (target,) = (t for t in study.targets if t.name == name)
        count = len(test_sentences(target.tasks[0], target, study.sentences))
        if count < _FEW:
            sentences = counted(count, "test sentence")
            found.append(f"{name}: {sentences}, fewer than {_FEW}; small gains may be chance")
    for task, own in alone.items():
        scores = [(own[n], score) for run in runs for n, score in run["scores"][task].items()]
        if all(first == second for first, second in scores):
            found.append(f"{task}: every score is equal: raise interference.steps")
    return found


def plan(study: Study, out: Path) -> str:
    """Return which stages are done, and about how long the rest takes."""
    check_out(out, "interference")
    store = Store(out)
    found = stages(study)
    return planned(list(found.values()), store, check_treebanks(study))


def projected(
    names: Sequence[str], alone: Mapping[str, Mapping[str, float]], runs: Sequence[Facts]
) -> list[Facts]:
    """Return counts and places of the languages, for each task, size and fusion."""
    found = []
    for task in alone:
        for size in sorted({len(r["members"]) for r in runs}):
            for fusion in FUSIONS:
                own = {
                    tuple(r["members"]): r["scores"][task]
                    for r in runs
                    if r["fusion"] == fusion and len(r["members"]) == size
                }
                rows = [
                    {
                        "language": p.language,
                        "counts": [p.counts.get(signs, 0) for signs in signs_of(size)],
                        "place": list(p.place),
                        "ties": p.ties,
                    }
                    for p in projections(names, alone[task], own)
                ]
                signs = ["".join("+" if s > 0 else "−" for s in own) for own in signs_of(size)]
                kind = {"task": task, "size": size, "third": size == 3, "fusion": fusion}
                found.append({**kind, "signs": signs, "rows": rows})
    return found
