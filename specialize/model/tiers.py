"""Tiered embedding rows: kept and fresh rows as two parameters, so that each can have its own rate.

Scaling the gradient of the fresh rows would do nothing under Adam, whose update does not depend on
the gradient's scale; and two optimisers over one matrix (the authors' fix) decay every row twice.
Here the table is *computed* from two parameters wherever the model reads it, at look-up and in the
tied output layer alike, so each row has exactly one owner, one rate, one moment.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from specialize.model.mlm import MaskedModel


class FreshRows(nn.Module):
    """Put the fresh rows [F, D] in their places of the table [V, D]."""

    ids: Tensor

    def __init__(self, rows_FD: Tensor, ids: Sequence[int]) -> None:
        super().__init__()
        self.rows = nn.Parameter(rows_FD.clone())
        places = torch.tensor(list(ids), device=rows_FD.device)
        self.register_buffer("ids", places, persistent=False)

    def forward(self, table_VD: Tensor) -> Tensor:
        """Return the table with the fresh rows in place; the rows below get no gradient."""
        return table_VD.index_copy(0, self.ids, self.rows)


def tier(model: MaskedModel, fresh: Sequence[int]) -> nn.Parameter:
    """Give the rows ``fresh`` of the embedding table (and of a tied output layer) a parameter.

    Returns it, [F, D]. ``merge`` undoes this; until then ``model`` must not be saved.
    """
    embedding = model.get_input_embeddings()
    output = model.get_output_embeddings()
    tied = output is not None and output.weight is embedding.weight
    rows = FreshRows(embedding.weight.detach()[list(fresh)], fresh)
    parametrize.register_parametrization(embedding, "weight", rows)
    if tied:
        parametrize.register_parametrization(output, "weight", rows)
    return rows.rows


def merge(model: MaskedModel) -> None:
    """Write the fresh rows into the table and make it one parameter again."""
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    if not parametrize.is_parametrized(embedding):
        return
    tied = output is not None and parametrize.is_parametrized(output)
    parametrize.remove_parametrizations(embedding, "weight", leave_parametrized=True)
    if tied:
        parametrize.remove_parametrizations(output, "weight", leave_parametrized=True)
        output.weight = embedding.weight
