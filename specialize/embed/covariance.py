"""Rows like the old ones with the correlations of their dimensions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor

from specialize.embed._rows import FreshRows, Tables, fresh_rows
from specialize.vocab.base import VocabChange, Vocabulary

_CHUNK = 8192  # rows at once in double precision


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    scale: float = 1.0,
    seed: int = 0,
) -> FreshRows:
    """Return rows from the normal distribution with mean and covariance of the old rows.

    Hewitt 2021, "Initializing new word embeddings for pretrained language models", who shows that
    the new rows then take little probability from the old ones. ``scale`` multiplies the
    deviations; transformers takes 3e-5, with which all rows are nearly equal. Fewer old rows than
    dimensions are no obstacle: the covariance need not have full rank.
    """
    count = len(change.fresh)
    drawn = ["drawn around the mean with the covariance of the old rows"] * count
    draw = partial(_draw, scale=scale)
    return fresh_rows(tables, change, [None] * count, seed=seed, draw=draw, drawn=drawn)


def _draw(noise_FD: Tensor, old_VD: Tensor, *, scale: float) -> Tensor:
    mean_D = old_VD.double().mean(dim=0)
    return mean_D.float() + scale * noise_FD @ _root(old_VD, mean_D).float()


def _root(old_VD: Tensor, mean_D: Tensor) -> Tensor:
    """Return the symmetric root [D, D] of the covariance: unlike eigenvectors, it is unique."""
    width = old_VD.shape[1]
    sums_DD = old_VD.new_zeros(width, width, dtype=torch.float64)
    for part in old_VD.split(_CHUNK):
        centred = part.double() - mean_D
        sums_DD += centred.T @ centred
    values_D, vectors_DD = torch.linalg.eigh(sums_DD / max(1, len(old_VD) - 1))
    # subtle: rounding can make an eigenvalue of 0 slightly negative
    return (vectors_DD * values_D.clamp(min=0).sqrt()) @ vectors_DD.T
