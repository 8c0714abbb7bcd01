"""What an embedding initialisation takes and returns, and how mixtures and draws become rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import is_slot

_SHOWN = 6  # old pieces that a source names

# shapes: F fresh rows, V old pieces, R >= V rows of a table (the rest is padding), D width

Weights = Mapping[int, float] | None  # old id -> weight; None: no mixture, the row is drawn


@dataclass(frozen=True)
class Tables:
    """A model's tables with one row per piece."""

    input: Tensor  # [R, D]
    output: Tensor | None  # [R, D]; None if tied to the input table
    bias: Tensor | None  # [R], of the output layer; None if it has none


@dataclass(frozen=True)
class FreshRows:
    """Rows for the fresh pieces, in the order of ``change.fresh``; None where ``Tables`` has it."""

    input: Tensor  # [F, D]
    output: Tensor | None  # [F, D]
    bias: Tensor | None  # [F]
    sources: tuple[str, ...] = ()  # what each row is made from, for people; empty: not recorded


def mean_of(old_ids: Sequence[int]) -> Weights:
    """Return the weights of the mean of old rows, or None for no rows."""
    if not old_ids:
        return None
    weights = dict.fromkeys(old_ids, 0.0)
    for i in old_ids:
        weights[i] += 1 / len(old_ids)
    return weights


@torch.no_grad()
def fresh_rows(
    tables: Tables,
    change: VocabChange[Vocabulary],
    weights: Sequence[Weights],
    *,
    seed: int,
    centred: bool = True,
    noise: float = 1.0,
    drawn: str = "",
) -> FreshRows:
    """Return a row of each table for each of ``weights``: a mixture of its old rows, or drawn.

    Any weights are honoured, negative ones and those of sum 0 too; only None is drawn: around the
    mean row (or 0 if not ``centred``) with ``noise`` times the deviation of each dimension. Each
    table is mixed and drawn from its own rows, never from padding; a drawn row's bias is the mean.
    ``drawn``: the source of drawn rows, in words.
    """
    size = len(change.old.pieces)
    mixing_FV = _sparse(weights, size).to(tables.input.device)
    mixed_F = torch.tensor([w is not None for w in weights], dtype=torch.bool).to(mixing_FV.device)

    def rows(table_RD: Tensor, stream: int) -> Tensor:
        old_VD = table_RD[:size]
        drawn_FD = _noise(len(weights), old_VD, (seed, stream)) * noise * old_VD.std(dim=0)
        if centred:
            drawn_FD = drawn_FD + old_VD.mean(dim=0)
        return torch.where(mixed_F[:, None], torch.sparse.mm(mixing_FV, old_VD), drawn_FD)

    def biases(bias_R: Tensor) -> Tensor:
        old_V = bias_R[:size]
        mixed = torch.sparse.mm(mixing_FV, old_V[:, None])[:, 0]
        return torch.where(mixed_F, mixed, old_V.mean())

    return FreshRows(
        rows(tables.input, 0),
        None if tables.output is None else rows(tables.output, 1),
        None if tables.bias is None else biases(tables.bias),
        sources(change, weights, drawn or f"drawn around {'the mean' if centred else '0'}"),
    )


def sources(
    change: VocabChange[Vocabulary], weights: Sequence[Weights], drawn: str
) -> tuple[str, ...]:
    """Return what each row is made from: ``"mean of a, b"``; ``drawn`` if it is no mixture."""
    found = zip(change.fresh, weights, strict=True)
    return tuple(drawn if w is None else _source(change, new, w) for new, w in found)


def _source(change: VocabChange[Vocabulary], new: int, weights: Mapping[int, float]) -> str:
    """Return the old pieces in a mixture, those of the largest weights first."""
    old = change.old
    given = [(i, w) for i, w in weights.items() if w]
    if [w for _, w in given] == [1.0]:
        (only, _), *_ = given
        in_place = only == new and is_slot(old.pieces[only])
        return f"{'slot row' if in_place else 'copied from'} {old.readable(old.pieces[only])}"
    equal = len({w for _, w in given}) == 1 and abs(sum(w for _, w in given) - 1) < 1e-6
    ranked = given if equal else sorted(given, key=lambda pair: -abs(pair[1]))  # stable
    names = [
        old.readable(old.pieces[i]) + ("" if equal else f" {w:.2f}") for i, w in ranked[:_SHOWN]
    ]
    more = [f"... ({len(ranked) - _SHOWN} more)"] if len(ranked) > _SHOWN else []
    return f"{'mean of' if equal else 'mixed from'} {', '.join([*names, *more])}"


def _sparse(weights: Sequence[Weights], size: int) -> Tensor:
    """Return the weights as a sparse matrix [F, V]; rows without a mixture are empty."""
    entries = [(f, old, w) for f, mixed in enumerate(weights) for old, w in (mixed or {}).items()]
    places = torch.tensor([e[:2] for e in entries], dtype=torch.long).reshape(-1, 2).T
    values = torch.tensor([e[2] for e in entries], dtype=torch.float32)
    with torch.sparse.check_sparse_tensor_invariants():
        return torch.sparse_coo_tensor(places, values, (len(weights), size)).coalesce()


def _noise(count: int, table_VD: Tensor, seeds: tuple[int, int]) -> Tensor:
    """Return standard normal noise [count, D]; a stream of its own for each table."""
    seed = int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, table_VD.shape[1], generator=generator).to(table_VD)
