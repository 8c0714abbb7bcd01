"""The recipe of a study of transfer and interference, checked whole before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from specialize.errors import UsageError
from specialize.recipe.files import check_files
from specialize.recipe.folders import find_parts
from specialize.recipe.keys import Options
from specialize.recipe.methods import Choice
from specialize.recipe.table import (
    Key,
    build,
    check_left_out,
    check_names,
    convert,
    shown,
)
from specialize.recipe.toml import located, read_table
from specialize.train.optim import at_least

T = TypeVar("T")
Tables = Mapping[str, Options | Literal[False]]  # false: as if the table were not there
Texts = Mapping[str, tuple[str, ...] | Literal[False]]

_CHOICES = {"pos": Choice("task", "pos", {"column": "upos"}), "dep": Choice("task", "dep", {})}


@dataclass(frozen=True)
class TransferKeys:
    """The keys of the recipe.

    Files are relative to the recipe; `$VARIABLES` and `~` are expanded. A treebank and a transfer
    language of the same name are of one language.
    """

    base: str  # the model: "mini", a folder, or a model of the Hugging Face hub
    transfer: Texts  # [transfer]: files of text, by language
    treebank: Tables  # [treebank.NAME]
    train: tuple[str, ...]  # the treebanks on which the task adapters are trained, once
    targets: tuple[str, ...]  # the treebanks to score
    seen: tuple[str, ...] = ()  # the languages on which the base was trained
    tasks: tuple[str, ...] = ("pos", "dep")  # "pos": UPOS; "dep": LAS
    title: str = ""  # heading of the page; default: the recipe's file name
    note: str = ""  # a caveat shown under the heading
    steps: tuple[int, ...] = (1, 10, 100)  # steps after which to score; 0 is always scored too
    repeats: int = 5  # with other orders of the text; the paper's n, 10 there
    seed: int = 1  # of adapters, samples of text, and orders
    sentences: int = 100  # test sentences of each target, drawn once; 0: all
    least: float = 0.0  # targets that the base scores lower, in percent, count nowhere
    mlm: Options = field(default_factory=dict)  # the table [mlm]
    adapter: Options = field(default_factory=dict)  # the table [adapter]
    interference: Options = field(default_factory=dict)  # the table [interference]


@dataclass(frozen=True)
class TreebankKeys:
    """The files of a treebank in CoNLL-U.

    One to train on needs train or dev, of which every fifth sentence is dev if the other is
    missing; a target needs test.
    """

    train: str = ""  # to train task adapters on
    dev: str = ""  # to measure them
    test: str = ""  # to score
    folder: str = ""  # where files not named are, by UD's names
    tasks: tuple[str, ...] = ()  # what it is annotated with; default: the recipe's tasks


@dataclass(frozen=True)
class Mlm:
    """The steps on text of a transfer language; defaults of the paper where it states them."""

    batch: int = 8  # sequences of a step
    length: int = 128  # pieces of a sequence; the paper has 512
    rate: float = 5e-5  # learning rate, constant: one trajectory serves all numbers of steps
    mask: float = 0.15  # share of the pieces to predict
    lines: int = 3000  # of each language's text, a sample; 0: all

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("mlm", self, {"batch": 1, "length": 3, "rate": 0, "lines": 0})
        if not 0 < self.mask <= 1:
            raise UsageError(f"expected mlm.mask above 0 and at most 1, got {self.mask}")


@dataclass(frozen=True)
class AdapterPlan:
    """How a task adapter is trained: on all its treebanks together, the base frozen."""

    epochs: int = 5  # passes over the sentences
    batch: int = 32  # sentences of a step; the paper has 36
    rate: float = 5e-4  # learning rate of the adapter, its head and the scalar mix of layers
    reduction: int = 16  # the adapter's width is that of the model divided by this
    sentences: int = 500  # of each treebank, the first; 0: all
    length: int = 256  # pieces at once

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        least = {"epochs": 1, "batch": 1, "rate": 0, "reduction": 1, "sentences": 0, "length": 3}
        at_least("adapter", self, least)


@dataclass(frozen=True)
class InterferencePlan:
    """Language adapters and their fusions, which only ``study interference`` trains."""

    steps: int = 300  # of a language adapter; the paper has three epochs
    rate: float = 5e-4  # learning rate of adapters and fusions
    reduction: int = 16  # as in [adapter]
    fusion_steps: int = 50  # of each trained fusion, on text of its members in turn
    sizes: tuple[int, ...] = (2, 3)  # languages of a combination: pairs, triples

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("interference", self, {"steps": 1, "rate": 0, "reduction": 1, "fusion_steps": 1})
        if not set(self.sizes) <= {2, 3} or not self.sizes:
            raise UsageError(f"expected interference.sizes of 2 and 3, got {shown(self.sizes)}")


@dataclass(frozen=True)
class Treebank:
    """The files of a treebank by part, and the tasks it is used for."""

    name: str
    files: Mapping[str, Path]
    tasks: tuple[str, ...]

    def key_parts(self) -> Mapping[str, Any]:
        """Return what results depend on: scores are stored by name."""
        return {"name": self.name, **self.files}


@dataclass(frozen=True)
class Study:
    """A recipe as values."""

    title: str
    note: str
    base: str
    transfer: Mapping[str, tuple[Path, ...]]
    train: tuple[Treebank, ...]
    targets: tuple[Treebank, ...]
    seen: tuple[str, ...]
    tasks: tuple[str, ...]
    steps: tuple[int, ...]
    repeats: int
    seed: int
    sentences: int
    least: float
    mlm: Mlm
    adapter: AdapterPlan
    interference: InterferencePlan

    def of_task(self, task: str) -> tuple[list[Treebank], list[Treebank]]:
        """Return the treebanks to train the task's adapter on, and its targets."""
        train, targets = ([t for t in part if task in t.tasks] for part in self._parts())
        return train, targets

    def _parts(self) -> Iterable[Sequence[Treebank]]:
        return self.train, self.targets


def choice_of(task: str) -> Choice:
    """Return the method of a task with the options of the study."""
    return _CHOICES[task]


def read_study(path: Path, changes: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file with ``changes`` (``"mlm.rate=1e-4"``) on top.

    UsageError for anything unknown, with the known names; MissingError for missing files.
    """
    with located(path, changes):
        table = read_table(path, changes, command="study transfer")
        check_left_out(table, read_table(path), ("transfer", "treebank"))
        keys = build(TransferKeys, table, "")
        check_names(keys.tasks, _CHOICES, "tasks", what="tasks", kind="task")
        transfer = {
            name: files_of("transfer", name, files, path.parent)
            for name, files in without_false(keys.transfer).items()
        }
        tables = without_false(keys.treebank)
        banks = {name: _treebank(name, own, keys, path) for name, own in tables.items()}
        off = keys.treebank.keys() - tables.keys()
        study = Study(
            keys.title or path.stem,
            keys.note,
            keys.base,
            transfer,
            _chosen("train", [name for name in keys.train if name not in off], banks),
            _chosen("targets", [name for name in keys.targets if name not in off], banks),
            keys.seen,
            keys.tasks,
            tuple(sorted({*keys.steps} - {0})),
            keys.repeats,
            keys.seed,
            keys.sentences,
            keys.least,
            build(Mlm, keys.mlm, "mlm"),
            build(AdapterPlan, keys.adapter, "adapter"),
            build(InterferencePlan, keys.interference, "interference"),
        )
        _check(study)
        return study


def _check(study: Study) -> None:
    at_least("", study, {"repeats": 1, "sentences": 0, "least": 0})
    if study.least > 100:
        raise UsageError(f"expected least of at most 100 percent, got {study.least}", key="least")
    if not study.transfer:
        raise UsageError('transfer is empty; name text: ug = ["ug.txt"]', key="transfer")
    if not study.tasks or len(set(study.tasks)) < len(study.tasks):
        message = f"tasks = {shown(study.tasks)}: expected one or more, each different"
        raise UsageError(message, key="tasks")
    if not study.steps or study.steps[0] < 0:
        message = f"steps = {shown(study.steps)}: expected one number or more above 0"
        raise UsageError(message, key="steps")
    for task in study.tasks:
        train, targets = study.of_task(task)
        if not train:
            raise UsageError(
                f"no treebank of train has the task {task!r}, so there is no adapter for it",
                key="train",
            )
        if not targets:
            raise UsageError(f"no target has the task {task!r}", key="targets")


def _treebank(name: str, table: Any, keys: TransferKeys, path: Path) -> Treebank:
    where = f"treebank.{named(name, 'treebank')}"
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} = {shown(table)}: expected a table", key=where)
    own = build(TreebankKeys, table, where)
    for task in own.tasks:
        if task not in keys.tasks:
            raise UsageError(
                f"{where}.tasks has {task!r}, for which there is no task adapter; tasks has: "
                f"{', '.join(keys.tasks)}",
                key=f"{where}.tasks",
            )
    given = {part: getattr(own, part) for part in ("train", "dev", "test")}
    file = Key(Path)
    files = {
        part: convert(value, file, f"{where}.{part}", folder=path.parent)
        for part, value in given.items()
        if value
    }
    if own.folder:
        place = convert(own.folder, file, f"{where}.folder", folder=path.parent)
        files = find_parts(place, "CoNLL-U", f"{where}.folder") | files
    return Treebank(name, files, own.tasks or keys.tasks)


def _chosen(key: str, names: Sequence[str], banks: Mapping[str, Treebank]) -> tuple[Treebank, ...]:
    check_names(names, banks, key, what=key, kind="treebank")
    if not names or len(set(names)) < len(names):
        message = f"{key} = {shown(names)}: expected one treebank or more, each different"
        raise UsageError(message, key=key)
    wanted = ("train", "dev") if key == "train" else ("test",)
    for name in names:
        if not set(wanted) & set(banks[name].files):
            raise UsageError(
                f"treebank.{name} is in {key}, but has no {' or '.join(wanted)} file",
                key=f"treebank.{name}",
            )
    return tuple(banks[name] for name in names)


def without_false(table: Mapping[str, T | Literal[False]]) -> dict[str, T]:
    """Return a table without its entries that are ``false``: what a change leaves out."""
    return {name: own for name, own in table.items() if own is not False}


def files_of(kind: str, name: str, files: Any, folder: Path) -> tuple[Path, ...]:
    """Return the files of text of a language; UsageError without any."""
    where = f"{kind}.{named(name, kind)}"
    found: tuple[Path, ...] = convert(files, Key(tuple[Path, ...]), where, folder=folder)
    check_files(found, where)
    return found


def named(name: str, where: str) -> str:
    """Return a name in a recipe; UsageError for one that no key of modules could be."""
    if not re.fullmatch(r"[^\W_][\w-]{0,63}", name):
        expected = "expected a name of letters, digits, '_' and '-', at most 64"
        raise UsageError(f"{where} {name!r}: {expected}", key=where)
    return name
