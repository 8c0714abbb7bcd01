"""``specialize study``: plans, and errors with their exit codes."""

from pathlib import Path

import cli_calls
from cli_calls import Call, contents
from small_treebanks import write_recipe

call = cli_calls.call  # fixture


def test_a_plan_lists_pairs_and_seeds_and_does_nothing(call: Call, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    before = contents(tmp_path)
    done = call("study", "sharing", recipe, "--out", tmp_path / "out", "--plan")
    assert done.code == 0
    assert "aa-bb, seed 1  0 of 27 done" in done.out
    assert "29 parsers to train" in done.out
    assert contents(tmp_path) == before


def test_faults_of_recipe_and_data_have_their_exit_codes(call: Call, tmp_path: Path) -> None:
    recipe, out = write_recipe(tmp_path), tmp_path / "out"
    unknown = call("study", "sharing", recipe, "--out", out, "--set", "training.step=3")
    assert (unknown.code, "did you mean 'steps'" in unknown.err) == (2, True)
    few = call("study", "sharing", recipe, "--out", out, "--set", "training.sentences=99")
    assert (few.code, "lower training.sentences" in few.err) == (3, True)
    missing = call("study", "sharing", tmp_path / "none.toml", "--out", out)
    assert (missing.code, "no such recipe" in missing.err) == (4, True)
    other = call("study", "sheering", recipe, "--out", out)
    assert (other.code, "sharing" in other.err) == (2, True)


def test_the_folder_of_another_study_is_refused_before_work(call: Call, tmp_path: Path) -> None:
    recipe, out = write_recipe(tmp_path), tmp_path / "out"
    (out / "stages" / ".locks").mkdir(parents=True)
    (out / "results.json").write_text('{"systems": {}}', "utf-8")
    before = contents(out)
    for plan in ([], ["--plan"]):
        done = call("study", "sharing", recipe, "--out", out, *plan)
        message = f"{out} holds results of study zeroshot; choose another --out"
        assert (done.code, message in done.err) == (2, True)
    assert contents(out) == before
