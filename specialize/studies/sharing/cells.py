"""The stages of a study: a parser trained and scored for each cell, pair and seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.model.find import find_model
from specialize.progress import Log
from specialize.recipe.recipe import TaskFiles
from specialize.store import Stage, Store
from specialize.studies.sharing.recipe import Study
from specialize.studies.sharing.sharing import GRID, NOTHING, Sharing
from specialize.studies.sharing.training import Trained, Training, parse, train
from specialize.studies.sharing.treebanks import drawn, test_of
from specialize.tasks._udeval import evaluate_conllu

RESULT = "scores.json"
_SECONDS_PER_SENTENCE, _SECONDS_TO_SCORE = 0.007, 2.0  # of a step; of a language: one thread


@dataclass(frozen=True)
class Cell:
    """What a stage trains: a pair with one sharing, or a language alone."""

    languages: tuple[str, ...]
    sharing: Sharing
    seed: int
    stage: Stage


def cells(study: Study) -> list[Cell]:
    """Return the cells of a study, each language alone (the paper's MONO) first."""
    alone = dict.fromkeys(name for pair in study.pairs for name in pair)
    wanted: list[tuple[tuple[str, ...], Sharing, int]]
    wanted = [((name,), NOTHING, seed) for seed in study.seeds for name in alone]
    wanted += [(p, sharing, seed) for seed in study.seeds for p in study.pairs for sharing in GRID]
    return [Cell(*w, _stage(study, *w)) for w in wanted]


def _stage(study: Study, languages: Sequence[str], sharing: Sharing, seed: int) -> Stage:
    plan = study.training
    each = _SECONDS_PER_SENTENCE * plan.steps * plan.batch + _SECONDS_TO_SCORE
    how = "alone" if len(languages) == 1 else sharing.name
    return Stage(
        "sharing",
        f"{'-'.join(languages)} {how}, seed {seed}",
        write_cell,
        {
            "languages": list(languages),
            "treebanks": [study.treebanks[name] for name in languages],
            "sharing": list(sharing),
            "training": plan,
            "seed": seed,
        }
        | ({"host": find_model(study.host)} if study.host else {}),
        work=each * len(languages),
    )


def write_cell(
    folder: Path,
    *,
    log: Log,
    languages: Sequence[str],
    treebanks: Sequence[TaskFiles],
    sharing: Sequence[str],
    training: Training,
    seed: int,
    host: Path | None = None,
) -> None:
    """Train a parser and write the scores of its languages to ``folder/scores.json``.

    Neither weights nor trees are kept: a study has hundreds of them.
    """
    files = dict(zip(languages, treebanks, strict=True))
    parts = {name: drawn(name, own, training, seed) for name, own in files.items()}
    trained = train(
        {name: own for name, (own, _) in parts.items()},
        {name: dev for name, (_, dev) in parts.items()},
        Sharing(*sharing),  # type: ignore[arg-type]
        training,
        seed=seed,
        folder=folder,
        host=host,
        log=log,
    )
    scores = {name: _score(trained, name, own, folder) for name, own in files.items()}
    facts = {
        "scores": scores,
        "dev": trained.dev,
        "updates": training.steps // training.epochs * training.epochs,
        "parameters": sum(p.numel() for p in trained.parser.once.parameters()),
    }
    atomic.write_json(folder / RESULT, facts)
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def _score(trained: Trained, language: str, files: TaskFiles, folder: Path) -> dict[str, float]:
    """Return the shared task's scores on test, in percent."""
    predicted = folder / "predicted.conllu"
    trees = parse(trained.parser, language, test_of(files))
    trained.parser.task.write(trees, predicted)
    found = evaluate_conllu(files.test, predicted)
    predicted.unlink()
    return {metric.lower(): found[metric].f1 for metric in ("LAS", "UAS", "CLAS")}


def finished(found: Sequence[Cell], store: Store) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Yield the cells that are done, with what `write_cell` wrote."""
    for cell in found:
        if store.done(cell.stage):
            yield cell, atomic.read_json(store.folder(cell.stage) / RESULT)
