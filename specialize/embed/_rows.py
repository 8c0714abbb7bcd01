"""What an embedding initialisation returns: fresh rows, and nothing about kept ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# shapes: F fresh rows, V old rows, D width


@dataclass(frozen=True)
class FreshRows:
    """Rows for the fresh pieces: mixtures of old rows, drawn rows, or a drawn row where no mixture.

    Mixtures apply alike to the embedding table, an untied output layer and the output bias.
    """

    mixture_FV: Tensor  # sparse; a row of zeros = no mixture
    drawn_FD: Tensor  # used where there is no mixture

    def input_rows(self, table_VD: Tensor) -> Tensor:
        """Return the rows [F, D] of the embedding table or of an untied output layer."""
        mixed = torch.sparse.mm(self.mixture_FV, table_VD)
        return torch.where(self._has_mixture()[:, None], mixed, self.drawn_FD)

    def biases(self, bias_V: Tensor) -> Tensor:
        """Return the output biases [F]; a drawn row gets the mean bias."""
        mixed = torch.sparse.mm(self.mixture_FV, bias_V[:, None])[:, 0]
        return torch.where(self._has_mixture(), mixed, bias_V.mean())

    def _has_mixture(self) -> Tensor:
        return torch.sparse.sum(self.mixture_FV, dim=1).to_dense() > 0


def mixture(parts: list[list[int]], old_rows: int) -> Tensor:
    """Return the sparse mixture [F, V] that gives fresh row f the mean of the old rows parts[f]."""
    where = [(f, old) for f, olds in enumerate(parts) for old in olds]
    weights = [1 / len(olds) for olds in parts for _ in olds]
    places = torch.tensor(where, dtype=torch.long).reshape(-1, 2).T
    values = torch.tensor(weights, dtype=torch.float32)
    size = (len(parts), old_rows)
    with torch.sparse.check_sparse_tensor_invariants():
        return torch.sparse_coo_tensor(places, values, size).coalesce()


def drawn(table_VD: Tensor, count: int, *, seed: int, mean: bool) -> Tensor:
    """Return ``count`` rows drawn with each dimension's deviation, around 0 or the mean row."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(count, table_VD.shape[1], generator=generator)
    rows = noise * table_VD.std(dim=0)
    return rows + table_VD.mean(dim=0) if mean else rows
