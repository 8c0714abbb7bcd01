"""Functions outside of the package: the file of each, found without running any code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from specialize.errors import MissingError
from specialize.recipe.methods import find, names, nested_kind, place
from specialize.recipe.table import Table, keys_of

_KINDS = ("mixin", "augment", "embed", "modules")


def outside_methods(table: Table, folder: Path) -> list[str]:
    """Return a line for each function outside of the package that a recipe in ``folder`` names.

    ``table``: the recipe's, checked or not.
    """
    found: dict[str, None] = {}
    for kind, name in _methods(table):
        try:
            placed = place(name, folder)
        except MissingError:  # reported where the recipe is read
            placed = name
        if ":" in placed:
            found[described(kind, placed, folder)] = None
    return list(found)


def described(kind: str, name: str, folder: Path) -> str:
    """Return the kind, the function and the file of ``my_file.py:fn`` or ``my_pkg.mod:fn``.

    ``folder``: what the file is relative to.
    """
    module, _, function = name.rpartition(":")
    file = folder / module if module.endswith(".py") else _module_file(module)
    where = file.absolute() if file else f"the module {module!r}"
    return f"{kind}: function {function} of {where}"


def _methods(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the kind and the name of each method in a recipe's table."""
    for part in (table, *_tables(table.get("arm"))):
        for kind in _KINDS:
            value = part.get(kind)
            for one in value if isinstance(value, list | tuple) else [value]:
                yield from _named(kind, one)
    for part in _tables(table.get("task")):
        yield from _named("task", part)


def _named(kind: str, value: Any) -> Iterator[tuple[str, str]]:
    name = value.get("method") if isinstance(value, Mapping) else value
    if not isinstance(name, str):
        return
    yield kind, name
    if isinstance(value, Mapping) and ":" not in name and name in names(kind):
        known = keys_of(find(kind, name))  # of the package: no code of others runs
        for option, inner in value.items():
            if option in known and (nested := nested_kind(known[option].type)):
                for one in inner if isinstance(inner, list | tuple) else [inner]:
                    yield from _named(nested, one)


def _tables(value: Any) -> list[Mapping[str, Any]]:
    values = value.values() if isinstance(value, Mapping) else ()
    return [item for item in values if isinstance(item, Mapping)]


def _module_file(module: str) -> Path | None:
    """Return the file of a module on the Python path; None if it has none."""
    places, spec = None, None
    names = module.split(".")
    for depth in range(1, len(names) + 1):
        try:
            # subtle: importlib.util.find_spec would run the packages that the module is in
            spec = PathFinder.find_spec(".".join(names[:depth]), places)
            places = list(spec.submodule_search_locations or ()) if spec else None
        except (ImportError, KeyError, ValueError):
            return None
        if spec is None:
            return None
    return Path(spec.origin) if spec and spec.origin else None
