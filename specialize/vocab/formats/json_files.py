"""Reading and writing JSON objects and texts of a tokenizer's folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from specialize.errors import DataError

Json = dict[str, Any]
CONFIG = "tokenizer_config.json"
_SURROGATES = re.compile(r"(?:\\u[dD][89a-fA-F][0-9a-fA-F]{2})+")


def load_json(file: Path) -> Json:
    """Return the JSON object of a file; DataError if it is not one, or no tokenizer can have it."""
    text = read_text(file)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{file}:{error.lineno}: not JSON: {error.msg}") from None
    except RecursionError:
        raise DataError(f"{file}:1: brackets are nested too deeply; download it again") from None
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"{file}:1: {str(error).partition(';')[0]}") from None
    for pair in _SURROGATES.finditer(text):
        try:
            json.loads(f'"{pair[0]}"').encode()
        except UnicodeEncodeError:
            line = text.count("\n", 0, pair.start()) + 1
            raise DataError(f"{file}:{line}: half a surrogate pair, {pair[0]}; remove it") from None
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
