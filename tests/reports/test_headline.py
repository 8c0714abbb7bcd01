"""Headlines: each arm against the baselines, mix-ins separated, seeds considered."""

from typing import Any

import pytest
from run_facts import CORPUS, arm, audit, audited, lapt, losses, run, scored, tva, unadapted

from specialize.reports.headline import headlines, listed, notes

Facts = dict[str, Any]


def texts(facts: Facts) -> dict[str, str]:
    """Return the headlines' sentences by arm."""
    return {headline.arm: headline.text for headline in headlines(facts)}


def latin_tva(**changes: Any) -> Facts:
    facts: Facts = {
        "name": "latin-tva",
        "mixin": ["latin"],
        "scores": {"pos": scored("pos", 92.0, 93.0)},
        "bits_per_byte": [1.1],
    }
    return tva(**facts | changes)


def test_each_arm_is_compared_with_the_named_baselines_the_result_first() -> None:
    found = headlines(run(unadapted(), lapt(), tva()))
    assert [str(headline) for headline in found] == [
        "tva (2 new pieces, LAPT): Unknown pieces fall from 25.0 % to 1.2 % in corpus (held out) "
        "and from 30.0 % to 0.0 % in pos dev. Bits per byte are 1.20, against 1.60 in lapt. On "
        "test (mean of 1 to 2 seeds), XPOS is 90.5, 21.0 points above lapt and 36.4 above "
        "unadapted; NER F1 is 80.0.",
        "lapt (LAPT alone): LAPT takes bits per byte from 2.10 to 1.60. On test (mean of 2 seeds), "
        "XPOS is 69.5, 15.4 points above unadapted.",
    ]


def test_the_result_is_the_arm_that_the_recipe_names() -> None:
    found = headlines(run(tva(), unadapted(), lapt(), result="tva"))
    assert [headline.arm for headline in found] == ["tva", "lapt"]


def test_the_gain_of_a_mix_in_is_separated_from_that_of_the_pieces() -> None:
    found = texts(run(unadapted(), lapt(), tva(), latin_tva()))["latin-tva"]
    assert found.endswith(
        "Against tva, its counterpart without the mix-in latin, XPOS is 2.0 points higher "
        "and bits per byte are 0.10 lower."
    )


def test_the_description_names_mixins() -> None:
    first = headlines(run(latin_tva(mixin=["lower", "latin (upper = true)"])))[0]
    assert first.what == "mix-ins lower and latin (upper = true), 2 new pieces, LAPT"


def test_the_description_names_how_tasks_are_trained_together() -> None:
    first = headlines(run(tva(multitask="upsample (joint)")))[0]
    assert first.what == "2 new pieces, LAPT, tasks together: upsample (joint)"
    other = headlines(run(unadapted(), unadapted(name="int", multitask="interleave")))[0]
    assert other.what == "the base as it is, tasks together: interleave"


def test_the_description_names_modules_trained_in_place_of_the_model() -> None:
    arms = lapt(name="madx", modules="madx"), unadapted(name="tasks", modules="madx")
    shown = [headline.what for headline in headlines(run(unadapted(), *arms, tva(modules="madx")))]
    assert shown == [
        "2 new pieces, LAPT, modules: madx",
        "LAPT, modules: madx",
        "the base as it is, modules: madx",
    ]


@pytest.mark.parametrize("other", [{"multitask": "interleave"}, {"modules": "madx"}])
def test_tasks_trained_together_or_by_modules_are_no_baseline(other: dict[str, str]) -> None:
    found = texts(run(unadapted(name="int", **other), unadapted(), tva()))["tva"]
    assert "XPOS is 90.5, 36.4 points above unadapted; NER F1" in found


def test_a_counterpart_trains_its_tasks_in_the_same_way() -> None:
    found = texts(run(tva(multitask="interleave"), latin_tva()))["latin-tva"]
    assert "The run has no counterpart without the mix-in latin" in found


def test_a_baseline_may_be_the_counterpart_without_the_mixin() -> None:
    facts = run(unadapted(), lapt(), lapt(name="latin", mixin=["latin"]))
    assert texts(facts)["latin"].endswith("Its counterpart without the mix-in latin is lapt.")


def test_the_counterpart_shares_as_many_mix_ins_as_possible() -> None:
    arms = [tva(), tva(name="lower", mixin=["lower"]), tva(name="both", mixin=["lower", "latin"])]
    found = texts(run(*arms))
    assert "Against lower, its counterpart without the mix-in latin, " in found["both"]
    assert "Against tva, its counterpart without the mix-in lower, " in found["lower"]


def test_without_counterpart_the_gain_of_the_mixin_is_not_known() -> None:
    other = tva(fresh_rate=1.0)  # the rate of its rows differs too
    for facts in (run(unadapted(), lapt(), latin_tva()), run(other, latin_tva())):
        assert texts(facts)["latin-tva"].endswith(
            "The run has no counterpart without the mix-in latin, so what that gains by itself is "
            "not known."
        )


def test_unknown_pieces_start_from_the_original_text_not_the_rewritten_one() -> None:
    rewritten = {CORPUS: audited(audit(8, 220), audit(1, 230), 1)}
    original = texts(run(unadapted(), latin_tva(audit=rewritten)))["latin-tva"]
    assert original.startswith("Unknown pieces fall from 25.0 % to 0.4 % in corpus (held out). ")
    alone = texts(run(latin_tva(audit=rewritten)))["latin-tva"]
    assert alone.startswith(
        "Unknown pieces fall from 3.6 % to 0.4 % in corpus (held out) as rewritten. "
    )


def test_unknown_pieces_are_reported_for_every_text_equal_ones_together() -> None:
    corpus = audited(audit(50, 200), audit(2, 200))
    dev, none = audited(audit(60, 200), audit(60, 200)), audited(audit(0, 0), audit(0, 0))
    audits = {CORPUS: corpus, "pos dev": dev, "ner dev": dev, "empty dev": none}
    assert texts(run(tva(audit=audits)))["tva"].startswith(
        "Unknown pieces fall from 25.0 % to 1.0 % in corpus (held out); they stay at 30.0 % in "
        "pos dev and ner dev. "
    )


def test_without_unknowns_pieces_per_word_are_reported() -> None:
    audits = {CORPUS: audited(audit(0, 310), audit(0, 220))}
    assert texts(run(tva(audit=audits)))["tva"].startswith(
        "No piece is unknown; pieces per word fall from 3.10 to 2.20 in corpus (held out). "
    )


def test_a_difference_that_seeds_explain_is_marked() -> None:
    facts = run(unadapted(), lapt(scores={"pos": scored("pos", 89.9, 90.5)}), tva())
    found = texts(facts)["tva"]
    assert "0.3 points above lapt (within the spread of the seeds) and 36.4 above" in found
    assert notes(headlines(facts)) == [
        "Differences without a remark are larger than both sample standard deviations."
    ]


def test_with_one_seed_no_standard_deviation_is_known() -> None:
    arms = [lapt(scores={"pos": scored("pos", 60.0)}), tva(scores={"pos": scored("pos", 59.0)})]
    facts = run(*arms)
    assert (
        "On test (one seed: no standard deviation), XPOS is 59.0, 1.0 points below lapt. "
    ) in texts(facts)["tva"]
    assert notes(headlines(facts)) == []


def test_a_task_with_one_seed_among_others_with_more_is_marked() -> None:
    scores = {"pos": scored("pos", 69.0, 70.0), "ner": scored("ner", 77.0)}
    found = texts(run(lapt(scores=scores), tva()))["tva"]
    assert "XPOS is 90.5, 21.0 points above lapt; " in found
    assert "NER F1 is 80.0, 3.0 points above lapt (one seed)." in found


def test_a_score_may_lie_between_the_baselines_or_level_with_one() -> None:
    arms = [unadapted(), lapt(scores={"pos": scored("pos", 95.0, 95.2)})]
    found = texts(run(*arms, tva()))["tva"]
    assert "4.6 points below lapt but 36.4 above unadapted" in found
    arms[1] = lapt(scores={"pos": scored("pos", 90.5, 90.5)})
    assert "level with lapt and 36.4 points above unadapted" in texts(run(*arms, tva()))["tva"]


def test_the_headline_says_when_another_arm_is_better() -> None:
    better = tva(name="extend", scores={"pos": scored("pos", 95.0, 95.2)})
    found = texts(run(unadapted(), lapt(), better, tva()))
    assert found["tva"].endswith("On XPOS the best arm is extend (95.1).")
    assert "best arm" not in found["extend"]
    facts = run(unadapted(), lapt(scores={"pos": scored("pos", 95.0, 95.2)}), tva())
    assert texts(facts)["tva"].endswith("On XPOS the best arm is lapt (95.1).")


def test_the_headline_says_when_seeds_do_not_separate_another_arm() -> None:
    rival = tva(name="extend", scores={"pos": scored("pos", 90.0, 90.6)})
    assert texts(run(unadapted(), lapt(), rival, tva()))["tva"].endswith(
        "On XPOS the seeds do not separate it from extend (90.3)."
    )


def test_bits_per_byte_of_repeated_lapt_have_a_deviation() -> None:
    facts = run(lapt(bits_per_byte=[1.6, 1.62]), tva(bits_per_byte=[1.6, 1.61]))
    found = texts(facts)["tva"]
    assert (
        "Bits per byte are 1.60 ± 0.01, against 1.61 ± 0.01 in lapt (within the spread of the "
        "seeds)."
    ) in found


def test_a_named_task_is_named_in_prose() -> None:
    facts = run(lapt(scores={"news": scored("dep", 40.0)}))
    assert "LAS of news is 40.0." in texts(facts)["lapt"]


def test_runs_without_baselines_tasks_or_texts_have_headlines() -> None:
    alone = run(
        arm("lapt", audit(50, 200), lapt=True, losses=losses(2.1, 1.6), bits_per_byte=[1.6])
    )
    assert [str(headline) for headline in headlines(alone)] == [
        "lapt (LAPT alone): The share of unknown pieces is 25.0 % in corpus (held out). LAPT takes "
        "bits per byte from 2.10 to 1.60."
    ]
    assert str(headlines(run(arm("x")))[0]) == "x (the base as it is): Nothing was measured."


def test_lists_read_as_prose() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
