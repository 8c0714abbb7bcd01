"""The order in which training visits its items: shuffled, by length, or mixed from sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def order(count: int, *, seed: int, epoch: int) -> np.ndarray:
    """Return the order [N] in which an epoch visits ``count`` items."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def order_of_part(count: int, size: int, *, seed: int, part: int) -> np.ndarray:
    """Return the order [size] in which a part of so many visits ``count`` items.

    The parts follow each other through the epochs of ``order``: no item comes a second time before
    all have come once.
    """
    start = part * size
    epochs = range(start // count, -(-(start + size) // count))
    visited = np.concatenate([order(count, seed=seed, epoch=epoch) for epoch in epochs])
    return visited[start - epochs.start * count :][:size].copy()  # not a view of all items


def batches_by_length(
    lengths: Sequence[int], batch: int, *, seed: int, epoch: int, pool: int = 64
) -> list[np.ndarray]:
    """Return an epoch's batches of item numbers, each of items of similar length.

    Items are shuffled, sorted by length within pools of ``pool`` batches, and the batches shuffled:
    batches of sentences then hold 4 to 11 % of padding (benchmarks/finetune.py).
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


def batches_within(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Return batches of item numbers, shortest items first, each within ``budget`` when padded.

    An item longer than that is a batch of its own.

    >>> batches_within([5, 1, 2, 9], 6)
    [[1, 2], [0], [3]]
    """
    found: list[list[int]] = []
    for item in sorted(range(len(lengths)), key=lengths.__getitem__):
        if not found or (len(found[-1]) + 1) * lengths[item] > budget:
            found.append([])
        found[-1].append(item)
    return found


SAMPLINGS = ("interleave", "upsample", "shuffled", "proportional", "temperature")


def mixed_batches(
    lengths: Sequence[Sequence[int]],
    batch: int,
    sampling: str,
    *,
    temperature: float = 1.0,
    seed: int,
    epoch: int,
) -> list[tuple[int, np.ndarray]]:
    """Return an epoch's batches of several sources: (source, item numbers), each of one source.

    ``lengths``: of the items of each source. "interleave": the sources take turns; where one has
    no more, the others go on (MTL-INT of Chau & Smith 2021, §3.1). "upsample": they take turns
    until the source of most items is through, the others begin again as often as needed (MTL-UPS).
    "shuffled": all batches in random order. "proportional" and "temperature": as many batches, each
    of a source drawn with a weight of n or n^(1/temperature) for n items.
    """
    own = [batches_by_length(part, batch, seed=seed, epoch=epoch) for part in lengths]
    rng = np.random.default_rng((seed, epoch, 2))
    total = sum(map(len, own))
    if sampling == "interleave":
        turns = [source for turn in range(total) for source, b in enumerate(own) if turn < len(b)]
    elif sampling == "upsample":
        largest = max(range(len(own)), key=lambda source: len(lengths[source]))
        turns = list(range(len(own))) * len(own[largest])
    elif sampling == "shuffled":
        turns = rng.permutation(np.repeat(range(len(own)), [len(b) for b in own])).tolist()
    else:
        sizes = np.array([len(part) for part in lengths], float)
        weights = (sizes / sizes.max()) ** (1.0 if sampling == "proportional" else 1 / temperature)
        turns = rng.choice(len(own), size=total, p=weights / weights.sum()).tolist()
    taken = [0] * len(own)
    found = []
    for source in turns:
        found.append((source, own[source][taken[source] % len(own[source])]))
        taken[source] += 1
    return found


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


def alike_turns(sources: int, each: int, *, parts: int, seed: int) -> np.ndarray:
    """Return the sources whose turn it is [parts * sources * each].

    In each part every source has ``each`` turns, in random order.
    """
    rng = np.random.default_rng((seed, 3))
    turns = np.repeat(np.arange(sources), each)
    return np.concatenate([rng.permutation(turns) for _ in range(parts)])


def weighted_turns(counts: Sequence[int], total: int, *, alpha: float, seed: int) -> np.ndarray:
    """Return ``total`` sources in random order; a source of n items has weight n^alpha.

    Each source has one turn at least: ``total`` is no less than their number.
    """
    weights = np.array(counts, float) ** alpha
    each = _shares(total * weights / weights.sum())
    return np.random.default_rng((seed, 3)).permutation(np.repeat(range(len(counts)), each))


def _shares(exact: np.ndarray) -> np.ndarray:
    """Return whole numbers of 1 or more with the sum of ``exact``: by largest remainder.

    >>> _shares(np.array([0.2, 1.3, 4.5]))
    array([1, 1, 4])
    """
    each = np.maximum(1, np.floor(exact)).astype(int)
    while (missing := round(exact.sum()) - each.sum()) > 0:
        each[np.argsort(each - exact, kind="stable")[:missing]] += 1
    while each.sum() > round(exact.sum()):
        each[np.argmax(np.where(each > 1, each - exact, -np.inf))] -= 1
    return each


def one_source_batches(
    counts: Sequence[int], turns: np.ndarray, batch: int, *, seed: int
) -> np.ndarray:
    """Return item numbers [T * batch]: in each of the T ``turns`` a batch of the source named.

    Items are numbered as in `mixed_order`. All items of a source are visited, in a new random order
    each time, before one is visited again.
    """
    rng = np.random.default_rng((seed, 4))
    starts = np.cumsum([0, *counts])
    found = np.empty((len(turns), batch), int)
    for source, count in enumerate(counts):
        places = np.flatnonzero(turns == source)
        if wanted := len(places) * batch:
            rounds = [rng.permutation(count) for _ in range(-(-wanted // count))]
            found[places] = starts[source] + np.concatenate(rounds)[:wanted].reshape(-1, batch)
    return found.flatten()
