"""Comparisons of invented runs: cells, tests, what is missing, refusals, cautions."""

import math
from pathlib import Path
from typing import Any

import pytest
import run_facts
from compared_runs import arm, has, write_run

from specialize.comparison import BITS, Comparison, compare
from specialize.errors import DataError, UsageError


def by_arm(comparison: Comparison) -> dict[str, Any]:
    return {test.arm: test for test in comparison.tests}


def test_three_seeds_by_hand(tmp_path: Path) -> None:
    """Differences 2, 3, 1: p = 0.0371 (`test_significance`); of two tests, twice that."""
    folder = write_run(
        tmp_path / "ug",
        arm("unadapted", 9, 10, 11),
        arm("lapt", 10, 11, 15),
        arm("tva", 12, 14, 16),
    )
    found = compare([folder])
    cell = next(cell for cell in found.cells if cell.arm == "tva")
    assert (cell.values, cell.mean, cell.sd, cell.n) == ((12, 14, 16), 14, 2, 3)
    assert cell.dev == (13, 15, 17)
    test = by_arm(found)["tva"]
    assert (found.baseline, test.baseline, test.difference) == ("lapt", "lapt", 2)
    assert test.p == pytest.approx(0.0371, abs=5e-5)
    assert test.p_holm == test.p_bonferroni == 2 * test.p
    assert by_arm(found)["unadapted"].difference == -2
    assert has(found.cautions, "3 seeds", "below 0.125 (0.25 after Bonferroni)")


def test_the_baseline_is_lapt_then_unadapted_then_the_first(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "a", arm("x", 1), arm("unadapted", 2), arm("lapt", 3))
    assert compare([folder]).baseline == "lapt"
    assert compare([folder], baseline="x").baseline == "x"
    folder = write_run(tmp_path / "b", arm("x", 1), arm("unadapted", 2))
    assert compare([folder]).baseline == "unadapted"
    assert compare([write_run(tmp_path / "c", arm("x", 1), arm("y", 2))]).baseline == "x"
    with pytest.raises(UsageError, match="--baseline z: no such arm; arms with scores: x, un"):
        compare([folder], baseline="z")


def test_a_baseline_without_a_score_yet_is_named_as_such(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("x", 40.0), arm("lapt"))
    with pytest.raises(UsageError, match="--baseline lapt: no score yet; arms with scores: x"):
        compare([folder], baseline="lapt")


def test_only_common_seeds_are_paired_and_others_are_named(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "ug",
        arm("lapt", 10, 20, 30),
        arm("tva", 15, 26, seeds=(1, 3)),
        arm("other", 50, seeds=(7,)),
    )
    found = compare([folder])
    test = by_arm(found)["tva"]
    assert (test.n, test.mean, test.difference) == (2, 20.5, 0.5)
    assert "other" not in by_arm(found)
    assert "ug: tva, dep: no score of seeds 2, 7, which others have" in found.missing
    assert "ug: other, dep: no seed in common with lapt" in found.missing


def test_scores_that_are_not_finite_are_missing(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "ug", arm("lapt", 1, 2, 4), arm("tva", 3, math.nan, 5))
    found = compare([folder])
    assert by_arm(found)["tva"].n == 2
    assert found.missing == ("ug: tva, dep: seed 2 has no finite score",)
    nothing = write_run(tmp_path / "mt", arm("lapt", math.nan))
    with pytest.raises(DataError, match="no arm has a score"):
        compare([nothing])


def test_unfinished_stages_are_missing(tmp_path: Path) -> None:
    stages = ["tva: dep, seed 3", "char_first: LAPT"]
    folder = write_run(
        tmp_path / "ug", arm("lapt", 1, 2, 4), arm("tva", 3, 5), arm("char_first"), missing=stages
    )
    assert compare([folder]).missing == (
        "ug: tva, dep: seed 3 is not finished",
        "ug: char_first, LAPT is not finished",
        "ug, dep: not finished, no predictions yet, so there is no interval",
    )


def test_a_point_of_a_grid_is_not_part_of_an_arms_name(tmp_path: Path) -> None:
    """Stages in a grid's folder are named "mt tva: …"; Latin letters need no transliteration."""
    write_run(
        tmp_path / "mt",
        arm("lapt", 1, 2),
        arm("tva", 3),
        language="mt",
        missing=["mt tva: dep, seed 2", "mt extend: LAPT"],
        same={"lapt-translit": "lapt"},
    )
    assert compare([tmp_path]).missing == (
        "mt: lapt-translit does the same as lapt and has no scores of its own",
        "mt: tva, dep: seed 2 is not finished",
        "mt: extend, LAPT is not finished",
        "mt, dep: not finished, no predictions yet, so there is no interval",
    )


def test_a_run_that_is_not_finished_is_compared_as_far_as_it_is(tmp_path: Path) -> None:
    write_run(tmp_path / "a", arm("lapt", 10), arm("tva", 12), recipe=recipe())
    half = write_run(tmp_path / "b", arm("lapt", 11, seeds=(2,)))
    (half / "recipe.toml").unlink()
    found = compare([tmp_path / "a", half])
    assert found.cells[0].seeds == (1, 2)
    assert has(found.cautions, f"{half} has no recipe.toml yet")


def test_one_seed_is_no_test_and_equal_differences_are_none(tmp_path: Path) -> None:
    one = compare([write_run(tmp_path / "one", arm("lapt", 1), arm("tva", 3))])
    test = by_arm(one)["tva"]
    assert (test.n, test.sd, test.p, test.p_holm, test.difference) == (1, None, None, None, 2)
    assert has(one.cautions, "one seed is no test: ug dep (tva)")
    equal = compare([write_run(tmp_path / "equal", arm("lapt", 1, 2), arm("tva", 3, 4))])
    assert by_arm(equal)["tva"].p is None
    assert has(equal.cautions, "the difference is the same in every seed", "ug dep (tva)")
    same = compare([write_run(tmp_path / "same", arm("lapt", 1, 2), arm("tva", 1, 2))])
    assert by_arm(same)["tva"].p is None
    assert has(same.cautions, "scores equal the baseline's in every seed", "ug dep (tva)")


def test_bits_per_byte_are_a_task_in_which_lower_is_better(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "ug",
        arm("lapt", bits_per_byte=[1.2, 1.4, 1.6], lapt=True),
        arm("tva", bits_per_byte=[1.0, 1.1, 1.5], lapt=True),
        recipe={"arm": {name: {"seeds": [4, 5, 6]} for name in ("lapt", "tva")}},
    )
    found = compare([folder])
    cell = found.cells[0]
    assert (cell.task, cell.metric, cell.seeds, cell.dev) == ("text", BITS, (4, 5, 6), ())
    assert by_arm(found)["tva"].p == pytest.approx(0.0371, abs=5e-5)


def test_one_lapt_for_all_seeds_is_a_caution(tmp_path: Path) -> None:
    folder = write_run(
        tmp_path / "ug",
        arm("lapt", 1, 2, lapt=True, bits_per_byte=[1.6]),
        arm("tva", 3, 5, lapt=True, bits_per_byte=[1.2]),
    )
    found = compare([folder])
    assert has(found.cautions, "ug: LAPT ran once in each arm")
    assert has(found.cautions, "bits per byte: LAPT ran once", "lapt.per_seed")
    assert [test.n for test in found.tests if test.task == "text"] == [1]


def test_bits_per_byte_over_different_bases_are_a_caution(tmp_path: Path) -> None:
    one, other = (
        arm(name, 1, 2, lapt=True, bits_per_byte=[1.6]) | {"base": base}
        for name, base in (("lapt", "mini"), ("scratch", "mine"))
    )
    assert has(compare([write_run(tmp_path / "a", one, other)]).cautions, "arms with different")
    alone = write_run(tmp_path / "b", one, arm("tva", 1, 2) | {"base": "mine"})
    assert not has(compare([alone]).cautions, "arms with different")


def test_a_language_without_the_baseline_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "mt", arm("tva", 1, 2), language="mt")
    write_run(tmp_path / "ug", arm("lapt", 1, 2), arm("tva", 2, 4))
    found = compare([tmp_path])
    assert [test.language for test in found.tests] == ["ug"]
    assert "mt: lapt has no score in dep, so no arm is tested there" in found.missing


# Several runs


def test_the_family_covers_all_languages(tmp_path: Path) -> None:
    for language in ("mt", "ug", "wo"):
        write_run(
            tmp_path / language,
            arm("lapt", 10, 11, 15),
            arm("tva", 12, 14, 16),
            language=language,
        )
    found = compare([tmp_path])
    assert [test.p_bonferroni == 3 * (test.p or 0) for test in found.tests] == [True] * 3


def test_seeds_of_equal_arms_are_merged(tmp_path: Path) -> None:
    write_run(tmp_path / "a", arm("lapt", 10, 11), arm("tva", 12, 14))
    write_run(tmp_path / "b", arm("lapt", 11, 15, seeds=(2, 3)), arm("tva", 16, seeds=(3,)))
    found = compare([tmp_path / "b", tmp_path / "a"])
    assert [(c.arm, c.seeds, c.values) for c in found.cells] == [
        ("lapt", (1, 2, 3), (10, 11, 15)),
        ("tva", (1, 2, 3), (12, 14, 16)),
    ]


def recipe(
    test: str = "test", augment: str = "none", column: str = "xpos", **arm: Any
) -> dict[str, Any]:
    task = {"method": "dep", "train": "train", "dev": "dev", "test": test, "column": column}
    return {"arm": {"lapt": {"augment": augment, **arm}}, "task": {"dep": task}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": recipe(test="other")}, "task dep of ug differs in test (test, other)"),
        ({"recipe": recipe(column="upos")}, "task dep of ug differs in column (xpos, upos)"),
        ({"recipe": recipe(augment="tva")}, "arm lapt of ug differs in augment (none, tva)"),
        (
            {"recipe": recipe(multitask={"joint": True})},
            "arm lapt of ug differs in multitask.joint (not set, True)",
        ),
        ({"recipe": recipe(), "base": "x"}, "arm lapt of ug differs in base (mini, x)"),
        ({"recipe": recipe(), "hashes": {"train": "7"}}, "differs in task.dep.train (train, 7)"),
        ({"recipe": recipe(), "hashes": {"/base": "7"}}, "differs in files of the base"),
        ({"recipe": recipe()}, "seed 1 scores 10.00 in one and 12.00 in the other"),
    ],
)
def test_what_is_not_comparable_is_refused_with_both_folders(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    first = write_run(tmp_path / "a", arm("lapt", 10), recipe=recipe())
    second = write_run(tmp_path / "b", arm("lapt", 12), **changes)
    with pytest.raises(UsageError) as error:
        compare([first, second])
    assert message in str(error.value)
    assert str(first) in str(error.value)
    assert str(second) in str(error.value)


def test_files_are_compared_by_content_not_by_place(tmp_path: Path) -> None:
    first = write_run(
        tmp_path / "a", arm("lapt", 10), recipe=recipe(test="/x/test"), hashes={"/x/test": "7"}
    )
    second = write_run(
        tmp_path / "b",
        arm("lapt", 12, seeds=(2,)),
        recipe=recipe(test="/y/test"),
        hashes={"/y/test": "7"},
    )
    assert compare([first, second]).cells[0].seeds == (1, 2)


def test_differences_between_runs_are_cautions(tmp_path: Path) -> None:
    machine = {"specialize": "0.1.0", "torch": "2.11.0", "transformers": "5.24.0", "device": "cuda"}
    write_run(tmp_path / "ug", arm("lapt", 10, 11), arm("tva", 10, 12), recipe=recipe())
    write_run(
        tmp_path / "mt",
        arm("lapt", 12, 13),
        language="mt",
        base="other",
        machine=machine,
        recipe=recipe(augment="tva", column="upos"),
        cautions=["dep: only 9 test sentences", "tva: not about a test"],
    )
    found = compare([tmp_path]).cautions
    assert has(found, "the runs differ in base: other (mt), mini (ug)")
    assert has(found, "the runs differ in torch: 2.11.0 (mt), 2.13.0 (ug)")
    assert has(found, "the runs differ in device")
    assert has(found, "dep: languages differ in column: upos (mt), xpos (ug)")
    assert has(found, "arm lapt: settings differ in augment: tva (mt), none (ug)")
    assert "mt: dep: only 9 test sentences" in found
    assert not has(found, "not about a test")


def test_runs_of_one_language_may_have_different_tasks(tmp_path: Path) -> None:
    ner = {"ner": run_facts.scored("ner", 50.0)}
    task = {"method": "ner", "train": "a", "dev": "b", "test": "c"}
    one = recipe() | {"corpus": {"files": ["text"], "remove": ["dev", "test"]}}
    other = {"task": {"ner": task}, "corpus": {"files": ["text"], "remove": ["b", "c"]}}
    other["arm"] = one["arm"]
    first = write_run(tmp_path / "a", arm("lapt", 10), recipe=one)
    second = write_run(tmp_path / "b", arm("lapt", scores=ner), recipe=other)
    found = compare([first, second])
    assert [(c.task, c.arm) for c in found.cells] == [("dep", "lapt"), ("ner", "lapt")]


def test_runs_of_one_language_may_have_different_arms(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", arm("lapt", 10, 11), recipe={"corpus": {"dev": 0.1}})
    second = write_run(tmp_path / "b", arm("tva", 12, 14), recipe={"corpus": {"dev": 0.2}})
    found = compare([first, second])
    assert [test.arm for test in found.tests] == ["tva"]
    assert has(found.cautions, "ug: its runs differ in corpus.dev", str(first), str(second))
