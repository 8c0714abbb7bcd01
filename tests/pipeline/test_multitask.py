"""Arms whose tasks are trained together, beside arms that train each alone."""

import json
import shutil
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.errors import UsageError
from specialize.pipeline import head_stages
from specialize.progress import Silent
from specialize.recipe.read import read_recipe
from specialize.store import Store
from specialize.toylang import ToyFiles
from specialize.train.multitask import Multitask

RECIPE = """\
base = "BASE"
seeds = [1, 2]

[finetune]
epochs = 3
patience = 0
batch = 8
freeze = 0
rate = 1e-3

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[task.ner]
train = "ner_train.tsv"
dev = "ner_dev.tsv"
test = "ner_test.tsv"

[arm.alone]
lapt = false

[arm.together]
lapt = false
multitask = { sampling = "upsample" }

[arm.pft]
lapt = false
multitask = { sampling = "upsample", prefinetune = true }
"""


@pytest.fixture(scope="module")
def recipe(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("multitask") / "data"
    shutil.copytree(toy.corpus.parent, folder)
    (folder / "run.toml").write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    return folder / "run.toml"


@pytest.fixture(scope="module")
def out(recipe: Path) -> Path:
    pipeline.specialize(read_recipe(recipe), recipe.parent.parent / "out")
    return recipe.parent.parent / "out"


def count(out: Path, name: str) -> int:
    return len([*out.glob(f"stages/{name}-*/stage.json")])


def test_arms_of_both_ways_are_in_one_report(out: Path) -> None:
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    assert {arm: sorted(tasks) for arm, tasks in scores.items()} == {
        "alone": ["ner", "pos"],
        "together": ["ner", "pos"],
        "pft": ["ner", "pos"],
    }
    assert scores["alone"]["pos"] != scores["together"]["pos"] != scores["pft"]["pos"]
    assert all(len(tasks["pos"]["test"]) == 2 for tasks in scores.values())
    assert count(out, "multitask") == 2  # the arms share them
    assert count(out, "head") == 4
    assert count(out, "finetune") == 8


def test_the_report_and_the_complete_recipe_name_how_tasks_are_trained(out: Path) -> None:
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert {arm["name"]: arm["multitask"] for arm in report["arms"]} == {
        "alone": "",
        "together": "upsample",
        "pft": "upsample (prefinetune)",
    }
    assert "upsample (prefinetune)" in (out / "report.html").read_text("utf-8")
    arms = tomllib.loads((out / "recipe.toml").read_text("utf-8"))["arm"]
    assert "multitask" not in arms["alone"]
    assert arms["together"]["multitask"] == asdict(Multitask(sampling="upsample"))


class Noted(Silent):
    """A log that records its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def test_scores_of_tasks_trained_together_are_logged_with_their_names(
    recipe: Path, tmp_path: Path
) -> None:
    changes = ["arm.alone=false", "arm.pft=false", "seeds=[1]", "finetune.epochs=1"]
    log = Noted()
    pipeline.specialize(read_recipe(recipe, changes), tmp_path / "out", log=log)
    found = [line.partition(" on test")[0] for line in log.lines if line.endswith(" on test")]
    assert [line.rpartition(" ")[0] for line in found] == ["pos: xpos", "ner: f1"]


def test_heads_of_all_arms_annotate(out: Path, recipe: Path, tmp_path: Path) -> None:
    for arm in ("alone", "together", "pft"):
        system = tmp_path / f"{arm}.conllu"
        test = recipe.parent / "test.conllu"
        command = ["predict", str(out / "arms" / arm), str(test), "--task", "pos"]
        assert main([*command, "--out", str(system)]) == 0
        scores = json.loads((out / "scores.json").read_text("utf-8"))[arm]["pos"]
        predicted = out / "arms" / arm / "predictions" / f"pos-{scores['best_seed']}.conllu"
        assert system.read_text("utf-8") == predicted.read_text("utf-8")


def test_a_finished_run_does_nothing_again(out: Path, recipe: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}
    assert "0.0 s on this machine" in pipeline.plan({"": read_recipe(recipe)}, out)
    pipeline.specialize(read_recipe(recipe), out)
    assert {p: p.stat().st_mtime_ns for p in out.glob("stages/*/stage.json")} == before


def test_weights_dropped_earlier_are_trained_again_if_they_become_the_best(
    out: Path, recipe: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    before = (copy / "scores.json").read_text("utf-8")
    store = Store(copy)
    for stage in copy.glob("stages/*/stage.json"):
        record = json.loads(stage.read_text("utf-8"))
        if record["name"] in ("head", "finetune"):
            dropped = [p for p in (stage.parent / "head").glob("model.safetensors")]
            if dropped:
                shutil.rmtree(stage.parent / "head")
                (stage.parent / ".dropped.json").write_text('["head"]\n', "utf-8")
    assert store.root.is_dir()
    pipeline.specialize(read_recipe(recipe), copy)
    assert (copy / "scores.json").read_text("utf-8") == before
    for arm in ("alone", "together", "pft"):
        assert (copy / "arms" / arm / "heads" / "pos" / "model.safetensors").exists()


def test_heads_trained_from_weights_dropped_earlier_have_them_trained_again(
    out: Path, recipe: Path, tmp_path: Path
) -> None:
    """The arm that goes on from tasks trained together is added after their weights were dropped"""
    copy = tmp_path / "copy"
    pipeline.specialize(read_recipe(recipe, ["arm.pft=false", "arm.alone=false"]), copy)
    assert len([*copy.glob("stages/multitask-*/pos/head")]) == 1
    pipeline.specialize(read_recipe(recipe), copy)
    assert (copy / "scores.json").read_text("utf-8") == (out / "scores.json").read_text("utf-8")
    assert count(copy, "multitask") == 2


def test_a_run_keeps_the_weights_that_another_run_still_needs(
    out: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that shares stages is finished while the other trains: both lose nothing."""
    copy, tuned = tmp_path / "copy", head_stages.finetune_task
    waiting = [read_recipe(recipe, ["arm.pft=false", "arm.alone=false"])]

    def interrupted(folder: Path, *, start: Path | None = None, **arguments: Any) -> None:
        if start and waiting:
            pipeline.specialize(waiting.pop(), copy)
            assert len([*copy.glob("stages/multitask-*/pos/head")]) == 2
        tuned(folder, start=start, **arguments)

    monkeypatch.setattr(head_stages, "finetune_task", interrupted)
    pipeline.specialize(read_recipe(recipe), copy)
    assert not waiting
    assert (copy / "scores.json").read_text("utf-8") == (out / "scores.json").read_text("utf-8")
    assert not [*copy.glob("stages/multitask-*/pos/head")]


def test_one_task_cannot_be_trained_together(recipe: Path) -> None:
    with pytest.raises(UsageError, match=r"arm.together.multitask trains two tasks or more"):
        read_recipe(recipe, ["task.ner=false"])
    with pytest.raises(UsageError, match=r"unknown key 'samplings' in arm.x.multitask"):
        read_recipe(recipe, ["arm.x.multitask.samplings=1"])
    with pytest.raises(UsageError, match=r"unknown multitask.sampling 'x'"):
        read_recipe(recipe, ["task.ner=false", 'arm.together.multitask.sampling="x"'])


def test_joint_tasks_without_a_common_training_file_are_a_warning(
    recipe: Path, tmp_path: Path
) -> None:
    joint = "arm.together.multitask.joint=true"
    found = pipeline.plan({"": read_recipe(recipe, [joint])}, tmp_path / "out")
    assert "warning: together: multitask.joint changes nothing, as no two tasks name" in found
    both = 'task.dep={train="train.conllu", dev="dev.conllu", test="test.conllu"}'
    found = pipeline.plan({"": read_recipe(recipe, [joint, both])}, tmp_path / "out")
    assert "multitask.joint" not in found
    split = 'task.dep={train="train.conllu", test="test.conllu"}'
    found = pipeline.plan({"": read_recipe(recipe, [joint, split])}, tmp_path / "out")
    assert "joint changes nothing, as tasks that name the same file split it differently; " in found
