"""What studies have in common: warnings, the plan of their stages, how results were made."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from specialize.environment import machine_facts
from specialize.executors import unique
from specialize.model.find import find_model
from specialize.model.word_encoder import check_length
from specialize.progress import Log, duration
from specialize.store import Stage, Store
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

Facts = dict[str, Any]


def check_lengths(base: str, lengths: Mapping[str, int]) -> None:
    """Raise UsageError, naming the option, for one of ``lengths`` that the base cannot take."""
    folder = find_model(base)
    framing = read_framing(read_vocabulary(folder), folder)
    for option, length in lengths.items():
        check_length(option, length, framing)


def warned(cautions: Sequence[str], log: Log) -> list[str]:
    """Return ``cautions``, each said as a warning."""
    for caution in cautions:
        log.say(f"warning: {caution}")
    return list(cautions)


def planned(wanted: Sequence[Stage], store: Store, cautions: Sequence[str]) -> str:
    """Return stages and all that they need, done or with an estimate, and the total left."""
    stages = unique(wanted, store)
    width = max(len(stage.label) for stage in stages)
    rows = []
    for stage in stages:
        state = "done" if store.done(stage) else f"~{duration(store.seconds([stage]))}"
        rows.append(f"{stage.label:<{width}}  {state}")
    left = [stage for stage in stages if not store.done(stage)]
    rows += ["", f"{len(left)} stages to run, about {duration(store.seconds(left))} of one process"]
    return "\n".join([*rows, *(f"warning: {caution}" for caution in cautions)])


def made_by(command: str) -> Facts:
    """Return what makes results: the command, today's date and the machine."""
    return {"command": command, "date": time.strftime("%Y-%m-%d"), "machine": machine_facts()}


def finite(value: Any) -> Any:
    """Return ``value`` with None in place of nan, which JSON lacks."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
