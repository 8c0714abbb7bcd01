"""The recipe of a study of sharing, checked whole before anything is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specialize.errors import UsageError
from specialize.recipe.folders import task_files
from specialize.recipe.keys import Options, TaskKeys
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import TaskFiles
from specialize.recipe.table import build, check_names, shown
from specialize.recipe.toml import located, read_table
from specialize.studies.sharing.training import Training


@dataclass(frozen=True)
class SharingKeys:
    """The keys of the recipe.

    Files are relative to the recipe; `$VARIABLES` and `~` are expanded.
    """

    pairs: tuple[tuple[str, ...], ...]  # the pairs of treebanks that share: [["es", "it"], ...]
    treebank: Mapping[str, Options]  # [treebank.NAME]
    host: str = ""  # a base ("mini", a folder): adapters in it in place of the paper's BiLSTM
    title: str = ""  # heading of the table: "Related pairs"; default: the recipe's file name
    seeds: tuple[int, ...] = (1,)  # every cell of every pair is trained with each
    training: Options = field(default_factory=dict)  # the table [training]


@dataclass(frozen=True)
class TreebankKeys:
    """The files of a treebank; one of train and dev may be missing.

    Every fifth sentence of the other is dev then.
    """

    train: str = ""  # CoNLL-U to train on
    dev: str = ""  # to measure progress; chooses nothing
    test: str = ""  # scored once
    folder: str = ""  # where files not named are, by UD's names


@dataclass(frozen=True)
class Study:
    """A recipe as values: one table of the paper."""

    title: str
    pairs: tuple[tuple[str, str], ...]
    treebanks: Mapping[str, TaskFiles]
    seeds: tuple[int, ...]
    training: Training
    file: Path
    host: str = ""


def read_study(path: Path, changes: Sequence[str] = ()) -> Study:
    """Return the study of a TOML file with ``changes`` (``"training.steps=100"``) on top.

    UsageError for anything unknown, with the known names; MissingError for missing files.
    """
    with located(path, changes):
        keys = build(SharingKeys, read_table(path, changes, command="study sharing"), "")
        treebanks = {name: _treebank(name, own, path.parent) for name, own in keys.treebank.items()}
        training = build(Training, keys.training, "training")
        if not keys.seeds or len(set(keys.seeds)) < len(keys.seeds):
            expected = "expected one number or more, each different"
            raise UsageError(f"seeds = {shown(keys.seeds)}: {expected}", key="seeds")
        pairs = _pairs(keys.pairs, treebanks)
        used = {name: own for name, own in treebanks.items() if any(name in p for p in pairs)}
        title = keys.title or path.stem
        return Study(title, pairs, used, keys.seeds, training, path, keys.host)


def _treebank(name: str, table: Any, folder: Path) -> TaskFiles:
    where = f"treebank.{name}"
    if not re.fullmatch(r"\w[\w-]{0,63}", name):
        expected = "expected a name of letters, digits, '_' and '-', at most 64"
        raise UsageError(f"treebank {name!r}: {expected}", key=where)
    if not isinstance(table, Mapping):
        raise UsageError(f"{where} = {shown(table)}: expected a table", key=where)
    keys = build(TreebankKeys, table, where)
    choice = Choice("task", "dep", {})
    files = task_files(TaskKeys(**keys.__dict__), choice, folder, where)
    return TaskFiles(name, choice, files.get("train"), files.get("dev"), files["test"])


def _pairs(
    given: Sequence[Sequence[str]], treebanks: Mapping[str, TaskFiles]
) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for pair in given:
        check_names(pair, treebanks, "pairs", what="pairs", kind="treebank")
        if len(pair) != 2 or pair[0] == pair[1]:
            message = f"pairs has {shown(pair)}: expected two different treebanks"
            raise UsageError(message, key="pairs")
        if {*pair} in map(set, found):
            raise UsageError(f"pairs has {shown(pair)} twice; remove one", key="pairs")
        found.append((pair[0], pair[1]))
    if not found:
        raise UsageError('pairs is empty; name two treebanks: pairs = [["es", "it"]]', key="pairs")
    return tuple(found)
