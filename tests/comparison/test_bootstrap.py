"""The paired bootstrap where its answer is known, and against scores of resampled sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.comparison.bootstrap import _weights, intervals, metric, of_all
from specialize.comparison.sentences import _accuracy, _entities, _las
from specialize.tasks._base import Tree
from specialize.tasks._nereval import evaluate_ner


def counts(*part: int, whole: int = 1) -> np.ndarray:
    return np.array([part, [whole] * len(part)])


def test_identical_predictions_have_no_difference() -> None:
    same = {1: counts(1, 0, 1, 1), 2: counts(0, 0, 1, 1)}
    assert intervals({"lapt": same, "tva": same}, "lapt") == {"tva": (0.0, 0.0)}


def test_a_difference_in_every_sentence_is_in_every_resample() -> None:
    arms = {"lapt": {1: counts(1, 1, 1, whole=4)}, "tva": {1: counts(2, 2, 2, whole=4)}}
    assert intervals(arms, "lapt") == {"tva": (25.0, 25.0)}


def test_the_interval_is_that_of_a_share() -> None:
    """300 of 1,000 sentences gain a point: 30 ± 1.96 √(0.3 · 0.7 / 1000) = 30 ± 2.84."""
    arms = {"lapt": {1: counts(*[0] * 1000)}, "tva": {1: counts(*[1] * 300, *[0] * 700)}}
    low, high = intervals(arms, "lapt")["tva"]
    assert low == pytest.approx(30 - 2.84, abs=0.25)
    assert high == pytest.approx(30 + 2.84, abs=0.25)


def test_seeds_are_kept_together() -> None:
    """One seed is right in the first sentence, one in the second: their mean is always a half."""
    arms = {"lapt": {1: counts(0, 0), 2: counts(0, 0)}, "tva": {1: counts(1, 0), 2: counts(0, 1)}}
    assert intervals(arms, "lapt") == {"tva": (50.0, 50.0)}


def test_both_arms_see_the_same_sentences() -> None:
    """Each has a wide interval of its own, their difference none."""
    arms = {"lapt": {1: counts(0, 2, 4, whole=9)}, "tva": {1: counts(1, 3, 5, whole=9)}}
    low, high = intervals(arms, "lapt")["tva"]
    assert (low, high) == pytest.approx((100 / 9, 100 / 9))


def test_only_common_seeds_count_and_other_arms_change_nothing() -> None:
    lapt = {1: counts(1, 0, 0, 1), 2: counts(0, 0, 0, 0)}
    tva = {2: counts(1, 1, 0, 1), 3: counts(1, 1, 1, 1)}
    alone = intervals({"lapt": {2: lapt[2]}, "tva": {2: tva[2]}}, "lapt")
    found = intervals({"other": {3: counts(1, 1, 1, 0)}, "lapt": lapt, "tva": tva}, "lapt")
    assert found == alone
    assert intervals({"tva": tva}, "lapt") == {}


def test_it_is_deterministic_whatever_the_global_generator_does() -> None:
    arms = {"lapt": {1: counts(1, 0, 0, 1, 0)}, "tva": {1: counts(1, 1, 0, 1, 0)}}
    np.random.seed(1)
    first = intervals(arms, "lapt")
    np.random.seed(2)
    assert intervals(arms, "lapt") == first


def test_weights_draw_as_many_sentences_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(_weights(7, 50)))
    assert whole.shape == (50, 7)
    assert set(whole.sum(1)) == {7}
    assert len({tuple(row) for row in whole}) > 40
    monkeypatch.setattr("specialize.comparison.bootstrap._CELLS", 30)  # in parts
    assert np.array_equal(np.concatenate(list(_weights(7, 50))), whole)


def test_counts_of_a_sentence_by_hand() -> None:
    """One of two tags; both arcs, the subtype ignored; one of two entities found, and one wrong."""
    assert _accuracy(("N", "V"), ("N", "N")) == (1, 2)
    gold = Tree((2, 0, 2), ("nsubj:pass", "root", "obl"))
    assert _las(gold, Tree((2, 0, 1), ("nsubj", "root", "obl"))) == (2, 3)
    assert _las(gold, Tree((2, 0, 2), ("obj", "root", "obl:tmod"))) == (2, 3)
    assert _entities(("B-A", "I-A", "B-B"), ("B-A", "I-A", "B-A")) == (2, 4)


TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B"]), min_size=3, max_size=3)


@given(st.lists(st.tuples(TAGS, TAGS), min_size=2, max_size=5))
def test_counts_give_the_score_of_the_resampled_file(pairs: list) -> None:
    """The oracle: write the drawn sentences into one file, and score it."""
    table = np.array([_entities(*pair) for pair in pairs]).T
    assert of_all(table) == evaluate_ner(*map(list, zip(*pairs, strict=True)))["conlleval"]["f1"]
    for weights in next(_weights(len(pairs), 5)):
        drawn = [pair for pair, n in zip(pairs, weights, strict=True) for _ in range(int(n))]
        expected = evaluate_ner(*map(list, zip(*drawn, strict=True)))["conlleval"]["f1"]
        assert metric(weights @ table.T) == expected
