"""From a recipe to a result directory: the straight line, arm by arm."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import tomli_w

from specialize import atomic
from specialize.arm import ArmRun, Facts, Say, TaskData
from specialize.corpus import Corpus, open_corpus
from specialize.environment import machine_facts
from specialize.errors import DataError, UsageError
from specialize.model.find import find_model
from specialize.recipe.read import Arm, Recipe, TaskFiles, build
from specialize.reports.run import write_report
from specialize.train.finetune import Data, Finetune
from specialize.train.lapt import Lapt


def specialize(recipe: Recipe, out: Path, *, command: str = "", say: Say = print) -> Facts:
    """Run every arm of ``recipe`` into ``out`` and return the facts of its report.

    The last arm is the result: its model, vocabulary and heads lie in ``out`` itself, those of the
    others in ``out/arms``. What is done already in ``out`` is not done again, so a run that was
    interrupted goes on; a folder that holds another recipe's run is refused.
    """
    folder = find_model(recipe.base)
    build(Lapt, recipe.table.get("lapt", {}), "lapt")  # checked even if no arm uses them
    build(Finetune, recipe.table.get("finetune", {}), "finetune")
    plans = {arm.name: _plans(arm) for arm in recipe.arms}
    tasks = [_read(files) for files in recipe.tasks]
    corpus = open_corpus(recipe.corpus)
    if not any(True for _ in corpus.dev()):
        raise DataError(
            f"{recipe.corpus.files[0]}:1: no document of the corpus is held out; "
            "raise corpus.dev or give more text"
        )
    _check_claim(recipe, out)
    facts = _frame(recipe, corpus, command, say)
    runs = []
    for arm in recipe.arms:
        where = out if arm is recipe.arms[-1] else out / "arms" / arm.name
        runs.append(ArmRun(recipe, arm, folder, corpus, tasks, where, say, *plans[arm.name]))
    for run in runs:  # every vocabulary first: a fault in the last arm is found in minutes
        run.plan()
    atomic.write_text(out / "recipe.toml", tomli_w.dumps(recipe.table))
    facts["arms"] = [run.facts() for run in runs]
    facts["cautions"] = _cautions(recipe, tasks, facts)
    write_report(facts, out)
    atomic.write_json(out / "scores.json", {a["name"]: a["scores"] for a in facts["arms"]})
    atomic.write_json(out / "provenance.json", _provenance(recipe, folder, facts))
    return facts


def _plans(arm: Arm) -> tuple[Lapt | None, Finetune]:
    plan = None if arm.lapt is None else build(Lapt, arm.lapt, f"arm.{arm.name}.lapt")
    return plan, build(Finetune, arm.finetune, f"arm.{arm.name}.finetune")


def _read(files: TaskFiles) -> TaskData:
    task = files.choice()()
    parts = [task.read(path) for path in (files.train, files.dev, files.test)]
    return TaskData(files.choice.method, task, Data(*parts))


def _check_claim(recipe: Recipe, out: Path) -> None:
    """Raise UsageError if ``out`` holds the run of another recipe, or anything else."""
    file = out / "recipe.toml"
    if file.exists():
        if file.read_text("utf-8") != tomli_w.dumps(recipe.table):
            raise UsageError(f"{out} holds the run of another recipe; name another --out")
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; name another --out")


def _frame(recipe: Recipe, corpus: Corpus, command: str, say: Say) -> Facts:
    counted = corpus.facts()
    say(
        f"corpus: {counted.documents:,} documents, {counted.lines:,} lines, "
        f"{counted.bytes / 1e6:.1f} MB; {counted.removed_lines + counted.removed_sentences} "
        "evaluation sentences removed"
    )
    return {
        "title": recipe.title,
        "language": recipe.language,
        "base": recipe.base,
        "synthetic": recipe.note != "",
        "note": recipe.note,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine_facts(),
        "result": recipe.arms[-1].name,
        "corpus": {
            "documents": counted.documents,
            "lines": counted.lines,
            "bytes": counted.bytes,
            "removed": counted.removed_lines + counted.removed_sentences,
            "files": [Path(f).name for f in recipe.corpus.files],
        },
    }


def _cautions(recipe: Recipe, tasks: list[TaskData], facts: Facts) -> list[str]:
    said = [
        f"{t.name}: only {len(t.data.test)} test sentences; such scores move by several points."
        for t in tasks
        if len(t.data.test) < 200
    ]
    for t in tasks:
        train = {sentence.words for sentence in t.data.train}
        twice = sum(sentence.words in train for sentence in t.data.test)
        if twice > 0.02 * len(t.data.test):
            said.append(
                f"{t.name}: {twice} of {len(t.data.test)} test sentences stand in train too."
            )
        unseen = t.task.check(t.data.test, t.task.labels([*t.data.train, *t.data.dev]))
        if unseen:
            said.append(f"{t.name}: {unseen} test words carry labels that train and dev lack.")
    if tasks and len(recipe.seeds) < 3:
        said.append(f"{len(recipe.seeds)} seed: no deviation can be told.")
    before = next(iter(facts["arms"][-1]["audit"].values()))["before"]
    if before["unknown_pieces"] < 0.01 * before["pieces"]:
        said.append("The base knows nearly all of this text: added pieces have little to mend.")
    return said


def _provenance(recipe: Recipe, base: Path, facts: Facts) -> Facts:
    files = [*recipe.corpus.files]
    files += [str(f) for t in recipe.tasks for f in (t.train, t.dev, t.test)]
    files += [
        str(f) for f in sorted(base.glob("*")) if f.suffix in {".json", ".txt", ".safetensors"}
    ]
    return {
        "command": facts["command"],
        "date": facts["date"],
        "machine": facts["machine"],
        "seeds": list(recipe.seeds),
        "vocabularies": {a["name"]: a["vocabulary_sha256"] for a in facts["arms"]},
        "inputs": {f: _sha256_of(Path(f)) for f in files if Path(f).is_file()},
    }


def _sha256_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
