"""The order in which training visits its items: shuffled, by length, or mixed from sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def order(count: int, *, seed: int, epoch: int) -> np.ndarray:
    """Return the order [N] in which an epoch visits ``count`` items."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batches_by_length(
    lengths: Sequence[int], batch: int, *, seed: int, epoch: int, pool: int = 16
) -> list[np.ndarray]:
    """Return an epoch's batches of item numbers, each of items of similar length.

    Items are shuffled, sorted by length within pools of ``pool`` batches, and the batches shuffled:
    batches of a small treebank then hold little padding, which more than halves the work.
    """
    shuffled = order(len(lengths), seed=seed, epoch=epoch)
    by_length = np.asarray(lengths)
    batches: list[np.ndarray] = []
    for start in range(0, len(shuffled), pool * batch):
        part = shuffled[start : start + pool * batch]
        part = part[np.argsort(by_length[part], kind="stable")]
        batches += [part[i : i + batch] for i in range(0, len(part), batch)]
    places = np.random.default_rng((seed, epoch, 1)).permutation(len(batches))
    return [batches[i] for i in places]


def mixed_order(counts: Sequence[int], total: int, *, alpha: float, seed: int) -> np.ndarray:
    """Return ``total`` item numbers, sampled so that a source of n items has weight n^alpha.

    Items of the sources are numbered one source after the other. All items of a source are visited,
    in a new random order each time, before one is visited again.
    """
    rng = np.random.default_rng(seed)
    weights = np.array(counts, float) ** alpha
    drawn = np.floor(total * weights / weights.sum()).astype(int)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    chosen = []
    for start, count, wanted in zip(starts, counts, drawn, strict=True):
        rounds = [rng.permutation(count) for _ in range(-(-wanted // count))] if count else []
        chosen += [start + np.concatenate(rounds)[:wanted]] if rounds else []
    return rng.permutation(np.concatenate(chosen))
