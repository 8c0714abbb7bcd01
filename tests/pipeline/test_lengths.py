"""Lengths that a recipe does not set, on bases of few positions."""

import json
from pathlib import Path

import pytest

from specialize import pipeline
from specialize.errors import UsageError
from specialize.pipeline.lengths import fitted, positions
from specialize.recipe.read import read_recipe
from specialize.toylang import ToyFiles
from specialize.train.finetune import Finetune

RECIPE = """\
base = "BASE"
lapt = false

[finetune]
epochs = 1
freeze = 0

[task.pos]
train = "TRAIN"
dev = "DEV"
test = "TEST"
"""


@pytest.fixture(scope="module")
def recipe(bert_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe for a base of 128 positions."""
    file = tmp_path_factory.mktemp("lengths") / "run.toml"
    text = RECIPE.replace("BASE", str(bert_folder)).replace("TRAIN", str(toy.train))
    file.write_text(text.replace("DEV", str(toy.dev)).replace("TEST", str(toy.test)), "utf-8")
    return file


def test_only_a_length_that_is_not_set_is_shortened(bert_folder: Path, base_folder: Path) -> None:
    assert positions(bert_folder) == 128
    assert fitted(Finetune, {}, "", bert_folder).length == 128
    assert fitted(Finetune, {"length": 64}, "", bert_folder).length == 64
    assert fitted(Finetune, {"length": 256}, "", bert_folder).length == 256
    assert positions(base_folder) == 512
    assert fitted(Finetune, {}, "", base_folder).length == 256


def test_a_base_of_fewer_positions_than_the_default_is_fine_tuned_and_reported(
    recipe: Path, bert_folder: Path, tmp_path: Path
) -> None:
    note = f"result: finetune.length is 128 pieces, not 256: {bert_folder} has no more positions"
    assert f"warning: {note}" in pipeline.plan({"": read_recipe(recipe)}, tmp_path / "out")
    facts = pipeline.specialize(read_recipe(recipe), tmp_path / "out")
    assert note in facts["cautions"]
    head = json.loads((tmp_path / "out" / "heads" / "pos" / "head.json").read_text("utf-8"))
    assert head["length"] == 128


def test_a_length_of_the_recipe_beyond_the_positions_is_refused(
    recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"finetune.length = 256, but the model has 128 positions"):
        pipeline.specialize(read_recipe(recipe, ["finetune.length=256"]), tmp_path / "out")


def test_lengths_that_fit_are_not_mentioned(recipe: Path, tmp_path: Path) -> None:
    found = pipeline.plan({"": read_recipe(recipe, ["finetune.length=100"])}, tmp_path / "out")
    assert "positions" not in found
