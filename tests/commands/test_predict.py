"""``specialize predict``: one task or several, to a file or to stdout."""

import json
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call

from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


@pytest.fixture(scope="module")
def run(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with heads for pos, dep and ner."""
    from specialize import pipeline
    from specialize.recipe.read import read_recipe

    folder = tmp_path_factory.mktemp("predict")
    files = "".join(f'{part} = "{getattr(toy, part)}"\n' for part in ("train", "dev", "test"))
    entities = "".join(
        f'{part} = "{getattr(toy, f"ner_{part}")}"\n' for part in ("train", "dev", "test")
    )
    (folder / "toy.toml").write_text(
        f'base = "{base_folder}"\nlapt = false\n[finetune]\nepochs = 1\n'
        f"[task.pos]\n{files}[task.dep]\n{files}[task.ner]\n{entities}",
        "utf-8",
    )
    pipeline.specialize(read_recipe(folder / "toy.toml"), folder / "run")
    return folder / "run"


def columns(path: Path, *numbers: int) -> list[list[str]]:
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines() if "\t" in line]
    return [[row[number] for number in numbers] for row in rows]


def test_predictions_are_those_of_the_run_and_score_the_same(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    predicted = tmp_path / "system.conllu"
    assert call("predict", run, toy.test, "--task", "pos", "--out", predicted).code == 0
    assert predicted.read_bytes() == (run / "predictions/pos-1.conllu").read_bytes()
    scores = json.loads(call("evaluate", toy.test, predicted, "--json").out)
    reported = json.loads((run / "scores.json").read_text("utf-8"))
    accuracy = reported["result"]["pos"]["test"][0]["accuracy"]
    assert scores["XPOS"]["f1"] == pytest.approx(accuracy)


def test_several_tasks_annotate_one_file(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    apart = {}
    for task in ("pos", "dep"):
        apart[task] = tmp_path / f"{task}.conllu"
        assert call("predict", run, toy.test, "--task", task, "--out", apart[task]).code == 0
    both = tmp_path / "both.conllu"
    assert call("predict", run, toy.test, "--task", "pos", "--task", "dep", "--out", both).code == 0
    assert columns(both, 1, 4) == columns(apart["pos"], 1, 4)
    assert columns(both, 1, 6, 7) == columns(apart["dep"], 1, 6, 7)


def test_without_a_task_all_of_the_files_format_are_annotated(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    named, unnamed, plain = (tmp_path / name for name in ("a.conllu", "b.conllu", "c.conllu"))
    tasks = ("--task", "dep", "--task", "pos")
    assert call("predict", run, toy.test, *tasks, "--out", named).code == 0
    made = call("predict", run, toy.test, "--out", unnamed)
    assert made.code == 0
    assert "tasks: dep, pos (they write CoNLL-U); not ner" in made.err
    assert unnamed.read_bytes() == named.read_bytes()
    (tmp_path / "text.txt").write_text("ⴰⴱ ⴰ\n", "utf-8")
    assert call("predict", run, tmp_path / "text.txt", "--out", plain).code == 0
    assert "_" not in {tag for row in columns(plain, 4, 7) for tag in row}
    shown = call("predict", run, toy.ner_test, "--out", "-")
    assert shown.out == (run / "predictions/ner-1.tsv").read_text("utf-8")


def test_named_tasks_of_different_formats_are_refused(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    tasks = ("--task", "dep", "--task", "ner")
    refused = call("predict", run, toy.test, *tasks, "--out", tmp_path / "new")
    assert refused.code == 2
    assert "tasks of different formats: dep writes CoNLL-U, ner writes columns" in refused.err
    assert not (tmp_path / "new").exists()


def test_the_output_can_be_stdout(call: Call, run: Path, toy: ToyFiles) -> None:
    shown = call("predict", run, toy.ner_test, "--task", "ner", "--out", "-")
    assert shown.code == 0
    assert shown.out == (run / "predictions/ner-1.tsv").read_text("utf-8")


def test_a_single_task_can_be_named_before_the_file(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    assert call("predict", run, "pos", toy.test, "--out", tmp_path / "a.conllu").code == 0
    predicted = (tmp_path / "a.conllu").read_bytes()
    assert predicted == (run / "predictions/pos-1.conllu").read_bytes()
    refused = call("predict", run, "a", "b", "c", "--out", tmp_path / "b")
    assert (refused.code, "expected one file, got a b c" in refused.err) == (2, True)


def test_an_output_folder_and_an_unknown_task_are_refused(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    onto = call("predict", run, toy.test, "--task", "pos", "--out", tmp_path)
    assert (onto.code, "is a folder; name a file to write" in onto.err) == (2, True)
    unknown = call("predict", run, toy.test, "--task", "pas", "--out", tmp_path / "new")
    assert (unknown.code, "no head for 'pas'; it has: dep, ner, pos" in unknown.err) == (4, True)
