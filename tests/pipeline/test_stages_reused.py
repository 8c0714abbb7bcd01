"""Repeating a run with more in its recipe or changed inputs runs only what is new."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from specialize import pipeline
from specialize.cli import main
from specialize.errors import UsageError
from specialize.recipe.read import read_recipe
from specialize.store import Store
from specialize.toylang import ToyFiles
from specialize.train import loop

RECIPE = """\
base = "BASE"
seeds = [1]
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

[arm.lapt]
"""
TVA = '\n[arm.tva]\naugment = { method = "tva", new_vocabulary = 300 }\n'
NER = '\n[task.ner]\ntrain = "ner_train.tsv"\ndev = "ner_dev.tsv"\ntest = "ner_test.tsv"\n'


@pytest.fixture
def folder(base_folder: Path, toy: ToyFiles, tmp_path: Path) -> Path:
    """A recipe beside its data, which tests may change."""
    shutil.copytree(toy.corpus.parent, tmp_path / "data")
    (tmp_path / "data" / "run.toml").write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    return tmp_path / "data"


def run(folder: Path, out: Path, text: str = "", **options: int) -> dict[str, int]:
    """Run the recipe with ``text`` appended; return the number of stages of each kind."""
    recipe = folder / "run.toml"
    if text:
        recipe.write_text(recipe.read_text("utf-8") + text, "utf-8")
    pipeline.specialize(read_recipe(recipe), out, **options)
    return stages(out)


def stages(out: Path) -> dict[str, int]:
    names = [path.parent.name.rpartition("-")[0] for path in out.glob("stages/*/stage.json")]
    return {name: names.count(name) for name in sorted(names)}


ONE = {"audit": 3, "finetune": 1, "ids": 1, "model": 1, "text": 1, "vocabulary": 1}


def test_one_more_arm_task_and_seed_do_only_what_is_new(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(folder, out) == ONE
    before = {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}
    assert run(folder, out, TVA) == {
        "audit": 6,
        "finetune": 2,
        "ids": 2,
        "model": 2,
        "rows": 1,
        "text": 1,
        "vocabulary": 2,
    }
    assert run(folder, out, NER)["finetune"] == 4
    text = (folder / "run.toml").read_text("utf-8").replace("seeds = [1]", "seeds = [1, 2]")
    (folder / "run.toml").write_text(text, "utf-8")
    found = run(folder, out)
    assert (found["finetune"], found["model"]) == (8, 2)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    assert {arm: list(tasks) for arm, tasks in scores.items()} == {
        "lapt": ["pos", "ner"],
        "tva": ["pos", "ner"],
    }
    assert scores["tva"]["ner"]["seeds"] == [1, 2]


def test_changed_inputs_give_new_stages_and_new_scores(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(folder, out)
    old = json.loads((out / "provenance.json").read_text("utf-8"))["inputs"]
    test = folder / "test.conllu"
    sentences = test.read_text("utf-8").split("\n\n")
    test.write_text("\n\n".join(sentences[:5]) + "\n\n", "utf-8")
    found = run(folder, out)
    assert found["finetune"] == 2
    new = json.loads((out / "provenance.json").read_text("utf-8"))["inputs"]
    assert [path for path in new if new[path] != old[path]] == [str(test)]
    system = (out / "predictions" / "pos-1.conllu").read_text("utf-8")
    assert system.count("\n\n") == 5


def test_a_folder_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    recipe = read_recipe(folder / "run.toml")
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="is not an empty folder; name another --out"):
        pipeline.specialize(recipe, other)
    (other / "recipe.toml").write_text("", "utf-8")
    with pytest.raises(UsageError, match="a run of an earlier version, which cannot be resumed"):
        pipeline.specialize(recipe, other)
    with pytest.raises(UsageError, match="is a file"):
        pipeline.specialize(recipe, other / "notes.txt")


def test_a_plan_says_what_is_done_and_does_nothing(folder: Path, tmp_path: Path) -> None:
    out, recipe = tmp_path / "out", read_recipe(folder / "run.toml")
    planned = pipeline.plan({"": recipe}, out)
    assert not out.exists()
    assert "lapt: LAPT" in planned
    assert "8 stages, 0 done" in planned
    run(folder, out)
    before = sorted(out.rglob("*"))
    assert "8 stages, 8 done" in pipeline.plan({"": read_recipe(folder / "run.toml")}, out)
    assert sorted(out.rglob("*")) == before


def test_jobs_give_the_same_results(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "one", TVA)
    run(folder, tmp_path / "two", jobs=2)
    scores = [(tmp_path / name / "scores.json").read_bytes() for name in ("one", "two")]
    assert scores[0] == scores[1]


def test_two_processes_on_one_folder_share_the_work(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "specialize", "run", str(folder / "run.toml")]
    command += ["--out", str(tmp_path / "out")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert stages(tmp_path / "out") == ONE
    done = [line for text in errors for line in text.splitlines() if ": done in " in line]
    assert len(done) == sum(ONE.values())


def test_the_named_arm_is_the_result(folder: Path, tmp_path: Path) -> None:
    text = (folder / "run.toml").read_text("utf-8")
    (folder / "run.toml").write_text('result = "lapt"\n' + text, "utf-8")
    out = tmp_path / "out"
    run(folder, out, TVA)
    assert json.loads((out / "report.json").read_text("utf-8"))["result"] == "lapt"
    for part in ("model/model.safetensors", "heads/pos/model.safetensors"):
        assert (out / part).samefile(out / "arms" / "lapt" / part)
        assert not (out / part).samefile(out / "arms" / "tva" / part)


def test_a_best_head_without_its_weights_is_trained_again(folder: Path, tmp_path: Path) -> None:
    text = (folder / "run.toml").read_text("utf-8")
    (folder / "run.toml").write_text(text.replace("seeds = [1]", "seeds = [1, 2, 3]"), "utf-8")
    out = tmp_path / "out"
    run(folder, out)
    kept = [path.parent.parent for path in out.glob("stages/finetune-*/head/head.json")]
    assert len(kept) == 1
    best = json.loads((out / "scores.json").read_text("utf-8"))["lapt"]["pos"]["best_seed"]
    others = [seed for seed in (1, 2, 3) if seed != best]
    (folder / "run.toml").write_text(text.replace("seeds = [1]", f"seeds = {others}"), "utf-8")
    before = json.loads((out / "scores.json").read_text("utf-8"))["lapt"]["pos"]
    run(folder, out)
    after = json.loads((out / "scores.json").read_text("utf-8"))["lapt"]["pos"]
    assert after["best_seed"] in others
    assert (out / "heads" / "pos" / "model.safetensors").is_file()
    for seed, test in zip(after["seeds"], after["test"], strict=True):
        assert test == before["test"][before["seeds"].index(seed)]


# Damage, and changes between a kill and the resume


def results(out: Path) -> dict[str, bytes]:
    names = ("scores.json", "vocab.txt", "model.safetensors", "head.json", "pos-1.conllu")
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.name in names}


def published(out: Path) -> dict[str, bytes]:
    """Return the results apart from those in stages."""
    return {name: data for name, data in results(out).items() if not name.startswith("stages/")}


class Killed(Exception):
    pass


def test_a_corpus_that_changes_before_a_resume_is_not_mixed_with_the_old(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = loop.State.save, 0

    def save_and_die(*arguments: object) -> None:
        nonlocal saved
        save(*arguments)
        saved += 1
        if saved == 2:
            raise Killed

    plan = loop.Plan
    with monkeypatch.context() as patch:
        patch.setattr(loop.State, "save", save_and_die)
        patch.setattr(loop, "Plan", lambda *a, **k: plan(*a, **k | {"checkpoint_seconds": 0}))
        with pytest.raises(Killed):
            run(folder, tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("checkpoint.pt"))) == 1
    corpus = folder / "corpus.txt"
    corpus.write_text(corpus.read_text("utf-8").upper() + "\nmore text\n", "utf-8")
    run(folder, tmp_path / "out")
    run(folder, tmp_path / "fresh")
    assert published(tmp_path / "out") == published(tmp_path / "fresh")


@pytest.mark.parametrize(
    "name", ["text-*/train.txt", "vocabulary-*/change.json", "model-*/model/model.safetensors"]
)
def test_a_torn_output_is_named_and_made_again(
    name: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(folder, out)
    before = results(out)
    (torn,) = (out / "stages").glob(name)
    size = torn.stat().st_size
    with torn.open("r+b") as opened:
        opened.truncate(size // 2)
    assert main(["run", str(folder / "run.toml"), "--out", str(out)]) == 0
    said = f"{torn} has {size // 2:,} bytes instead of {size:,}; doing it again"
    assert said in capsys.readouterr().err
    assert stages(out) == ONE
    assert results(out) == before


def test_a_best_head_dropped_by_another_recipe_is_trained_again_before_it_is_published(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two recipes on one folder: the other one publishes while this one reads its scores."""
    out = tmp_path / "out"
    run(folder, out)
    before = published(out)
    pipeline_run = sys.modules["specialize.pipeline.run"]
    without, called = pipeline_run._without_weights, 0

    def dropping(works: list, store: Store) -> list:
        nonlocal called
        called += 1
        if called == 2:  # the late stages are done, the lock is taken
            store.drop(*works[0].plans[0].heads.values(), "head")
        return without(works, store)

    monkeypatch.setattr(pipeline_run, "_without_weights", dropping)
    run(folder, out)
    assert called == 4
    assert published(out) == before


def test_a_folder_with_stages_of_something_else_is_refused(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "stages").mkdir(parents=True)
    (out / "model").mkdir()
    (out / "model" / "mine").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="is not an empty folder"):
        run(folder, out)
    shutil.rmtree(out / "model")
    assert run(folder, out) == ONE
    shutil.rmtree(out / "stages" / ".locks")  # as where only visible files are copied
    assert run(folder, out) == ONE


OWN = "def mix(line):\n    return line\n"


def test_code_of_a_recipe_is_shown_before_it_runs_and_listed_by_the_plan(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.py").write_text("raise KeyError('first')\n" + OWN, "utf-8")
    text = (folder / "run.toml").read_text("utf-8")
    (folder / "run.toml").write_text('mixin = "mine.py:mix"\n' + text, "utf-8")
    shown = f"code outside of the package: mixin: function mix of {folder}/mine.py\n"
    with pytest.raises(KeyError, match="first"):
        main(["run", str(folder / "run.toml"), "--out", str(tmp_path / "out")])
    assert capsys.readouterr().err.endswith(f"\nrunning {shown}")
    (folder / "mine.py").write_text(OWN, "utf-8")
    for recipe in (folder / "run.toml", tmp_path / "out" / "recipe.toml"):
        assert main(["run", str(recipe), "--out", str(tmp_path / "out"), "--plan"]) == 0
        assert capsys.readouterr().out.startswith(shown)
        assert main(["run", str(recipe), "--out", str(tmp_path / "out")]) == 0
        threads, code, *_ = capsys.readouterr().err.splitlines(keepends=True)
        assert "threads: " in threads
        assert code.startswith(f"running {shown}")


def test_an_arm_with_a_base_of_its_own_is_no_baseline_of_the_others(
    folder: Path, base_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(base_folder, folder / "other")
    config = folder / "other" / "config.json"
    changed = json.loads(config.read_text("utf-8")) | {"mine": 1}
    config.write_text(json.dumps(changed), "utf-8")
    arms = '\n[arm.other]\nlapt = false\nbase = "./other"\n[arm.tva]\naugment = "tva"\n'
    recipe = folder / "run.toml"
    recipe.write_text(recipe.read_text("utf-8") + arms, "utf-8")
    out = tmp_path / "out"
    assert main(["run", str(recipe), "--out", str(out)]) == 0
    assert count(out, "model") == 3
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert [arm["base"] for arm in report["arms"]][1] == str(folder / "other")
    printed = " ".join(capsys.readouterr().out.split())
    assert f"other (the base from {folder / 'other'})" in printed
    assert "above other" not in printed
    assert "below other" not in printed
    card = (out / "arms" / "other" / "model" / "specialize.json").read_text("utf-8")
    assert json.loads(card)["base"] == str(folder / "other")


def count(out: Path, kind: str) -> int:
    return stages(out)[kind]
