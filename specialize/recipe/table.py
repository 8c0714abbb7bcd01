"""The validator: tables of a recipe and options of methods, checked against types.

`keys_of` lists what a dataclass (a table) or a function (its options) takes; `check` refuses
everything else and converts the values; `build` makes the dataclass.
"""

from __future__ import annotations

import difflib
import inspect
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from specialize.errors import MissingError, UsageError

T = TypeVar("T")
Table = dict[str, Any]

_NO_FIT = object()
_LAST_SEED = 2**31 - 1
_WORDS: dict[Any, tuple[str, str]] = {  # one, many
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "texts"),
    Path: ("a file", "files"),
    Any: ("anything", "values"),
}


class Key(NamedTuple):
    """The type of a key's value, and its default: MISSING if it must be given."""

    type: Any
    default: Any = MISSING


def build(cls: type[T], table: Mapping[str, Any], where: str, *, folder: Path | None = None) -> T:
    """Return the dataclass ``cls`` with the values of ``table``, names and types checked.

    ``where``: the name of the table in the recipe, ``lapt``; "" for the recipe itself. Files are
    relative to ``folder``. UsageError for unknown keys, other types, and what ``cls`` refuses.
    """
    values = check(table, keys_of(cls), where, folder=folder)
    try:
        return cls(**values)
    except UsageError as error:
        raise UsageError(str(error), key=where) from None


def keys_of(target: Any) -> dict[str, Key]:
    """Return the fields of a dataclass, or the keyword-only parameters of a function."""
    if is_dataclass(target):
        hints = get_type_hints(target)
        return {f.name: Key(hints[f.name], _default(f)) for f in fields(target)}
    scope = getattr(target, "__globals__", {})
    return {
        p.name: Key(_evaluated(p.annotation, scope), MISSING if p.default is p.empty else p.default)
        for p in inspect.signature(target).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }


def check(
    table: Mapping[str, Any],
    known: Mapping[str, Key],
    where: str,
    *,
    what: str = "",
    text: str = "",
    folder: Path | None = None,
) -> Table:
    """Return the values of ``table``, converted to the types of the ``known`` keys.

    UsageError for an unknown key (listing the known ones), a missing one, and a value of another
    type; ``what`` names the table in messages, and ``text`` documents its keys. A file is located
    in ``folder``, if given.
    """
    what = what or where or "the recipe"
    check_names(table, known, where, what=what)
    for name, key in known.items():
        if key.default is MISSING and name not in table:
            example = f"expected {in_words(key.type)}; add {name} = ...{_meaning(text, name)}"
            raise UsageError(f"{what} lacks {name!r}: {example}", key=where)
    return {
        name: convert(value, known[name], join(where, name), folder=folder)
        for name, value in table.items()
    }


def _meaning(text: str, name: str) -> str:
    """Return what a docstring says of an option, "``name``: ...", in parentheses."""
    found = re.search(rf"``{name}``: (.+?)[.](?:\s|$)", text, re.DOTALL)
    return f" ({' '.join(found[1].replace('``', '').split())})" if found else ""


def check_names(
    given: Iterable[str], known: Iterable[str], where: str, *, what: str, kind: str = "key"
) -> None:
    """Raise UsageError for a name that is not known, listing those that are."""
    known = list(known)
    for name in given:
        if name not in known:
            message = unknown(f"unknown {kind} {name!r} in {what}", name, known)
            raise UsageError(message, key=join(where, name))


def check_left_out(
    table: Mapping[str, Any], original: Mapping[str, Any], kinds: Iterable[str]
) -> None:
    """Raise UsageError for a change that leaves out what the file, ``original``, does not have."""
    for kind in kinds:
        known, changed = (own.get(kind, {}) for own in (original, table))
        if isinstance(known, Mapping) and isinstance(changed, Mapping):
            off = [name for name, value in changed.items() if value is False]
            check_names(off, known, kind, what=kind, kind="name")


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message ``what``, with the known names and the one that may be meant."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{what}; known: {', '.join(known) or 'none'}{hint}"


def convert(value: Any, key: Key, name: str, *, folder: Path | None = None) -> Any:
    """Return ``value`` as the type of ``key``: lists become tuples, whole numbers floats."""
    try:
        found = _fit(value, key.type, folder)
    except MissingError as error:
        raise MissingError(f"{name}: {error}", key=name) from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{name} = {value}: expected a finite number", key=name)
    if found is _NO_FIT:
        _check_entries(value, key.type, name, folder)
        message = f"{name} = {shown(value)}: expected {in_words(key.type)}{_hint(value, key)}"
        raise UsageError(message, key=name)
    if name.rpartition(".")[2] in ("seed", "seeds"):
        _check_seeds(found, name)
    return found


def _check_entries(value: Any, wanted: Any, name: str, folder: Path | None) -> None:
    """Raise UsageError for the first entry of another type, if only tables are expected."""
    if get_origin(wanted) in (Mapping, dict) and isinstance(value, Mapping):
        for entry, own in value.items():
            convert(own, Key(get_args(wanted)[1]), join(name, entry), folder=folder)


def _check_seeds(found: Any, name: str) -> None:
    """Raise UsageError for a seed, or one of several, that not every generator takes."""
    seeds = found if isinstance(found, tuple) else (found,)
    if any(isinstance(seed, int) and not 0 <= seed <= _LAST_SEED for seed in seeds):
        expected = f"expected {'seeds' if found is seeds else 'a seed'} from 0 to {_LAST_SEED}"
        raise UsageError(f"{name} = {shown(found)}: {expected}", key=name)


def _fit(value: Any, wanted: Any, folder: Path | None = None) -> Any:
    """Return ``value`` as a ``wanted``, or _NO_FIT."""
    origin, inner = get_origin(wanted) or wanted, get_args(wanted)
    if origin is Annotated:  # another method, which methods.bind looks up
        named = value.get("method") if isinstance(value, Mapping) else value
        return value if isinstance(named, str) else _NO_FIT
    if origin in (Union, UnionType):
        fits = (_fit(value, part, folder) for part in inner)
        return next((fit for fit in fits if fit is not _NO_FIT), _NO_FIT)
    if origin is Literal:
        return value if any(type(value) is type(x) and value == x for x in inner) else _NO_FIT
    if origin is tuple:
        if not isinstance(value, list | tuple):
            return _NO_FIT
        items = [_fit(item, inner[0] if inner else Any, folder) for item in value]
        return _NO_FIT if any(item is _NO_FIT for item in items) else tuple(items)
    if origin in (Mapping, dict):
        if not isinstance(value, Mapping):
            return _NO_FIT
        values = {k: _fit(v, inner[1] if inner else Any, folder) for k, v in value.items()}
        return _NO_FIT if any(v is _NO_FIT for v in values.values()) else values
    if wanted is Path and isinstance(value, str | Path):
        return locate(str(value), folder) if folder else Path(value)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is float and type(value) is float and not math.isfinite(value):
        return _NO_FIT
    if wanted in (bool, int, float, str, Path, NoneType):
        return value if type(value) is wanted else _NO_FIT
    return value  # any other type is the method's own affair


def in_words(wanted: Any, many: bool = False) -> str:
    """Return a type as a phrase: ``tuple[int, ...]`` -> "a list of whole numbers"."""
    origin, inner = get_origin(wanted) or wanted, get_args(wanted)
    if origin in (Union, UnionType):
        return " or ".join(in_words(part, many) for part in inner if part is not NoneType)
    if origin is Annotated:
        return "methods" if many else f"a method ({inner[1]})"
    if origin is Literal:
        return " or ".join(map(shown, inner))
    if origin is tuple:
        of = f" of {in_words(inner[0], True)}" if inner else ""
        return f"{'lists' if many else 'a list'}{of}"
    if origin in (Mapping, dict):
        of = f" of {in_words(inner[1], True)}" if inner and inner[1] is not Any else ""
        return f"{'tables' if many else 'a table'}{of}"
    return _WORDS.get(wanted, (str(wanted), str(wanted)))[many]


def shown(value: Any) -> str:
    """Return a value as a recipe would have it, shortened."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(shown, value))}]"
    elif isinstance(value, Mapping):
        text = f"{{{', '.join(f'{k} = {shown(v)}' for k, v in value.items())}}}"
    else:
        text = repr(str(value) if isinstance(value, Path) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _hint(value: Any, key: Key) -> str:
    """Return what to write instead."""
    kinds = get_args(key.type) if get_origin(key.type) in (Union, UnionType) else (key.type,)
    for kind in kinds:
        if get_origin(kind) is tuple and _fit([value], kind) is not _NO_FIT:
            return f"; write {shown([value])}"
        if kind is int and isinstance(value, float) and value.is_integer():
            return f"; write {int(value)}"
        if kind in (int, float) and isinstance(value, str) and _is_number(value, kind):
            return f"; write {value}, without quotes"
    given = key.default is not MISSING and key.default not in (None, "", (), {})
    return f"; the default is {shown(key.default)}" if given else ""


def _is_number(text: str, kind: Callable[[str], Any]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _evaluated(annotation: Any, scope: Table) -> Any:
    """Return the type an annotation stands for; Any where its names cannot be looked up."""
    if not isinstance(annotation, str):
        return Any if annotation is inspect.Parameter.empty else annotation
    try:
        return eval(annotation, scope)
    except (NameError, AttributeError, SyntaxError, TypeError):
        return Any


def join(table: str, name: str) -> str:
    """Return the key ``name`` of ``table``, dotted; a table "" is the recipe itself."""
    return f"{table}.{name}" if table else name


def locate(name: str, folder: Path) -> Path:
    """Return the file ``name``: $VARIABLES and ~ expanded, relative to ``folder``.

    $SPECIALIZE_DATA, if not set, is ../shared/data. MissingError if there is no such file.
    """
    data = os.environ.get("SPECIALIZE_DATA", "../shared/data")
    filled = os.path.expandvars(name.replace("$SPECIALIZE_DATA", str(Path(data).absolute())))
    path = Path(os.path.normpath(folder.absolute() / Path(filled).expanduser()))
    if not path.exists():
        hint = "; set SPECIALIZE_DATA to the data folder" if "$SPECIALIZE_DATA" in name else ""
        raise MissingError(f"{path}: no such file{hint}")
    return path
