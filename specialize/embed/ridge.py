"""A linear map from auxiliary vectors to the old rows, by ridge regression."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from specialize.embed._auxiliary import Auxiliary, auxiliary, subword_weights
from specialize.embed._blocks import unit
from specialize.embed._rows import FreshRows, Tables, fresh_rows, one_thread
from specialize.errors import UsageError
from specialize.progress import Log, Silent
from specialize.vocab.base import VocabChange, Vocabulary

# shapes: F fresh pieces, K of them with a vector x, O pieces of the overlap, D width of x, E of y

_PENALTIES = tuple(10.0**power for power in range(-4, 4))  # times the mean variance of x
_ROWS = 4096  # of a table in float64 at once
_FROM_VECTORS = "regression from auxiliary vectors"


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    subwords: float = 0.5,
    vectors: Path | None = None,
    limit: int = 1_000_000,
    width: int = 100,
    epochs: int = 3,
    seed: int = 0,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return rows predicted from vectors, of which ``subwords`` is the share of the old segments.

    The regression from vectors of unit length to the old rows is fitted on the overlap, for each
    table and the bias by itself; its penalty has the lowest generalised cross-validation error.
    Vectors are those of ``focus``, with the same options. A piece without a vector has the mean of
    its old segmentation alone; one without known segments the prediction alone. Ours.
    """
    if not 0 <= subwords <= 1:
        raise UsageError(f"expected subwords from 0 to 1, got {subwords}")
    found = auxiliary(change, corpus, vectors, limit, width, epochs, seed=seed, log=log)
    weights = subword_weights(change)
    start = fresh_rows(tables, change, weights, seed=seed)
    shares = torch.tensor([0 if weights[place] is None else subwords for place in found.places])
    input, output = (
        _blended(rows, table, found, shares)
        for rows, table in ((start.input, tables.input), (start.output, tables.output))
    )
    bias = _blended(start.bias, tables.bias, found, shares)
    if input is None:
        raise TypeError("expected an input table, got None")
    sources = list(start.sources)
    for place, share in zip(found.places, shares.tolist(), strict=True):
        mixed = f"{_FROM_VECTORS} + {share:g} of {sources[place]}"
        sources[place] = mixed if share else _FROM_VECTORS
    return FreshRows(input, output, bias, tuple(sources), start.unmatched.difference(found.places))


@torch.no_grad()
def _blended(
    rows: Tensor | None, table: Tensor | None, found: Auxiliary, shares_K: Tensor
) -> Tensor | None:
    """Return rows [F, E] (or bias entries [F]) with those of pieces that have a vector blended."""
    if rows is None or table is None:
        return None
    old = table[torch.tensor(found.old)].cpu()
    flat_OE, start_FE = (t if t.dim() == 2 else t[:, None] for t in (old, rows.cpu()))
    with one_thread():
        predicted_KE = fit(unit(found.old_OD), flat_OE)(unit(found.fresh_KD)).to(start_FE)
    places, share_K1 = list(found.places), shares_K[:, None]
    blended_FE = start_FE.clone()
    blended_FE[places] = share_K1 * start_FE[places] + (1 - share_K1) * predicted_KE
    return blended_FE.reshape(rows.shape).to(rows)


@dataclass(frozen=True)
class Regression:
    """A linear map with an intercept."""

    slope_DE: Tensor
    x_mean_D: Tensor
    y_mean_E: Tensor

    def __call__(self, x_KD: Tensor) -> Tensor:
        """Return the predictions [K, E] in float64."""
        return (x_KD.double() - self.x_mean_D) @ self.slope_DE + self.y_mean_E


def fit(x_OD: Tensor, y_OE: Tensor, penalties: tuple[float, ...] = _PENALTIES) -> Regression:
    """Return the regression of y on x with the best of ``penalties`` (times the variance of x).

    Generalised cross-validation (Golub et al. 1979): mean squared residual / (1 - df / O)^2, with
    df the degrees of freedom, in closed form from the eigenvalues of the covariance.
    """
    count = len(x_OD)
    x_mean_D, y_mean_E = (t.mean(0, dtype=torch.float64) for t in (x_OD, y_OE))
    away_OE = y_OE - y_mean_E.to(y_OE)
    centred_OD = x_OD.double() - x_mean_D
    values_D, basis_DD = torch.linalg.eigh(centred_OD.T @ centred_OD)
    values_D = values_D.clamp(min=0)
    scale = max(float(values_D.mean()), torch.finfo(torch.float64).tiny)
    cross_DE = basis_DD.T @ (centred_OD.T.to(y_OE) @ away_OE).double()
    total = sum(float(part.double().square().sum()) for part in away_OE.split(_ROWS))
    power_D = cross_DE.square().sum(1)

    def error(penalty: float) -> float:
        inverse_D = 1 / (values_D + penalty * scale)
        residual = total - float((power_D * inverse_D * (2 - values_D * inverse_D)).sum())
        free = count - 1 - float((values_D * inverse_D).sum())
        return residual / free**2 if free > 0 else float("inf")

    best = min(penalties, key=error)
    slope_DE = basis_DD @ (cross_DE / (values_D + best * scale)[:, None])
    return Regression(slope_DE, x_mean_D, y_mean_E)
