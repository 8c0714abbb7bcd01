"""Recipes as TOML files: read, changed by ``--set``, and searched for the line of a fault."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from specialize.errors import DataError, MissingError, SpecializeError, UsageError
from specialize.recipe.table import Table, join, shown

# Keys that only recipes of one command have.
_MARKS = {
    "arm": "run",
    "task": "run",
    "languages": "pretrain",
    "pairs": "study sharing",
    "targets": "study transfer",
    "halves": "study zeroshot",
}


def read_table(path: Path, changes: Sequence[str] = (), *, command: str = "") -> Table:
    """Return the table of a TOML file with ``changes`` (``"lapt.epochs=2"``) on top.

    ``command``: UsageError for a recipe of another one.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise MissingError(f"{path}: no such recipe") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise UsageError(f"{path}:{line[1] if line else 1}: {error}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8; is this a recipe?") from None
    for change in changes:
        _apply(table, change)
    others = [other for key, other in _MARKS.items() if key in table and other != command]
    if command and others:
        raise UsageError(
            f"{path}: expected a recipe of `specialize {command}`, got one of `{others[0]}`"
        )
    return table


def read_changes(changes: Sequence[str], table: Table | None = None) -> Table:
    """Return ``["a.b=2"]`` as ``{"a": {"b": 2}}``; a value that is not TOML is text.

    ``table``: what is changed, by default nothing.
    """
    table = {} if table is None else table
    for change in changes:
        _apply(table, change)
    return table


def _apply(table: Table, change: str) -> None:
    name, equals, text = change.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set {change}: expected name.of.key=value")
    *parents, last = name.strip().split(".")
    for parent in parents:
        inner = table.setdefault(parent, {})
        if isinstance(inner, str):  # a method by its name alone: augment = "tva"
            inner = table[parent] = {"method": inner}
        if not isinstance(inner, dict):
            raise UsageError(f"--set {change}: {parent} = {shown(inner)} is not a table")
        table = inner
    try:
        table[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        table[last] = text


@contextmanager
def located(path: Path, changes: Sequence[str]) -> Iterator[None]:
    """Prefix errors about a key with where it was set: the recipe's line, or a change."""
    try:
        yield
    except SpecializeError as error:
        if not error.key:
            raise
        where = _where(error.key, path, changes)
        raise type(error)(f"{where}: {error}", key=error.key) from None


def _where(key: str, path: Path, changes: Sequence[str]) -> str:
    for change in reversed(changes):
        name = change.partition("=")[0].strip()
        if name == key or _inside(key, name) or _inside(name, key):
            return f"--set {change}"
    line = line_of(path.read_text("utf-8"), key)
    return f"{path}:{line}" if line else str(path)


def line_of(text: str, key: str) -> int:
    """Return the line that sets ``key``, or the closest table that holds it; 0 if there is none.

    >>> line_of("[lapt]\\nepochs = 2", "lapt.epochs"), line_of("[lapt]\\nepochs = 2", "lapt.rate")
    (2, 1)
    """
    found = section = ""
    at = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]=]+)\]", line):
            name = section = re.sub(r"[\s\"']", "", header[1])
        elif entry := re.match(r"\s*([\w.\"' -]+?)\s*=", line):
            name = join(section, re.sub(r"[\s\"']", "", entry[1]))
        else:
            continue
        if (name == key or _inside(key, name)) and len(name) > len(found):
            found, at = name, number
    return at


def _inside(key: str, table: str) -> bool:
    return key.startswith(f"{table}.")
