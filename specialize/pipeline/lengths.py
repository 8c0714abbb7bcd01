"""Lengths in pieces: those of a recipe, else the defaults, shortened to a base's positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from specialize.pipeline.task_data import state
from specialize.recipe.recipe import Arm
from specialize.recipe.table import build
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

P = TypeVar("P", Finetune, Lapt)


def fitted(cls: type[P], table: Mapping[str, Any], where: str, base: Path) -> P:
    """Return the table of an arm; a ``length`` that it does not set is within ``base``."""
    made = build(cls, table, where)
    if "length" in table:
        return made
    return replace(made, length=min(made.length, positions(base)))


def positions(base: Path) -> int:
    """Return how many pieces the model in ``base`` takes at once."""
    files = sorted(path for path in base.iterdir() if path.is_file())
    return _read_once(base, tuple(state(path) for path in files))


@lru_cache(maxsize=32)
def _read_once(base: Path, states: tuple[tuple[int, int], ...]) -> int:
    return read_framing(read_vocabulary(base), base).positions


def shortened(arm: Arm, base: Path, finetune: Finetune, lapt: Lapt | None) -> Iterator[str]:
    """Yield which lengths of an arm are below the defaults because of its base."""
    found: list[tuple[str, Finetune | Lapt, Mapping[str, Any]]] = []
    if arm.tasks:
        found.append(("finetune", finetune, arm.finetune))
    if lapt:
        found.append(("lapt", lapt, arm.lapt or {}))
    for name, made, table in found:
        usual = type(made).length
        if "length" not in table and made.length < usual:
            yield (
                f"{arm.name}: {name}.length is {made.length} pieces, not {usual}: {base} has no "
                "more positions"
            )
