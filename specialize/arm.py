"""One arm of a run: vocabulary, model, fine-tuned heads, each stage resumed where it stood."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.corpus import Corpus
from specialize.corpus.files import plain_name
from specialize.recipe.read import Arm, Recipe
from specialize.specialization import chain, save_head
from specialize.tasks._base import Task
from specialize.train.finetune import Data, Finetune, finetune
from specialize.train.lapt import Lapt, lapt
from specialize.train.loop import Epoch, finish
from specialize.vocab.audit.audit import audit
from specialize.vocab.audit.coverage import coverage, explain, write_pieces
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import count_words
from specialize.vocab.wordpiece.model import WordPiece

Say = Callable[[str], None]
Facts = dict[str, Any]


@dataclass(frozen=True)
class TaskData:
    """A task of the recipe with its data read."""

    name: str
    task: Task[Any]
    data: Data


class ArmRun:
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
        self.corpus = corpus.mixed(*(choice() for choice in arm.mixin))
        self.lapt_plan, self.finetune_plan = lapt_plan, finetune_plan
        self.say = lambda text: say(f"[{arm.name}] {text}")

    def plan(self) -> None:
        """Change the vocabulary and initialise its fresh rows; nothing is written."""
        if (self.out / "model.json").exists():
            return
        from specialize.model.load import load_base

        began = time.monotonic()
        base = load_base(self.base)
        text = self.corpus.train()
        self.change: VocabChange[WordPiece] = self.arm.augment()(base.vocabulary, text)
        change = self.change
        said = f"{len(change.fresh)} pieces added to {len(change.old.pieces):,}"
        dropped = (
            "" if change.extends else f", {len(change.old.pieces) - len(change.kept):,} dropped"
        )
        self.say(said + dropped)
        table = base.model.get_input_embeddings().weight.detach()
        seed = self.arm.embed.options.get("seed", self.recipe.seeds[0])
        self.rows = self.arm.embed()(table, self.change, text, seed=seed)
        self.seconds = {"vocabulary": time.monotonic() - began}

    def facts(self) -> Facts:
        """Run what is missing and return the arm's part of the report."""
        done = self.out / "arm.json"
        if not done.exists():
            self._specialize_model()
            facts = atomic.read_json(self.out / "model.json")
            scored = {t.name: self._score(t) for t in self.tasks}
            facts["scores"] = {name: scores for name, (scores, _) in scored.items()}
            facts["seconds"] |= {name: seconds for name, (_, seconds) in scored.items()}
            atomic.write_json(done, facts)
        return atomic.read_json(done)

    def _specialize_model(self) -> None:
        """Make ``model/``, ``vocab/`` and ``model.json`` from the base."""
        if (self.out / "model.json").exists():
            return
        from specialize.model.install import install, prove_installed, snapshot
        from specialize.model.load import load_base, save_model
        from specialize.train.optim import device

        base, change, seconds = load_base(self.base), self.change, self.seconds
        facts = self._vocabulary_facts(change)
        if change.new is not change.old:
            before = snapshot(base.model)
            install(base.model, change, self.rows)
            prove_installed(base.model, change, before, self.base)
        base.model.to(device())
        began = time.monotonic()
        history = self._lapt(base.model, change)
        if history:
            seconds["lapt"] = time.monotonic() - began
        with atomic.whole_folder(self.out / "model") as folder:
            save_model(base.model, change.new, folder, source=self.base)
        facts |= {"losses": [_loss(epoch) for epoch in history], "seconds": seconds}
        if history:
            facts["best_epoch"] = min(history, key=lambda e: e.score).epoch
        atomic.write_json(self.out / "model.json", facts)
        finish(self._checkpoint("lapt"))
        finish(self._checkpoint("lapt").with_suffix(".npy"))

    def _vocabulary_facts(self, change: VocabChange[WordPiece]) -> Facts:
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
            "vocabulary_sha256": hashlib.sha256("\n".join(change.new.pieces).encode()).hexdigest(),
            "audit": audits,
            "pieces": pieces,
            "coverage": coverage(change, words) if change.fresh and change.extends else [],
        }

    def _lapt(self, model: Any, change: VocabChange[WordPiece]) -> list[Epoch]:
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
            return atomic.read_json(done)
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
        suffix = Path(plain_name(test)).suffix
        with atomic.whole_file(self.out / "predictions" / f"{t.name}-{seed}{suffix}") as file:
            t.task.write(found.predicted, file)
        described = {
            "task": t.name,
            "options": dict(choice.options),
            "labels": found.labels,
            "mixin": [[m.method, dict(m.options)] for m in self.arm.mixin],
            "length": self.finetune_plan.length,
            "precision": found.module.precision,
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
        atomic.write_json(done, facts)
        finish(self._checkpoint(f"{t.name}-{seed}"))
        return facts

    def _words(self, vocabulary: Any) -> Any:
        from specialize.model.word_model import WordEncoder

        return WordEncoder(vocabulary, length=self.finetune_plan.length, mix=self._mix())

    def _mix(self) -> Callable[[str], str]:
        return chain([choice() for choice in self.arm.mixin])

    def _keep_head(self, t: TaskData, seed: int) -> None:
        """Move the best seed's head to ``heads/`` and drop the others'."""
        for other in self.recipe.seeds:
            head = self.out / "checkpoints" / f"{t.name}-{other}-head"
            if other == seed and head.exists():
                kept = self.out / "heads" / t.name
                kept.parent.mkdir(exist_ok=True)
                atomic.remove(kept)
                head.replace(kept)
            atomic.remove(head)

    def _checkpoint(self, stage: str) -> Path:
        return self.out / "checkpoints" / f"{stage}.pt"


def _loss(epoch: Epoch) -> Mapping[str, Any]:
    train = None if epoch.train_loss != epoch.train_loss else epoch.train_loss
    return {
        "epoch": epoch.epoch,
        "steps": epoch.epoch * epoch.steps,
        "train_nats": train,
        "bits_per_byte": epoch.score,
    }
