"""Whole runs on a tiny base: their output, repeated runs, and killed runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.demo import demo_recipe
from specialize.evaluation import evaluate_files
from specialize.recipe.read import read_recipe
from specialize.specialization import Specialization
from specialize.toylang import ToyFiles
from specialize.train import loop
from specialize.vocab.formats.tokenizer_json import read_wordpiece

RECIPE = """\
title = "Toy"
base = "BASE"
seeds = [1, 2]
embed = "mean"

[corpus]
files = ["TOY/corpus.txt"]
dev = 0.2

[lapt]
epochs = 1
batch = 16
length = 64
rate = 1e-3
warmup = 2

[finetune]
epochs = 1
rate = 1e-3
head_rate = 1e-2

[task.pos]
train = "TOY/train.conllu"
dev = "TOY/dev.conllu"
test = "test.conllu"

[task.dep]
train = "TOY/train.conllu"
dev = "TOY/dev.conllu"
test = "test.conllu"

[task.ner]
train = "TOY/ner_train.tsv"
dev = "TOY/ner_dev.tsv"
test = "ner"

[arm.unadapted]
lapt = false

[arm.lapt]

[arm.tva]
augment = { method = "tva", new_vocabulary = 300 }
lapt = { fresh_rate = 3.0 }
"""
TESTS = {"pos": "test.conllu", "dep": "test.conllu", "ner": "ner"}
ARMS = ("unadapted", "lapt", "tva")


@pytest.fixture(scope="module")
def recipe(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recipe; its test files have labels unseen in training, and one has no suffix."""
    folder = tmp_path_factory.mktemp("recipe")
    treebank = toy.test.read_text("utf-8").splitlines(keepends=True)
    columns = treebank[2].split("\t")
    treebank[2] = "\t".join([*columns[:4], "NEW", *columns[5:7], "new", *columns[8:]])
    (folder / "test.conllu").write_text("".join(treebank), "utf-8")
    (folder / "ner").write_text(toy.ner_test.read_text("utf-8") + "Mars\tB-PLANET\n\n", "utf-8")
    text = RECIPE.replace("BASE", str(base_folder)).replace("TOY", str(toy.corpus.parent))
    (folder / "toy.toml").write_text(text, "utf-8")
    return folder / "toy.toml"


@pytest.fixture(scope="module")
def done(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an uninterrupted run."""
    out = tmp_path_factory.mktemp("runs") / "done"
    assert main(["run", str(recipe), "--out", str(out)]) == 0
    return out


def outputs(out: Path) -> dict[str, bytes]:
    """Return what must not depend on the time of a run or on interruptions."""
    names = ("scores.json", "vocab.txt", "model.safetensors", "head.json", "pieces.tsv")
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.name in names or path.parent.name == "predictions"
    }


def scores_of(out: Path) -> dict[str, dict[str, dict]]:
    return json.loads((out / "scores.json").read_text("utf-8"))


# Output of a run


def test_how_the_tokenizer_of_the_base_was_read_is_a_caution(
    base_folder: Path, toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = tmp_path / "base"
    shutil.copytree(base_folder, base)
    file = base / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    described["normalizer"] = {
        "type": "Sequence",
        "normalizers": [{"type": "NFC"}, described["normalizer"]],
    }
    file.write_text(json.dumps(described), "utf-8")
    config = base / "tokenizer_config.json"
    named = json.loads(config.read_text("utf-8")) | {"tokenizer_class": "PreTrainedTokenizerFast"}
    config.write_text(json.dumps(named), "utf-8")
    files = "".join(f'{part} = "{getattr(toy, part)}"\n' for part in ("train", "dev", "test"))
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        f'base = "{base}"\nlapt = false\n[finetune]\nepochs = 1\n[task.pos]\n{files}', "utf-8"
    )
    assert main(["run", str(recipe), "--out", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr()
    note = (
        "a WordPiece with other rules than BERT's (normalizer Sequence): segmented by the library"
    )
    assert note in " ".join(shown.out.partition("Cautions:")[2].split())
    assert f"warning: base: {file}: {note}" in shown.err
    facts = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))
    assert f"base: {file}: {note}" in facts["cautions"]


def test_the_model_loads_with_plain_transformers(done: Path, base_folder: Path) -> None:
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    pieces = (done / "model" / "vocab.txt").read_text("utf-8").splitlines()
    assert len(pieces) > len(read_wordpiece(base_folder).pieces)
    model = AutoModelForMaskedLM.from_pretrained(done / "model")
    tokenizer = AutoTokenizer.from_pretrained(done / "model")
    assert tokenizer.convert_ids_to_tokens(range(len(pieces))) == pieces
    logits = model(**tokenizer("ⴰⴱ [MASK]", return_tensors="pt")).logits
    assert logits.shape[-1] >= len(pieces)
    assert logits.isfinite().all()


def test_the_folder_has_all_its_parts_and_no_temporary_files(done: Path) -> None:
    parts = "model heads predictions vocab recipe.toml provenance.json scores.json report.html"
    for name in parts.split():
        assert (done / name).exists(), name
    assert not [p for p in done.rglob("*") if "partial" in p.name or p.suffix in {".pt", ".npy"}]
    for arm in ARMS:
        assert {"model", "heads", "predictions", "vocab"} <= {
            path.name for path in (done / "arms" / arm).iterdir()
        }
    rows = (done / "vocab" / "pieces.tsv").read_text("utf-8").splitlines()
    assert rows[0].split("\t")[:4] == ["rank", "id", "piece", "replaced_unknowns"]
    assert len(rows) == 100
    assert rows[0].endswith("\tinitial_row")
    assert all(row.endswith("\tdrawn around the mean") for row in rows[1:])
    assert "drawn around the mean" in (done / "report.html").read_text("utf-8")
    assert "tva" in (done / "report.html").read_text("utf-8")
    provenance = json.loads((done / "provenance.json").read_text("utf-8"))
    assert provenance["command"].startswith("specialize run ")
    assert len(provenance["inputs"]) >= 8
    assert set(provenance["vocabularies"]) == set(ARMS)


@pytest.mark.parametrize("arm", ARMS)
def test_reported_scores_are_those_of_the_predictions(arm: str, done: Path, recipe: Path) -> None:
    for task, metric in (("pos", "XPOS"), ("dep", "LAS"), ("ner", "conlleval")):
        reported = scores_of(done)[arm][task]
        for seed, test in zip(reported["seeds"], reported["test"], strict=True):
            gold = recipe.parent / TESTS[task]
            system = done / "arms" / arm / "predictions" / f"{task}-{seed}{gold.suffix}"
            found = evaluate_files(gold, system)[metric]["f1"]
            assert test[reported["metric"]] == pytest.approx(found), (task, seed)


def test_a_label_unseen_in_training_counts_as_wrong(done: Path) -> None:
    predicted = (done / "predictions" / "pos-1.conllu").read_text("utf-8")
    assert "\tNEW\t" not in predicted
    assert scores_of(done)["tva"]["pos"]["test"][0]["accuracy"] < 100
    assert "B-PLANET" not in (done / "predictions" / "ner-1").read_text("utf-8")


@pytest.mark.parametrize("task", TESTS)
def test_a_head_loaded_again_annotates_as_it_did(
    task: str, done: Path, recipe: Path, tmp_path: Path
) -> None:
    run = Specialization(done)
    assert run.tasks == ["dep", "ner", "pos"]
    head = run.head(task)
    gold = recipe.parent / TESTS[task]
    head.task.write(head.annotate(head.task.read(gold)), tmp_path / "again")
    seed = scores_of(done)["tva"][task]["best_seed"]
    before = done / "predictions" / f"{task}-{seed}{gold.suffix}"
    assert (tmp_path / "again").read_bytes() == before.read_bytes()


@pytest.mark.parametrize("task", TESTS)
def test_text_without_annotation_is_predicted_as_with_it(
    task: str, done: Path, recipe: Path, tmp_path: Path
) -> None:
    task_of = Specialization(done).head(task).task
    gold, bare, plain = recipe.parent / TESTS[task], tmp_path / "bare.conllu", tmp_path / "a.txt"
    sentences = task_of.words(gold)
    row = "{word}\n" if task == "ner" else "{number}\t{word}" + "\t_" * 8 + "\n"
    blocks = [
        "".join(row.format(number=i, word=word) for i, word in enumerate(s.words, 1))
        for s in sentences
    ]
    bare.write_text("\n".join(blocks), "utf-8")
    plain.write_text("".join(" ".join(s.words) + "\n" for s in sentences), "utf-8")
    found = []
    for file in (gold, bare, plain):
        out = tmp_path / f"{file.name}.out"
        assert main(["predict", str(done), task, str(file), "--out", str(out)]) == 0
        found.append([(s.words, s.gold) for s in task_of.read(out)])
    assert found[0] == found[1] == found[2]


# Repeated


def test_the_resolved_recipe_is_the_same_in_every_folder(done: Path, recipe: Path) -> None:
    first, again = read_recipe(recipe), read_recipe(done / "recipe.toml")
    assert again == first


def test_a_finished_run_repeats_no_stage(
    done: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    printed = []
    for _ in range(2):
        assert main(["run", str(done / "recipe.toml"), "--out", str(done)]) == 0
        printed.append(capsys.readouterr().out)
    after = {path: path.stat().st_mtime_ns for path in done.rglob("*") if path.is_file()}
    assert printed[0] == printed[1]
    assert "XPOS" in printed[0]
    again = {path.name for path in after if after[path] != before.get(path)}
    reports = {"report.html", "report.json", "scores.json", "provenance.json", "recipe.toml"}
    card = {"README.md", "specialize.json"}
    assert again <= reports | card | {"publish"}  # the lock


def test_a_second_run_gives_the_same_bytes(done: Path, recipe: Path, tmp_path: Path) -> None:
    assert main(["run", str(recipe), "--out", str(tmp_path / "again")]) == 0
    first, second = outputs(done), outputs(tmp_path / "again")
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


# Interrupted

KILL = """\
import functools, os, signal, sys
from specialize.cli import main
from specialize.train import loop

stage, save = sys.argv.pop(1), loop.State.save
saved = 0

def save_and_die(state, path, *rest):
    global saved
    save(state, path, *rest)
    saved += stage in str(path)
    if saved == 3:
        os.kill(os.getpid(), signal.SIGKILL)

loop.State.save = save_and_die
loop.Plan = functools.partial(loop.Plan, checkpoint_seconds=0)
sys.exit(main())
"""


@pytest.mark.slow
def test_a_run_killed_in_lapt_and_fine_tuning_resumes_to_the_same_result(
    done: Path, recipe: Path, tmp_path: Path
) -> None:
    command = ["run", str(recipe), "--out", str(tmp_path / "out")]
    for stage in ("/model-", "/finetune-"):
        driver = [sys.executable, "-c", KILL, stage, *command]
        killed = subprocess.run(driver, capture_output=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        left = [p for p in map(str, tmp_path.rglob("checkpoint.pt")) if stage in p]
        assert len(left) == 1
        assert ".partial/" in left[0]
        assert not (tmp_path / "out" / "scores.json").exists()
    assert main(command) == 0
    assert outputs(tmp_path / "out") == outputs(done)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """As in the foreground: a shell's background jobs ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_says_so_and_resumes(
    done: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["run", str(recipe), "--out", str(tmp_path / "out")]
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        with monkeypatch.context() as patch:
            patch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0))
            patch.setattr(loop.State, "save", lambda *a, n=number: os.kill(os.getpid(), n))
            assert exit_code(lambda: main(command)) == code
        last = capsys.readouterr().err.splitlines()[-1]
        assert last.endswith("run the same command again to resume")
    assert main(command) == 0
    assert outputs(tmp_path / "out") == outputs(done)


def exit_code(run: Callable[[], int]) -> object:
    try:
        return run()
    except SystemExit as stop:
        return stop.code


# Mix-ins, the demo


def test_mixins_travel_with_the_result(recipe: Path, toy: ToyFiles, tmp_path: Path) -> None:
    text = recipe.read_text("utf-8").partition("[arm")[0].replace("test.conllu", str(toy.test))
    arms = '[arm.plain]\nlapt = false\n[arm.mixed]\nmixin = "specialize.toylang:to_latin"\n'
    text = text.partition("[task.dep]")[0] + arms + "lapt = false\n"
    (tmp_path / "mixed.toml").write_text(text, "utf-8")
    facts = pipeline.specialize(read_recipe(tmp_path / "mixed.toml"), tmp_path / "out")
    plain, mixed = (arm["audit"]["pos dev"]["before"] for arm in facts["arms"])
    assert plain["unknown_words"] > plain["words"] / 2
    assert mixed["unknown_words"] < mixed["words"] / 50
    head = Specialization(tmp_path / "out", allow_code=True).head("pos")
    sentences = head.task.read(toy.test)
    unknown = head.words.vocabulary.ids["[UNK]"]
    batch = head.words.batch([sentence.words for sentence in sentences], "cpu")
    assert (batch.ids_RL == unknown).float().mean() < 0.02
    head.task.write(head.annotate(sentences), tmp_path / "again.conllu")
    seed = scores_of(tmp_path / "out")["mixed"]["pos"]["best_seed"]
    before = tmp_path / "out" / "predictions" / f"pos-{seed}.conllu"
    assert (tmp_path / "again.conllu").read_bytes() == before.read_bytes()


def test_a_run_needs_no_task(base_folder: Path, toy: ToyFiles, tmp_path: Path) -> None:
    (tmp_path / "bare.toml").write_text(
        f'base = "{base_folder}"\n[corpus]\nfiles = ["{toy.corpus}"]\ndev = 0.2\n'
        "[lapt]\nepochs = 1\nwarmup = 1\n",
        "utf-8",
    )
    assert main(["run", str(tmp_path / "bare.toml"), "--out", str(tmp_path / "out")]) == 0
    assert scores_of(tmp_path / "out") == {"result": {}}
    assert Specialization(tmp_path / "out").tasks == []


def test_the_demo_has_its_files_and_a_recipe(tmp_path: Path) -> None:
    recipe = demo_recipe(tmp_path / "demo")
    assert [arm.name for arm in recipe.arms] == ["unadapted", "lapt", "tva", "char_first"]
    assert [task.choice.method for task in recipe.tasks] == ["pos", "dep", "ner"]
    assert "synthetic" in recipe.note
    folder = tmp_path / "demo-language"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {"corpus.txt", "train.conllu", "ner_test.tsv", "recipe.toml"} <= files.keys()
    assert read_recipe(folder / "recipe.toml").table == recipe.table
    demo_recipe(tmp_path / "demo")  # again, as when an interrupted demo resumes
    assert files == {path.name: path.read_bytes() for path in folder.iterdir()}
