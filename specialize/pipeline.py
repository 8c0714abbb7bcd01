"""From a recipe to a result directory: the straight line, arm by arm."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomli_w

from specialize import folders
from specialize.corpus import Corpus, open_corpus
from specialize.errors import DataError, UsageError
from specialize.machine import machine_facts
from specialize.model.find import find_model
from specialize.recipe import Arm, Recipe, TaskFiles, build
from specialize.report import write_report
from specialize.specialization import chain, save_head
from specialize.tasks._base import Task
from specialize.train.finetune import Data, Finetune, finetune
from specialize.train.lapt import Lapt, lapt
from specialize.train.loop import Epoch, finish
from specialize.vocab.audit import audit
from specialize.vocab.base import VocabChange
from specialize.vocab.coverage import coverage, explain, write_pieces
from specialize.vocab.pretokenize import count_words

Say = Callable[[str], None]
Facts = dict[str, Any]


@dataclass(frozen=True)
class TaskData:
    """A task of the recipe with its data read."""

    name: str
    task: Task[Any]
    data: Data


def specialize(recipe: Recipe, out: Path, *, command: str = "", say: Say = print) -> Facts:
    """Run every arm of ``recipe`` into ``out`` and return the facts of its report.

    The last arm is the result: its model, vocabulary and heads lie in ``out`` itself, those of the
    others in ``out/arms``. What is done already in ``out`` is not done again, so a run that was
    interrupted goes on; a folder that holds another recipe's run is refused.
    """
    folder = find_model(recipe.base)
    plans = {arm.name: _plans(arm) for arm in recipe.arms}
    tasks = [_read(files) for files in recipe.tasks]
    corpus = open_corpus(recipe.corpus)
    _claim(recipe, out)
    facts = _frame(recipe, corpus, out, command, say)
    for arm in recipe.arms:
        where = out if arm is recipe.arms[-1] else out / "arms" / arm.name
        run = _ArmRun(recipe, arm, folder, corpus, tasks, where, say, *plans[arm.name])
        facts["arms"].append(run.facts())
    facts["cautions"] = _cautions(recipe, tasks, facts)
    write_report(facts, out)
    folders.write_json(out / "scores.json", {a["name"]: a["scores"] for a in facts["arms"]})
    folders.write_json(out / "provenance.json", _provenance(recipe, folder, facts))
    return facts


def mixed(corpus: Corpus, arm: Arm) -> Corpus:
    """Return ``corpus`` through the arm's mix-ins."""
    return corpus.mixed(*(choice() for choice in arm.mixin))


class _ArmRun:
    """One arm in its folder: each stage is skipped where its output lies there already."""

    def __init__(
        self,
        recipe: Recipe,
        arm: Arm,
        base: Path,
        corpus: Corpus,
        tasks: list[TaskData],
        out: Path,
        say: Say,
        lapt_plan: Lapt | None,
        finetune_plan: Finetune,
    ) -> None:
        self.recipe, self.arm, self.base, self.tasks, self.out = recipe, arm, base, tasks, out
        self.corpus = mixed(corpus, arm)
        self.lapt_plan, self.finetune_plan = lapt_plan, finetune_plan
        self.say = lambda text: say(f"[{arm.name}] {text}")

    def facts(self) -> Facts:
        """Run what is missing and return the arm's part of the report."""
        done = self.out / "arm.json"
        if not done.exists():
            self._specialize_model()
            facts = folders.read_json(self.out / "model.json")
            scored = {t.name: self._score(t) for t in self.tasks}
            facts["scores"] = {name: scores for name, (scores, _) in scored.items()}
            facts["seconds"] |= {name: seconds for name, (_, seconds) in scored.items()}
            folders.write_json(done, facts)
        return folders.read_json(done)

    def _specialize_model(self) -> None:
        """Make ``model/``, ``vocab/`` and ``model.json`` from the base."""
        if (self.out / "model.json").exists():
            return
        from specialize.model.load import load_base, save_model
        from specialize.train.optim import device

        began = time.monotonic()
        base = load_base(self.base)
        change: VocabChange = self.arm.augment()(base.vocabulary, self.corpus.train())
        self.say(f"{len(change.fresh)} pieces added to {len(change.old.pieces):,}")
        facts = self._vocabulary_facts(change)
        self._install(base.model, change)
        seconds = {"vocabulary": time.monotonic() - began}
        base.model.to(device())
        began = time.monotonic()
        history = self._lapt(base.model, change)
        if history:
            seconds["lapt"] = time.monotonic() - began
        with folders.whole_folder(self.out / "model") as folder:
            save_model(base.model, change.new, folder, source=self.base)
        facts |= {"losses": [_loss(epoch) for epoch in history], "seconds": seconds}
        if history:
            facts["best_epoch"] = min(history, key=lambda e: e.score).epoch
        folders.write_json(self.out / "model.json", facts)
        finish(self._checkpoint("lapt"))
        finish(self._checkpoint("lapt").with_suffix(".npy"))

    def _install(self, model: Any, change: VocabChange) -> None:
        from specialize.model.install import install, prove_installed, snapshot

        if not change.fresh:
            return
        before = snapshot(model)
        table = model.get_input_embeddings().weight.detach()
        rows = self.arm.embed()(table, change, self.corpus.train(), seed=self.recipe.seeds[0])
        install(model, change, rows)
        prove_installed(model, change, before, self.base)

    def _vocabulary_facts(self, change: VocabChange) -> Facts:
        words = count_words(self.corpus.train(), change.old.rules)
        pieces = [asdict(piece) for piece in explain(change, words)]
        texts: dict[str, Iterable[str]] = {"corpus (held out)": self.corpus.dev()}
        mix = self._mix()
        for t in self.tasks:
            texts[f"{t.name} dev"] = [" ".join(map(mix, s.words)) for s in t.data.dev]
        audits = {
            name: {
                "before": audit(change.old, text).to_json(),
                "after": audit(change.new, text).to_json(),
            }
            for name, text in texts.items()
        }
        write_pieces(pieces, self.out / "vocab")
        return {
            "name": self.arm.name,
            "mixin": [str(m) for m in self.arm.mixin],
            "augment": str(self.arm.augment),
            "embed": str(self.arm.embed) if change.fresh else "",
            "fresh_rate": self.lapt_plan.fresh_rate if self.lapt_plan and change.fresh else 1.0,
            "pieces_added": len(change.fresh),
            "vocabulary_sha256": _sha256("\n".join(change.new.pieces).encode()),
            "audit": audits,
            "pieces": pieces,
            "coverage": coverage(change, words) if change.fresh else [],
        }

    def _lapt(self, model: Any, change: VocabChange) -> list[Epoch]:
        if self.lapt_plan is None:
            return []
        return lapt(
            model,
            change,
            self.corpus,
            self.lapt_plan,
            seed=self.recipe.seeds[0],
            checkpoint=self._checkpoint("lapt"),
            on_epoch=lambda e: self.say(f"LAPT epoch {e.epoch}: {e.score:.4f} bits/byte"),
        )

    def _score(self, t: TaskData) -> tuple[Facts, float]:
        """Fine-tune for every seed; return scores over seeds and the seconds it took."""
        runs = [self._finetune(t, seed) for seed in self.recipe.seeds]
        best = max(runs, key=lambda run: run["dev"][t.task.metric])
        self._keep_head(t, best["seed"])
        scores = {
            "metric": t.task.metric,
            "seeds": list(self.recipe.seeds),
            "dev": [run["dev"] for run in runs],
            "test": [run["test"] for run in runs],
            "best_seed": best["seed"],
        }
        return scores, sum(run["seconds"] for run in runs)

    def _finetune(self, t: TaskData, seed: int) -> Facts:
        done = self.out / "checkpoints" / f"{t.name}-{seed}.json"
        if done.exists():
            return folders.read_json(done)
        from specialize.model.load import load_base
        from specialize.train.optim import device

        base = load_base(self.out / "model")
        began = time.monotonic()
        found = finetune(
            base.model.to(device()),
            self._words(base.vocabulary),
            t.task,
            t.data,
            self.finetune_plan,
            seed=seed,
            checkpoint=self._checkpoint(f"{t.name}-{seed}"),
        )
        scored = found.test[t.task.metric]
        self.say(f"{t.name} seed {seed}: {t.task.metric} {scored:.2f} on test")
        choice, test = next(
            (f.choice, f.test) for f in self.recipe.tasks if f.choice.method == t.name
        )
        suffix = next(s for s in reversed(test.suffixes) if s not in {".xz", ".gz"})
        with folders.whole_file(self.out / "predictions" / f"{t.name}-{seed}{suffix}") as file:
            t.task.write(found.predicted, file)
        described = {
            "task": t.name,
            "options": dict(choice.options),
            "labels": found.labels,
            "mixin": [[m.method, dict(m.options)] for m in self.arm.mixin],
            "length": self.finetune_plan.length,
            "seed": seed,
        }
        save_head(found.module, described, self.out / "checkpoints" / f"{t.name}-{seed}-head")
        facts = {
            "seed": seed,
            "seconds": time.monotonic() - began,
            "epochs": len(found.history) - 1,
            "dev": found.dev,
            "test": found.test,
        }
        folders.write_json(done, facts)
        finish(self._checkpoint(f"{t.name}-{seed}"))
        return facts

    def _words(self, vocabulary: Any) -> Any:
        from specialize.model.words import WordEncoder

        return WordEncoder(vocabulary, length=self.finetune_plan.length, mix=self._mix())

    def _mix(self) -> Callable[[str], str]:
        return chain([choice() for choice in self.arm.mixin])

    def _keep_head(self, t: TaskData, seed: int) -> None:
        """Move the best seed's head to ``heads/`` and drop the others'."""
        for other in self.recipe.seeds:
            head = self.out / "checkpoints" / f"{t.name}-{other}-head"
            if not head.exists():
                continue
            if other == seed:
                with folders.whole_folder(self.out / "heads" / t.name) as folder:
                    for file in head.iterdir():
                        file.replace(folder / file.name)
            folders.remove(head)

    def _checkpoint(self, stage: str) -> Path:
        return self.out / "checkpoints" / f"{stage}.pt"


def _plans(arm: Arm) -> tuple[Lapt | None, Finetune]:
    plan = None if arm.lapt is None else build(Lapt, arm.lapt, f"arm.{arm.name}.lapt")
    return plan, build(Finetune, arm.finetune, f"arm.{arm.name}.finetune")


def _read(files: TaskFiles) -> TaskData:
    task = files.choice()()
    parts = [task.read(path) for path in (files.train, files.dev, files.test)]
    return TaskData(files.choice.method, task, Data(*parts))


def _claim(recipe: Recipe, out: Path) -> None:
    """Take ``out`` for this recipe; UsageError if it holds a run of another."""
    text = tomli_w.dumps(recipe.table)
    file = out / "recipe.toml"
    if file.exists():
        if file.read_text("utf-8") != text:
            raise UsageError(f"{out} holds the run of another recipe; name another --out")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; name another --out")
    folders.write_text(file, text)


def _frame(recipe: Recipe, corpus: Corpus, out: Path, command: str, say: Say) -> Facts:
    counted = corpus.facts()
    say(
        f"corpus: {counted.documents:,} documents, {counted.lines:,} lines, "
        f"{counted.bytes / 1e6:.1f} MB; {counted.removed_lines + counted.removed_sentences} "
        "evaluation sentences removed"
    )
    if not any(True for _ in corpus.dev()):
        raise DataError("the corpus has no held-out documents; raise corpus.dev or give more text")
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
        "arms": [],
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
        "inputs": {f: _sha256(Path(f).read_bytes()) for f in files if Path(f).is_file()},
    }


def _loss(epoch: Epoch) -> Mapping[str, Any]:
    train = None if epoch.train_loss != epoch.train_loss else epoch.train_loss
    return {
        "epoch": epoch.epoch,
        "steps": epoch.epoch * epoch.steps,
        "train_nats": train,
        "bits_per_byte": epoch.score,
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
