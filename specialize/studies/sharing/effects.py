"""What sharing a part does: main effects over the grid, with intervals, instead of a ranking.

The best of 27 noisy cells is best by chance too, so nothing here depends on which it is. The main
effect of a part is the mean LAS of the nine cells that share it one way less that of the nine that
share it another way, all else equal, in each pair and seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import mean, variance

from specialize.studies.sharing.sharing import GRID, MODES, NOTHING, PARTS, Mode, Sharing

LEVEL = 0.95
_ROUNDING = 1e-9
Pair = tuple[str, str]
Interval = tuple[float, float]
CONTRASTS: tuple[tuple[Mode, Mode], ...] = (("hard", "none"), ("soft", "none"), ("soft", "hard"))


@dataclass(frozen=True)
class Scores:
    """LAS on test of a study, in percent."""

    title: str
    pairs: tuple[Pair, ...]
    seeds: tuple[int, ...]
    shared: Mapping[tuple[Pair, int, Sharing], Mapping[str, float]]  # by language
    alone: Mapping[tuple[str, int], float]  # of the monolingual parser, by language and seed
    host: str = ""  # the base it is built on, "" for the BiLSTM

    def gain(self, pair: Pair, seed: int, sharing: Sharing) -> float:
        """Return the mean over the pair's languages of LAS less that of the language alone."""
        found = self.shared[pair, seed, sharing]
        return mean(found[name] - self.alone[name, seed] for name in pair)

    def mean(self, sharing: Sharing, language: str) -> float:
        """Return the mean over seeds and the pairs that hold the language."""
        own = [pair for pair in self.pairs if language in pair]
        return mean(self.shared[p, s, sharing][language] for p, s in product(own, self.seeds))

    @property
    def columns(self) -> list[str]:
        """The languages, pair by pair, each once."""
        return list(dict.fromkeys(name for pair in self.pairs for name in pair))


@dataclass(frozen=True)
class Estimate:
    """A mean difference in points, and 95 % intervals by Student's t.

    ``seeds``: of these pairs, over training seeds. ``pairs``: of pairs like these, over pairs. None
    where there is but one seed or pair.
    """

    value: float
    seeds: Interval | None
    pairs: Interval | None

    @property
    def shown(self) -> bool:
        """Whether the interval over seeds excludes 0."""
        return excludes_zero(self.seeds)


def excludes_zero(interval: Interval | None) -> bool:
    """Return whether both ends of an interval are on one side of 0, rounding errors aside."""
    return interval is not None and (interval[0] > _ROUNDING or interval[1] < -_ROUNDING)


@dataclass(frozen=True)
class Effect:
    """The main effect of sharing ``part`` in one way rather than another."""

    part: str
    mode: str
    against: str
    estimate: Estimate
    by_pair: Mapping[Pair, float]


def estimate(values: Mapping[Pair, Sequence[float]]) -> Estimate:
    """Return the mean over pairs of the means over seeds, with its intervals.

    Over seeds, one variance is pooled from all pairs, with (seeds - 1) degrees of freedom each;
    over pairs, it is that of their means, which holds the variation over seeds too.
    """
    means = [mean(own) for own in values.values()]
    value = mean(means)
    freedom = sum(len(own) - 1 for own in values.values())
    over_seeds = over_pairs = None
    if freedom:
        squares = [variance(own) * (len(own) - 1) for own in values.values() if len(own) > 1]
        share = sum(1 / len(own) for own in values.values()) / len(means) ** 2
        over_seeds = _around(value, sum(squares) / freedom * share, freedom)
    if len(means) > 1:
        over_pairs = _around(value, variance(means) / len(means), len(means) - 1)
    return Estimate(value, over_seeds, over_pairs)


def _around(value: float, error: float, freedom: int) -> Interval:
    """Return the interval around a mean whose variance is ``error``."""
    from scipy import stats  # it takes half a second

    half = float(stats.t.isf((1 - LEVEL) / 2, freedom)) * math.sqrt(error)
    return value - half, value + half


def marginal(scores: Scores, part: str, mode: str) -> dict[Pair, list[float]]:
    """Return by pair, for each seed, the mean LAS of the nine cells with ``part`` shared so."""
    cells = [sharing for sharing in GRID if sharing.of(part) == mode]
    return {
        pair: [
            mean(scores.shared[pair, seed, cell][name] for cell in cells for name in pair)
            for seed in scores.seeds
        ]
        for pair in scores.pairs
    }


def main_effects(scores: Scores) -> list[Effect]:
    """Return the effects of each part: hard and soft sharing over none, soft over hard."""
    found = []
    for part in PARTS:
        own = {mode: marginal(scores, part, mode) for mode in MODES}
        for mode, against in CONTRASTS:
            differences = {
                pair: [a - b for a, b in zip(own[mode][pair], own[against][pair], strict=True)]
                for pair in scores.pairs
            }
            by_pair = {pair: mean(values) for pair, values in differences.items()}
            found.append(Effect(part, mode, against, estimate(differences), by_pair))
    return found


def gains(scores: Scores) -> dict[Sharing, Estimate]:
    """Return what each cell gains over the monolingual parsers."""
    return {
        sharing: estimate(
            {pair: [scores.gain(pair, s, sharing) for s in scores.seeds] for pair in scores.pairs}
        )
        for sharing in GRID
    }


def additive_share(scores: Scores) -> float:
    """Return how much of the variance of the cells' means the main effects explain, 0 to 1.

    The rest is interaction and noise.
    """
    means = {sharing: value.value for sharing, value in gains(scores).items()}
    middle = mean(means.values())
    total = sum((value - middle) ** 2 for value in means.values())
    explained = 0.0
    for part, mode in product(PARTS, MODES):
        own = [value for sharing, value in means.items() if sharing.of(part) == mode]
        explained += len(own) * (mean(own) - middle) ** 2
    return explained / total if total else 1.0


def equal_to_alone(scores: Scores) -> tuple[int, int]:
    """Return in how many runs without sharing LAS is exactly the monolingual one, and of how many.

    Anything but all of them is a fault: the two are trained bit for bit alike.
    """
    runs = list(product(scores.pairs, scores.seeds))
    equal = sum(
        scores.shared[pair, seed, NOTHING][name] == scores.alone[name, seed]
        for pair, seed in runs
        for name in pair
    )
    return equal, 2 * len(runs)
