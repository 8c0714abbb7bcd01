"""What a finished stage records in its folder, and the small lists kept beside that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.fingerprints import Output

RECORD = "stage.json"


@dataclass(frozen=True)
class Record:
    """What ``stage.json`` says of a finished stage."""

    name: str
    label: str
    key: str
    arguments: Any  # as they entered the key
    seconds: float
    peak_memory: int  # bytes of the process while it worked; 0 where the system does not tell
    work: float  # the estimate of seconds
    outputs: Mapping[str, Output] = field(default_factory=dict)  # by their names in the folder


def read_record(folder: Path) -> Record | None:
    """Return the record in ``folder``, None where there is none or it is damaged."""
    try:
        table = atomic.read_json(folder / RECORD)
        table["outputs"] = {n: Output(*o) for n, o in table.get("outputs", {}).items()}
        return Record(**table)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return None


def read_list(file: Path) -> list[Any]:
    """Return the list in ``file``, an empty one where there is none or it is damaged."""
    try:
        return list(atomic.read_json(file))
    except (OSError, ValueError, TypeError):
        return []
