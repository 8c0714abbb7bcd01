"""What studies have in common: warnings, the plan of their stages, how results were made."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.environment import machine_facts
from specialize.errors import UsageError
from specialize.executors import unique
from specialize.model.find import find_model
from specialize.model.word_encoder import check_length
from specialize.pipeline.checks import check_folder
from specialize.progress import Log, duration
from specialize.store import Stage, Store
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

Facts = dict[str, Any]

_KEYS = {"between_tasks": "transfer", "studies": "sharing", "systems": "zeroshot"}
_TOGETHER = {"transfer", "interference"}  # these may share a folder, each with results of its own


def check_out(out: Path, kind: str) -> None:
    """Raise UsageError for a folder that a study may not write: above all, another study's."""
    check_folder(out)
    for held in _held(out):
        if held != kind and not {held, kind} <= _TOGETHER:
            raise UsageError(f"{out} holds results of study {held}; choose another --out")


def _held(out: Path) -> Iterator[str]:
    """Yield the studies of which a folder holds results, by the keys that only theirs have."""
    if (out / "interference.json").is_file():
        yield "interference"
    if (out / "results.json").is_file():
        facts = atomic.read_json(out / "results.json")
        yield from (kind for key, kind in _KEYS.items() if key in facts)


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
    """Return cautions, stages and all that they need, done or estimated, and the total left."""
    stages = unique(wanted, store)
    width = max(len(stage.label) for stage in stages)
    rows = [f"warning: {caution}" for caution in cautions]
    for stage in stages:
        state = "done" if store.done(stage) else f"~{duration(store.seconds([stage]))}"
        rows.append(f"{stage.label:<{width}}  {state}")
    left = [stage for stage in stages if not store.done(stage)]
    rows += ["", f"{len(left)} stages to run, about {duration(store.seconds(left))} of one process"]
    return "\n".join(rows)


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
