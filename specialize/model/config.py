"""The configuration of a model, read without running code from its folder or the hub."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from specialize.errors import DataError, MissingError
from specialize.model.header import read_json

UNLOADABLE = (  # what transformers and torch raise for a damaged model
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    EOFError,
    SafetensorError,
    pickle.UnpicklingError,
)


def read_config(folder: Path) -> Any:
    """Return the configuration of a model that can be used, or raise."""
    config = read_any_config(folder)
    if getattr(config, "languages", None) and not getattr(config, "default_language", None):
        raise DataError(
            f"{folder / 'config.json'}:1: {config.model_type} has an adapter per language and "
            f"default_language is not set; set it to one of {', '.join(config.languages)}"
        )
    return config


def read_any_config(folder: Path) -> Any:
    """Return the configuration of an encoder, also of one that needs a language to run."""
    from transformers import AutoConfig

    from specialize.model.bilstm import register

    register()
    file = folder / "config.json"
    if not file.is_file():
        raise MissingError(f"{folder}: no config.json; expected the directory of a model")
    _check_implementations(file)
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except UNLOADABLE as error:
        raise DataError(f"{file}:1: transformers cannot read it: {first_line(error)}") from None
    if config.is_encoder_decoder:
        raise DataError(
            f"{file}:1: {config.model_type} is an encoder with a decoder; expected an encoder with "
            "a masked-LM head, such as BERT or XLM-R, or a decoder such as GPT-2 or Llama"
        )
    return config


def _check_implementations(file: Path) -> None:
    """Raise DataError where transformers would download an implementation and run it."""
    described = read_json(file)
    if not isinstance(described, dict):
        raise DataError(f"{file}:1: expected the configuration of a model, got no JSON object")
    for name, value in _items(described):
        if name.endswith("_implementation") and value not in (None, "eager", "sdpa"):
            raise DataError(
                f"{file}:1: {name} is {value!r}, which may be code to download; delete it, or set "
                "it to 'sdpa'"
            )


def _items(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a table and of the tables in it."""
    for name, value in table.items():
        yield name, value
        if isinstance(value, dict):
            yield from _items(value)


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, else its class."""
    return next(iter(str(error).splitlines()), type(error).__name__)
