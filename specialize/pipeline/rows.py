"""Initial rows of fresh pieces as a file."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file

from specialize.embed._rows import FreshRows


def write_rows(rows: FreshRows, file: Path) -> None:
    """Write the rows of each table that has any."""
    named = {"input": rows.input, "output": rows.output, "bias": rows.bias}
    save_file({k: t.contiguous().cpu() for k, t in named.items() if t is not None}, str(file))


def read_rows(file: Path) -> FreshRows:
    """Return the rows that ``write_rows`` wrote."""
    named = load_file(str(file))
    return FreshRows(named["input"], named.get("output"), named.get("bias"))
