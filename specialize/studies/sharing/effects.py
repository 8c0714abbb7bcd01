"""What sharing a part does: main effects over the grid, with intervals, instead of a ranking.

The best of 27 noisy cells is best by chance too, so nothing here depends on which it is. The main
effect of a part is the mean LAS of the nine cells that share it one way less that of the nine that
share it another way, all else equal, in each pair and seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from statistics import mean, variance

from specialize.studies.sharing.sharing import GRID, MODES, NOTHING, PARTS, Mode, Sharing

LEVEL = 0.95
_ROUNDING = 1e-9
Pair = tuple[str, str]
Interval = tuple[float, float]
Values = Mapping[Pair, Sequence[float]]  # by pair, a difference in points for each seed
Error = tuple[float, int]  # variance of a mean, degrees of freedom: 0 where it is not known
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
    """The main effect of sharing ``part`` in one way rather than another.

    Or by how much it differs between two studies, ``by_pair`` then empty.
    """

    part: str
    mode: str
    against: str
    estimate: Estimate
    by_pair: Mapping[Pair, float]


def estimate(values: Values) -> Estimate:
    """Return the mean over pairs of the means over seeds, with its intervals.

    Over seeds, one variance is pooled from all pairs, with (seeds - 1) degrees of freedom each;
    over pairs, it is that of their means, which holds the variation over seeds too.
    """
    value = _middle(values)
    return Estimate(value, _around(value, _over_seeds(values)), _around(value, _over_pairs(values)))


def difference(first: Values, second: Values) -> Estimate:
    """Return the mean of ``first`` less that of ``second``, taken as independent (Welch)."""
    value = _middle(first) - _middle(second)
    over_seeds = _around(value, _over_seeds(first), _over_seeds(second))
    return Estimate(value, over_seeds, _around(value, _over_pairs(first), _over_pairs(second)))


def _middle(values: Values) -> float:
    return mean(map(mean, values.values()))


def _over_seeds(values: Values) -> Error:
    freedom = sum(len(own) - 1 for own in values.values())
    if not freedom:
        return 0.0, 0
    squares = [variance(own) * (len(own) - 1) for own in values.values() if len(own) > 1]
    share = sum(1 / len(own) for own in values.values()) / len(values) ** 2
    return sum(squares) / freedom * share, freedom


def _over_pairs(values: Values) -> Error:
    means = [*map(mean, values.values())]
    return (variance(means) / len(means), len(means) - 1) if len(means) > 1 else (0.0, 0)


def _around(value: float, *errors: Error) -> Interval | None:
    """Return the interval around a sum of independent means (Welch-Satterthwaite); None if unknown.

    >>> _around(0.0, (1.0, 2)) == _around(0.0, (1.0, 2), (0.0, 2))
    True
    """
    from scipy import stats  # it takes half a second

    if not all(freedom for _, freedom in errors):
        return None
    total = sum(error for error, _ in errors)
    shares = sum(error**2 / freedom for error, freedom in errors)
    freedom = total**2 / shares if shares else sum(own for _, own in errors)
    half = float(stats.t.isf((1 - LEVEL) / 2, freedom)) * math.sqrt(total)
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
    return [
        Effect(*which, estimate(values), {pair: mean(own) for pair, own in values.items()})
        for which, values in _differences(scores).items()
    ]


def contrasts(studies: Sequence[Scores]) -> dict[tuple[str, str], list[Effect]]:
    """Return by how much effects differ between two studies, by their titles, first less second.

    Of studies of the same languages and seeds alone: others differ for more reasons than pairing.
    """
    found = {}
    for first, second in combinations(studies, 2):
        if _setting(first) == _setting(second):
            others = _differences(second)
            found[first.title, second.title] = [
                Effect(*which, difference(values, others[which]), {})
                for which, values in _differences(first).items()
            ]
    return found


def _setting(scores: Scores) -> tuple[object, ...]:
    return sorted(scores.columns), scores.seeds, scores.host


def _differences(scores: Scores) -> dict[tuple[str, str, str], dict[Pair, list[float]]]:
    """Return the differences of each part's effects (part, mode, against) by pair and seed."""
    found: dict[tuple[str, str, str], dict[Pair, list[float]]] = {}
    for part in PARTS:
        own = {mode: marginal(scores, part, mode) for mode in MODES}
        for mode, against in CONTRASTS:
            found[part, mode, against] = {
                pair: [a - b for a, b in zip(own[mode][pair], own[against][pair], strict=True)]
                for pair in scores.pairs
            }
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
