"""Intervals of runs from their gold and predictions, and why there are none."""

import json
import shutil
from pathlib import Path

import pytest
import run_facts
from compared_runs import arm, has, treebank, write_parsed, write_run

from specialize.comparison import compare


def test_the_bootstrap_reads_gold_and_predictions(tmp_path: Path) -> None:
    """Of ten sentences the arm gets two more relations right than the baseline: 10 points."""
    gold = tmp_path / "gold.conllu"
    gold.write_text(treebank(*["nsubj"] * 10), "utf-8")
    worse = treebank("obj", "obj", *["nsubj"] * 8)
    folder = write_parsed(
        tmp_path / "run", gold, {"lapt": [worse] * 2, "tva": [gold.read_text("utf-8")] * 2}
    )
    found = compare([folder])
    (test,) = found.tests
    assert test.difference == 10
    assert test.bootstrap_low is not None
    assert test.bootstrap_high is not None
    assert 0 <= test.bootstrap_low < 10 < test.bootstrap_high <= 25
    assert not has(found.cautions, "bootstrap")
    assert compare([folder]) == found


def test_the_same_predictions_have_an_interval_of_zero(tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text(treebank("nsubj", "obj", "obl"), "utf-8")
    system = treebank("nsubj", "nsubj", "obl")
    folder = write_parsed(tmp_path / "run", gold, {"lapt": [system], "tva": [system]})
    (test,) = compare([folder]).tests
    assert (test.bootstrap_low, test.bootstrap_high) == (0, 0)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run, gold: gold.write_text("x"), "gold.conllu has changed since it was scored"),
        (lambda run, gold: gold.unlink(), "gold.conllu is missing"),
        (lambda run, gold: (run / "provenance.json").unlink(), "has no hash of"),
        (lambda run, gold: (run / "recipe.toml").unlink(), "recipe.toml names no test file"),
        (
            lambda run, gold: (run / "arms/tva/predictions/dep-1.conllu").write_text(
                treebank("obj", "obj")
            ),
            "dep-1.conllu scores 50.0000, the report says 100.0000",
        ),
        (
            lambda run, gold: (run / "arms/tva/predictions/dep-1.conllu").write_text("1\tx\n\n"),
            "dep-1.conllu:1: ",
        ),
    ],
)
def test_without_its_files_there_is_no_bootstrap(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    gold = tmp_path / "gold.conllu"
    gold.write_text(treebank("nsubj", "nsubj"), "utf-8")
    right, wrong = gold.read_text("utf-8"), treebank("nsubj", "obj")
    folder = write_parsed(tmp_path / "run", gold, {"lapt": [wrong], "tva": [right]})
    damage(folder, gold)
    found = compare([folder])
    (test,) = found.tests
    assert (test.bootstrap_low, test.bootstrap_high) == (None, None)
    assert has(found.cautions, "ug, dep: bootstrap not possible: ", message)
    assert test.difference == 25


def unfinished(folder: Path, gold: Path) -> Path:
    """Write a run of three seeds whose report is ahead of its predictions, tva with seed 4 due."""
    gold.write_text(treebank(*["nsubj"] * 10), "utf-8")
    worse = treebank("obj", "obj", *["nsubj"] * 8)
    systems = {"lapt": [worse] * 3, "tva": [gold.read_text("utf-8")] * 3}
    write_parsed(folder, gold, systems)
    facts = json.loads((folder / "report.json").read_text("utf-8"))
    facts["missing"] = ["tva: dep, seed 4"]
    (folder / "report.json").write_text(json.dumps(facts), "utf-8")
    return folder


def test_intervals_cover_the_seeds_whose_predictions_are_there(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", tmp_path / "gold.conllu")
    whole = compare([folder])
    assert whole.missing == ("ug: tva, dep: seed 4 is not finished",)
    (folder / "arms/tva/predictions/dep-3.conllu").unlink()
    part = compare([folder])
    assert part.missing[-1] == (
        "ug, dep: not finished, no predictions yet of tva, seed 3; intervals cover the other "
        "seeds alone"
    )
    assert not has(part.cautions, "predictions")
    low, high = part.tests[0].bootstrap_low, part.tests[0].bootstrap_high
    assert (low, high) == (whole.tests[0].bootstrap_low, whole.tests[0].bootstrap_high)
    assert low is not None


def test_predictions_of_earlier_scores_are_not_finished_either(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", tmp_path / "gold.conllu")
    earlier = treebank(*["obj"] * 10)
    (folder / "arms/tva/predictions/dep-2.conllu").write_text(earlier, "utf-8")
    found = compare([folder])
    assert has(found.missing, "ug, dep: not finished", "of tva, seed 2; intervals cover")
    assert found.tests[0].bootstrap_low is not None


def test_before_the_first_arm_is_published_nothing_is_a_fault(tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", tmp_path / "gold.conllu")
    shutil.rmtree(folder / "arms")
    (folder / "recipe.toml").unlink()
    found = compare([folder])
    assert has(found.missing, "ug, dep: not finished, no predictions yet, so there is no interval")
    assert not has(found.cautions, "bootstrap")


def test_predictions_deleted_from_a_finished_run_are_a_caution(tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text(treebank("nsubj", "nsubj"), "utf-8")
    systems = {"lapt": [treebank("nsubj", "obj")], "tva": [gold.read_text("utf-8")]}
    folder = write_parsed(tmp_path / "run", gold, systems)
    (folder / "arms/tva/predictions/dep-1.conllu").unlink()
    found = compare([folder])
    assert "ug, dep: no predictions of tva, seed 1; so there is no interval" in found.cautions
    assert found.missing == ()


def test_code_beside_a_run_is_not_run(tmp_path: Path) -> None:
    scores = {"mine": run_facts.scored("my_file.py:task", 50.0)}
    folder = write_run(
        tmp_path / "run", arm("lapt", scores=scores), arm("tva", scores=scores), language="ug"
    )
    (folder / "my_file.py").write_text("raise SystemExit('was run')", "utf-8")
    found = compare([folder])
    assert found.tests[0].metric == "f1"
    assert has(found.cautions, "bootstrap not possible: the method my_file.py:task has no counts")


def test_the_report_alone_is_enough_for_a_comparison(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 1, 2), arm("tva", 2, 4))
    (folder / "recipe.toml").unlink()
    (folder / "provenance.json").unlink()
    assert json.loads((folder / "report.json").read_text("utf-8"))["language"] == "ug"
    assert compare([folder]).tests[0].difference == 1.5
