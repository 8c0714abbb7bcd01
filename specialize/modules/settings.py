"""The settings of described sources: their types and ranges, checked before any is built."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from specialize.errors import UsageError

_WHOLE = ("size", "reduction", "rank", "outputs", "projected", "embedding")
_NAMES = ("keys", "members", "languages", "tasks")


def check_settings(settings: Mapping[str, Any]) -> None:
    """Raise UsageError for a setting of another type or without a meaning."""
    for name, value in settings.items():
        if expected := _expected(name, value):
            raise UsageError(f"expected {name} to be {expected}, got {value!r}")


def is_whole(value: object, least: int) -> bool:
    """Whether ``value`` is a whole number, no less than ``least``; True is none."""
    return type(value) is int and value >= least


def _expected(name: str, value: Any) -> str:
    """Return what the setting should be, "" if it is that or no setting with a rule."""
    if name in _WHOLE:
        return "" if is_whole(value, 1) else "a whole number above 0"
    if name in _NAMES:
        return "" if _distinct(value, str) else "a list of names, each different"
    if name == "layers" and not is_whole(value, 1):
        valid = _distinct(value, int) and all(is_whole(layer, 0) for layer in value)
        return "" if valid else "whole numbers, each different"
    if name == "by" and not isinstance(value, str):
        valid = _distinct(value, str) and {*value} <= {"language", "task"}
        return "" if valid else "language, task or both"
    if name == "dropout":
        return "" if _is_number(value) and 0 <= value < 1 else "a number from 0 to below 1"
    if name == "eps":
        return "" if _is_number(value) and value > 0 else "a number above 0"
    if name == "alpha":
        return "" if _is_number(value) else "a number"
    return ""


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max  # type: ignore[arg-type]


def _distinct(value: object, kind: type) -> bool:
    """Whether ``value`` is a list of values of a type, none of them twice."""
    if not isinstance(value, list) or not all(type(item) is kind for item in value):
        return False
    return len({*value}) == len(value)
