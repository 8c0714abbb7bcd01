"""The recipe of a zero-shot study, checked whole before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specialize.errors import UsageError
from specialize.recipe.folders import find_parts
from specialize.recipe.keys import Options
from specialize.recipe.methods import Choice
from specialize.recipe.table import Key, build, check_left_out, check_names, convert, shown
from specialize.recipe.toml import located, read_table
from specialize.studies.transfer.recipe import (
    Tables,
    Texts,
    files_of,
    named,
    without_false,
)
from specialize.studies.zeroshot.partition import (
    MODELS,
    Pair,
    Part,
    check_partition,
    part_of,
    table_of,
)
from specialize.studies.zeroshot.plans import KINDS, Few, Mlm, Plan, Psf, Training
from specialize.train.optim import at_least

_CHOICES = {
    "pos": Choice("task", "pos", {"column": "upos"}),
    "dep": Choice("task", "dep", {}),
    "ner": Choice("task", "ner", {}),
}
_FORMATS = {"pos": "CoNLL-U", "dep": "CoNLL-U", "ner": "columns"}


@dataclass(frozen=True)
class ZeroshotKeys:
    """The keys of the recipe.

    Files are relative to the recipe; `$VARIABLES` and `~` are expanded. A language has one name in
    all tables.
    """

    base: str  # the model: "mini", a folder, or a model of the Hugging Face hub
    halves: tuple[tuple[str, ...], ...]  # two lists of languages, whose tasks alternate
    system: Tables  # [system.NAME]: the rows of the tables, the first the reference
    treebank: Tables = field(default_factory=dict)  # [treebank.LANGUAGE]: pos, dep
    ner: Tables = field(default_factory=dict)  # [ner.LANGUAGE]
    text: Texts = field(default_factory=dict)  # [text]: files by language
    both: tuple[str, ...] = ()  # languages that both models train on, in all tasks
    known: tuple[str, ...] = ()  # the languages on which the base was trained
    tasks: tuple[str, ...] = ("pos", "dep")  # "pos": UPOS; "dep": LAS; "ner": F1
    title: str = ""  # heading of the page; default: the recipe's file name
    note: str = ""  # a caveat shown under the heading
    seeds: tuple[int, ...] = (1, 2)  # each system's models are trained with each
    sentences: int = 0  # test sentences of each pair, drawn once; 0: all
    training: Options = field(default_factory=dict)  # the table [training]
    mlm: Options = field(default_factory=dict)  # the table [mlm]
    few: Options = field(default_factory=dict)  # the table [few]


@dataclass(frozen=True)
class FilesKeys:
    """The files of a language: CoNLL-U in `[treebank]`, columns in `[ner]`.

    Without train or dev, every fifth sentence of the other is dev.
    """

    train: str = ""  # to train on
    dev: str = ""  # to choose the best weights
    test: str = ""  # to score
    folder: str = ""  # where files not named are, by their names


@dataclass(frozen=True)
class Study:
    """A recipe as values."""

    title: str
    note: str
    base: str
    pairs: tuple[Pair, ...]
    halves: tuple[tuple[str, ...], tuple[str, ...]]
    both: tuple[str, ...]
    known: tuple[str, ...]
    tasks: tuple[str, ...]
    text: Mapping[str, tuple[Path, ...]]
    systems: Mapping[str, Plan]
    seeds: tuple[int, ...]
    sentences: int
    training: Training
    mlm: Mlm
    few: Few

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, those of both models first."""
        return (*self.both, *self.halves[0], *self.halves[1])

    def part(self, model: str) -> Part:
        """Return what a model is trained on and what not."""
        return part_of(model, self.pairs, self.halves, self.both, self.tasks)


def choice_of(task: str) -> Choice:
    """Return the method of a task with the options of the study."""
    return _CHOICES[task]


def read_study(path: Path, changes: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file with ``changes`` (``"mlm.steps=100"``) on top.

    UsageError for anything unknown, with the known names, and for partitions that cannot be
    trained or scored; MissingError for missing files.
    """
    with located(path, changes):
        table = read_table(path, changes, command="study zeroshot")
        check_left_out(table, read_table(path), ("system", "treebank", "ner", "text"))
        keys = _without_false(build(ZeroshotKeys, table, ""))
        _check(keys)
        first, second = keys.halves
        study = Study(
            keys.title or path.stem,
            keys.note,
            keys.base,
            _pairs(keys, path.parent),
            (first, second),
            keys.both,
            keys.known,
            keys.tasks,
            _texts(keys, path.parent),
            {name: _system(name, own) for name, own in keys.system.items()},
            keys.seeds,
            keys.sentences,
            build(Training, keys.training, "training"),
            build(Mlm, keys.mlm, "mlm"),
            build(Few, keys.few, "few"),
        )
        check_partition(study.pairs, study.halves, study.both, study.tasks)
        _check_systems(study)
        return study


def _without_false(keys: ZeroshotKeys) -> ZeroshotKeys:
    """Return the keys without what is ``false``, and without languages left with no data."""
    treebank, ner = without_false(keys.treebank), without_false(keys.ner)
    off = {*keys.treebank, *keys.ner} - {*treebank, *ner}

    def kept(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in off)

    text = without_false(keys.text)
    return replace(
        keys,
        system=without_false(keys.system),
        treebank=treebank,
        ner=ner,
        text={name: text[name] for name in kept(text)},
        halves=tuple(map(kept, keys.halves)),
        both=kept(keys.both),
        known=kept(keys.known),
    )


def _check(keys: ZeroshotKeys) -> None:
    at_least("", keys, {"sentences": 0})
    check_names(keys.tasks, _CHOICES, "tasks", what="tasks", kind="task")
    for key, given in (("tasks", keys.tasks), ("seeds", keys.seeds)):
        if not given or len(set(given)) < len(given):
            message = f"{key} = {shown(given)}: expected one or more, each different"
            raise UsageError(message, key=key)
    if len(keys.halves) != 2 or not all(keys.halves):
        message = f"halves = {shown(keys.halves)}: expected two lists of languages"
        raise UsageError(message, key="halves")
    listed = [*keys.both, *(name for half in keys.halves for name in half)]
    if twice := [name for name in dict.fromkeys(listed) if listed.count(name) > 1]:
        message = f"{twice[0]!r} is listed twice in halves and both; remove one"
        raise UsageError(message, key="halves")
    known = dict.fromkeys([*keys.treebank, *keys.ner])
    check_names(listed, known, "halves", what="halves and both", kind="language")
    if left := [name for name in known if name not in listed]:
        table = "treebank" if left[0] in keys.treebank else "ner"
        message = (
            f"{left[0]!r} has annotated data but is neither in halves nor in both; add it, or "
            f"leave it out: {table}.{left[0]}=false"
        )
        raise UsageError(message, key="halves")
    check_names(keys.text, listed, "text", what="text", kind="language")
    check_names(keys.known, listed, "known", what="known", kind="language")
    if not keys.system:
        raise UsageError("there is no system; add a table such as [system.madx]", key="system")


def _pairs(keys: ZeroshotKeys, folder: Path) -> tuple[Pair, ...]:
    """Return the pairs of the tasks with the files of each, in the order of halves and both."""
    tables = {"treebank": keys.treebank, "ner": keys.ner}
    files = {
        (kind, named(name, kind)): _files(f"{kind}.{name}", own, folder)
        for kind, table in tables.items()
        for name, own in table.items()
    }
    listed = [*keys.both, *(name for half in keys.halves for name in half)]
    found = []
    for task in keys.tasks:
        kind = table_of(task)
        found += [Pair(n, task, files[kind, n]) for n in listed if (kind, n) in files]
    return tuple(found)


def _files(where: str, table: Any, folder: Path) -> Mapping[str, Path]:
    """Return the files of a language by part; UsageError unless it can be trained on and scored."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} = {shown(table)}: expected a table", key=where)
    own = build(FilesKeys, table, where)
    given = {part: getattr(own, part) for part in ("train", "dev", "test")}
    file = Key(Path)
    files = {
        part: convert(value, file, f"{where}.{part}", folder=folder)
        for part, value in given.items()
        if value
    }
    if own.folder:
        form = "columns" if where.startswith("ner.") else "CoNLL-U"
        place = convert(own.folder, file, f"{where}.folder", folder=folder)
        files = find_parts(place, form, f"{where}.folder") | files
    for wanted, purpose in ((("train", "dev"), "train on"), (("test",), "score")):
        if not set(wanted) & set(files):
            raise UsageError(
                f"{where} has no {' or '.join(wanted)} file: there is nothing to {purpose}",
                key=where,
            )
    return files


def _texts(keys: ZeroshotKeys, folder: Path) -> dict[str, tuple[Path, ...]]:
    return {name: files_of("text", name, files, folder) for name, files in keys.text.items()}


def _system(name: str, table: Any) -> Plan:
    """Return a row of the tables: its kind, by default its name, with its options."""
    where = f"system.{named(name, 'system')}"
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} = {shown(table)}: expected a table", key=where)
    kind = table.get("kind", name)
    if not isinstance(kind, str):
        raise UsageError(f"{where}.kind = {shown(kind)}: expected a text", key=where)
    check_names([kind], KINDS, where, what=where, kind="system")
    return build(KINDS[kind], {k: v for k, v in table.items() if k != "kind"}, where)


def _check_systems(study: Study) -> None:
    """Raise UsageError where a system lacks what it learns a language from."""
    for model in MODELS:
        part = study.part(model)
        seen = {pair.language for pair in part.seen}
        nothing = [p.language for p in part.unseen if not seen | {*study.text} >= {p.language}]
        if nothing:
            raise UsageError(
                f"model {model} would see nothing of {nothing[0]!r}, neither annotated sentences "
                "nor text; give it data of another task, or text",
                key="halves",
            )
        if without := [p.language for p in part.unseen if p.language not in seen]:
            for name, plan in study.systems.items():
                if isinstance(plan, Psf):
                    raise UsageError(
                        f"system.{name} learns languages from annotated sentences, and model "
                        f"{model} sees none of {without[0]!r}; give it data of another task",
                        key=f"system.{name}",
                    )
    for name, plan in study.systems.items():
        missing = [x for x in study.languages if x not in study.text and plan.needs_text]
        if missing:
            raise UsageError(
                f"system.{name} learns languages from text, and there is none of {missing[0]!r}; "
                f'add {missing[0]} = ["FILE"] to [text]',
                key="text",
            )
