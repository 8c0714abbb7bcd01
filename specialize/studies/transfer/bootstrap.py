"""How far transfer scores depend on the repeats and on the test sentences drawn.

A resample draws as many repeats of each transfer language, and of each target as many test
sentences, as there are, with replacement: the same repeats for all targets, the same sentences for
all languages, before and after the steps. Of N repeats, deviations are widened by
sqrt(N / (N - 1)): drawing from a few underestimates their variance by the square of this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specialize.studies.transfer.measures import changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 1_000
LEVEL = 0.95

# shapes: A transfer languages, N repeats, B targets, S test sentences, R resamples


@dataclass(frozen=True)
class Counts:
    """Words of a target's test sentences, and how many of them are right."""

    words_S: Array
    base_S: Array
    after_ANS: Array

    def scores(self, weights_RS: Array) -> tuple[Array, Array]:
        """Return the scores of the base [R] and after the steps [R, A, N], in percent."""
        words_R = weights_RS @ self.words_S
        base_R = 100 * (weights_RS @ self.base_S) / words_R
        after = np.einsum("rs,ans->ran", weights_RS, self.after_ANS, optimize=True)
        return base_R, 100 * after / words_R[:, None, None]


def scores_of(counts: Sequence[Counts]) -> tuple[Array, Array]:
    """Return the scores of the base [B] and after the steps [A, N, B] of all sentences."""
    found = [own.scores(np.ones((1, len(own.words_S)))) for own in counts]
    return np.concatenate([b for b, _ in found]), np.stack([a[0] for _, a in found], -1)


def resampled(counts: Sequence[Counts], *, resamples: int = RESAMPLES, seed: int = 0) -> Array:
    """Return the transfer scores [R, A, B] of the resamples."""
    random = np.random.default_rng(seed)
    languages, repeats = counts[0].after_ANS.shape[:2]
    drawn_RAN = _weights(random, repeats, resamples * languages).reshape(resamples, languages, -1)
    widened = np.sqrt(repeats / max(1, repeats - 1))
    found = []
    for own in counts:
        base_R, after_RAN = own.scores(_weights(random, len(own.words_S), resamples))
        middle_RA = after_RAN.mean(-1)
        mean_RA = middle_RA + widened * (drawn_RAN * (after_RAN - middle_RA[..., None])).mean(-1)
        found.append(changes(base_R, mean_RA.T[:, None])[:, 0])  # [A, R]
    return np.array(found).transpose(2, 1, 0)


def interval(values_RK: Array) -> tuple[float, float]:
    """Return the 95 % percentile interval of the mean of K resampled values; nan without any.

    A value that a resample does not have is not in the mean of that resample.
    """
    counts_R = (~np.isnan(values_RK)).sum(1)
    if not counts_R.any():
        return np.nan, np.nan
    means_R = np.nansum(values_RK, 1)[counts_R > 0] / counts_R[counts_R > 0]
    low, high = np.quantile(means_R, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _weights(random: np.random.Generator, count: int, resamples: int) -> Array:
    """Return how often each of ``count`` items is drawn [R, count]."""
    found: Array = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(
        float
    )
    return found
