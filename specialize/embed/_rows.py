"""What an embedding initialisation takes and returns, and how mixtures and draws become rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import is_slot

DRAWN = "drawn around the mean"
_SHOWN = 6  # old pieces that a source names

# shapes: F fresh rows, V old pieces, R >= V rows of a table (the rest is padding), D width

Weights = Mapping[int, float] | None  # old id -> weight; None: no mixture, the row is drawn
Draw = Callable[[Tensor, Tensor], Tensor]  # (normal noise [F, D], old rows [V, D]) -> rows [F, D]


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
    unmatched: frozenset[int] = frozenset()  # rows drawn because the method found nothing for them

    @property
    def note(self) -> str:
        """How many rows the method had to draw, as an addition to a sentence; "" for none."""
        if not self.unmatched:
            return ""
        return f"; it found nothing for {len(self.unmatched):,} of {len(self.input):,}: drawn"


Init = Annotated[Callable[..., FreshRows], "embed"]  # an option that names a method like these


def mean_of(old_ids: Sequence[int]) -> Weights:
    """Return the weights of the mean of old rows, or None for no rows."""
    return weighted([(i, 1.0) for i in old_ids])


def weighted(parts: Sequence[tuple[int, float]]) -> Weights:
    """Return the weights of old rows, which may recur, scaled to sum to 1; None for no rows."""
    total = sum(weight for _, weight in parts)
    if not parts:
        return None
    weights = dict.fromkeys((i for i, _ in parts), 0.0)
    for i, weight in parts:
        weights[i] += weight / total
    return weights


def around_mean(noise_FD: Tensor, old_VD: Tensor, *, scale: float = 1.0) -> Tensor:
    """Return the mean row plus ``scale`` times the deviation of each dimension of noise."""
    return noise_FD * scale * old_VD.std(dim=0) + old_VD.mean(dim=0)


@torch.no_grad()
def fresh_rows(
    tables: Tables,
    change: VocabChange[Vocabulary],
    weights: Sequence[Weights],
    *,
    seed: int,
    output_weights: Sequence[Weights] | None = None,
    draw: Draw = around_mean,
    drawn: Sequence[str] | None = None,
    prefixes: Sequence[str] | None = None,
) -> FreshRows:
    """Return a row of each table for each of ``weights``: a mixture of its old rows, or drawn.

    Any weights are honoured, negative ones and those of sum 0 too; only None is drawn, by ``draw``,
    which is given no noise for a bias. Each table is mixed and drawn from its own rows, never from
    padding. ``output_weights``: of an untied output table and the bias, if others. ``drawn``: the
    sources of rows drawn on purpose; without it, drawn rows count as unmatched. ``prefixes``: what
    the sources of mixtures begin with. Neither torch's global generator nor the number of its
    threads matters.
    """
    size = len(change.old.pieces)

    def rows(table_RD: Tensor, noise_FD: Tensor, of: Sequence[Weights]) -> Tensor:
        old_VD = table_RD[:size].float()
        mixed_F = torch.tensor([w is not None for w in of], dtype=torch.bool).to(old_VD.device)
        mixtures_FD = torch.sparse.mm(_sparse(of, size).to(old_VD.device), old_VD)
        return torch.where(mixed_F[:, None], mixtures_FD, draw(noise_FD.to(old_VD), old_VD))

    def noise(table_RD: Tensor, stream: int) -> Tensor:
        return normal_noise((len(weights), table_RD.shape[1]), (seed, stream))

    out = weights if output_weights is None else output_weights
    with one_thread():
        made, bias = rows(tables.input, noise(tables.input, 0), weights), tables.bias
        output = tables.output
        output = None if output is None else rows(output, noise(output, 1), out)
        if bias is not None:
            bias = rows(bias[:, None], torch.zeros(len(weights), 1), out)[:, 0]
    unmatched = frozenset(f for f, w in enumerate(weights) if w is None)
    named = [*sources(change, weights, drawn or [DRAWN] * len(weights))]
    if prefixes:
        named = [
            n if w is None else p + n for w, p, n in zip(weights, prefixes, named, strict=True)
        ]
    return FreshRows(made, output, bias, tuple(named), frozenset() if drawn else unmatched)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, so that sums have one order and results the same bits anywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def sources(
    change: VocabChange[Vocabulary], weights: Sequence[Weights], drawn: Sequence[str]
) -> tuple[str, ...]:
    """Return what each row is made from: ``"mean of a, b"``, or its ``drawn`` if no mixture."""
    found = zip(change.fresh, weights, drawn, strict=True)
    return tuple(d if w is None else _source(change, new, w) for new, w, d in found)


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
    given = [w or {} for w in weights]
    counts = np.fromiter(map(len, given), np.int64, len(given))
    rows = np.repeat(np.arange(len(given)), counts)
    columns = np.fromiter(chain.from_iterable(given), np.int64, len(rows))
    values = np.fromiter(chain.from_iterable(w.values() for w in given), np.float32, len(rows))
    places = torch.from_numpy(np.stack([rows, columns]))
    with torch.sparse.check_sparse_tensor_invariants():
        found = torch.sparse_coo_tensor(places, torch.from_numpy(values), (len(given), size))
        return found.coalesce()


def normal_noise(shape: tuple[int, int], seeds: tuple[int, ...]) -> Tensor:
    """Return standard normal noise; ``seeds``: the method's, and a stream of its own."""
    generator = torch.Generator().manual_seed(seed_of(*seeds))
    return torch.randn(shape, generator=generator)


def seed_of(*seeds: int) -> int:
    """Return one seed for a sequence of them."""
    return int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
