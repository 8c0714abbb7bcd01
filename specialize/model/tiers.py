"""Tiered rows: kept and fresh rows as separate parameters, so that each can have its own rate.

Scaling the gradient of the fresh rows would do nothing under Adam, whose update does not depend on
the gradient's scale; and two optimisers over one matrix (the authors' fix) decay every row twice.
Here a table is *computed* from two parameters wherever the model reads it, at look-up and in the
output layer alike, so each row has exactly one owner, one rate, one moment.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from specialize.model.language_model import LanguageModel, output_bias, output_layer, tie

# shapes: F fresh rows, R rows of a table, D width


class _Overlay(nn.Module):
    """The fresh rows [F, D] in their places of a table [R, D], or entries [F] of a bias [R]."""

    ids: Tensor

    def __init__(self, table_RD: Tensor, ids: Sequence[int]) -> None:
        """``table_RD``: or a bias [R]."""
        super().__init__()
        places = torch.tensor(list(ids), dtype=torch.long, device=table_RD.device)
        self.rows = nn.Parameter(table_RD.detach()[places])
        self.register_buffer("ids", places, persistent=False)

    def forward(self, table_RD: Tensor) -> Tensor:
        """Return the table with the fresh rows in place; the rows below get no gradient."""
        return table_RD.index_copy(0, self.ids, self.rows)


def tier(model: LanguageModel, fresh: Sequence[int]) -> list[nn.Parameter]:
    """Make the rows ``fresh`` parameters of their own and return these, each [F, D].

    One for the input table, shared by a tied output layer, and one more for an untied output layer.
    ``merge`` undoes this; until then ``model`` must not be saved.
    """
    table, output = model.get_input_embeddings(), output_layer(model)
    tied = output is not None and output.weight is table.weight
    overlay = _Overlay(table.weight, fresh)
    found = [overlay.rows]
    parametrize.register_parametrization(table, "weight", overlay)
    if output is not None:
        if not tied:
            overlay = _Overlay(output.weight, fresh)
            found.append(overlay.rows)
        parametrize.register_parametrization(output, "weight", overlay)
    return found


def tier_bias(model: LanguageModel, fresh: Sequence[int]) -> list[nn.Parameter]:
    """Make the entries ``fresh`` of the output bias, if there is one, a parameter [F] of its own.

    As with `tier`, ``merge`` undoes this.
    """
    if (bias := output_bias(model)) is None:
        return []
    overlay = _Overlay(bias, fresh)
    for module in [m for m in model.modules() if getattr(m, "bias", None) is bias]:
        parametrize.register_parametrization(module, "bias", overlay)
    return [overlay.rows]


def merge(model: LanguageModel) -> None:
    """Write the fresh rows into the tables and make each table one parameter again."""
    table, output = model.get_input_embeddings(), output_layer(model)
    if not parametrize.is_parametrized(table, "weight"):
        return
    overlay = table.parametrizations.weight[0]
    tied = output is not None and output.parametrizations.weight[0] is overlay
    for layer in (table,) if output is None else (table, output):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    for module in [m for m in model.modules() if parametrize.is_parametrized(m, "bias")]:
        parametrize.remove_parametrizations(module, "bias", leave_parametrized=True)
    if tied:
        tie(model)
