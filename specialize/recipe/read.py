"""Recipes: what a run does, read from TOML, checked whole before anything is done."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from specialize.corpus import CorpusFiles
from specialize.errors import DataError, MissingError, UsageError
from specialize.recipe.methods import bind

if TYPE_CHECKING:
    from specialize.train.pretrain import Pretrain

T = TypeVar("T")
Table = dict[str, Any]
Names = tuple[str, ...]

ARM_KEYS = ("mixin", "augment", "embed", "lapt", "finetune")
KEYS = ("title", "note", "base", "language", "seeds", "corpus", "task", "arm", *ARM_KEYS)


@dataclass(frozen=True)
class Choice:
    """A method by name, with the options a recipe gives it."""

    kind: str
    method: str
    options: Mapping[str, Any]

    def __call__(self) -> Any:
        """Return the method with its options bound."""
        return bind(self.kind, self.method, self.options)

    def __str__(self) -> str:
        said = [f"{key} = {value}" for key, value in self.options.items()]
        return " ".join([self.method, *([f"({', '.join(said)})"] if said else [])])


@dataclass(frozen=True)
class TaskFiles:
    """A task and where its data lie."""

    choice: Choice
    train: Path
    dev: Path
    test: Path


@dataclass(frozen=True)
class Arm:
    """One way through the pipeline; ``lapt`` and ``finetune`` are tables for those stages."""

    name: str
    mixin: tuple[Choice, ...]
    augment: Choice
    embed: Choice
    lapt: Mapping[str, Any] | None
    finetune: Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """A run: one base, one language, one or several arms of which the last is the result."""

    title: str
    note: str
    base: str
    language: str
    seeds: tuple[int, ...]
    corpus: CorpusFiles
    tasks: tuple[TaskFiles, ...]
    arms: tuple[Arm, ...]
    table: Table  # as resolved: what recipe.toml of the run says


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file with ``changes`` (``"lapt.epochs=2"``) on top.

    UsageError for anything unknown, with the known names; MissingError for files not there.
    """
    table = read_table(path, changes)
    try:
        return recipe_of(table, folder=path.parent, name=path.stem)
    except UsageError as error:
        raise UsageError(f"{path}{_line_of(path, str(error))}: {error}") from None


def read_table(path: Path, changes: Sequence[str] = ()) -> Table:
    """Return the table of a TOML file with ``changes`` applied."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise MissingError(f"{path}: no such recipe") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise UsageError(f"{path}:{line[1] if line else 1}: {error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8; is this a recipe?") from None
    return _changed(table, changes)


def read_changes(changes: Sequence[str]) -> Table:
    """Return ``["a.b=2"]`` as ``{"a": {"b": 2}}``; values are TOML, or else text."""
    return _changed({}, changes)


def read_pretrain(path: Path, changes: Sequence[str] = ()) -> Pretrain:
    """Return the pretraining recipe of a TOML file, checked like `read_recipe`."""
    from specialize.train.pretrain import Pretrain

    table = read_table(path, changes)
    try:
        named = check_table(table.get("languages", {}), "languages")
        languages = {
            code: [str(locate(f, path.parent)) for f in convert(files, Names, f"languages.{code}")]
            for code, files in named.items()
        }
        if not languages:
            raise UsageError("the recipe lacks [languages], a table of code = [files]")
        return build(Pretrain, table | {"languages": languages}, "the recipe")
    except UsageError as error:
        raise UsageError(f"{path}{_line_of(path, str(error))}: {error}") from None


def recipe_of(table: Table, *, folder: Path, name: str = "run") -> Recipe:
    """Return the recipe that ``table`` says; file names are relative to ``folder``.

    A task or an arm that is ``false`` is left out (``--set task.ner=false``).
    """
    check_keys(table, KEYS, "the recipe")
    for key in ("base", "corpus"):
        if key not in table:
            raise UsageError(f"the recipe lacks {key!r}")
    for key in ("corpus", "task", "arm", "lapt", "finetune"):
        check_table(table.get(key, {}), key)
    for key in {"task", "arm"}.intersection(table):
        kept = {name: own for name, own in table[key].items() if own is not False}
        table = table | {key: kept}
    tasks = tuple(_task(n, t, folder) for n, t in table.get("task", {}).items())
    evaluation = tuple(str(f) for task in tasks for f in (task.dev, task.test))
    corpus = dict(table["corpus"])
    for key in ("files", "remove"):
        found = convert(corpus.get(key, ()), Names, f"corpus.{key}")
        corpus[key] = [str(locate(f, folder)) for f in found]
    corpus["remove"] = list(dict.fromkeys([*corpus["remove"], *evaluation]))
    seeds = convert(table.get("seeds", (1,)), tuple[int, ...], "seeds")
    if not seeds:
        raise UsageError("seeds is empty; give at least one number")
    base = convert(table["base"], str, "base")
    base = str(locate(base, folder)) if _is_path(base) else base
    arms = table.get("arm") or {"result": {}}
    return Recipe(
        title=convert(table.get("title", name), str, "title"),
        note=convert(table.get("note", ""), str, "note"),
        base=base,
        language=convert(table.get("language", ""), str, "language"),
        seeds=seeds,
        corpus=build(CorpusFiles, corpus, "corpus"),
        tasks=tasks,
        arms=tuple(_arm(n, a, table) for n, a in arms.items()),
        table=table
        | {"base": base, "corpus": corpus}
        | ({"task": _located(table, tasks)} if tasks else {}),
    )


def build(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Return the dataclass ``cls`` with the values of ``table``, names and types checked."""
    assert is_dataclass(cls)
    hints = get_type_hints(cls)
    check_keys(table, [field.name for field in fields(cls)], where)
    return cls(
        **{key: convert(value, hints[key], f"{where}.{key}") for key, value in table.items()}
    )


def convert(value: Any, wanted: Any, where: str) -> Any:
    """Return ``value`` as the type ``wanted``; UsageError if it is another."""
    name = getattr(wanted, "__name__", str(wanted))
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, (list, tuple)) and str(wanted).startswith("tuple"):
        inner = wanted.__args__[0]
        return tuple(convert(item, inner, where) for item in value)
    if str(wanted).startswith(("collections.abc.Mapping", "dict")) and isinstance(value, dict):
        inner = wanted.__args__[1]
        return {key: convert(item, inner, f"{where}.{key}") for key, item in value.items()}
    if isinstance(wanted, type) and isinstance(value, wanted) and type(value) is wanted:
        return value
    raise UsageError(f"{where} = {value!r} is not of type {name}")


def check_table(value: Any, where: str) -> Table:
    """Return ``value``; UsageError if it is no table."""
    if not isinstance(value, dict):
        raise UsageError(f"{where} = {value!r} is not a table; write it as [{where}]")
    return value


def check_keys(table: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """Raise UsageError for a key of ``table`` that is not ``known``, listing those that are."""
    known = list(known)
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"unknown key {key!r} in {where}; known: {', '.join(known)}{hint}")


def locate(name: str, folder: Path) -> Path:
    """Return the file ``name`` says: $VARIABLES filled in, relative to ``folder``.

    $SPECIALIZE_DATA, if not set, is ../shared/data.
    """
    data = os.environ.get("SPECIALIZE_DATA", "../shared/data")
    filled = os.path.expandvars(name.replace("$SPECIALIZE_DATA", str(Path(data).absolute())))
    path = Path(os.path.normpath(folder.absolute() / Path(filled).expanduser()))
    if not path.exists():
        hint = "; set SPECIALIZE_DATA to the data folder" if "$SPECIALIZE_DATA" in name else ""
        raise MissingError(f"{path}: no such file{hint}")
    return path


def _arm(name: str, own: Table, table: Table) -> Arm:
    if not re.fullmatch(r"[\w.-]+", name):
        raise UsageError(f"arm {name!r}: a name has letters, digits, '_', '.' and '-' only")
    check_keys(check_table(own, f"arm.{name}"), ARM_KEYS, f"arm.{name}")
    check_table(own.get("finetune", {}), f"arm.{name}.finetune")
    lapt = own.get("lapt", True)
    if not isinstance(lapt, (bool, dict)):
        raise UsageError(f"arm.{name}.lapt = {lapt!r} is neither a table nor true or false")
    mixins = own.get("mixin", table.get("mixin", []))
    return Arm(
        name=name,
        mixin=tuple(
            _choice("mixin", m) for m in (mixins if isinstance(mixins, list) else [mixins])
        ),
        augment=_choice("augment", own.get("augment", table.get("augment", "none"))),
        embed=_choice("embed", own.get("embed", table.get("embed", "unused"))),
        lapt=None if lapt is False else table.get("lapt", {}) | (lapt if lapt is not True else {}),
        finetune=table.get("finetune", {}) | own.get("finetune", {}),
    )


def _located(table: Table, tasks: Iterable[TaskFiles]) -> Table:
    """Return the task tables with full file names."""
    files = {t.choice.method: {"train": t.train, "dev": t.dev, "test": t.test} for t in tasks}
    return {
        name: own | {part: str(path) for part, path in files[name].items()}
        for name, own in table["task"].items()
    }


def _choice(kind: str, said: Any) -> Choice:
    """Return the choice said as a name or as a table with ``method`` and options."""
    if isinstance(said, str):
        choice = Choice(kind, said, {})
    elif isinstance(said, dict) and isinstance(said.get("method"), str):
        options = {key: value for key, value in said.items() if key != "method"}
        choice = Choice(kind, said["method"], options)
    else:
        raise UsageError(f"{kind} = {said!r} is neither a name nor a table with a 'method'")
    choice()  # unknown methods and options are refused here
    return choice


def _task(name: str, table: Table, folder: Path) -> TaskFiles:
    check_table(table, f"task.{name}")
    files = {}
    for part in ("train", "dev", "test"):
        if not isinstance(table.get(part), str):
            raise UsageError(f"task.{name} lacks the file {part!r}")
        files[part] = locate(table[part], folder)
    options = {key: value for key, value in table.items() if key not in files}
    return TaskFiles(_choice("task", {"method": name} | options), **files)


def _changed(table: Table, changes: Sequence[str]) -> Table:
    for change in changes:
        _apply(table, change)
    return table


def _apply(table: Table, change: str) -> None:
    name, equals, text = change.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {change!r}: write it as name.of.key=value")
    *parents, last = name.strip().split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
        if not isinstance(table, dict):
            raise UsageError(f"--set {change!r}: {parent!r} is not a table")
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text


def _is_path(base: Any) -> bool:
    return isinstance(base, str) and base.startswith((".", "/", "~", "$"))


def _line_of(path: Path, message: str) -> str:
    """Return ``:line`` of the key that ``message`` names first, if it can be found."""
    quoted = re.search(r"unknown \w+ '([^']+)'", message)
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if quoted and re.search(rf"(^|[\[.{{,\s\"]){re.escape(quoted[1])}($|[\].\s=\"])", line):
            return f":{number}"
    return ""
