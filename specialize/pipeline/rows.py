"""Initial rows of fresh pieces as a folder: the rows, and what each is made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specialize import atomic

if TYPE_CHECKING:
    from specialize.embed._rows import FreshRows

_ROWS, _SOURCES = "rows.safetensors", "sources.json"


def write_rows(rows: FreshRows, folder: Path) -> None:
    """Write the rows of each table that has any, and their sources."""
    from safetensors.torch import save_file

    named = {"input": rows.input, "output": rows.output, "bias": rows.bias}
    tensors = {k: t.contiguous().cpu() for k, t in named.items() if t is not None}
    save_file(tensors, str(folder / _ROWS))
    atomic.write_json(folder / _SOURCES, rows.sources)


def read_rows(folder: Path) -> FreshRows:
    """Return the rows that ``write_rows`` wrote."""
    from safetensors.torch import load_file

    from specialize.embed._rows import FreshRows

    named = load_file(str(folder / _ROWS))
    return FreshRows(named["input"], named.get("output"), named.get("bias"), read_sources(folder))


def read_sources(folder: Path) -> tuple[str, ...]:
    """Return the sources of the rows in ``folder``; none where an earlier version wrote them."""
    file = folder / _SOURCES
    return tuple(atomic.read_json(file)) if file.exists() else ()
