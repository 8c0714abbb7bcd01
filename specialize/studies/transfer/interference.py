"""Interference: language adapters alone, in pairs and in triples below one task adapter.

Fusions of a combination, side by side: "trained" (on text of its members in turn, the adapters
frozen), "mean", and "untrained", which the authors' code runs: its attention is random.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file
from torch import nn

from specialize import atomic
from specialize.environment import machine_facts
from specialize.executors import run_all, unique
from specialize.model.find import find_model
from specialize.model.load import load_checkpoint
from specialize.model.mlm import MaskedModel
from specialize.modules.attach import attach
from specialize.modules.madx import language_adapters, table
from specialize.modules.policy import Policy, tiers, training
from specialize.modules.scope import Scope
from specialize.modules.sources import Fuse, Mean, Source
from specialize.pipeline.checks import check_folder
from specialize.progress import Log, Silent
from specialize.store import Stage, Store
from specialize.studies.transfer.cells import (
    RESULT,
    Bench,
    Setting,
    adapter_stages,
    derived,
    evaluation_seconds,
    open_bench,
    read_text,
    setting_of,
    text_stages,
)
from specialize.studies.transfer.evaluation import evaluate
from specialize.studies.transfer.projection import projections, signs_of
from specialize.studies.transfer.recipe import InterferencePlan, Mlm, Study
from specialize.studies.transfer.run import finite, planned
from specialize.studies.transfer.trajectory import batch_at, mlm_loss
from specialize.studies.transfer.treebanks import check_partners, check_treebanks
from specialize.train.loop import seeded
from specialize.train.masking import MaskPieces, mask_pieces
from specialize.train.optim import adamw, device

FUSIONS = ("trained", "mean", "untrained")
FILE = "interference.json"
_WEIGHTS = "language.safetensors"
_STEP = 0.3  # seconds of a step of MLM

Facts = dict[str, Any]


def stages(study: Study, store: Store) -> dict[tuple[str, ...], Stage]:
    """Return the stages of each combination, single languages first."""
    base, names = find_model(study.base), check_partners(study)
    texts = {name: own for name, own in text_stages(study, base).items() if name in names}
    plan = study.interference
    languages = {
        name: Stage(
            "language-adapter",
            f"{name} adapter",
            train_language,
            {
                "base": base,
                "language": name,
                "text": texts[name],
                "mlm": study.mlm,
                "plan": plan,
                "seed": derived(study.seed, "language", name),
            },
            work=_STEP * plan.steps * store.pace("language-adapter"),
        )
        for name in names
    }
    common = {
        "base": base,
        "adapters": adapter_stages(study, base, store),
        "setting": setting_of(study),
        "mlm": study.mlm,
        "plan": plan,
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
                "members": list(members),
                "languages": {name: languages[name] for name in members},
                "texts": {name: texts[name] for name in members},
                "seed": derived(study.seed, "fusion", *members),
            },
            work=work * store.pace("interference"),
        )
    return found


def run(
    study: Study, out: Path, *, command: str = "", jobs: int = 1, log: Log | None = None
) -> Facts:
    """Run the combinations of a study into ``out``; return what ``interference.json`` holds.

    Stages that a study of transfer in ``out`` has finished, such as the task adapters, are used.
    """
    log = log or Silent()
    check_folder(out)
    store = Store(out)
    cautions = check_treebanks(study)
    for caution in cautions:
        log.say(f"warning: {caution}")
    found = stages(study, store)
    run_all(list(found.values()), store, log, jobs=jobs)
    done = {m: atomic.read_json(store.folder(stage) / RESULT) for m, stage in found.items()}
    alone: dict[str, dict[str, float]] = {task: {} for task in study.tasks}
    runs = []
    for members, own in done.items():
        for fusion, scores in own.items():
            if len(members) == 1:
                for task in study.tasks:
                    alone[task][members[0]] = scores[task][members[0]]
            else:
                runs.append({"members": list(members), "fusion": fusion, "scores": scores})
    facts: Facts = finite(
        {
            "title": study.title,
            "note": study.note,
            "seen": list(study.seen),
            "settings": {"interference": asdict(study.interference), "mlm": asdict(study.mlm)},
            "alone": alone,
            "combinations": runs,
            "found": projected(check_partners(study), alone, runs),
            "seconds": {
                "all": sum(store.record(s).seconds for s in unique([*found.values()], store))
            },
            "command": command,
            "date": time.strftime("%Y-%m-%d"),
            "machine": machine_facts(),
            "cautions": cautions,
        }
    )
    atomic.write_json(out / FILE, facts)
    return facts


def plan(study: Study, out: Path) -> str:
    """Return which stages are done, and about how long the rest takes."""
    store = Store(out)
    found = stages(study, store)
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


# Stages


def train_language(
    folder: Path,
    *,
    log: Log,
    base: Path,
    language: str,
    text: Path,
    mlm: Mlm,
    plan: InterferencePlan,
    seed: int,
) -> None:
    """Train the adapter of a language by masked language modelling, and write it."""
    checkpoint = load_checkpoint(base)
    model = checkpoint.model.to(device())
    source = language_adapters(model, reduction=plan.reduction)
    source.keyed.add(language, seed=seed)
    pieces = mask_pieces(checkpoint.vocabulary, checkpoint.framing)
    texts = [(language, read_text(text))]
    _train(model, source, source, texts, pieces, mlm, plan.rate, plan.steps, seed=seed, log=log)
    tensors = source.keyed.tensors_of(language)
    save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, folder / _WEIGHTS)


def write_combination(
    folder: Path,
    *,
    log: Log,
    base: Path,
    adapters: Mapping[str, Path],
    setting: Setting,
    mlm: Mlm,
    plan: InterferencePlan,
    members: Sequence[str],
    languages: Mapping[str, Path],
    texts: Mapping[str, Path],
    seed: int,
) -> None:
    """Write the scores of the members with their adapters fused; of one, with its own alone."""
    kept = {
        task: [target for target in targets if target.name in members]
        for task, targets in setting.targets.items()
    }
    bench = open_bench(base, adapters, Setting(kept, setting.sentences, setting.plan))
    model = bench.checkpoint.model
    source = language_adapters(model, reduction=plan.reduction)
    for name in members:
        source.keyed.add(name, tensors=load_file(languages[name] / _WEIGHTS))
    if len(members) == 1:
        found = {"alone": _scores(bench, source)}
    else:
        untrained, trained = Fuse(source, members, seed=seed), Fuse(source, members, seed=seed)
        untrained.trained.fill_(True)  # subtle: else refused, rightly, outside of this control
        pieces = mask_pieces(bench.checkpoint.vocabulary, bench.checkpoint.framing)
        read = [(name, read_text(texts[name])) for name in members]
        steps, rate = plan.fusion_steps, plan.rate
        _train(model, trained, trained.maps, read, pieces, mlm, rate, steps, seed=seed, log=log)
        sources = (trained, Mean(source, members), untrained)
        found = {kind: _scores(bench, own) for kind, own in zip(FUSIONS, sources, strict=True)}
    atomic.write_json(folder / RESULT, found)


def _scores(bench: Bench, languages: Source) -> dict[str, dict[str, float]]:
    """Return the score of each target with the language modules below it, by task."""
    found: dict[str, dict[str, float]] = {}
    languages.eval()
    for task, adapter in bench.adapters.items():
        test = bench.tests[task]
        with (
            adapter.on(bench.checkpoint.model, languages) as scope,
            scope(next(iter(test.targets))),
        ):
            right = evaluate(adapter, test)  # the scope's language chooses nothing in a fusion
        words = test.words()
        found[task] = {n: 100 * sum(own) / sum(words[n]) for n, own in right.items()}
    return found


def _train(
    model: MaskedModel,
    source: Source,
    trained: nn.Module,
    texts: Sequence[tuple[str, np.ndarray]],
    pieces: MaskPieces,
    mlm: Mlm,
    rate: float,
    steps: int,
    *,
    seed: int,
    log: Log,
) -> None:
    """Train ``trained``, part of ``source``, on the texts in turn; all else is frozen."""
    modules = attach(model, table(model, source))
    policies = [Policy(trained)]
    with training(modules, Scope(texts[0][0]), policies), seeded(model, seed):
        optimizer = adamw(tiers(policies, rate=rate, decay=0.0))
        for step in range(steps):
            turn, place = step % len(texts), step // len(texts)
            language, text = texts[turn]
            model.train()
            with modules.at(Scope(language)):
                mlm_loss(model, *batch_at(text, pieces, mlm, place, seed=seed + turn)).backward()
            nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            log.step(step + 1, steps)
    model.eval()
    modules.detach()
