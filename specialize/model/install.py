"""Putting a changed vocabulary into a model: fresh rows in, kept rows bit-equal, and the proof."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from specialize.embed._rows import FreshRows
from specialize.errors import SpecializeError
from specialize.model.load import load_base, save_model
from specialize.model.masked import MaskedModel, output_bias, tie
from specialize.vocab.base import VocabChange


@torch.no_grad()
def install(model: MaskedModel, change: VocabChange, fresh: FreshRows) -> None:
    """Make ``model`` one of ``change.new``: kept rows move bit-equal, fresh ones are written.

    Embedding table, output layer (tied or not) and output bias are handled alike; rows are written
    by id, so that padded tables and slots get theirs too.
    """
    tables = _tables(model)
    old = [table.weight.detach().clone() for table in tables]
    bias = output_bias(model)
    old_bias = None if bias is None else bias.detach().clone()
    rows = max(len(change.new.pieces), len(old[0]))
    if rows > len(old[0]):
        model.resize_token_embeddings(rows, mean_resizing=False)
        tables, bias = _tables(model), output_bias(model)
    new_ids, old_ids = list(change.kept.keys()), list(change.kept.values())
    fresh_ids = list(change.fresh)
    for table, before in zip(tables, old, strict=True):
        table.weight[new_ids] = before[old_ids]
        table.weight[fresh_ids] = fresh.input_rows(before)
    if bias is not None and old_bias is not None:
        bias[new_ids] = old_bias[old_ids]
        bias[fresh_ids] = fresh.biases(old_bias)
    tie(model)


def prove_installed(
    model: MaskedModel, change: VocabChange, before: Snapshot, source: Path
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
