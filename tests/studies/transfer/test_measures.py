"""Transfer scores of matrices small enough to work out by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from specialize.errors import UsageError
from specialize.studies.transfer.measures import (
    by_seen,
    by_trained,
    changes,
    donors,
    kind_of,
    overlap,
    own_text,
    recipients,
    spearman,
    ties,
    transfer_scores,
)

BASE = np.array([50.0, 20.0, 80.0])
AFTER = np.array(  # two transfer languages, two repeats, three targets
    [
        [[51.0, 22.0, 80.0], [53.0, 18.0, 80.0]],  # means 52, 20, 80
        [[45.0, 30.0, 72.0], [45.0, 30.0, 72.0]],  # 45, 30, 72
    ]
)
TS = np.array([[4.0, 0.0, 0.0], [-10.0, 50.0, -10.0]])


def test_a_transfer_score_is_the_mean_change_in_percent_of_the_base() -> None:
    np.testing.assert_allclose(transfer_scores(BASE, AFTER), TS, atol=1e-12)


def test_scores_that_equal_the_base_give_exactly_zero() -> None:
    base = np.array([100 * 7 / 30])
    assert transfer_scores(base, np.tile(base, (1, 3, 1)))[0, 0] == 0.0


def test_a_target_whose_base_scores_nothing_has_no_transfer_score() -> None:
    found = transfer_scores(np.array([0.0, 10.0]), np.array([[[5.0, 11.0]]]))
    assert math.isnan(found[0, 0])
    assert found[0, 1] == pytest.approx(10)
    (donor,) = donors(found, ["a"])
    assert (donor.mean, donor.positive) == (pytest.approx(10), 100.0)


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(UsageError, match=r"expected scores \[A, N, 3\].*got \[2, 3\]"):
        changes(BASE, AFTER[:, 0])


def test_donors_average_over_targets() -> None:
    first, second = donors(TS, ["a", "b"])
    assert (first.mean, second.mean) == (pytest.approx(4 / 3), 10.0)
    assert (first.positive, first.negative) == (pytest.approx(100 / 3), 0.0)
    assert (second.positive, second.negative) == (pytest.approx(100 / 3), pytest.approx(200 / 3))
    assert first.variance == pytest.approx(16 / 3)  # (64 + 16 + 16) / 9 / 2
    assert second.variance == pytest.approx(1200)  # (400 + 1600 + 400) / 2
    assert (first.best, first.worst, second.best, second.worst) == (2, 1, 1, 2)


def test_recipients_average_over_transfer_languages_not_over_targets() -> None:
    found = recipients(TS, ["a", "b"], ["x", "y", "z"])
    assert [r.mean for r in found] == [-3.0, 25.0, -5.0]
    assert [r.positive for r in found] == [50.0, 50.0, 0.0]
    assert [(r.best, r.worst) for r in found] == [("a", "b"), ("b", "a"), ("a", "b")]


def test_equally_good_donors_are_the_best_of_no_target() -> None:
    ts = np.array([[1.0, 0.0], [1.0, 2.0]])
    assert recipients(ts, ["a", "b"], ["x", "y"])[0].best == ""
    assert [d.best for d in donors(ts, ["a", "b"])] == [0, 1]
    assert ties(ts) == (1, 1)


@pytest.mark.parametrize(
    ("variance", "best", "worst", "kind"),
    [  # Table 5 of the paper, with variances of all 38 languages of Table 22
        (23.5, 10, 10, "+ and -"),
        (21.5, 11, 15, "+ and -"),
        (16.1, 13, 2, "+"),
        (13.4, 1, 11, "-"),
        (6.4, 0, 0, "neutral"),
        (5.1, 0, 0, "neutral"),
        (9.7, 2, 1, "+"),
        (9.7, 1, 2, "-"),
        (6.9, 5, 10, "neutral"),  # in the lower half
        (23.5, 0, 0, "neutral"),
    ],
)
def test_the_rule_of_classes_gives_the_examples_of_the_paper(
    variance: float, best: int, worst: int, kind: str
) -> None:
    table_22 = [23.5, 22.7, 21.5, 21.4, 17.6, 16.1, 14.5, 13.4, 13.1, 11.5, 10.7, 10.2, 10.1]
    table_22 += [10.0, 9.7, 9.1, 8.9, 8.7, 8.6, 8.5, 8.3, 6.9, 6.9, 6.8, 6.7, 6.4, 6.1, 6.0]
    table_22 += [5.9, 5.8, 5.7, 5.7, 5.6, 5.6, 5.4, 5.1, 3.9, 2.9]
    assert len(table_22) == 38
    assert kind_of(variance, table_22, best, worst) == kind


def test_groups_of_seen_and_unseen_leave_out_a_language_as_its_own_target() -> None:
    ts = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    found = by_seen(ts, ["en", "ug"], ["ug", "mt", "en"], seen=["en"])
    assert found[True, False] == (1.5, 2)  # en -> ug, en -> mt
    assert found[False, False] == (5.0, 1)  # ug -> mt
    assert found[False, True] == (6.0, 1)  # ug -> en
    assert math.isnan(found[True, True][0])
    assert found[True, True][1] == 0


def test_spearman_is_that_of_a_worked_example() -> None:
    rho, p = spearman([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    assert rho == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert p == pytest.approx(16 / 120)  # orders that agree or disagree as much
    assert spearman([1, 2], [1, 2]) is None
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, math.nan, 3, 2], [1, 5, 3, 2])[0] == pytest.approx(1)


def test_overlap_lists_the_languages_that_lead_in_both_rankings() -> None:
    means = {"pos": {"a": 3.0, "b": 2.0, "c": 1.0}, "dep": {"a": 0.0, "b": 2.0, "c": 1.0}}
    assert overlap(means, 2) == {("pos", "dep"): ["b"]}


def test_what_a_language_has_of_its_own_is_beyond_its_means_as_donor_and_target() -> None:
    donor_A, target_B = np.array([1.0, -2.0, 4.0]), np.array([3.0, 0.0, 5.0, 1.0])
    additive = donor_A[:, None] + target_B
    names, targets = ["en", "ug", "mt"], ["ug", "mt", "tr", "en"]
    assert own_text(additive, names, targets) == pytest.approx({"en": 0, "ug": 0, "mt": 0})
    additive[1, 0] += 12.0
    assert own_text(additive, names, targets)["ug"] == pytest.approx(12 - 4 - 3 + 1)
    additive[0, 3] = np.nan
    assert "en" not in own_text(additive, names, targets)


def test_targets_are_grouped_by_what_base_and_adapter_were_trained_on() -> None:
    ts = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    found = by_trained(ts, ["en", "ug"], ["en", "ug", "wo"], ["en"], ["en", "ug"])
    assert found == {(True, True): (4.0, 1), (False, True): (2.0, 1), (False, False): (3.0, 1)}


def test_p_of_few_languages_is_that_of_all_permutations() -> None:
    """By Student's t, three languages in order would be as sure as can be."""
    assert spearman([1, 2, 3], [6, 5, 4]) == pytest.approx((-1, 1 / 3))
    random = np.random.default_rng(2)
    one, other = random.normal(size=(2, 7))
    exact = stats.permutation_test(
        (one,), lambda x: stats.spearmanr(x, other).statistic, permutation_type="pairings",
        n_resamples=np.inf,
    )  # fmt: skip
    found = spearman(one, other)
    assert found is not None
    assert found[1] == pytest.approx(exact.pvalue, abs=1e-9)
