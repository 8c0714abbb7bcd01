"""Methods found by name: a file of a folder is one, its keyword-only parameters are its options.

A recipe names a method of a kind (``augment = "tva"``); the kind says in which folder its file is
and which function in it to call. ``my_pkg.mod:fn`` names a function outside of the package.
Listing the names imports nothing, and a method is imported when it is first found.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from specialize.errors import MissingError, UsageError

Method = Callable[..., Any]

KINDS = {  # kind -> (folder, function)
    "mixin": ("specialize.mixins", "mix"),
    "augment": ("specialize.augment", "change"),
    "embed": ("specialize.embed", "init"),
    "task": ("specialize.tasks", "task"),
}
_TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "tuple": tuple}


class Option(NamedTuple):
    """One option of a method: its type as written in the signature, and its default."""

    type: str
    default: object


class Description(NamedTuple):
    """What a method does, in one line, and its options by name."""

    summary: str
    options: dict[str, Option]


def names(kind: str) -> list[str]:
    """Return the names of the methods of ``kind``, sorted."""
    folder, _ = _kind(kind)
    spec = importlib.util.find_spec(folder)
    found = pkgutil.iter_modules(spec.submodule_search_locations if spec else ())
    return sorted(module.name for module in found if not module.name.startswith("_"))


def find(kind: str, name: str) -> Method:
    """Return the function of the method ``name``, or one outside of the package."""
    folder, function = _kind(kind)
    if ":" in name:
        return _outside(kind, name)
    if name not in (known := names(kind)):
        raise UsageError(_unknown(f"unknown {kind} {name!r}", name, known))
    try:
        module = importlib.import_module(f"{folder}.{name}")
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{kind} {name!r} needs the package {error.name!r}; install it"
        ) from None
    return getattr(module, function)


def bind(kind: str, name: str, options: Mapping[str, object]) -> partial[Any]:
    """Return the method with ``options`` set, their names and the types of their values checked."""
    method = find(kind, name)
    known = _parameters(method)
    values = {}
    for option, value in options.items():
        if option not in known:
            raise UsageError(
                _unknown(f"unknown option {option!r} of {kind} {name!r}", option, known)
            )
        values[option] = _checked(value, known[option], f"option {option!r} of {kind} {name!r}")
    for option, parameter in known.items():
        if parameter.default is parameter.empty and option not in values:
            raise UsageError(f"{kind} {name!r} needs the option {option!r}")
    return partial(method, **values)


def describe(kind: str, name: str) -> Description:
    """Return the first line of the method's docstring and its options: name -> (type, default)."""
    method = find(kind, name)
    summary = (inspect.getdoc(method) or "").partition("\n")[0]
    return Description(
        summary,
        {o: Option(_annotation(p), p.default) for o, p in _parameters(method).items()},
    )


def _kind(kind: str) -> tuple[str, str]:
    if kind not in KINDS:
        raise UsageError(_unknown(f"unknown kind of method {kind!r}", kind, KINDS))
    return KINDS[kind]


def _outside(kind: str, name: str) -> Method:
    """Return the function that ``my_pkg.mod:fn`` points to."""
    module, _, function = name.partition(":")
    try:
        method = getattr(importlib.import_module(module), function, None)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{kind} {name!r}: no module {error.name!r} on the Python path; "
            "check the name or PYTHONPATH"
        ) from None
    except (TypeError, ValueError):  # an empty or relative module name
        method = None
    if not callable(method):
        raise UsageError(
            f"{kind} {name!r} is no function; write it as my_pkg.my_module:my_function"
        )
    return method


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    return f"{what}; known: {', '.join(known) or 'none'}{meant}"


def _parameters(method: Method) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(method).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}


def _annotation(parameter: inspect.Parameter) -> str:
    """Return the annotation as written; it is not evaluated, as its names may not be importable."""
    written = parameter.annotation
    if written is parameter.empty:
        return ""
    if isinstance(written, str):
        return written
    # subtle: repr of tuple[str, ...] says it all, that of a plain class does not
    return repr(written) if hasattr(written, "__args__") else getattr(written, "__name__", "")


def _checked(value: object, parameter: inspect.Parameter, what: str) -> object:
    """Return ``value`` as the parameter's type: lists become tuples, whole numbers floats."""
    kinds = _alternatives(_annotation(parameter))
    for kind in kinds:
        if (fit := _fit(value, kind)) is not _NO_FIT:
            return fit
    legal = " or ".join(_in_words(kind) for kind in kinds if kind != "None")
    raise UsageError(f"{what} is of type {legal}, not {value!r}")


_NO_FIT = object()


def _fit(value: object, kind: str) -> object:
    """Return ``value`` as a ``kind``, written as in an annotation, or _NO_FIT."""
    name, _, inner = kind.partition("[")
    if kind == "None":
        return None if value is None else _NO_FIT
    if name not in _TYPES:
        return value  # a type that is the method's own affair
    if name == "tuple" and isinstance(value, list | tuple):
        items = [_fit(item, inner.partition(",")[0].rstrip("]")) for item in value]
        return _NO_FIT if _NO_FIT in items else tuple(items)
    if name == "float" and type(value) is int:
        return float(value)
    return value if type(value) is _TYPES[name] else _NO_FIT


def _alternatives(annotation: str) -> list[str]:
    """Return the parts of a union: ``str | tuple[int | str, ...]`` -> both, the tuple whole."""
    return [part.strip() for part in re.findall(r"(?:\[[^\]]*\]|[^|\[])+", annotation)] or [""]


def _in_words(kind: str) -> str:
    return re.sub(r"^tuple(?:\[(\w+).*)?$", r"list of \1", kind).removesuffix(" of ")
