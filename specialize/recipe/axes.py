"""Axes: a recipe that stands for many, one for each point of a grid.

``[axes]`` names what varies. ``"augment.pieces" = [99, 500]`` gives values to a key of the arms or
of the recipe; ``[axes.NAME.POINT]`` is a table of changes to the recipe. Axes of what arms may set
multiply the arms. All others, such as languages with their data, multiply the recipes, and their
tables may change arms and axes too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from specialize.errors import UsageError
from specialize.recipe.keys import ArmKeys, RecipeKeys
from specialize.recipe.presets import EMBED, PRESETS
from specialize.recipe.table import Table, check_names, join, shown

_ARM = {f.name for f in fields(ArmKeys)}
_RECIPE = {f.name for f in fields(RecipeKeys)} - {"axes"}
_METHODS = ("mixin", "augment", "embed", "modules")
_LONGEST = 200  # bytes of a folder's name, of the 255 that file systems allow
# beside the points in a run
_TAKEN = ("stages", "arms", "comparison.html", "metrics.jsonl", "grid.json", "tensorboard")


class Point(NamedTuple):
    """A value of an axis: its name and its changes."""

    name: str
    changes: Table


class Axis(NamedTuple):
    """What varies: where it is in [axes], and its points."""

    path: tuple[str, ...]
    points: list[Point]

    @property
    def of_arms(self) -> bool:
        """Return whether arms can set all that varies."""
        changed = {key for point in self.points for key in point.changes}
        return changed <= _ARM and self.path != ("language",)


def expand(table: Table) -> dict[str, Table]:
    """Return the recipes of ``table`` without axes, by the names of their points.

    Without axes, or with axes of arms alone, there is one, named "". UsageError for points or arms
    whose joined names are the same.
    """
    found: dict[str, Table] = {}
    for name, own in _expanded(table, ()):
        if name in found:
            raise UsageError(
                f"several points are named {name!r} when the axes' names are joined; rename one",
                key="axes",
            )
        if len(name.encode()) > _LONGEST:
            raise UsageError(
                f"the joined point {name!r}: expected a folder name of at most {_LONGEST} bytes, "
                f"got {len(name.encode())}; shorten the names of points",
                key="axes",
            )
        found[name] = own
    return found


def _expanded(table: Table, names: tuple[str, ...]) -> Iterator[tuple[str, Table]]:
    axes = [*_axes(table.get("axes", {}))]
    outer = next((axis for axis in axes if not axis.of_arms), None)
    if outer is None:
        arms = _multiplied(table, axes) if axes else table.get("arm", {})
        rest = {key: value for key, value in table.items() if key not in ("axes", "arm")}
        yield "-".join(names), {**rest, "arm": arms} if arms else rest
        return
    rest = {**table, "axes": _without(table["axes"], outer.path)}
    for point in outer.points:
        given = {"language": point.name} if outer.path == ("language",) else {}
        title = f"{table.get('title')} {point.name}"
        named = {"title": title} if table.get("title") else {}
        changed = merged(rest, {**given, **named, **point.changes})
        yield from _expanded(changed, (*names, point.name))


def _multiplied(table: Table, axes: list[Axis]) -> Table:
    """Return the tables of the arms at every point of ``axes``, by name."""
    given = {name: arm for name, arm in table.get("arm", {}).items() if arm is not False}
    arms: Table = given or {"": {}}
    for axis in axes:
        made: Table = {}
        for arm, own in arms.items():
            points = _at_points(arm, own, table, axis)
            if same := next((name for name in points if name in made), None):
                message = f"several arms are named {same!r} when points are added; rename one"
                raise UsageError(message, key=f"arm.{same}")
            made |= points
        arms = made
    return {name or "result": arm for name, arm in arms.items()}


def _at_points(name: str, arm: Any, table: Table, axis: Axis) -> Table:
    """Return an arm at every point; the arm alone where the axis does not concern it."""
    if not isinstance(arm, Mapping):
        return {name: arm}
    if ".".join(axis.path).startswith("multitask.") and not arm.get("multitask"):
        return {name: arm}  # its tasks stay alone
    made = {
        "-".join(filter(None, (name, point.name if point.changes else ""))): merged(
            _with_inherited(arm, table, point.changes), point.changes
        )
        for point in axis.points
    }
    first = next(iter(made.values()))
    return {name: first} if all(other == first for other in made.values()) else made


def _with_inherited(arm: Mapping[str, Any], table: Table, changes: Table) -> Table:
    """Return an arm with the recipe's own methods where ``changes`` are options of them."""
    needed = [kind for kind in _METHODS if _is_options(changes.get(kind)) and kind not in arm]
    preset = PRESETS.get(str(table.get("preset")), {})
    defaults = {
        "augment": "none",
        "embed": preset.get("embed", EMBED),
        "mixin": "none",
        "modules": "none",
    }
    return {**{kind: table.get(kind, defaults[kind]) for kind in needed}, **arm}


def _is_options(value: Any) -> bool:
    return isinstance(value, Mapping) and "method" not in value


def merged(table: Table, changes: Mapping[str, Any]) -> Table:
    """Return ``table`` with ``changes`` on top, tables key by key.

    Options of a method are added to the method; another method replaces it with its options.
    Options of the method "none" and keys of LAPT where it is off change nothing.
    """
    found = dict(table)
    for key, change in changes.items():
        found[key] = _merged_value(key, found.get(key), change)
    return found


def _merged_value(key: str, old: Any, change: Any) -> Any:
    if not isinstance(change, Mapping) or old is None:
        return change
    if key == "lapt" and isinstance(old, bool):
        return change if old else False
    if key in _METHODS and isinstance(old, str):
        old = {"method": old}
    if not isinstance(old, Mapping):
        return change
    if key in _METHODS:
        if "method" in change and change["method"] != old.get("method"):
            return change
        if old.get("method") == "none":
            return "none"
    return merged(dict(old), change)


def _axes(table: Any) -> Iterator[Axis]:
    """Yield the axes of the table ``[axes]``."""
    if not isinstance(table, Mapping):
        raise UsageError(f"axes = {shown(table)}: expected a table of axes", key="axes")
    for name, value in table.items():
        yield from _axis((name,), value)


def _axis(path: tuple[str, ...], value: Any) -> Iterator[Axis]:
    key = ".".join(("axes", *path))
    if isinstance(value, list):
        yield Axis(path, _values(".".join(path), value, key))
    elif isinstance(value, Mapping) and any(isinstance(own, list) for own in value.values()):
        for name, own in value.items():  # augment.pieces = [99, 500], without quotes
            yield from _axis((*path, name), own)
    elif isinstance(value, Mapping):
        points = {name: own for name, own in value.items() if own is not False}
        if not points:
            raise UsageError(f"{key} has no points; add [{key}.NAME]", key=key)
        yield Axis(path, [_point(name, own, join(key, name)) for name, own in points.items()])
    else:
        expected = "expected a list of values, or tables of changes [axes.NAME.POINT]"
        raise UsageError(f"{key} = {shown(value)}: {expected}", key=key)


def _point(name: str, changes: Any, key: str) -> Point:
    if not isinstance(changes, Mapping):
        expected = f"expected a table of changes to the recipe; for values of a key, {key} = [...]"
        raise UsageError(f"{key} = {shown(changes)}: {expected}", key=key)
    _check_name(name, key)
    check_names(changes, sorted(_RECIPE | _ARM | {"axes"}), key, what=f"[{key}]")
    return Point(name, dict(changes))


def _check_name(name: str, key: str) -> None:
    """Refuse a name that cannot be part of an arm's, or is that of another folder of a run."""
    if not re.fullmatch(r"\w[\w.-]{0,63}", name) or name.endswith(".partial"):
        expected = "expected a name of letters, digits, '_', '.' and '-', at most 64"
        raise UsageError(f"point {name!r}: {expected}", key=key)
    if name.casefold() in _TAKEN:
        message = f"point {name!r}: expected another name; runs have a file or folder of that name"
        raise UsageError(message, key=key)


def _values(name: str, values: list[Any], key: str) -> list[Point]:
    """Return the points of an axis given as values of the key ``name``."""
    parts = name.split(".")
    check_names(parts[:1], sorted(_RECIPE | _ARM), "axes", what="[axes]")
    if parts[0] == "seeds":
        raise UsageError(
            f"{key}: every arm runs all seeds, so they are no axis; write seeds = {shown(values)}",
            key=key,
        )
    if not values:
        raise UsageError(f"{key} = []: expected one value or more", key=key)
    points = []
    for value in values:
        changes: Any = value
        for part in reversed(parts):
            changes = {part: changes}
        points.append(Point(_value_name(parts[-1], value), changes))
    if len({point.name for point in points}) < len(points):
        expected = "expected values that differ; name them: [axes.NAME.POINT]"
        raise UsageError(f"{key} = {shown(values)}: {expected}", key=key)
    return points


def _value_name(key: str, value: Any) -> str:
    """Return a value as part of an arm's name: ``"pieces_500"``, ``"tva"``, ``"no_lapt"``.

    >>> _value_name("pieces", 500), _value_name("augment", {"method": "tva", "pieces": 9})
    ('pieces_500', 'tva_pieces_9')
    """
    if isinstance(value, bool):
        return key if value else f"no_{key}"
    if isinstance(value, int | float):
        return f"{key}_{value}"
    if isinstance(value, Mapping):
        method = str(value.get("method", key))
        options = [_value_name(name, own) for name, own in value.items() if name != "method"]
        return "_".join([_plain(method), *options])
    if isinstance(value, list):
        return ".".join(_value_name(key, item) for item in value) or f"no_{key}"
    return _plain(str(value))


def _plain(text: str) -> str:
    """Return a text with what names of arms cannot hold replaced."""
    return re.sub(r"[^\w.-]+", "_", text.rpartition("/")[2] or text).strip("._-") or "value"


def _without(table: Mapping[str, Any], path: tuple[str, ...]) -> Table:
    """Return ``table`` without the axis at ``path``."""
    first, *rest = path
    inner = _without(table[first], tuple(rest)) if rest else None
    others = {key: value for key, value in table.items() if key != first}
    return {**others, first: inner} if inner else others
