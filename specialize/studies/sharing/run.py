"""From recipes of sharing to results: stages run, effects estimated, tables and a page written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

from specialize import atomic
from specialize.errors import UsageError
from specialize.executors import run_all, unique
from specialize.progress import Log, Silent, duration
from specialize.store import Stage, Store
from specialize.studies.running import check_out, made_by, warned
from specialize.studies.sharing.cells import Cell, cells, finished
from specialize.studies.sharing.effects import Scores
from specialize.studies.sharing.recipe import Study, read_study
from specialize.studies.sharing.sharing import Sharing
from specialize.studies.sharing.treebanks import check_treebanks

Facts = dict[str, Any]
_RISING = 1.0  # points of LAS on dev in the last epoch that tell of too few steps


def read_studies(files: Sequence[Path], changes: Sequence[str] = ()) -> list[Study]:
    """Return the studies of recipes, each a table of the results; UsageError for equal titles."""
    studies = [read_study(file, changes) for file in files]
    titles = [study.title for study in studies]
    for study in studies:
        if titles.count(study.title) > 1:
            raise UsageError(f"{study.file}: the title {study.title!r} is another recipe's too")
    return studies


def run(
    studies: Sequence[Study],
    out: Path,
    *,
    command: str = "",
    jobs: int = 1,
    log: Log | None = None,
) -> Facts:
    """Train and score every cell of ``studies`` into ``out``; return what `results.json` holds.

    What is finished in ``out`` for the same inputs is not done again, so an interrupted run
    resumes, and one with one more pair or seed runs only what is new.
    """
    log = log or Silent()
    check_out(out, "sharing")
    store = Store(out)
    cautions = _checked(studies, log)
    found = [cells(study) for study in studies]
    run_all([cell.stage for own in found for cell in own], store, log, jobs=jobs)
    facts: Facts = {
        **made_by(command),
        "studies": [_facts(study, own, store) for study, own in zip(studies, found, strict=True)],
        "inputs": store.inputs(unique([c.stage for own in found for c in own], store)),
    }
    facts["cautions"] = [*cautions, *_cautions(facts["studies"])]
    atomic.write_json(out / "results.json", facts)
    return facts


def plan(studies: Sequence[Study], out: Path) -> str:
    """Return how many cells of each pair and seed are done, and about how long the rest takes."""
    check_out(out, "sharing")
    store, rows = Store(out), []
    missing: dict[str, Stage] = {}
    cautions = _checked(studies, Silent())
    for study in studies:
        groups: dict[str, list[Cell]] = {}
        for cell in cells(study):
            groups.setdefault(f"{'-'.join(cell.languages)}, seed {cell.seed}", []).append(cell)
        width = max(map(len, groups))
        rows += [study.title]
        for name, own in groups.items():
            todo = [cell for cell in own if not store.done(cell.stage)]
            missing |= {store.key(cell.stage): cell.stage for cell in todo}
            seconds = store.seconds(cell.stage for cell in todo)
            left = f", about {duration(seconds)} to go" if todo else ""
            rows += [f"  {name:<{width}}  {len(own) - len(todo)} of {len(own)} done{left}"]
    total = duration(store.seconds(missing.values()))
    rows += ["", f"{len(missing)} parsers to train, about {total} of one process on this machine"]
    return "\n".join([*rows, *(f"warning: {caution}" for caution in cautions)])


def _checked(studies: Sequence[Study], log: Log) -> list[str]:
    """Return the warnings about the treebanks of all studies."""
    log.say("reading the treebanks")
    found = [f"{s.title}: {warning}" for s in studies for warning in check_treebanks(s)]
    return warned(found, log)


def _facts(study: Study, found: Sequence[Cell], store: Store) -> Facts:
    """Return the results of a study: a row for each parser."""
    rows = [
        {
            "languages": list(cell.languages),
            "sharing": None if len(cell.languages) == 1 else list(cell.sharing),
            "seed": cell.seed,
            "seconds": store.record(cell.stage).seconds,
            **result,
        }
        for cell, result in finished(found, store)
    ]
    return {
        "title": study.title,
        "pairs": [list(pair) for pair in study.pairs],
        "seeds": list(study.seeds),
        "training": asdict(study.training),
        "host": study.host,
        "runs": rows,
    }


def scores_of(facts: Mapping[str, Any]) -> Scores:
    """Return the LAS of one of the ``studies`` of `results.json`."""
    alone, shared = {}, {}
    for row in facts["runs"]:
        las = {language: own["las"] for language, own in row["scores"].items()}
        if row["sharing"] is None:
            alone[row["languages"][0], row["seed"]] = las[row["languages"][0]]
        else:
            first, second = row["languages"]
            shared[(first, second), row["seed"], Sharing(*row["sharing"])] = las
    pairs = tuple((first, second) for first, second in facts["pairs"])
    return Scores(facts["title"], pairs, tuple(facts["seeds"]), shared, alone, facts["host"])


def _cautions(studies: Sequence[Facts]) -> list[str]:
    found = []
    for facts in studies:
        if len(facts["seeds"]) < 3 or len(facts["pairs"]) < 3:
            counts = f"pairs: {len(facts['pairs'])}, seeds: {len(facts['seeds'])}"
            found.append(f"{facts['title']}: few runs ({counts}); take three or more of each")
        curves = [row["dev"] for row in facts["runs"] if len(row["dev"]) > 2]
        rise = mean(c[-1] - c[-2] for c in curves) if curves else 0.0
        if rise > _RISING:
            found.append(
                f"{facts['title']}: LAS on dev still rose by {rise:.1f} points in the last of "
                f"{facts['training']['epochs']} epochs; raise training.steps"
            )
    if len({tuple(facts["training"].items()) for facts in studies}) > 1:
        found.append("the recipes train differently: do not compare their figures")
    return found
