"""What ``head.json`` says of a fine-tuned head, read and checked without loading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import DataError, UsageError
from specialize.modules.scope import Scope
from specialize.recipe.methods import bind
from specialize.recipe.outside import described

if TYPE_CHECKING:
    from specialize.tasks._base import Task
    from specialize.tasks._pretokenize import Style


@dataclass(frozen=True)
class HeadFacts:
    """What ``head.json`` says beside the weights."""

    task: str  # the method's name
    options: dict[str, Any]
    labels: dict[str, list[str]]
    mixin: list[list[Any]]  # method and options of each, in order, files in the head's folder
    length: int  # pieces at once
    precision: str
    seed: int
    pretokenize: Style  # how plain text is split into words
    scope: dict[str, str] = field(default_factory=dict)  # of its modules, if it has some
    whole: bool = False  # whether the encoder was trained too, around them


def read_head_facts(folder: Path, *, allow_code: bool = False) -> HeadFacts:
    """Return what `save_head` wrote beside the weights; DataError if it is damaged.

    UsageError if it names functions outside of the package and these are not allowed: whoever
    wrote the folder chose them.
    """
    file = folder / "head.json"
    try:
        facts = _facts(atomic.read_json(file))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{file}:1: not the description of a head ({error})") from None
    if not allow_code and (found := outside(facts, folder)):
        raise UsageError(
            f"{file}: the head runs code outside of the package, {'; '.join(found)}; where you "
            "trust it, allow it: --allow-code, in Python Specialization(folder, allow_code=True)"
        )
    return facts


def _facts(table: Any) -> HeadFacts:
    """Return the facts in ``table``; ValueError or TypeError where it is something else."""
    facts = HeadFacts(**table)
    types = {"task": str, "options": dict, "labels": dict, "mixin": list, "length": int}
    types |= {"precision": str, "seed": int, "pretokenize": str, "scope": dict, "whole": bool}
    for name, kind in types.items():
        if type(getattr(facts, name)) is not kind:
            raise ValueError(f"{name} is no {kind.__name__}")
    if not all(map(_is_texts, facts.labels.values())):
        raise ValueError("labels are no lists of texts")
    Scope(**facts.scope)
    for mixin in facts.mixin:
        name, options = mixin
        if not isinstance(name, str) or not isinstance(options, Mapping):
            raise ValueError("mixin is no list of names with options")
    return facts


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def outside(facts: HeadFacts, folder: Path) -> list[str]:
    """Return the functions outside of the package that a head runs, with their files."""
    named = [("task", facts.task), *(("mixin", name) for name, _ in facts.mixin)]
    return [described(kind, name, folder) for kind, name in named if ":" in name]


def task_of(facts: HeadFacts, folder: Path) -> Task[Any]:
    """Return the task of a head; DataError where this version has no such method or option."""
    try:
        task: Task[Any] = bind("task", facts.task, facts.options)()
    except UsageError as error:
        raise DataError(f"{folder / 'head.json'}:1: {error}") from None
    return task
