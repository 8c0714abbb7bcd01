"""FOCUS (Dobler & de Melo 2023): mixtures of the old pieces that are used alike in the text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from specialize.embed._auxiliary import auxiliary, spread
from specialize.embed._blocks import in_blocks, unit
from specialize.embed._rows import FreshRows, Tables, fresh_rows
from specialize.progress import Log, Silent
from specialize.vocab.base import VocabChange, Vocabulary

# shapes: B queries in a block, O pieces of the overlap, D width, K entries of a row, in order

_FIRST = 256  # entries tried before a whole row is sorted


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    vectors: Path | None = None,
    limit: int = 1_000_000,
    width: int = 100,
    epochs: int = 3,
    seed: int = 0,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return mixtures with sparsemax of the cosines to the overlap as weights.

    Dobler & de Melo 2023, §3. Overlap: kept pieces with an auxiliary vector. ``vectors``: a file of
    them in fastText's text format, of pieces or words; without it they are trained, ``width`` wide,
    in ``epochs`` passes over the first ``limit`` pieces of the text. Pieces without a vector have
    the mean of their old segmentation (FOCUS: drawn), or are drawn.
    """
    found = auxiliary(change, corpus, vectors, limit, width, epochs, seed=seed, log=log)
    mixed = mixtures(found.fresh_KD, found.old_OD)
    return fresh_rows(tables, change, spread(change, found, mixed), seed=seed)


def mixtures(queries_QD: Tensor, rows_OD: Tensor) -> list[dict[int, float]]:
    """Return the places of rows with their weight for each query: sparsemax of the cosines."""
    unit_DO = unit(rows_OD).T

    def weights(block_BD: Tensor) -> list[dict[int, float]]:
        cosines_BO = block_BD @ unit_DO
        found = cosines_BO.topk(min(_FIRST, cosines_BO.shape[1]))
        shares_BK = sparsemax(found.values)
        rows = [_positive(*pair) for pair in zip(found.indices, shares_BK, strict=True)]
        for b in (shares_BK[:, -1] > 0).nonzero()[:, 0].tolist():  # others may have a share too
            values, places = cosines_BO[b].sort(descending=True)
            rows[b] = _positive(places, sparsemax(values[None])[0])
        return rows

    return [row for block in in_blocks(unit(queries_QD), len(rows_OD), weights) for row in block]


def sparsemax(values_BK: Tensor) -> Tensor:
    """Return the point of the simplex nearest to each row, whose values fall (Martins 2016)."""
    ranks_K = torch.arange(1, values_BK.shape[1] + 1, dtype=values_BK.dtype)
    over_BK = (values_BK.cumsum(1) - 1) / ranks_K  # the threshold if the first k are the support
    size_B1 = (values_BK > over_BK).sum(1, keepdim=True)
    return (values_BK - over_BK.gather(1, size_B1 - 1)).clamp(min=0)


def _positive(places_K: Tensor, shares_K: Tensor) -> dict[int, float]:
    count = int((shares_K > 0).sum())
    return dict(zip(places_K[:count].tolist(), shares_K[:count].tolist(), strict=True))
