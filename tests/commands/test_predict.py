"""``specialize predict``: one task or several, to a file or to stdout."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def test_a_file_of_a_format_that_no_head_writes_is_refused(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in ("pos.PosTask", "dep.DepTask"):
        monkeypatch.setattr(f"specialize.tasks.{task}.format", "lemmas")
    refused = call("predict", run, toy.test, "--out", tmp_path / "new")
    assert refused.code == 2
    assert "test.conllu is CoNLL-U, which no head writes: dep writes lemmas, " in refused.err
    assert "ner writes columns, pos writes lemmas; name one (--task)" in refused.err
    assert not (tmp_path / "new").exists()


def test_a_file_without_annotation_gets_the_same(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    """MaChAmp issue 34: a file with ids and forms alone."""
    bare, given, found = (tmp_path / name for name in ("bare.conllu", "a.conllu", "b.conllu"))
    lines = toy.test.read_text("utf-8").split("\n")
    rows = [[*line.split("\t")[:2], *"________"] if "\t" in line else [line] for line in lines]
    bare.write_text("\n".join("\t".join(row) for row in rows), "utf-8")
    assert call("predict", run, toy.test, "--out", given).code == 0
    assert call("predict", run, bare, "--out", found).code == 0
    assert columns(found, 0, 1, 4, 6, 7) == columns(given, 0, 1, 4, 6, 7)


def test_named_tasks_of_different_formats_are_refused(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    tasks = ("--task", "dep", "--task", "ner")
    refused = call("predict", run, toy.test, *tasks, "--out", tmp_path / "new")
    assert refused.code == 2
    assert "tasks of different formats: dep writes CoNLL-U, ner writes columns" in refused.err
    assert not (tmp_path / "new").exists()


def test_tasks_that_write_one_column_are_refused(
    call: Call, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    both = tmp_path / "run"
    shutil.copytree(run, both, ignore=shutil.ignore_patterns("stages", "arms"))
    shutil.copytree(both / "heads" / "pos", both / "heads" / "pos_b")
    for tasks in ((), ("--task", "pos", "--task", "pos_b")):
        refused = call("predict", both, toy.test, *tasks, "--out", tmp_path / "new")
        assert refused.code == 2
        assert "pos and pos_b write the same column; name one with --task" in refused.err
    assert not (tmp_path / "new").exists()
    twice = call("predict", both, "pos_b", toy.test, "--out", tmp_path / "new")
    assert twice.code == 0


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


# Folders of strangers


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, which a stranger may have changed."""
    return Path(shutil.copytree(run, tmp_path / "copied", ignore=shutil.ignore_patterns("stages")))


def change_head(run: Path, **values: Any) -> Path:
    file = run / "heads" / "pos" / "head.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")
    return file


OWN = """\
from pathlib import Path
from specialize.tasks import pos
{ran}.write_text("ran", "utf-8")

def task():
    return pos.task()

def mix(line):
    return line
"""


def own_code(folder: Path, name: str) -> Path:
    """Write a module that leaves the file ``ran`` behind when it is run."""
    folder.mkdir(exist_ok=True)
    ran = f"Path({str(folder / 'ran')!r})"
    (folder / name).write_text(OWN.format(ran=ran), "utf-8")
    return folder / name


@pytest.mark.parametrize("name", ["os:system", "runpy:run_path", "mine:task", "FILE:task"])
@pytest.mark.parametrize("kind", ["task", "mixin"])
def test_a_head_that_names_a_function_is_refused_and_nothing_of_it_run(
    kind: str,
    name: str,
    call: Call,
    copied: Path,
    toy: ToyFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = own_code(tmp_path / "code", "mine.py")
    monkeypatch.syspath_prepend(mine.parent)
    name = name.replace("FILE", str(mine))
    named: dict[str, Any] = {"task": {"task": name}, "mixin": {"mixin": [[name, {}]]}}[kind]
    file = change_head(copied, **named)
    for words in (["--task", "pos"], []):  # all tasks are asked for their formats
        done = call("predict", copied, toy.test, *words, "--out", tmp_path / "new")
        assert done.code == 2
        function = name.rpartition(":")[2]
        assert f"{file}: the head runs code outside of the package, {kind}: function " in done.err
        assert f"function {function} of /" in done.err
        assert "where you trust it, allow it: --allow-code" in done.err
    assert not (mine.parent / "ran").exists()
    assert not (tmp_path / "new").exists()


def test_allowed_code_is_shown_and_run(
    call: Call, copied: Path, run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    mine = own_code(tmp_path / "code", "mine.py")
    change_head(copied, task=f"{mine}:task", mixin=[[f"{mine}:mix", {}]])
    out = tmp_path / "new.conllu"
    done = call("predict", copied, toy.test, "--task", "pos", "--allow-code", "--out", out)
    assert done.code == 0, done.err
    assert done.err.splitlines() == [
        f"running code outside of the package: {kind}: function {function} of {mine}"
        for kind, function in (("task", "task"), ("mixin", "mix"))
    ]
    assert out.read_bytes() == (run / "predictions/pos-1.conllu").read_bytes()


@pytest.mark.parametrize("flags", [[], ["--allow-code"]])
def test_a_module_of_the_working_directory_is_not_run(
    flags: list[str], copied: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    here = own_code(tmp_path / "here", "mine.py").parent
    change_head(copied, task="mine:task")
    package = Path(sys.modules["specialize"].__path__[0]).parent
    paths = [str(package), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "specialize", "predict", copied, toy.test, *flags]
    done = subprocess.run(
        [*map(str, command), "--task", "pos", "--out", "new"],
        cwd=here,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == (3 if flags else 2), done.stderr
    assert "function task of the module 'mine'" in done.stderr
    assert sorted(path.name for path in here.iterdir()) == ["mine.py"]


def garble(file: Path) -> None:
    file.write_text("{", "utf-8")


def nest(file: Path) -> None:
    file.write_text("[" * 100_000, "utf-8")


def retype(**values: Any) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        change_head(file.parents[2], **values)

    return change


def halve(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def overwrite(file: Path) -> None:
    """As git leaves a large file that was not fetched."""
    file.write_text("version https://git-lfs.github.com/spec/v1\n", "utf-8")


def poison(file: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(file)
    next(iter(state.values())).view(-1)[0] = float("nan")
    save_file(state, file)


def of_another_task(file: Path) -> None:
    shutil.copy(file.parents[1] / "ner" / "model.safetensors", file)


def lose(file: Path) -> None:
    shutil.rmtree(file) if file.is_dir() else file.unlink()


HEAD, WEIGHTS = "heads/pos/head.json", "heads/pos/model.safetensors"
DAMAGED = [
    (garble, HEAD, 3, ":1: not the description of a head"),
    (nest, HEAD, 3, ":1: not the description of a head"),
    (retype(labels=[]), HEAD, 3, "labels is no dict"),
    (retype(labels={"tags": [3]}), HEAD, 3, "labels are no lists of texts"),
    (retype(labels={}), HEAD, 3, "no labels for "),
    (retype(task=3), HEAD, 3, "task is no str"),
    (retype(task="poss"), HEAD, 3, ":1: unknown task 'poss'"),
    (retype(mixin=[["lower"]]), HEAD, 3, ":1: not the description of a head"),
    (retype(more=1), HEAD, 3, ":1: not the description of a head"),
    (halve, WEIGHTS, 3, ":1: damaged ("),
    (overwrite, WEIGHTS, 3, ":1: damaged ("),
    (poison, WEIGHTS, 3, "has values that are not finite"),
    (of_another_task, WEIGHTS, 3, ":1: not the weights of this head"),
    (lose, WEIGHTS, 4, ": no such file; expected the weights of the head"),
    (lose, "model", 4, ": no such folder; expected the model of the run"),
    (garble, "model/config.json", 3, ":1: its JSON is damaged"),
    (nest, "model/config.json", 3, ":1: its JSON is damaged"),
    (lose, "model/config.json", 4, "model: no config.json"),
]


@pytest.mark.parametrize(("damage", "name", "code", "message"), DAMAGED)
def test_a_damaged_run_is_one_line_that_names_the_file(
    damage: Callable[[Path], None],
    name: str,
    code: int,
    message: str,
    call: Call,
    copied: Path,
    toy: ToyFiles,
    tmp_path: Path,
) -> None:
    damage(copied / name)
    done = call("predict", copied, toy.test, "--task", "pos", "--out", tmp_path / "new")
    assert (done.code, done.err.count("\n")) == (code, 1), done.err
    assert str(copied / Path(name).parent) in done.err
    assert message in done.err
    assert not (tmp_path / "new").exists()


def test_only_tasks_of_the_folder_are_found(call: Call, copied: Path, toy: ToyFiles) -> None:
    shutil.copytree(copied / "heads" / "pos", copied / "other")
    done = call("predict", copied, toy.test, "--task", "../other", "--out", copied / "new")
    assert (done.code, "no head for '../other'" in done.err) == (4, True)


def test_annotation_on_stdout_is_utf8_whatever_the_terminal(
    run: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "specialize", "predict", run, toy.test, "--task", "pos"]
    done = subprocess.run(
        [*map(str, command), "--out", "-"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == (run / "predictions/pos-1.conllu").read_bytes()
