"""``specialize study zeroshot``: plans, and errors with their exit codes."""

from pathlib import Path

import cli_calls
from cli_calls import Call, contents
from small_zeroshot import write_recipe

call = cli_calls.call  # fixture


def test_a_plan_lists_the_stages_and_does_nothing(
    call: Call, base_folder: Path, tmp_path: Path
) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    before = contents(tmp_path)
    done = call("study", "zeroshot", recipe, "--out", tmp_path / "out", "--plan")
    assert done.code == 0
    assert "bb: language adapter" in done.out
    assert "madx, model b, seed 1" in done.out
    assert "14 stages to run" in done.out
    assert contents(tmp_path) == before


def test_faults_of_recipe_and_data_have_their_exit_codes(
    call: Call, base_folder: Path, tmp_path: Path
) -> None:
    recipe, out = write_recipe(tmp_path, base_folder), tmp_path / "out"
    for change, code, message in (
        ("system.mine.kind=madly", 2, "known: full, madx, hyperx, psf"),
        (f'treebank.bb.test="{tmp_path}/aa/train.conllu"', 3, "test sentences are also trained"),
        ("training.length=600", 2, "training.length = 600, but the model has 512 positions"),
        ("mlm.length=600", 2, "mlm.length = 600, but the model has 512 positions"),
        ('base="none/such"', 4, "none/such"),
    ):
        found = call("study", "zeroshot", recipe, "--out", out, "--set", change)
        assert (found.code, message in found.err) == (code, True), found.err
    assert not list(out.glob("stages/zeroshot*"))
    several = call("study", "zeroshot", recipe, recipe, "--out", out)
    assert (several.code, "expected one recipe, got 2" in several.err) == (2, True)
