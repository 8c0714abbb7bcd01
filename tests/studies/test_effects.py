"""Main effects and their intervals, on results whose effects are known."""

import json
from dataclasses import replace

import pytest
from scipy import stats
from small_treebanks import made_facts

from specialize.studies.sharing.effects import (
    Scores,
    additive_share,
    contrasts,
    difference,
    equal_to_alone,
    estimate,
    gains,
    main_effects,
)
from specialize.studies.sharing.run import scores_of
from specialize.studies.sharing.sharing import NOTHING, Sharing

A, B = ("a", "b"), ("c", "d")


def made(**options) -> Scores:
    facts = json.loads(json.dumps(made_facts(**options)))
    return scores_of(facts["studies"][0])


def test_intervals_are_students_over_seeds_and_over_pairs() -> None:
    """Pooled variance (2 + 0) / 2 = 1 over two seeds each; t(0.975, 2) = 4.303."""
    found = estimate({A: [1.0, 3.0], B: [4.0, 4.0]})
    assert found.value == 3.0
    assert found.seeds == pytest.approx((3 - 4.303 * 0.5, 3 + 4.303 * 0.5), abs=1e-3)
    # means 2 and 4: variance 2, error 1, t(0.975, 1) = 12.706
    assert found.pairs == pytest.approx((3 - 12.706, 3 + 12.706), abs=1e-3)


def test_the_difference_of_two_studies_adds_their_errors_as_welch_does() -> None:
    first = {A: [1.0, 3.0], B: [4.0, 4.0]}  # errors 0.25 over seeds, 1 over pairs
    assert difference(first, {A: [1.0, 1.0], B: [2.0, 2.0]}).seeds == pytest.approx(
        (1.5 - 4.303 * 0.5, 1.5 + 4.303 * 0.5), abs=1e-3
    )  # the second has no error over seeds: freedom 2, as of the first
    welch = stats.ttest_ind([2.0, 4.0], [7.0, 1.0, 1.0], equal_var=False).confidence_interval()
    pairs = difference(first, {A: [6.0, 8.0], B: [1.0, 1.0], ("e", "f"): [0.0, 2.0]}).pairs
    assert pairs == pytest.approx((welch.low, welch.high))
    assert difference(first, {A: [1.0], B: [2.0]}).seeds is None


def test_studies_of_the_same_languages_are_contrasted_effect_by_effect() -> None:
    related, other = made(), made(pairs=(("aa", "cc"), ("bb", "dd")))
    unrelated = replace(other, title="Other")
    ((titles, effects),) = contrasts([related, unrelated]).items()
    assert titles == ("Made", "Other")
    assert [effect.estimate.value for effect in effects] == pytest.approx([0] * 9)
    raised = {
        key: {name: las + 1.5 * (key[2].word == "hard") for name, las in own.items()}
        for key, own in related.shared.items()
    }
    found = contrasts([replace(related, shared=raised), unrelated])[titles]
    by_name = {(e.part, e.mode, e.against): e.estimate for e in found}
    assert by_name["word", "hard", "none"].value == pytest.approx(1.5)
    assert by_name["word", "hard", "none"].shown
    assert not by_name["char", "hard", "none"].shown


def test_studies_of_other_languages_or_seeds_are_not_contrasted() -> None:
    assert contrasts([made()]) == {}
    assert contrasts([made(), made(pairs=(("aa", "bb"), ("cc", "xx")))]) == {}
    assert contrasts([made(), made(seeds=(1, 2, 3))]) == {}


def test_one_seed_or_one_pair_has_no_interval_over_it() -> None:
    assert estimate({A: [1.0], B: [2.0]}).seeds is None
    found = estimate({A: [1.0, 2.0]})
    assert found.pairs is None
    assert found.seeds is not None


def test_an_interval_shows_an_effect_where_it_excludes_zero() -> None:
    assert estimate({A: [1.0, 1.1, 0.9]}).shown
    assert not estimate({A: [1.0, -1.1, 0.9]}).shown
    assert not estimate({A: [1.0]}).shown


def test_main_effects_are_those_put_in() -> None:
    effects = {(e.part, e.mode, e.against): e.estimate.value for e in main_effects(made())}
    assert effects["score", "hard", "none"] == pytest.approx(2.3)
    assert effects["char", "hard", "none"] == pytest.approx(-1.0)
    assert effects["char", "soft", "hard"] == pytest.approx(1.0)
    assert effects["word", "hard", "none"] == pytest.approx(0.0)


def test_a_cells_gain_is_over_the_same_seeds_monolingual_parsers() -> None:
    found = gains(made())
    assert found[NOTHING].value == 0
    assert found[Sharing("hard", "none", "hard")].value == pytest.approx(1.3)


def test_effects_of_single_parts_explain_all_unless_parts_interact() -> None:
    scores = made()
    assert additive_share(scores) == pytest.approx(1.0)
    corner = Sharing("hard", "hard", "hard")
    shared = {
        key: {name: las - 5 * (key[2] == corner) for name, las in own.items()}
        for key, own in scores.shared.items()
    }
    other = Scores(scores.title, scores.pairs, scores.seeds, shared, scores.alone)
    assert 0 < additive_share(other) < 0.95


def test_the_control_counts_parsers_that_equal_the_monolingual_one() -> None:
    scores = made()
    assert equal_to_alone(scores) == (8, 8)
    moved = {**scores.alone, ("aa", 1): 71.0}
    other = Scores(scores.title, scores.pairs, scores.seeds, scores.shared, moved)
    assert equal_to_alone(other) == (7, 8)
