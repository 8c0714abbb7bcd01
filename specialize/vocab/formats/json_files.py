"""Reading and writing JSON objects and texts of a tokenizer's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from specialize.errors import DataError

Json = dict[str, Any]
CONFIG = "tokenizer_config.json"


def load_json(file: Path) -> Json:
    """Return the JSON object of a file; DataError if it is not one."""
    try:
        value = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise DataError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    if not isinstance(value, dict):
        raise DataError(f"{file}:1: expected a JSON object, got {type(value).__name__}")
    return value


def write_json(file: Path, value: Json, *, indent: int | None) -> None:
    """Write a JSON object, without escaping text."""
    file.write_text(json.dumps(value, ensure_ascii=False, indent=indent) + "\n", "utf-8")


def read_text(file: Path) -> str:
    """Return the text of a file: DataError with its line if it is not UTF-8."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError(f"{file}:{line}: not UTF-8; is this a vocabulary?") from None
