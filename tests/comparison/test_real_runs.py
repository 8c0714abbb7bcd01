"""A whole tiny run: what the bootstrap counts is what the run scored."""

import json
from pathlib import Path

import pytest

from specialize.cli import main
from specialize.comparison import compare
from specialize.comparison.bootstrap import of_all
from specialize.comparison.cells import collect
from specialize.comparison.read import open_runs
from specialize.comparison.sentences import counts_of
from specialize.toylang import ToyFiles

RECIPE = """\
base = "BASE"
language = "toy"
seeds = [1, 2]
[finetune]
epochs = 1
head_rate = 1e-2
[task.pos]
column = "upos"
train = "TOY/train.conllu"
dev = "TOY/dev.conllu"
test = "TOY/test.conllu"
[task.dep]
train = "TOY/train.conllu"
dev = "TOY/dev.conllu"
test = "TOY/test.conllu"
[task.entities]
method = "ner"
train = "TOY/ner_train.tsv"
dev = "TOY/ner_dev.tsv"
test = "iob1"
[task.morphology]
method = "pos"
column = "feats"
folds = 2
dev = "TOY/train.conllu"
test = "TOY/test.conllu"
[arm.unadapted]
lapt = false
[arm.lower]
lapt = false
mixin = "lower"
finetune = { rate = 1e-3 }
"""


@pytest.fixture(scope="module")
def run(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; the entities to test are IOB1, in a file without suffix."""
    folder = tmp_path_factory.mktemp("compared")
    tags = toy.ner_test.read_text("utf-8").replace("\tB-", "\tI-")
    (folder / "iob1").write_text(tags, "utf-8")
    text = RECIPE.replace("BASE", str(base_folder)).replace("TOY", str(toy.corpus.parent))
    (folder / "toy.toml").write_text(text, "utf-8")
    assert main(["run", str(folder / "toy.toml"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_the_counts_of_all_sentences_are_the_official_scores(run: Path) -> None:
    stored = json.loads((run / "scores.json").read_text("utf-8"))
    scores = collect(open_runs([run])[0])
    metrics = {"pos": "accuracy", "dep": "las", "entities": "f1", "morphology": "ufeats"}
    for task, metric in metrics.items():
        arms = {key[2]: own for key, own in scores.items() if key[1] == task}
        for arm, seeds in counts_of(task, arms).counts.items():
            found = [of_all(counts) for counts in seeds.values()]
            assert found == [score[metric] for score in stored[arm][task]["test"]]
    assert any(score["accuracy"] > 0 for score in stored["lower"]["pos"]["test"])


def test_every_task_of_a_run_is_compared(run: Path) -> None:
    found = compare([run])
    assert [(t.arm, t.task, t.metric, t.n) for t in found.tests] == [
        ("lower", "pos", "UPOS", 2),
        ("lower", "dep", "LAS", 2),
        ("lower", "entities", "NER F1", 2),
        ("lower", "morphology", "UFeats", 2),
    ]
    for test in found.tests:
        assert test.bootstrap_low is not None
        assert test.bootstrap_high is not None
        assert test.bootstrap_low <= test.difference <= test.bootstrap_high
    assert found.missing == ()
