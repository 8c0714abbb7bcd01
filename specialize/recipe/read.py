"""Recipes read from TOML, checked whole before anything is done."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from specialize.corpus import CorpusFiles
from specialize.errors import SpecializeError, SpecializeWarning, UsageError
from specialize.model.find import BUNDLED
from specialize.recipe.axes import expand
from specialize.recipe.files import file_of, files_of
from specialize.recipe.folders import task_files
from specialize.recipe.keys import ArmKeys, Options, RecipeKeys, TaskKeys
from specialize.recipe.methods import Choice, check_made, choice_of, choose, find, names
from specialize.recipe.presets import EMBED, with_preset
from specialize.recipe.recipe import Arm, Recipe, TaskFiles, table_of
from specialize.recipe.table import (
    Table,
    build,
    check_left_out,
    check_names,
    convert,
    keys_of,
    locate,
    shown,
    unknown,
)
from specialize.recipe.toml import located, read_table

_FILES = (".partial", ".json", ".pt")  # of files beside the folders that are named so


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Return the recipe of a TOML file with ``changes`` (``"lapt.epochs=2"``) on top.

    UsageError for anything unknown, with the known names; MissingError for missing files.
    """
    recipes = read_recipes(path, changes)
    if len(recipes) > 1:
        message = f"{path}: its axes make {len(recipes)} recipes ({', '.join(recipes)}), not one"
        raise UsageError(f"{message}; use read_recipes", key="axes")
    return next(iter(recipes.values()))


def read_recipes(path: Path, changes: Sequence[str] = ()) -> dict[str, Recipe]:
    """Return the recipes of a TOML file by the points of its axes; one, named "", without.

    Errors as of `read_recipe`. Arms of axes that would do the same are one arm.
    """
    with located(path, changes):
        table = read_table(path, changes, command="run")
        check_left_out(table, read_table(path), ("arm", "task"))
        if "axes" not in table:
            return {"": recipe_of(table, folder=path.parent, name=path.stem)}
        return {point: _at_point(point, own, path) for point, own in expand(table).items()}


def _at_point(point: str, table: Table, path: Path) -> Recipe:
    """Return the recipe of a point, which errors name."""
    name = f"{path.stem} {point}".strip()
    try:
        return _distinct(recipe_of(table, folder=path.parent, name=name))
    except SpecializeError as error:
        message = f"at the point {point}: {error}" if point else str(error)
        raise type(error)(message, key=error.key) from None


def _distinct(recipe: Recipe) -> Recipe:
    """Return the recipe without arms that do what an earlier one does."""
    first: dict[str, Arm] = {}  # by what arms do
    same: dict[str, str] = {}
    for arm in recipe.arms:
        equal = first.setdefault(json.dumps(arm.work(), sort_keys=True, default=vars), arm)
        if equal is not arm:
            same[arm.name] = equal.name
    result = same.get(recipe.result, recipe.result)
    found = replace(recipe, arms=tuple(first.values()), same=same, result=result)
    return replace(found, table=table_of(found))


def recipe_of(table: Table, *, folder: Path, name: str = "run") -> Recipe:
    """Return the recipe of ``table``; files are relative to ``folder``, ``name`` is the title's.

    A task or an arm that is ``false`` is left out.
    """
    keys = with_preset(build(RecipeKeys, table, ""))
    if keys.axes:
        raise UsageError("axes make several recipes of one; use read_recipes", key="axes")
    tasks = tuple(_task(n, t, folder) for n, t in keys.task.items() if t is not False)
    arms = tuple(_arm(n, a, keys, tasks, folder) for n, a in _arm_tables(keys).items())
    corpus = _corpus(keys.corpus, tasks, folder)
    if corpus is None:
        _check_without_corpus(arms, tasks)
    result = keys.result or arms[-1].name
    if result not in (known := [arm.name for arm in arms]):
        raise UsageError(unknown(f"result = {result!r} is no arm", result, known), key="result")
    recipe = Recipe(
        title=keys.title or name,
        note=keys.note,
        base=_base(keys.base, "base", folder),
        language=keys.language,
        seeds=_seeds(keys.seeds, "seeds"),
        corpus=corpus,
        tasks=tasks,
        arms=arms,
        result=result,
        same={},
        table={},
    )
    return replace(recipe, table=table_of(recipe))


def _task(name: str, table: Options, folder: Path) -> TaskFiles:
    where = f"task.{name}"
    _check_name("task", name)
    known = keys_of(TaskKeys)
    method = convert(table.get("method", name), known["method"], f"{where}.method")
    if method == name and name not in (methods := names("task")) and ":" not in name:
        message = f"{where} lacks 'method': expected one of {', '.join(methods)}"
        raise UsageError(message, key=where)
    if method in names("task"):
        check_names(table, [*known, *keys_of(find("task", method))], where, what=where)
    keys = build(TaskKeys, {key: table[key] for key in known if key in table}, where)
    options = {key: value for key, value in table.items() if key not in known}
    choice = choose("task", method, options, where, folder=folder)
    if method in names("task"):
        check_made(choice, where)
    files = task_files(keys, choice, folder, where)
    return TaskFiles(
        name, choice, files.get("train"), files.get("dev"), files["test"], folds=keys.folds
    )


def _arm_tables(keys: RecipeKeys) -> Table:
    arms = {name: own for name, own in keys.arm.items() if own is not False}
    if keys.arm and not arms:
        raise UsageError("every arm is false; leave one in", key="arm")
    return arms or {"result": {}}


def _arm(
    name: str, table: Options, keys: RecipeKeys, tasks: Sequence[TaskFiles], folder: Path
) -> Arm:
    where = f"arm.{name}"
    _check_name("arm", name)
    own = build(ArmKeys, table, where)
    mixin, mixin_key = _inherited(own.mixin, keys.mixin, where, "mixin")
    augment, augment_key = _inherited(own.augment, keys.augment, where, "augment")
    embed, embed_key = _inherited(own.embed, keys.embed, where, "embed")
    seeds, seeds_key = _inherited(own.seeds, keys.seeds, where, "seeds")
    lapt = _lapt(own, keys, where)
    known = [task.name for task in tasks]
    chosen = known if own.tasks is None else own.tasks
    check_names(chosen, known, f"{where}.tasks", what=f"{where}.tasks", kind="task")
    if len(set(chosen)) < len(chosen):
        message = f"{where}.tasks = {shown(chosen)}: expected each task once"
        raise UsageError(message, key=f"{where}.tasks")
    mixins = [
        choice_of("mixin", m, mixin_key, folder=folder)
        for m in (mixin if isinstance(mixin, tuple) else (mixin,))
    ]
    return Arm(
        name=name,
        base=_base(own.base or keys.base, f"{where}.base" if own.base else "base", folder),
        mixin=tuple(choice for choice in mixins if choice.method != "none"),
        augment=choice_of("augment", augment, augment_key, folder=folder),
        embed=choice_of("embed", EMBED if embed is None else embed, embed_key, folder=folder),
        modules=_modules(own, keys, lapt, where, folder),
        lapt=lapt,
        finetune=_finetune(own, keys, where),
        multitask=_multitask(own, chosen, where),
        tasks=tuple(chosen),
        seeds=_seeds(seeds, seeds_key),
    )


def _inherited(own: Any, shared: Any, where: str, name: str) -> tuple[Any, str]:
    """Return the arm's own value or the recipe's, with the key that sets it."""
    return (shared, name) if own is None else (own, f"{where}.{name}")


def _lapt(own: ArmKeys, keys: RecipeKeys, where: str) -> Options | None:
    """Return the arm's table of LAPT: its own keys on top of [lapt]."""
    from specialize.train.lapt import Lapt

    if keys.lapt is False:
        if own.lapt and isinstance(own.lapt, Mapping):
            message = f"lapt = false: no arm runs LAPT, {where}.lapt is ignored"
            warnings.warn(message, SpecializeWarning, stacklevel=2)
        return None
    shared = keys.lapt if isinstance(keys.lapt, Mapping) else {}
    build(Lapt, shared, "lapt")  # a fault of [lapt] is named as such
    if own.lapt is False:
        return None
    merged = {**shared, **(own.lapt if isinstance(own.lapt, Mapping) else {})}
    build(Lapt, merged, f"{where}.lapt")
    return merged


def _finetune(own: ArmKeys, keys: RecipeKeys, where: str) -> Options:
    from specialize.train.finetune import Finetune

    build(Finetune, keys.finetune, "finetune")
    merged = {**keys.finetune, **own.finetune}
    build(Finetune, merged, f"{where}.finetune")
    return merged


def _multitask(own: ArmKeys, tasks: Sequence[str], where: str) -> Options | None:
    from specialize.train.multitask import Multitask

    if own.multitask is False:
        return None
    table = own.multitask if isinstance(own.multitask, Mapping) else {}
    how = build(Multitask, table, f"{where}.multitask")
    if len(tasks) < 2:
        message = f"{where}.multitask trains two tasks or more together, the arm has {len(tasks)}"
        raise UsageError(message, key=f"{where}.multitask")
    return asdict(how)


def _modules(
    own: ArmKeys, keys: RecipeKeys, lapt: Options | None, where: str, folder: Path
) -> Choice | None:
    """Return what the arm trains in place of the model, None where it trains that."""
    value, key = _inherited(own.modules, keys.modules, where, "modules")
    choice = choice_of("modules", value, key, folder=folder)
    if choice.method == "none":
        return None
    if own.multitask is not False:
        message = (
            f"{where}: modules are trained or used by one task at a time; set multitask = false"
        )
        raise UsageError(message, key=where)
    if lapt is not None and not keys.language:
        message = f"{where}: LAPT trains modules of a language; add language = 'CODE' at the top"
        raise UsageError(message, key="language")
    if lapt is not None and lapt.get("train", "all") != "all":
        message = f"{where}: modules train in place of the model; set lapt.train = 'all'"
        raise UsageError(message, key=where)
    if lapt is not None and lapt.get("shard"):
        message = f"{where}: modules are on a host that is whole; set lapt.shard = false"
        raise UsageError(message, key=where)
    return choice


def _corpus(table: Options | None, tasks: Sequence[TaskFiles], folder: Path) -> CorpusFiles | None:
    """Return [corpus], the evaluation files of the tasks among those it is cleared of."""
    if table is None:
        return None
    known = keys_of(CorpusFiles)
    files = {
        name: files_of(convert(table.get(name, []), known[name], key), folder, key)
        for name in ("files", "remove")
        for key in [f"corpus.{name}"]
    }
    evaluation = [str(file) for task in tasks for file in (task.dev_file, task.test)]
    files["remove"] = list(dict.fromkeys([*files["remove"], *evaluation]))
    return build(CorpusFiles, {**table, **files}, "corpus")


def _check_without_corpus(arms: Sequence[Arm], tasks: Sequence[TaskFiles]) -> None:
    """Raise UsageError for what needs text."""
    if not tasks:
        raise UsageError("nothing to do: expected [corpus] or [task.NAME]; add one", key="base")
    for arm in arms:
        where, add = f"arm.{arm.name}", "needs text; add [corpus] with files = ['FILE']"
        if arm.augment.method != "none":
            message = f"{where}: augment {arm.augment.method!r} {add}, or set augment = 'none'"
            raise UsageError(message, key=where)
        if arm.lapt is not None:
            raise UsageError(f"{where}: LAPT {add}, or set lapt = false", key=where)


def _base(name: str, key: str, folder: Path) -> str:
    """Return the base as given, or the full path of a folder."""
    if name.startswith((".", "/", "~", "$")):
        return str(file_of(name, folder, key))
    beside = name not in BUNDLED and (folder / name).is_dir()
    return str(locate(name, folder)) if beside else name


def _seeds(seeds: tuple[int, ...], key: str) -> tuple[int, ...]:
    if not seeds or len(set(seeds)) < len(seeds):
        expected = "expected one number or more, each different"
        raise UsageError(f"{key} = {shown(seeds)}: {expected}", key=key)
    return seeds


def _check_name(kind: str, name: str) -> None:
    expected = ""
    if not re.fullmatch(r"\w[\w.-]{0,63}", name):
        expected = "expected a name of letters, digits, '_', '.' and '-', at most 64"
    elif name.endswith(_FILES):
        expected = f"expected a name without the ending of a file: {', '.join(_FILES)}"
    if expected:
        raise UsageError(f"{kind} {name!r}: {expected}", key=f"{kind}.{name}")
