"""Bases of word vectors in runs: as the base of an arm, beside others."""

import json
from pathlib import Path

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.errors import UsageError
from specialize.pipeline.pretrain import pretrain
from specialize.recipe.pretrain import read_pretrain
from specialize.recipe.read import read_recipe
from specialize.toylang import ToyFiles

VECTORS = """\
shape = "bilstm"
min_count = 2
vector_size = 8
hidden_size = 8
num_hidden_layers = 1
remove = ["dev.conllu", "test.conllu"]

[languages]
toy = ["corpus.txt"]
"""
RECIPE = """\
base = "BASE"
seeds = [1]

[corpus]
files = ["corpus.txt"]

[finetune]
epochs = 4
patience = 0
batch = 8
freeze = 0

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[arm.unadapted]
lapt = false

[arm.vectors]
base = "./vectors/model"
lapt = false
finetune = { rate = 1e-2, head_rate = 1e-2 }
"""


@pytest.fixture(scope="module")
def folder(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("baselines")
    for file in toy.corpus.parent.iterdir():
        (made / file.name).write_bytes(file.read_bytes())
    (made / "vectors.toml").write_text(VECTORS, "utf-8")
    (made / "run.toml").write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    pretrain(read_pretrain(made / "vectors.toml"), made / "vectors")
    return made


def test_an_arm_of_vectors_is_trained_scored_and_used_as_any_other(folder: Path) -> None:
    out = folder / "out"
    pipeline.specialize(read_recipe(folder / "run.toml"), out)
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    assert scores.keys() == {"unadapted", "vectors"}
    (dev,) = scores["vectors"]["pos"]["by_epoch"]
    assert dev[-1] > dev[0]
    annotated = folder / "annotated.conllu"
    given = ["predict", str(out / "arms" / "vectors"), str(folder / "test.conllu"), "--task", "pos"]
    assert main([*given, "--out", str(annotated)]) == 0
    assert (
        annotated.read_bytes()
        == (out / "arms" / "vectors" / "predictions" / "pos-1.conllu").read_bytes()
    )


def test_lapt_of_vectors_is_refused_before_anything_is_trained(folder: Path) -> None:
    recipe = read_recipe(folder / "run.toml", ["arm.vectors.lapt={}"])
    with pytest.raises(
        UsageError, match=r"^arm\.vectors: .*mask piece, got one without; set lapt = false"
    ):
        pipeline.specialize(recipe, folder / "refused")
    assert not list((folder / "refused").glob("stages/*/stage.json"))


def test_modules_of_vectors_are_refused_before_anything_is_trained(folder: Path) -> None:
    recipe = read_recipe(folder / "run.toml", ["modules=madx"])
    with pytest.raises(
        UsageError, match=r"arm.vectors: modules = 'madx': modules cannot be attached to a .*bilstm"
    ):
        pipeline.specialize(recipe, folder / "refused")
    assert not list((folder / "refused").glob("stages/*/stage.json"))


def test_keys_of_another_shape_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="unknown key 'steps'"):
        read_pretrain(folder / "vectors.toml", ["steps=5"])
    with pytest.raises(UsageError, match="unknown key 'min_count'"):
        read_pretrain(folder / "vectors.toml", ['shape="bert"'])
