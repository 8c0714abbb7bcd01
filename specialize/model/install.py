"""Putting a changed vocabulary into a model: fresh rows in, kept rows bit-equal, and the proof.

Tables grow, shrink and are put in another order; the configuration's ids of special pieces follow.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from specialize.embed._rows import FreshRows
from specialize.errors import SpecializeError, UsageError
from specialize.model.load import load_base, save_model
from specialize.model.mlm import MaskedModel, output_bias, tie
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import WordPiece


@torch.no_grad()
def install(model: MaskedModel, change: VocabChange[Vocabulary], fresh: FreshRows) -> None:
    """Make ``model`` one of ``change.new``: kept rows move bit-equal, fresh ones are written.

    Embedding table, output layer (tied or not) and output bias are handled alike; rows are written
    by id, so that padded tables and slots get theirs too. A smaller vocabulary has a table of just
    its size. Ids in the configuration name the same pieces as before, or none: UsageError where the
    padding piece would move and the model counts positions from its id, as RoBERTa does.
    """
    ids = _moved_ids(model, change)
    tables = _tables(model)
    padded = tables[0].padding_idx is not None
    old = [table.weight.detach().clone() for table in tables]
    bias = output_bias(model)
    old_bias = None if bias is None else bias.detach().clone()
    if (rows := _rows(model, change)) != len(old[0]):
        model.resize_token_embeddings(rows, mean_resizing=False)
        tables, bias = _tables(model), output_bias(model)
    for name, value in ids.items():
        setattr(model.config, name, value)
    if padded:  # subtle: transformers forgets it in a table that has grown too small
        tables[0].padding_idx = ids.get("pad_token_id")
    new_ids, old_ids = list(change.kept.keys()), list(change.kept.values())
    fresh_ids = list(change.fresh)
    for table, before in zip(tables, old, strict=True):
        table.weight[new_ids] = before[old_ids]
        if fresh_ids:
            table.weight[fresh_ids] = fresh.input_rows(before)
    if bias is not None and old_bias is not None:
        bias[new_ids] = old_bias[old_ids]
        if fresh_ids:
            bias[fresh_ids] = fresh.biases(old_bias)
    tie(model)


def _rows(model: MaskedModel, change: VocabChange[Vocabulary]) -> int:
    """Return how many rows the changed tables have: padding is filled first, and cut off last."""
    rows, pieces = len(model.get_input_embeddings().weight), len(change.new.pieces)
    return pieces if pieces < len(change.old.pieces) else max(pieces, rows)


def _moved_ids(model: MaskedModel, change: VocabChange[Vocabulary]) -> dict[str, Any]:
    """Return the configuration's ids of pieces (``pad_token_id`` and the like) as they become.

    None for a piece that is gone; the id of a padding row stays while the row does.
    """
    new_ids = {old: new for new, old in change.kept.items()}
    spare = range(max(len(change.old.pieces), len(change.new.pieces)), _rows(model, change))

    def moved(i: int) -> int | None:
        return i if i in spare else new_ids.get(i)

    found: dict[str, Any] = {}
    for name, value in vars(model.config).items():
        if name.endswith("_token_id") and isinstance(value, int):
            found[name] = moved(value)
        elif name.endswith("_token_id") and isinstance(value, list):
            found[name] = [i for i in map(moved, value) if i is not None]
    padding, now = getattr(model.config, "pad_token_id", None), found.get("pad_token_id")
    if padding != now and _positions_from_padding(model):
        raise UsageError(
            f"{type(model).__name__} counts positions from the id of the padding piece, which is "
            f"{padding} and would be {now}; keep the pieces up to it where they are"
        )
    return found


def _positions_from_padding(model: MaskedModel) -> bool:
    """Return whether a table beside that of the pieces has a padding row: that of positions."""
    table = model.get_input_embeddings()
    return any(
        module is not table and getattr(module, "padding_idx", None) is not None
        for module in model.base_model.modules()
        if isinstance(module, torch.nn.Embedding)
    )


def prove_installed(
    model: MaskedModel, change: VocabChange[WordPiece], before: Snapshot, source: Path
) -> None:
    """Save ``model``, load it anew and compare: kept rows bit-equal, vocabulary as changed.

    Raises SpecializeError (a bug, never the user's fault) where they are not.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, change.new, Path(folder), source=source)
        again = load_base(Path(folder))
    new_ids, old_ids = list(change.kept.keys()), list(change.kept.values())
    after = snapshot(again.model)
    pairs = [*zip(before.tables, after.tables, strict=True)]
    if before.bias is not None and after.bias is not None:
        pairs.append((before.bias, after.bias))
    equal = all(torch.equal(old[old_ids], new[new_ids]) for old, new in pairs)
    if not equal or again.vocabulary.pieces != tuple(change.new.pieces):
        raise SpecializeError("the installed model differs from the base in kept rows after reload")


class Snapshot:
    """The rows of a model that a vocabulary change must keep."""

    def __init__(self, tables: list[Tensor], bias: Tensor | None) -> None:
        self.tables, self.bias = tables, bias


def snapshot(model: MaskedModel) -> Snapshot:
    """Return copies of the embedding table, an untied output layer, and the output bias."""
    bias = output_bias(model)
    tables = [table.weight.detach().cpu().clone() for table in _tables(model)]
    return Snapshot(tables, None if bias is None else bias.detach().cpu().clone())


def _tables(model: MaskedModel) -> list[Any]:
    """Return the embedding and, if it is not tied to it, the output layer."""
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    tied = output is None or output.weight is embedding.weight
    return [embedding] if tied else [embedding, output]
