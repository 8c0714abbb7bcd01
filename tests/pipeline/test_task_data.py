"""Runs on data as people have them: folders, splits, folds, sentences shared with train."""

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.errors import DataError
from specialize.pipeline.cautions import cautions
from specialize.pipeline.checks import check_tasks, read_tasks
from specialize.pipeline.task_data import read_task
from specialize.recipe.read import read_recipe
from specialize.recipe.recipe import Recipe
from specialize.reports.run_text import summary
from specialize.toylang import ToyFiles

RECIPE = """\
base = "BASE"
lapt = false
seeds = [1, 2]
[finetune]
epochs = 2
patience = 0
batch = 8
freeze = 0
rate = 1e-3
"""


@pytest.fixture(scope="module")
def folder(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe beside a treebank without train and entities whose test repeats train."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "UD_Toy").mkdir()
    (folder / "ner").mkdir()
    shutil.copy(toy.train, folder / "UD_Toy" / "x_toy-ud-dev.conllu")
    shutil.copy(toy.test, folder / "UD_Toy" / "x_toy-ud-test.conllu")
    shutil.copy(toy.ner_train, folder / "ner" / "train.txt")
    shutil.copy(toy.ner_dev, folder / "ner" / "valid.txt")
    known = toy.ner_train.read_text("utf-8").split("\n\n")[:10]
    new = toy.ner_test.read_text("utf-8")
    (folder / "ner" / "test.txt").write_text("\n\n".join([*known, new]), "utf-8")
    (folder / "recipe.toml").write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    return folder


def recipe(folder: Path, tasks: str, name: str) -> Recipe:
    path = folder / f"{name}.toml"
    path.write_text((folder / "recipe.toml").read_text("utf-8") + tasks, "utf-8")
    return read_recipe(path)


POS = '[task.pos]\nfolder = "UD_Toy"\ncolumn = "feats"\n'
NER = '[task.ner]\nfolder = "ner"\n'


@pytest.fixture(scope="module")
def done(folder: Path) -> Path:
    text = POS + NER + '[task.dep]\nfolder = "UD_Toy"\nfolds = 2\n'
    text += "[arm.alone]\n[arm.joint]\nmultitask = { joint = true }\n"
    pipeline.specialize(recipe(folder, text, "whole"), folder / "out")
    return folder / "out"


def scores(out: Path) -> dict[str, Any]:
    return json.loads((out / "scores.json").read_text("utf-8"))["alone"]


def facts(out: Path) -> dict[str, Any]:
    return json.loads((out / "report.json").read_text("utf-8"))


def test_all_scores_are_finite_and_of_every_seed(done: Path) -> None:
    keys = {
        "pos": {"accuracy", "ufeats", "sentences"},
        "dep": {"uas", "las", "clas", "las_full"},
        "ner": {"f1", "precision", "recall", "macro_f1", "strict_f1", "strict_macro_f1"},
    }
    for task, wanted in keys.items():
        found = scores(done)[task]
        for part in ("dev", "test", "test_unseen"):
            assert len(found[part]) == 2
            for row in found[part]:
                assert wanted <= row.keys()
                assert all(math.isfinite(value) for value in row.values())
        assert all(len(curve) >= 2 for curve in found["by_epoch"])


def test_a_missing_train_file_is_a_split_of_dev_and_told(done: Path, folder: Path) -> None:
    (said,) = (c for c in facts(done)["cautions"] if c.startswith("pos: no train"))
    assert said == (
        "pos: no train file; every fifth sentence of x_toy-ud-dev.conllu (12 of 60) is dev, the "
        "others are train"
    )
    assert said in (done / "report.html").read_text("utf-8")
    task = read_recipe(folder / "whole.toml").tasks[0]
    first, second = (read_task(task, seed).data for seed in (1, 2))
    assert (first.train, first.dev) == (second.train, second.dev)
    assert (len(first.train), len(first.dev)) == (48, 12)


def test_folds_change_dev_with_the_seed(done: Path, folder: Path) -> None:
    told = "dep: no train file; cross-validation: fold s mod 2 of x_toy-ud-dev.conllu is dev of s"
    assert any(caution.startswith(told) for caution in facts(done)["cautions"])
    task = read_recipe(folder / "whole.toml").tasks[2]
    first, second, third = (read_task(task, seed).data for seed in (1, 2, 3))
    assert first.dev == third.dev == second.train
    assert second.dev == first.train
    assert first.test == second.test


def test_test_sentences_of_train_are_counted_and_scored_without(done: Path, folder: Path) -> None:
    found = scores(done)["ner"]
    assert found["shared"] == [10, 10]
    assert found["test_sentences"] == 30
    assert any(
        caution.startswith("ner: 10 of 30 test sentences also occur in train")
        for caution in facts(done)["cautions"]
    )
    (files,) = (task for task in read_recipe(folder / "whole.toml").tasks if task.name == "ner")
    given = read_task(files)
    for number, seed in enumerate(found["seeds"]):
        predicted = given.task.read(done / "arms" / "alone" / "predictions" / f"ner-{seed}.txt")
        expected = given.task.score(given.data.test[10:], predicted[10:])
        assert found["test_unseen"][number] == expected
    assert found["test_unseen"] != found["test"]
    assert "NER F1 on the 20 of 30 test sentences not in train: alone " in summary(facts(done))
    assert "test, not<br>in train" in (done / "report.html").read_text("utf-8")


def test_dev_sentences_of_train_are_counted_in_files_of_both_and_in_splits(
    folder: Path, tmp_path: Path
) -> None:
    sentences = (folder / "ner" / "valid.txt").read_text("utf-8").strip().split("\n\n")[:10]
    twice = "\n\n".join([*sentences, *sentences[::-1]]) + "\n"
    for name, text in (("train", twice), ("dev", "\n\n".join(sentences[:4]) + "\n")):
        (tmp_path / f"{name}.txt").write_text(text, "utf-8")
    files = f'train = "{tmp_path}/train.txt"\ntest = "ner/test.txt"\nmethod = "ner"\n'
    dev = f'dev = "{tmp_path}/dev.txt"\n'
    made = recipe(folder, f"[task.split]\n{files}[task.files]\n{files}{dev}", "leaks")
    found = cautions([], read_tasks(made))
    assert [caution for caution in found if "dev sentences" in caution] == [
        "split: 4 of 4 dev sentences also occur in train",
        "files: 4 of 4 dev sentences also occur in train",
    ]


def test_without_shared_sentences_both_scores_are_equal(done: Path) -> None:
    found = scores(done)["dep"]
    assert found["shared"] == [0, 0]
    assert found["test"] == found["test_unseen"]


def test_the_written_recipe_needs_no_folder_and_repeats_nothing(done: Path, folder: Path) -> None:
    written = read_recipe(done / "recipe.toml")
    assert "folder" not in (done / "recipe.toml").read_text("utf-8")
    assert written == read_recipe(folder / "whole.toml")
    before = {path: path.stat().st_mtime_ns for path in done.glob("stages/*/stage.json")}
    pipeline.specialize(written, done)
    assert before == {path: path.stat().st_mtime_ns for path in done.glob("stages/*/stage.json")}


def test_too_few_sentences_to_split_are_refused_before_the_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = "\n\n".join((folder / "ner" / "train.txt").read_text("utf-8").split("\n\n")[:3])
    (tmp_path / "train.txt").write_text(short + "\n", "utf-8")
    shutil.copy(folder / "ner" / "test.txt", tmp_path)
    made = recipe(folder, f'[task.ner]\nfolder = "{tmp_path}"\n', "short")
    with pytest.raises(DataError, match=r"train\.txt:1: expected 5 sentences or more to split"):
        check_tasks(made, read_tasks(made))
    assert main(["run", str(folder / "short.toml"), "--out", str(tmp_path / "out")]) == 3
    assert re.search(r"train\.txt:1: expected 5 sentences", capsys.readouterr().err)


def test_a_test_file_all_of_which_is_in_train_has_no_other_score(
    folder: Path, tmp_path: Path
) -> None:
    for part in ("train", "dev", "test"):
        shutil.copy(folder / "ner" / "train.txt", tmp_path / f"{part}.txt")
    made = recipe(folder, f'[task.ner]\nfolder = "{tmp_path}"\n', "same")
    found = pipeline.specialize(made, tmp_path / "out")
    assert found["arms"][0]["scores"]["ner"]["test_unseen"] == [{}, {}]
    assert "not in train: –" in summary(found)
