"""Transfer scores of a matrix of scores (Faisal & Anastasopoulos 2024, §2, appendices H to M).

ts(a -> b) is the change of the score of target b after steps on text of transfer language a, in
percent of the score of b before, with the mean over repeats. Where the paper leaves a choice open,
it is stated below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import TYPE_CHECKING, Literal

import numpy as np

from specialize.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

# shapes: A transfer languages, N repeats, B targets

Kind = Literal["+", "-", "+ and -", "neutral"]
_DIGITS = 9
_EXACT = 8  # pairs, for whose correlation all permutations are tried
_ONE_SIDED = 2 / 3  # share of the extremes that are of one side


@dataclass(frozen=True)
class Donor:
    """A transfer language over all targets; the shares are of the targets with a score."""

    language: str
    mean: float  # the paper's aggregated-transfer
    positive: float  # share of targets with ts above 0, in percent
    negative: float  # below 0; the others are ties
    variance: float  # of ts over targets, with B - 1; nan with fewer than two
    best: int  # targets of which it is the best donor (the paper's # max)
    worst: int
    kind: Kind


@dataclass(frozen=True)
class Recipient:
    """A target over all transfer languages."""

    target: str
    mean: float  # the paper's aggregated-target, divided by the number of transfer languages
    positive: float  # share of transfer languages with ts above 0, in percent
    negative: float
    best: str  # the best donor, "" where several are equally good
    worst: str


def changes(base_B: Array, after_ANB: Array) -> Array:
    """Return ts of each repeat [A, N, B], in percent of the base; nan where the base scores 0."""
    if after_ANB.ndim != 3 or after_ANB.shape[2:] != base_B.shape:
        raise UsageError(
            f"expected scores [A, N, {len(base_B)}] after the steps, got {list(after_ANB.shape)}"
        )
    known = np.where(base_B > 0, base_B, np.nan)
    found: Array = 100 * (after_ANB - base_B) / known
    return found


def transfer_scores(base_B: Array, after_ANB: Array) -> Array:
    """Return ts [A, B]: the mean over repeats less the base, in percent of the base.

    Rounded to 9 digits after the point, so that equal scores give equal values, and no change 0.
    """
    found: Array = changes(base_B, after_ANB).mean(1).round(_DIGITS) + 0.0  # no -0.0
    return found


def donors(ts_AB: Array, transfer: Sequence[str]) -> list[Donor]:
    """Return the transfer languages with what they do to the targets, in the order given."""
    best, worst = _extremes(ts_AB)
    found = []
    variances = [_variance(row) for row in ts_AB]
    for a, language in enumerate(transfer):
        own = best.count(a), worst.count(a)
        kind = kind_of(variances[a], variances, *own)
        shares = _share(ts_AB[a] > 0, ts_AB[a]), _share(ts_AB[a] < 0, ts_AB[a])
        found.append(Donor(language, _mean(ts_AB[a]), *shares, variances[a], *own, kind))
    return found


def recipients(ts_AB: Array, transfer: Sequence[str], targets: Sequence[str]) -> list[Recipient]:
    """Return the targets with what the transfer languages do to them, in the order given."""
    best, worst = _extremes(ts_AB)
    found = []
    for b, target in enumerate(targets):
        row = ts_AB[:, b]
        names = ["" if place is None else transfer[place] for place in (best[b], worst[b])]
        shares = _share(row > 0, row), _share(row < 0, row)
        found.append(Recipient(target, _mean(row), *shares, *names))
    return found


def kind_of(variance: float, variances: Sequence[float], best: int, worst: int) -> Kind:
    """Return the class of a transfer language; the paper gives examples (Table 5) but no rule.

    Ours gives all six of them: "neutral" with a variance in the lower half of all, or where it is
    neither the best nor the worst donor of a target; else "+" where at least two thirds of such
    targets have it as best donor, "-" where at most one third has.
    """
    rank = sum(other > variance for other in variances)  # languages of higher variance
    if best + worst == 0 or not rank < len(variances) / 2:
        return "neutral"
    share = best / (best + worst)
    if share >= _ONE_SIDED - 1e-12:
        return "+"
    return "-" if share <= 1 - _ONE_SIDED + 1e-12 else "+ and -"


def ties(ts_AB: Array) -> tuple[int, int]:
    """Return how many pairs have a ts of exactly 0, and how many targets no single best donor."""
    return int((ts_AB == 0).sum()), _extremes(ts_AB)[0].count(None)


def by_seen(
    ts_AB: Array, transfer: Sequence[str], targets: Sequence[str], seen: Sequence[str]
) -> dict[tuple[bool, bool], tuple[float, int]]:
    """Return mean ts and number of pairs by whether the base saw (transfer language, target).

    A language as its own target is left out: that is adaptation, not transfer between languages.
    """
    found = {}
    groups = [(one, other) for one in (True, False) for other in (True, False)]
    for group in groups:
        own = [
            ts_AB[a, b]
            for (a, one), (b, other) in product(enumerate(transfer), enumerate(targets))
            if one != other and ((one in seen), (other in seen)) == group
        ]
        known = [value for value in own if not math.isnan(value)]
        found[group] = (float(np.mean(known)) if known else math.nan, len(known))
    return found


def by_trained(
    ts_AB: Array,
    transfer: Sequence[str],
    targets: Sequence[str],
    seen: Sequence[str],
    train: Sequence[str],
) -> dict[tuple[bool, bool], tuple[float, int]]:
    """Return mean ts and number of pairs by whether (base, adapter) were trained on the target.

    What an adapter has learned of a language can be lost; a zero-shot target has less to lose. A
    language as its own target is left out.
    """
    found: dict[tuple[bool, bool], list[float]] = {}
    for (a, one), (b, other) in product(enumerate(transfer), enumerate(targets)):
        if one != other and not math.isnan(ts_AB[a, b]):
            found.setdefault((other in seen, other in train), []).append(float(ts_AB[a, b]))
    return {group: (float(np.mean(own)), len(own)) for group, own in found.items()}


def own_text(ts_AB: Array, transfer: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """Return for each language that is donor and target what is its own in ts of the two.

    Its ts on itself less what the means of the donor and of the target make expect: above 0 where
    text of a language helps this language more than it helps others.
    """
    donor_A, target_B = [_mean(row) for row in ts_AB], [_mean(row) for row in ts_AB.T]
    middle = _mean(ts_AB.ravel())
    return {
        name: float(ts_AB[a, b] - donor_A[a] - target_B[b] + middle)
        for a, name in enumerate(transfer)
        for b, target in enumerate(targets)
        if name == target and not math.isnan(ts_AB[a, b])
    }


def spearman(first: Sequence[float], second: Sequence[float]) -> tuple[float, float] | None:
    """Return Spearman's rank correlation and its two-sided p; None where it is not defined.

    Pairs with a nan are left out. Not defined for fewer than three pairs or a constant side. For
    up to eight pairs p is that of all permutations, for more by Student's t.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if math.isfinite(a + b)]
    if len(pairs) < 3 or any(len(set(side)) < 2 for side in zip(*pairs, strict=True)):
        return None
    from scipy import stats  # it takes half a second

    found = stats.spearmanr(*zip(*pairs, strict=True))
    if len(pairs) > _EXACT:
        return float(found.statistic), float(found.pvalue)
    one, other = (stats.rankdata(side) - (len(pairs) + 1) / 2 for side in zip(*pairs, strict=True))
    sums = other[list(permutations(range(len(pairs))))] @ one
    return float(found.statistic), float(np.mean(np.abs(sums) >= abs(one @ other) - 1e-9))


def overlap(means: Mapping[str, Mapping[str, float]], top: int) -> dict[tuple[str, str], list[str]]:
    """Return the languages among the best ``top`` in both of each two rankings.

    ``means``: by ranking (a task), then by language; higher is better.
    """
    best = {
        name: sorted(own, key=lambda language: -own[language])[:top] for name, own in means.items()
    }
    names = list(best)
    return {
        (one, other): [language for language in best[one] if language in best[other]]
        for i, one in enumerate(names)
        for other in names[i + 1 :]
    }


def _extremes(ts_AB: Array) -> tuple[list[int | None], list[int | None]]:
    """Return the best and worst donor of each target; None where there are several, or none."""
    return [_only_best(row) for row in ts_AB.T], [_only_best(-row) for row in ts_AB.T]


def _only_best(row: Array) -> int | None:
    known = row[~np.isnan(row)]
    if not len(known):
        return None
    places = np.flatnonzero(row == known.max())
    return int(places[0]) if len(places) == 1 else None


def _share(chosen: NDArray[np.bool_], row: Array) -> float:
    known = int((~np.isnan(row)).sum())
    return 100 * int(chosen.sum()) / known if known else math.nan


def _mean(row: Array) -> float:
    known = row[~np.isnan(row)]
    return float(known.mean()) if len(known) else math.nan


def _variance(row: Array) -> float:
    known = row[~np.isnan(row)]
    return float(known.var(ddof=1)) if len(known) > 1 else math.nan
