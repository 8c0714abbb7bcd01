"""Numbers of a report: formats, baselines, scores, texts, stages."""

import math

import pytest
from run_facts import CORPUS, arm, audit, audited, lapt, run, scored, stage, tva, unadapted

from specialize.reports import numbers


@pytest.mark.parametrize(
    ("values", "places", "shown"),
    [
        ([], 1, "–"),
        ([80.0], 1, "80.0"),
        ([69.0, 70.0], 1, "69.5 ± 0.7"),
        ([1.6, 1.7], 2, "1.65 ± 0.07"),
    ],
)
def test_one_value_has_no_deviation(values: list[float], places: int, shown: str) -> None:
    assert numbers.spread(values, places=places) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "–"), (640_400_000, "640 MB"), (999_600_000, "1.0 GB"), (1_900_000_000, "1.9 GB")],
)
def test_memory_is_in_decimal_units(size: int, shown: str) -> None:
    assert numbers.memory(size) == shown


def test_baselines_are_recognised_by_their_settings_not_their_names() -> None:
    plain = unadapted(name="first")
    adapted = lapt(name="second")
    facts = run(tva(name="lapt"), lapt(name="latin", mixin=["latin"]), adapted, plain, lapt())
    assert numbers.baseline(facts, lapt=True) is adapted
    assert numbers.baseline(facts, lapt=False) is plain
    assert numbers.baseline(run(tva()), lapt=True) is None


def test_the_result_is_shown_beside_the_nearest_baseline() -> None:
    assert numbers.reference(run(unadapted(), lapt(), tva()))["name"] == "lapt"
    assert numbers.reference(run(unadapted(), tva()))["name"] == "unadapted"
    assert numbers.reference(run(unadapted(), lapt()))["name"] == "unadapted"
    assert numbers.reference(run(unadapted())) is None


def test_tasks_are_labelled_by_method_and_by_name_where_it_differs() -> None:
    scores = {
        "pos": scored("pos", 1.0),
        "news": scored("dep", 1.0),
        "chunks": scored("my_package.chunks:task", 1.0),
    }
    facts = run(arm("a", scores=scores))
    assert [numbers.label(facts, task) for task in numbers.tasks(facts)] == [
        "XPOS",
        "news: LAS",
        "chunks: f1",
    ]


def test_tasks_keep_the_order_of_the_recipe_and_leave_out_the_untrained() -> None:
    facts = run(tva(), tasks={"ner": "ner", "dep": "dep", "pos": "pos"})
    assert numbers.tasks(facts) == ["ner", "pos"]


def test_scores_that_are_missing_or_not_finite_are_left_out() -> None:
    scores = scored("pos", 50.0, math.nan, 51.0)
    scores["test"][2] = {}
    assert numbers.seeded(arm("a", scores={"pos": scores}), "pos") == [(1, 50.0)]


def test_a_difference_is_computed_from_the_printed_means() -> None:
    """90.06 and 69.94 are printed as 90.1 and 69.9: 20.2 apart, not 20.1."""
    assert numbers.difference([90.06], [69.94]).value == 20.2


def test_a_difference_is_within_the_spread_up_to_the_larger_deviation() -> None:
    """Deviations: 0 and sqrt(2) = 1.414."""
    assert numbers.difference([52.0, 52.0], [50.0, 52.0]).within_spread
    assert not numbers.difference([52.5, 52.5], [50.0, 52.0]).within_spread
    assert numbers.difference([52.0], [50.0, 52.0]).within_spread
    assert numbers.difference([52.0], [51.9]).deviation is None
    assert not numbers.difference([52.0], [51.9]).within_spread


def test_a_text_is_original_if_an_arm_without_mix_in_has_it() -> None:
    before = audited(audit(50, 200), audit(50, 200))
    rewritten = audited(audit(8, 220), audit(1, 230))
    mixed = arm("latin", mixin=["latin"], audit={CORPUS: rewritten, "pos dev": rewritten})
    facts = run(arm("plain", audit={CORPUS: before}), mixed)
    corpus, dev = numbers.changes(facts, mixed)
    assert (corpus.before, corpus.rewritten) == (audit(50, 200), False)
    assert (dev.before, dev.rewritten) == (audit(8, 220), True)


def test_texts_with_equal_audits_are_shown_together() -> None:
    same, other = audited(audit(5, 200), audit(1, 200)), audited(audit(6, 200), audit(1, 200))
    facts = run(arm("a", audit={"pos dev": same, "ner dev": other, "dep dev": same}))
    assert numbers.texts(facts) == {"pos dev, dep dev": "pos dev", "ner dev": "ner dev"}


def test_seeds_and_short_stages_are_shown_together() -> None:
    stages = [
        stage("text", 0.4),
        stage("vocabulary", 1.2),
        stage("LAPT", 185.0),
        stage("pos, seed 1", 39.0),
        stage("pos, seed 2", 41.0),
        stage("audit of pos", 0.2),
    ]
    shown = [str(part) for part in numbers.spent(arm("a", stages=stages))]
    assert shown == ["vocabulary 1.2 s", "LAPT 3 min 05 s", "pos 2 × 40.0 s", "short stages 0.6 s"]


def test_stages_that_arms_share_are_counted_once() -> None:
    shared = stage("vocabulary", 1.25)
    arms = [arm(f"a{n}", stages=[dict(shared), stage("LAPT", 10.0 * n)]) for n in (1, 2)]
    once = numbers.stages_once(run(*arms))
    assert numbers.seconds(once) == 31.25
    assert numbers.peak([]) == 0


def test_a_score_without_sentences_of_train_is_shown_above_two_percent_of_them() -> None:
    def counted(*shared: int) -> dict[str, object]:
        return scored("ner", 80.0, 81.0) | {"shared": [*shared], "test_sentences": 100}

    few, many = tva(scores={"ner": counted(2, 2)}), tva(scores={"ner": counted(22, 37)})
    assert numbers.unseen_counts(run(few), "ner") is None
    assert numbers.unseen_counts(run(few, many, unadapted()), "ner") == (63, 100)
    assert numbers.unseen_counts(run(unadapted()), "pos") is None
    assert numbers.splits(run(many), "ner") == ("dev", "test", "test_unseen")
    assert numbers.splits(run(few), "ner") == ("dev", "test")


def test_morphology_has_the_name_of_its_official_metric() -> None:
    scores = {"feats": scored("pos", 80.0) | {"metric": "ufeats"}, "pos": scored("pos", 90.0)}
    facts = run(tva(scores=scores))
    assert [numbers.label(facts, task) for task in scores] == ["feats: UFeats", "XPOS"]
