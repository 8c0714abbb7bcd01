"""The recipe as values: what a run does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from specialize.corpus import CorpusFiles
from specialize.recipe.methods import Choice, plain
from specialize.recipe.table import Table, keys_of

PARTS = ("train", "dev", "test")


@dataclass(frozen=True)
class TaskFiles:
    """A task under the name of its table, its method and its data.

    Without ``train`` or ``dev``, the other is split into both.
    """

    name: str
    choice: Choice
    train: Path | None
    dev: Path | None
    test: Path
    folds: int = 0  # dev of a seed is the fold seed mod folds; 0: one split for all seeds

    @property
    def files(self) -> dict[str, Path]:
        """Return the files by the names of the parts; one of train and dev may be missing."""
        given = {part: getattr(self, part) for part in PARTS}
        return {part: path for part, path in given.items() if path}

    @property
    def whole(self) -> str:
        """Return the part that is split into train and dev, "" if both have files."""
        return "" if self.train and self.dev else ("train" if self.train else "dev")

    @property
    def dev_file(self) -> Path:
        """Return the file that holds the dev sentences."""
        return self.files["dev" if self.dev else "train"]

    @property
    def train_source(self) -> tuple[Path, bool, int]:
        """Return what is equal for tasks with the same training sentences, seed by seed."""
        return self.files["train" if self.train else "dev"], bool(self.whole), self.folds

    def key_parts(self) -> list[Choice | Path | int | None]:
        """Return what a fine-tuned model depends on: not the name."""
        folds = [self.folds] if self.folds else []
        return [self.choice, self.train, self.dev, self.test, *folds]


@dataclass(frozen=True)
class Arm:
    """One way from base to fine-tuned models.

    ``lapt``, ``finetune`` and ``multitask`` are checked tables, the last with all its keys.
    """

    name: str
    base: str
    mixin: tuple[Choice, ...]
    augment: Choice
    embed: Choice
    modules: Choice | None  # what trains in place of the model, if not that itself
    lapt: Mapping[str, Any] | None  # None: no LAPT
    finetune: Mapping[str, Any]
    multitask: Mapping[str, Any] | None  # None: each task alone
    tasks: tuple[str, ...]  # names of the tasks to fine-tune
    seeds: tuple[int, ...]

    def work(self) -> tuple[Any, ...]:
        """Return what the arm does, equal for arms that differ in name or unused settings only."""
        changes = self.augment.method != "none"
        lapt = None if self.lapt is None else dict(self.lapt)
        if lapt and not changes:
            lapt.pop("fresh_rate", None)
        embed = self.embed if changes else None
        tuned = self.finetune, self.modules, self.multitask, self.tasks, self.seeds
        return self.base, self.mixin, self.augment, embed, lapt, *tuned


@dataclass(frozen=True)
class Recipe:
    """A run: a base, one language, the arms to compare, one of which is the result."""

    title: str
    note: str
    base: str
    language: str
    seeds: tuple[int, ...]
    corpus: CorpusFiles | None
    tasks: tuple[TaskFiles, ...]
    arms: tuple[Arm, ...]
    result: str  # the name of an arm
    same: Mapping[str, str]  # points of axes without an arm of their own -> the equal arm
    table: Table  # the same as TOML: every arm complete, all files with their full paths


def table_of(recipe: Recipe) -> Table:
    """Return the recipe as the table that reads as it again, from any folder."""
    table = {name: getattr(recipe, name) for name in ("title", "note", "base", "language")}
    table |= {"seeds": list(recipe.seeds), "result": recipe.result}
    if recipe.corpus:
        corpus = {f.name: getattr(recipe.corpus, f.name) for f in fields(recipe.corpus)}
        known = keys_of(CorpusFiles)
        table["corpus"] = {n: plain(v) for n, v in corpus.items() if v != known[n].default}
    table["task"] = {
        task.name: {"method": task.choice.method}
        | {part: str(path) for part, path in task.files.items()}
        | ({"folds": task.folds} if task.folds else {})
        | dict(task.choice.options)
        for task in recipe.tasks
    }
    table["arm"] = {
        arm.name: ({"base": arm.base} if arm.base != recipe.base else {}) | _arm_table(arm)
        for arm in recipe.arms
    }
    return table


def _arm_table(arm: Arm) -> Table:
    modules = {} if arm.modules is None else {"modules": plain(arm.modules)}
    together = {} if arm.multitask is None else {"multitask": plain(arm.multitask)}
    return {
        "mixin": [plain(choice) for choice in arm.mixin],
        "augment": plain(arm.augment),
        "embed": plain(arm.embed),
        **modules,
        "lapt": False if arm.lapt is None else plain(arm.lapt),
        "finetune": plain(arm.finetune),
        **together,
        "tasks": list(arm.tasks),
        "seeds": list(arm.seeds),
    }
