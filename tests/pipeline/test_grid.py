"""A recipe with axes runs as one grid that shares its stages."""

import json
import re
import shutil
from pathlib import Path

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.comparison.read import open_runs
from specialize.errors import SpecializeError
from specialize.pipeline import head_stages as stage_functions
from specialize.recipe.read import read_recipes
from specialize.toylang import ToyFiles

RECIPE = """\
base = "BASE"
seeds = [1, 2]
embed = "mean"

[corpus]
files = ["corpus.txt"]
dev = 0.2

[lapt]
epochs = 1
batch = 16
length = 64
rate = 1e-3

[finetune]
epochs = 1

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[axes.language.aa]
[axes.language.bb]
corpus.lines = 60

[axes.script.original]
[axes.script.lower]
mixin = "lower"

[arm.lapt]
"""


@pytest.fixture
def recipe(base_folder: Path, toy: ToyFiles, tmp_path: Path) -> Path:
    shutil.copytree(toy.corpus.parent, tmp_path / "data")
    path = tmp_path / "data" / "grid.toml"
    path.write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    return path


def made(out: Path) -> list[str]:
    return sorted(path.parent.name for path in out.glob("stages/*/stage.json"))


def test_each_point_is_a_run_and_a_new_point_runs_alone(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["run", str(recipe), "--out", str(out)]
    assert main([*command, "--set", "axes.language.bb=false"]) == 0
    first = made(out)
    scores = (out / "aa" / "scores.json").read_text("utf-8")
    assert set(json.loads(scores)) == {"lapt", "lapt-lower"}
    capsys.readouterr()

    assert main([*command, "--plan"]) == 0
    planned = capsys.readouterr().out
    assert planned.count("done in") == len(first)
    assert re.search(r"\nbb lapt-lower: pos, seed 2 +about", planned)
    assert not (out / "bb").exists()

    assert main(command) == 0
    assert set(first) < set(made(out))
    assert (out / "aa" / "scores.json").read_text("utf-8") == scores
    report = json.loads((out / "bb" / "report.json").read_text("utf-8"))
    assert (report["language"], report["missing"]) == ("bb", [])
    assert (out / "bb" / "arms" / "lapt-lower" / "model" / "config.json").exists()
    assert (out / "bb" / "report.html").exists()
    assert "lapt-lower" in (out / "comparison.html").read_text("utf-8")
    assert f"comparison: {out / 'comparison.html'}" in capsys.readouterr().out

    both = ["--set", "axes.language.cc={}", "--set", "axes.language.aa=false"]
    assert main([*command, *both, "--set", "axes.script.lower=false", "--set", "seeds=[1]"]) == 0
    page = (out / "comparison.html").read_text("utf-8")
    assert "lapt-lower" not in page
    assert "aa: older results, left out" in capsys.readouterr().out
    assert [run.run.language for run in open_runs([out])[0]] == ["bb", "cc"]

    one = ["--set", "axes.language.bb=false", "--set", "axes.language.cc={}"]
    assert main([*command, *one, "--set", "seeds=[1]"]) == 0
    assert "bb: older results, left out" in (out / "comparison.html").read_text("utf-8")


def test_points_of_one_language_are_compared_side_by_side(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = recipe.read_text("utf-8").replace("[axes.language.bb]", "[axes.size.small]")
    text = text.replace("[axes.language.aa]", "[axes.size.whole]\ncorpus.lines = 0\n")
    recipe.write_text(text.replace('base = "', 'language = "xx"\nbase = "', 1), "utf-8")
    out = tmp_path / "out"
    assert main(["run", str(recipe), "--out", str(out), "--set", "axes.script.lower=false"]) == 0
    printed = capsys.readouterr().out
    table = printed[printed.index("\nXPOS") :].splitlines()
    languages = [line.split()[0] for line in table[2:6]]
    assert languages == ["small", "small", "whole", "whole"]  # on test, on dev


def test_what_is_finished_is_reported_with_what_is_missing(
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A stage crashes: nothing finished is lost, and the next run does the rest alone."""
    recipes, out = read_recipes(recipe), tmp_path / "out"
    finetune, calls = stage_functions.finetune_task, 0

    def crashing(folder: Path, **arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise SpecializeError("the disk is full")
        finetune(folder, **arguments)

    with monkeypatch.context() as patch:
        patch.setattr(stage_functions, "finetune_task", crashing)
        with pytest.raises(SpecializeError, match="the disk is full"):
            pipeline.specialize_all(recipes, out)
    report = json.loads((out / "aa" / "report.json").read_text("utf-8"))
    assert [arm["name"] for arm in report["arms"]] == ["lapt", "lapt-lower"]
    assert [arm["scores"]["pos"]["seeds"] for arm in report["arms"]] == [[1, 2], [1]]
    assert report["missing"] == ["lapt-lower: pos, seed 2"]
    assert not (out / "aa" / "scores.json").exists()
    assert main(["compare", str(out)]) == 0
    assert "lapt-lower, pos: seed 2" in capsys.readouterr().out
    before = made(out)
    facts = pipeline.specialize_all(recipes, out)
    assert facts["aa"]["missing"] == []
    assert set(before) <= set(made(out))
