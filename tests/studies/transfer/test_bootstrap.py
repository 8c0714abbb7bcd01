"""The bootstrap over repeats and test sentences."""

import numpy as np
import pytest

from specialize.studies.transfer.bootstrap import Counts, interval, resampled, scores_of
from specialize.studies.transfer.measures import transfer_scores


def counts(after: list[list[list[int]]]) -> Counts:
    return Counts(np.array([4.0, 6.0]), np.array([2.0, 3.0]), np.array(after, float))


def test_scores_are_right_words_of_all_sentences() -> None:
    base, after = scores_of([counts([[[4, 2]], [[2, 3]]])])
    assert base.tolist() == [50.0]
    assert after.tolist() == [[[60.0]], [[50.0]]]


def test_without_a_change_every_resample_is_exactly_zero() -> None:
    same = counts([[[2, 3], [2, 3]]])
    assert np.array_equal(resampled([same, same], resamples=50), np.zeros((50, 1, 2)))


def test_sentences_that_gain_alike_leave_no_doubt() -> None:
    better = Counts(np.array([4.0, 4.0]), np.array([2.0, 2.0]), np.array([[[3.0, 3.0]]]))
    assert interval(resampled([better])[:, 0]) == pytest.approx((50, 50))


def test_the_interval_covers_the_score_and_widens_with_the_spread_of_repeats() -> None:
    random = np.random.default_rng(1)
    words = np.full(60, 10.0)
    base = random.integers(4, 7, 60).astype(float)
    steady = base + random.integers(0, 2, (1, 1, 60)) * np.ones((1, 4, 1))
    spread = steady + np.array([-3, 3, -3, 3])[None, :, None]
    widths = []
    for after in (steady, spread):
        own = [Counts(words, base, after)]
        low, high = interval(resampled(own)[:, 0])
        assert low < transfer_scores(*scores_of(own))[0, 0] < high
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


def test_resamples_of_repeats_vary_as_their_mean_and_apart_for_each_language() -> None:
    """Means 8 and 10 of 5 repeats with deviation (N - 1) 2: that of the mean is 2 / sqrt(5)."""
    repeats = (
        np.array([-2.0, -2.0, 0.0, 2.0, 2.0])[None, :, None] + np.array([8, 10])[:, None, None]
    )
    drawn = resampled([Counts(np.array([20.0]), np.array([10.0]), repeats)], resamples=20_000)
    percent = 100 / 10  # of the base's right words
    assert drawn.std(0)[:, 0] == pytest.approx([percent * 2 / 5**0.5] * 2, rel=0.02)
    assert abs(np.corrcoef(drawn[:, :, 0].T)[0, 1]) < 0.03


def test_the_same_seed_gives_the_same_interval() -> None:
    own = [counts([[[4, 2], [2, 2]]])]
    assert np.array_equal(resampled(own, resamples=20), resampled(own, resamples=20))


def test_a_target_that_scores_nothing_is_left_out_of_intervals() -> None:
    nothing = Counts(np.array([4.0]), np.array([0.0]), np.array([[[1.0]]]))
    found = resampled([counts([[[4, 4]]]), nothing])
    assert np.isfinite(interval(found[:, 0])).all()
    assert np.isnan(interval(found[:, 0, 1:])).all()


def test_a_target_that_few_resamples_lack_stays_in_the_interval() -> None:
    """It stays in the mean, too."""
    values = np.full((100, 2), [10.0, 90.0])
    values[0, 1] = np.nan
    assert interval(values) == (50.0, 50.0)
    assert np.isnan(interval(np.full((3, 2), np.nan))).all()
