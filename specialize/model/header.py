"""Sizes of a model, read from its files' headers: no weights are read, no torch needed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.errors import DataError, MissingError

if TYPE_CHECKING:
    from torch import Tensor

_TABLE = re.compile(  # its names in BERT, ModernBERT, Llama, GPT-2, T5
    r"(.*\.)?(word_embeddings|tok_embeddings|embed_tokens|wte|shared)\.weight"
)


@dataclass(frozen=True)
class ModelRows:
    """The sizes of a model's embedding table, as its folder gives them."""

    vocab_size: int  # of config.json
    tables: dict[str, int] = field(default_factory=dict)  # tensor -> rows, where recognised

    @property
    def rows(self) -> int:
        """Return how many pieces have a row."""
        return min([self.vocab_size, *self.tables.values()])


def model_rows(folder: Path) -> ModelRows | None:
    """Return the sizes in config.json and in the headers of safetensors files in ``folder``.

    None where there is no config.json or it names no vocab_size. DataError where a file is damaged
    or the two disagree.
    """
    config = folder / "config.json"
    if not config.is_file():
        return None
    described = read_json(config)
    size = described.get("vocab_size") if isinstance(described, dict) else None
    if not isinstance(size, int):
        return None
    tables: dict[str, int] = {}
    for file in sorted(folder.glob("*.safetensors")):
        shapes = tensor_shapes(file)
        tables |= {n: s[0] for n, s in shapes.items() if len(s) == 2 and _TABLE.fullmatch(n)}
    for name, rows in tables.items():
        if rows != size:
            raise DataError(
                f"{config}:{_line(config)}: vocab_size is {size}, but {name} has {rows} rows; "
                "config and weights are of different models; download both again"
            )
    return ModelRows(size, tables)


def check_rows(folder: Path, pieces: int) -> ModelRows | None:
    """Return ``model_rows``; DataError where these are fewer than the tokenizer's ``pieces``."""
    found = model_rows(folder)
    if found and found.vocab_size < pieces:
        config = folder / "config.json"
        raise DataError(
            f"{config}:{_line(config)}: vocab_size is {found.vocab_size}, but the tokenizer has "
            f"{pieces} pieces; use the model's own tokenizer, or extend the model too"
        )
    return found


def input_table(folder: Path) -> Tensor:
    """Return the input table [R, D] in float32, without loading the rest of the model.

    MissingError where no safetensors file of ``folder`` has one of the names known here.
    """
    import torch
    from safetensors import safe_open

    for file in sorted(folder.glob("*.safetensors")):
        for name, shape in sorted(tensor_shapes(file).items()):
            if len(shape) == 2 and _TABLE.fullmatch(name):
                with safe_open(file, framework="pt") as opened:
                    return opened.get_tensor(name).to(torch.float32)
    raise MissingError(
        f"{folder}: expected a model.safetensors with an embedding table, got none; name the "
        "folder of a model, saved with save_pretrained"
    )


def tensor_shapes(file: Path) -> dict[str, list[int]]:
    """Return the shape of each tensor in a safetensors file; DataError if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="np") as opened:
            names = opened.keys()
            return {name: opened.get_slice(name).get_shape() for name in names}
    except SafetensorError as error:
        raise DataError(f"{file}:1: damaged ({error}); download it again") from None


def read_json(file: Path) -> Any:
    """Return what a JSON file of a model holds; DataError if it is damaged."""
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or too deep
        raise DataError(f"{file}:1: its JSON is damaged; download it again") from None


def _line(config: Path) -> int:
    """Return the line of config.json that gives vocab_size."""
    lines = config.read_text("utf-8").splitlines()
    return next((i for i, line in enumerate(lines, 1) if '"vocab_size"' in line), 1)
