"""Tests by seed on numbers that can be checked by eye, then against scipy's other ways."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from specialize.comparison.significance import (
    corrected,
    deviations_needed,
    least_sign_p,
    marks,
    paired_p,
)
from specialize.comparison.values import BITS, TEXT, Cell


def test_three_seeds_by_hand() -> None:
    """Differences 2, 3, 1: mean 2, deviation 1, t = 2 / (1 / √3) = √12, two degrees of freedom.

    With two degrees, P(T > t) = 1/2 - t / (2 √(2 + t²)).
    """
    expected = 0.5 - math.sqrt(12) / (2 * math.sqrt(14))
    assert expected == pytest.approx(0.0371, abs=5e-5)
    assert paired_p([12, 14, 16], [10, 11, 15]) == pytest.approx(expected)


def test_two_seeds_by_hand() -> None:
    """Differences 1, 3: mean 2, deviation √2, t = 2; one degree: P(T > t) = 1/2 - atan(t) / π."""
    assert paired_p([11, 13], [10, 10]) == pytest.approx(0.5 - math.atan(2) / math.pi)


def test_seeds_are_pairs() -> None:
    """The differences are 2, 3, 1 in any order, but pairs of other seeds are other pairs."""
    assert paired_p([16, 12, 14], [15, 10, 11]) == paired_p([12, 14, 16], [10, 11, 15])
    assert paired_p([12, 14, 16], [15, 10, 11]) != paired_p([12, 14, 16], [10, 11, 15])


def test_a_worse_arm_has_a_p_near_one_and_bits_per_byte_are_better_when_lower() -> None:
    low = paired_p([12, 14, 16], [10, 11, 15])
    high = paired_p([10, 11, 15], [12, 14, 16])
    assert low is not None
    assert high == pytest.approx(1 - low)
    assert paired_p([1.0, 1.1, 1.5], [1.2, 1.4, 1.6], lower=True) == pytest.approx(low)


@pytest.mark.parametrize(
    ("arm", "other"),
    [
        ([12.0], [10.0]),  # one seed
        ([12.0, 13.0], [12.0, 13.0]),  # equal in all seeds
        ([0.3, 1.3, 2.3], [0.1, 1.1, 2.1]),  # the same difference, but for rounding
    ],
)
def test_there_is_no_p_without_a_deviation(arm: list[float], other: list[float]) -> None:
    assert paired_p(arm, other) is None


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=9))
def test_it_equals_the_one_sample_test_of_the_differences(pairs: list[tuple[int, int]]) -> None:
    ours, theirs = zip(*pairs, strict=True)
    differences = [a - b for a, b in pairs]
    p = paired_p(ours, theirs)
    if len(set(differences)) == 1:
        assert p is None
    else:
        expected = stats.ttest_1samp(differences, 0, alternative="greater").pvalue
        assert p == pytest.approx(expected)


def test_holm_and_bonferroni_by_hand() -> None:
    """Four p, ordered 0.005, 0.01, 0.03, 0.04: times 4, 3, 2, 1, never falling: the last is 0.06.

    What has no p is no comparison.
    """
    bonferroni, holm = zip(*corrected([0.01, None, 0.04, 0.03, 0.005]), strict=True)
    assert bonferroni == pytest.approx((0.04, None, 0.16, 0.12, 0.02))
    assert holm == pytest.approx((0.03, None, 0.06, 0.06, 0.02))
    assert corrected([0.4, 0.9]) == [(0.8, 0.8), (1.0, 0.9)]
    assert corrected([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_the_plain_p_and_bonferroni(ps: list[float]) -> None:
    for p, (bonferroni, holm) in zip(ps, corrected(ps), strict=True):
        assert bonferroni is not None
        assert holm is not None
        assert p <= holm <= bonferroni <= 1


def test_the_smallest_p_of_a_sign_test() -> None:
    """All of three signs agree: 1/8."""
    assert least_sign_p(3) == 0.125
    assert least_sign_p(3) == stats.binomtest(3, 3, alternative="greater").pvalue


@pytest.mark.parametrize(("seeds", "comparisons"), [(3, 1), (3, 18), (5, 4)])
def test_the_difference_needed_is_where_p_becomes_significant(seeds: int, comparisons: int) -> None:
    spread = [*range(seeds)]
    deviation = stats.tstd(spread)
    needed = deviations_needed(seeds, comparisons) * deviation
    centre = sum(spread) / seeds
    for factor, significant in ((1.001, True), (0.999, False)):
        arm = [value - centre + factor * needed for value in spread]
        p = paired_p(arm, [0.0] * seeds)
        assert p is not None
        assert (p * comparisons < 0.05) == significant


def cell(arm: str, *values: float, task: str = "dep", seeds: Sequence[int] = ()) -> Cell:
    numbers = tuple(seeds) or tuple(range(1, len(values) + 1))
    mean = sum(values) / len(values)
    metric = BITS if task == TEXT else "LAS"
    return Cell("ug", arm, task, metric, numbers, values, (), mean, None, len(values))


def test_marks_follow_the_paper() -> None:
    """The p of 12, 14, 16 over 10, 11, 15 is 0.037: below 0.05, not below 0.05 / 2 tasks."""
    one = [cell("a", 12, 14, 16), cell("b", 10, 11, 15), cell("c", 14, 13, 12)]
    assert marks(one) == {("ug", "dep", "a"): "best", ("ug", "dep", "c"): "level"}
    two = [*one, cell("a", 1, 2, 4, task="pos"), cell("b", 1, 2, 3, task="pos")]
    assert marks(two)["ug", "dep", "b"] == "level"


def test_marks_need_two_arms_and_two_common_seeds() -> None:
    assert marks([cell("a", 1, 2)]) == {}
    found = marks([cell("a", 5, 6), cell("b", 1, 5, seeds=(2, 3)), cell("c", 4)])
    assert found == {("ug", "dep", "a"): "best"}


def test_equal_scores_are_level_and_the_lowest_bits_are_best() -> None:
    equal = [cell("a", 1, 2, 9, seeds=(1, 2, 3)), cell("b", 1, 2)]
    assert marks(equal)["ug", "dep", "b"] == "level"
    assert marks([cell("a", 1.5, task=TEXT), cell("b", 1.2, task=TEXT)]) == {
        ("ug", TEXT, "b"): "best"
    }
