"""The paired bootstrap over test sentences: how far a difference depends on which were drawn.

After Koehn 2004, *Statistical significance tests for machine translation evaluation*. A resample
draws as many sentences as the test file has, with replacement, the same for both arms and all
seeds. The metric of each seed is computed from counts added up over the sentences, then averaged
over the seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]  # [2, S]: of each sentence the part and the whole of the metric

RESAMPLES = 5_000
LEVEL = 0.95
_SEED = 0
_CELLS = 4_000_000  # of the matrix of weights at a time


def metric(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the metric in percent of (part, whole) along the last axis; 0 of nothing."""
    import numpy as np

    part, whole = sums[..., 0], sums[..., 1]
    return np.divide(100 * part, whole, out=np.zeros_like(part), where=whole != 0)


def of_all(counts: Counts) -> float:
    """Return the metric of all sentences, each drawn once."""
    return float(metric(counts.sum(1).astype(float)))


def intervals(
    arms: Mapping[str, Mapping[int, Counts]], baseline: str, *, resamples: int = RESAMPLES
) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval of each arm's difference from the baseline, in points.

    ``arms``: counts by arm and seed, of the same sentences. Over the seeds that both have; arms
    without such are left out. Equal for equal counts, whatever other arms there are.
    """
    import numpy as np

    columns = [(arm, seed) for arm, seeds in arms.items() for seed in seeds]
    found = {}
    if not arms.get(baseline):
        return {}
    stacked = np.concatenate([arms[arm][seed] for arm, seed in columns]).astype(float)  # [2K, S]
    sums = np.concatenate(
        [weights @ stacked.T for weights in _weights(stacked.shape[1], resamples)]
    )
    scores_RK = metric(sums.reshape(resamples, -1, 2))
    place = {column: i for i, column in enumerate(columns)}
    for arm, seeds in arms.items():
        common = [seed for seed in seeds if seed in arms[baseline]]
        if arm == baseline or not common:
            continue
        ours = scores_RK[:, [place[arm, seed] for seed in common]]
        theirs = scores_RK[:, [place[baseline, seed] for seed in common]]
        tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
        low, high = np.quantile((ours - theirs).mean(1), tails)
        found[arm] = (float(low), float(high))
    return found


def _weights(sentences: int, resamples: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each sentence is drawn, [R, S] at a time."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    size = max(1, _CELLS // sentences)
    for begin in range(0, resamples, size):
        rows = min(size, resamples - begin)
        drawn = random.integers(sentences, size=(rows, sentences))
        drawn += sentences * np.arange(rows)[:, None]
        counted = np.bincount(drawn.ravel(), minlength=rows * sentences)
        yield counted.reshape(rows, sentences).astype(float)
