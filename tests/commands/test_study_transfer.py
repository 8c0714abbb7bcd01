"""``specialize study transfer`` and ``interference``: plans, and errors with their exit codes."""

from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call, contents
from small_transfer import write_recipe

call = cli_calls.call  # fixture


@pytest.mark.parametrize(
    ("kind", "line"), [("transfer", "aa, repeat 1"), ("interference", "aa+bb fused")]
)
def test_a_plan_lists_the_stages_and_does_nothing(
    call: Call, base_folder: Path, tmp_path: Path, kind: str, line: str
) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    before = contents(tmp_path)
    done = call("study", kind, recipe, "--out", tmp_path / "out", "--plan")
    assert done.code == 0
    assert line in done.out
    assert "stages to run" in done.out
    assert contents(tmp_path) == before


def test_faults_of_recipe_and_data_have_their_exit_codes(
    call: Call, base_folder: Path, tmp_path: Path
) -> None:
    recipe, out = write_recipe(tmp_path, base_folder), tmp_path / "out"

    def told(*changes: str, kind: str = "transfer") -> tuple[int, str]:
        sets = [part for change in changes for part in ("--set", change)]
        done = call("study", kind, recipe, "--out", out, *sets)
        return done.code, done.err

    for changes, code, message in (
        (["treebank.bb.tasks=['ner']"], 2, "no task adapter; tasks has: pos, dep"),
        ([f'treebank.bb.test="{tmp_path}/aa/train.conllu"'], 3, "test sentences are also trained"),
        (['targets=["aa"]'], 2, "interference needs 2 languages"),
        (["adapter.length=600"], 2, "adapter.length = 600, but the model has 512 positions"),
        (["mlm.length=600"], 2, "mlm.length = 600, but the model has 512 positions"),
        (['base="none/such"'], 4, "none/such"),
    ):
        kind = "interference" if "interference" in message else "transfer"
        found = told(*changes, kind=kind)
        assert found[0] == code, found
        assert message in found[1]
    assert not list(out.glob("stages/transfer*"))
    missing = call("study", "transfer", tmp_path / "none.toml", "--out", out)
    assert (missing.code, "no such recipe" in missing.err) == (4, True)
    other = call("study", "transfers", recipe, "--out", out)
    assert (other.code, "interference" in other.err) == (2, True)
