"""The types of what a comparison reads of a run's files, checked so that edited ones are refused.

A shape is a type, a tuple of types, a list with the shape of its items, or a dictionary with those
of its keys: a key with "?" may be missing, "*" stands for all keys. Other keys are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

Shape = Any

_SHARE = (float, NoneType)
_AUDIT = {"words": int, "pieces": int, "unknown_words": int, "unknown_pieces": int}
_BOTH = {name: {**_AUDIT, "fertility": _SHARE} for name in ("before", "after")}
_ROWS = [{"*": (float, NoneType)}]
_CURVES = [[(float, NoneType)]]
_SCORES = {
    "metric": str,
    "seeds": [int],
    "test": _ROWS,
    "dev": _ROWS,
    "method?": str,
    "by_epoch?": _CURVES,
}
_ARM = {
    "name": str,
    "base?": str,
    "mixin": [str],
    "augment": str,
    "embed": str,
    "lapt": bool,
    "modules?": str,
    "multitask?": str,
    "fresh_rate": float,
    "pieces_added": int,
    "audit": {"*": {**_BOTH, "fresh_pieces_used?": int, "fresh_share?": float}},
    "losses": [{"epoch": int, "bits_per_byte": (float, NoneType)}],
    "bits_per_byte": [(float, NoneType)],
    "bits_by_epoch?": _CURVES,
    "scores": {"*": _SCORES},
    "stages": [{"label": str, "seconds": float, "peak_memory": int}],
}
REPORT_SHAPE: Shape = {
    "title": str,
    "language": str,
    "base": str,
    "machine?": {"*": object},
    "tasks": {"*": str},
    "arms": [_ARM],
    "same?": {"*": str},
    "missing?": [str],
    "cautions?": [str],
}
GRID_SHAPE: Shape = {"points": [str]}
RECIPE_SHAPE: Shape = {
    "arm?": {"*": {"seeds?": [int]}},
    "task?": {"*": {"train?": str, "dev?": str, "test?": str}},
    "corpus?": {"*": object},
}
PROVENANCE_SHAPE: Shape = {"inputs?": {"*": str}}

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    dict: "a table",
    list: "a list",
}


def misfits(value: Any, shape: Shape, where: str = "") -> Iterator[str]:
    """Yield where ``value`` has another shape.

    >>> list(misfits({"arms": [{"name": 3}]}, {"arms": [{"name": str}]}))
    ['arms[0].name: expected text, got 3']
    """
    if isinstance(shape, dict):
        yield from _table_misfits(value, shape, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield _message(where, (list,), value)
            return
        for i, item in enumerate(value):
            yield from misfits(item, shape[0], f"{where}[{i}]")
    else:
        types = shape if isinstance(shape, tuple) else (shape,)
        if not any(_is(value, kind) for kind in types):
            yield _message(where, types, value)


def _table_misfits(value: Any, shape: Mapping[str, Shape], where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _message(where, (dict,), value)
        return
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if key == "*":
            for own, item in value.items():
                yield from misfits(item, inner, f"{where}.{own}".lstrip("."))
        elif name in value:
            yield from misfits(value[name], inner, f"{where}.{name}".lstrip("."))
        elif name == key:
            yield f"{where or 'the file'} lacks {name!r}"


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return type(value) is float or (type(value) is int and abs(value) < 1e300)
    if kind in (int, bool):
        return type(value) is kind
    return isinstance(value, kind)


def _message(where: str, kinds: tuple[type, ...], value: Any) -> str:
    expected = " or ".join(_WORDS[kind] for kind in kinds)
    got = repr(value) if len(repr(value)) < 40 else f"{repr(value)[:36]}..."
    return f"{where}: expected {expected}, got {got}"
