"""``specialize run``: plan, run, and run again."""

import json
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call, contents

call, recipe = cli_calls.call, cli_calls.recipe  # fixtures


def test_a_run_prints_results_and_progress_apart(call: Call, recipe: Path, tmp_path: Path) -> None:
    done = call("run", recipe, "--out", tmp_path / "run")
    assert done.code == 0
    assert "XPOS" in done.out
    assert f"model: {tmp_path / 'run' / 'model'}" in done.out
    assert "threads: " in done.err
    assert "pos, seed 1" in done.err
    assert "pos" in json.loads((tmp_path / "run/scores.json").read_text("utf-8"))["only"]


def test_a_plan_lists_the_stages_and_does_nothing(call: Call, recipe: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    plan = call("run", recipe, "--out", tmp_path / "run", "--plan")
    assert (plan.code, plan.err) == (0, "")
    assert "only: pos, seed 1" in plan.out
    assert contents(tmp_path) == before


def test_a_changed_recipe_shares_the_folder(call: Call, recipe: Path, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "run"]
    assert call("run", recipe, *out).code == 0
    again = call("run", recipe, *out, "--set", "seeds=[1, 2]", "--plan")
    states = {line.rpartition("  ")[0].strip(): line for line in again.out.splitlines()}
    assert "done in" in states["only: pos, seed 1"]
    assert "about" in states["only: pos, seed 2"]


def test_a_refused_recipe_writes_nothing(call: Call, recipe: Path, tmp_path: Path) -> None:
    before = contents(tmp_path)
    refused = call("run", recipe, "--out", tmp_path / "run", "--set", "lapt.epochs=two")
    assert refused.code == 2
    message = "--set lapt.epochs=two: lapt.epochs = 'two': expected a whole number"
    first, error = refused.err.splitlines()
    assert "threads: " in first
    assert error.startswith(f"specialize: {message}; the default is ")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("option", ["--jobs", "--threads"])
@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_jobs_and_threads_are_whole_numbers_from_1(
    option: str, number: str, call: Call, recipe: Path
) -> None:
    refused = call("run", recipe, f"{option}={number}")
    assert refused.code == 2
    assert f"argument {option}: expected a whole number from 1, got '{number}'" in refused.err
