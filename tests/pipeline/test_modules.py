"""Arms that train modules in place of the model, beside arms that train it."""

import functools
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from specialize.cli import main
from specialize.errors import DataError, UsageError
from specialize.model.load import load_checkpoint
from specialize.modules.packs import host_hash, read_pack
from specialize.modules.scope import Scope
from specialize.pipeline.change import read_change
from specialize.pipeline.modular import scope_of
from specialize.recipe.methods import Choice
from specialize.recipe.read import read_recipe
from specialize.recipe.recipe import TaskFiles
from specialize.specialization import Specialization
from specialize.toylang import ToyFiles
from specialize.train import loop
from specialize.train.state import State

RECIPE = """\
base = "BASE"
language = "toy"
seeds = [1, 2]
embed = "mean"

[corpus]
files = ["corpus.txt"]
dev = 0.2
lines = 200

[lapt]
epochs = 2
batch = 16
length = 64
rate = 1e-2
warmup = 0

[finetune]
epochs = 2
batch = 8
freeze = 0
rate = 1e-2
head_rate = 1e-2

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[task.ner]
train = "ner_train.tsv"
dev = "ner_dev.tsv"
test = "ner_test.tsv"
"""
ARMS = """
[arm.unadapted]
lapt = false
tasks = ["pos"]

[arm.tasks]
lapt = false
modules = { method = "madx", task_reduction = 4 }

[arm.madx]
tasks = ["ner"]
seeds = [1]
modules = { method = "madx", task_reduction = 4, last = false }

[arm.lora]
tasks = ["pos"]
seeds = [1]
modules = { method = "lora", rank = 2 }

[arm.tva]
augment = { method = "tva", new_vocabulary = 300 }
lapt = { fresh_rate = 3.0 }
tasks = ["pos"]
modules = { method = "madx", task_reduction = 4 }
"""


@pytest.fixture(scope="module")
def folder(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modules") / "data"
    shutil.copytree(toy.corpus.parent, folder)
    text = RECIPE.replace("BASE", str(base_folder))
    (folder / "run.toml").write_text(text + ARMS, "utf-8")
    (folder / "bare.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    out = folder.parent / "out"
    assert main(["run", str(folder / "run.toml"), "--out", str(out)]) == 0
    return out


def outputs(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted((out / "arms").rglob("*"))
        if path.suffix == ".safetensors" or path.parent.name == "predictions"
    }


def test_the_host_is_bit_identical_afterwards(out: Path, base_folder: Path) -> None:
    before = load_file(base_folder / "model.safetensors")
    for arm in ("tasks", "madx", "lora"):
        after = load_file(out / "arms" / arm / "model" / "model.safetensors")
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], before[name]) for name in before)


def test_only_fresh_rows_and_their_biases_train_beside_the_modules(
    out: Path, base_folder: Path
) -> None:
    (stage,) = {path.parent for path in out.glob("stages/vocabulary-*/change.json")
                if json.loads(path.read_text("utf-8")).get("fresh")}  # fmt: skip
    change = read_change(stage, base_folder)
    fresh, kept = list(change.fresh), list(change.kept)
    assert fresh
    before = load_checkpoint(base_folder).model
    after = load_checkpoint(out / "arms" / "tva" / "model").model
    states = before.state_dict(), after.state_dict()
    table, bias = "model.embeddings.tok_embeddings.weight", "decoder.bias"
    changed = {name for name, tensor in states[0].items() if len(tensor) != len(states[1][name])}
    assert changed <= {table, bias, "decoder.weight"}
    assert all(
        torch.equal(states[0][name], states[1][name]) for name in states[0].keys() - {
            table, bias, "decoder.weight"
        }
    )  # fmt: skip
    for name in (table, bias):
        assert torch.equal(states[1][name][kept], states[0][name][list(change.kept.values())])
    (rows,) = out.glob("stages/rows-*/*.safetensors")
    initial = load_file(rows)
    moved = (states[1][table][fresh] - initial["input"]).abs().max(1).values
    entries = (states[1][bias][fresh] - initial["bias"]).abs()
    assert moved.min() > 0
    assert entries.min() > 0
    assert entries.max() < 6.1e-2 < moved.max()  # six steps at most, and at three times the rate


def test_packs_hold_the_modules_of_their_host(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arm, name in (("madx", "ner"), ("tva", "pos")):
        base = load_checkpoint(out / "arms" / arm / "model")
        language = read_pack(out / "arms" / arm / "modules" / "toy.safetensors")
        assert language.base == host_hash(base.model)
        assert language.parts["embeddings"]["keys"] == ["toy"]
        task = read_pack(out / "arms" / arm / "heads" / name / "modules.safetensors")
        assert task.base == language.base
        assert torch.equal(task.tensors["embeddings/keyed.sets.[toy].0.f_up"],
                           language.tensors["embeddings/keyed.sets.[toy].0.f_up"])  # fmt: skip
        (site,) = {*task.parts} - {"embeddings"}
        on_language, own = task.parts[site]["sources"]
        assert (on_language["keys"], own["keys"]) == (["toy"], [name])
        assert len(own["layers"]) == len(on_language["layers"]) == (1 if arm == "madx" else 2)
    assert not (out / "arms" / "tasks" / "modules").exists()
    assert (out / "modules" / "toy.safetensors").is_file()
    head = load_file(out / "heads" / "pos" / "model.safetensors")
    assert not [name for name in head if name.startswith("encoder")]
    capsys.readouterr()
    packs = [str(path) for path in (out / "arms").rglob("*.safetensors") if "modules" in str(path)]
    packs = [path for path in packs if not path.endswith("model.safetensors")]
    assert main(["modules", "list", *packs]) == 0
    shown = capsys.readouterr().out
    assert shown.count("adapters by task, bottleneck 4, relu: ner") == 2
    assert shown.count("adapters by language, bottleneck 8, relu: toy") == 4


@pytest.mark.parametrize("arm", ["tasks", "madx", "lora", "tva"])
def test_predictions_are_those_that_were_scored(arm: str, out: Path, folder: Path) -> None:
    scores = json.loads((out / "scores.json").read_text("utf-8"))[arm]
    for task in scores:
        file = "test.conllu" if task == "pos" else "ner_test.tsv"
        made = folder.parent / f"{arm}-{task}"
        given = [str(out / "arms" / arm), str(folder / file), "--task", task, "--out", str(made)]
        assert main(["predict", *given]) == 0
        seed = scores[task]["best_seed"]
        (scored,) = (out / "arms" / arm / "predictions").glob(f"{task}-{seed}.*")
        assert made.read_bytes() == scored.read_bytes()


def test_the_modules_matter_and_have_their_scope(out: Path, folder: Path) -> None:
    head = Specialization(out).head("pos")
    batch = head.words.batch([["a", "b"]], torch.device("cpu"))
    with pytest.raises(UsageError, match="expected a scope"):
        head.module(batch)
    with head.within():
        states = head.module.states(batch)
    plain = Specialization(out / "arms" / "unadapted").head("pos")
    assert states.shape == plain.module.states(batch).shape
    facts = json.loads((out / "heads" / "pos" / "head.json").read_text("utf-8"))
    assert facts["scope"] == {"language": "toy", "task": "pos"}


def test_a_head_is_refused_on_another_model(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out / "arms" / "madx", tmp_path / "arm")
    shutil.rmtree(tmp_path / "arm" / "model")
    shutil.copytree(out / "arms" / "tva" / "model", tmp_path / "arm" / "model")
    with pytest.raises(DataError, match=r"heads/ner/modules.safetensors: .* another vocabulary"):
        Specialization(tmp_path / "arm").head("ner")


def test_arms_of_both_ways_are_in_one_report(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads((out / "report.json").read_text("utf-8"))
    shown = {arm["name"]: arm["modules"] for arm in report["arms"]}
    assert shown == {
        "unadapted": "",
        "tasks": "madx (task_reduction = 4)",
        "madx": "madx (task_reduction = 4, last = false)",
        "lora": "lora (rank = 2)",
        "tva": "madx (task_reduction = 4)",
    }
    assert "task_reduction = 4, last = false" in (out / "report.html").read_text("utf-8")
    bits = {arm["name"]: arm["losses"] for arm in report["arms"]}
    for arm in ("madx", "lora", "tva"):
        assert bits[arm][-1]["bits_per_byte"] < bits[arm][0]["bits_per_byte"]
    assert len(list(out.glob("stages/model-*"))) == 4  # tasks begins with unadapted's
    capsys.readouterr()
    assert main(["compare", str(out)]) == 0
    assert "madx" in capsys.readouterr().out


class Killed(Exception):
    """A simulated power cut."""


def test_a_run_killed_in_lapt_and_fine_tuning_resumes_to_the_same_result(
    out: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = folder / "madx.toml"
    arm = ARMS.partition("[arm.tva]")[2]
    recipe.write_text(f"{(folder / 'bare.toml').read_text('utf-8')}[arm.tva]{arm}", "utf-8")
    save = State.save
    for stage in ("/model-", "/finetune-"):
        saved = []

        def save_and_die(state, path, *rest, stage=stage, saved=saved) -> None:
            save(state, path, *rest)
            saved.append(stage in str(path))
            if sum(saved) == 3:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(State, "save", save_and_die)
            patch.setattr(loop, "Plan", functools.partial(loop.Plan, checkpoint_seconds=0))
            with pytest.raises(Killed):
                main(["run", str(recipe), "--out", str(tmp_path / "out")])
    assert main(["run", str(recipe), "--out", str(tmp_path / "out")]) == 0
    whole = {n: b for n, b in outputs(out).items() if n.startswith("arms/tva/")}
    assert outputs(tmp_path / "out") == whole


# Refused before work


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ('modules = "madxx"', "unknown modules 'madxx'; known: .*; did you mean 'madx'"),
        ('modules = { method = "madx", reductio = 2 }', "'reductio' .* did you mean 'reduction'"),
        ('modules = "madx"\nmultitask = true', "arm.a: modules are trained or used by one task"),
        ('modules = "madx"\nlapt = { train = "fresh" }', "set lapt.train = 'all'"),
    ],
)
def test_recipes_that_cannot_work_are_refused(
    arm: str, message: str, folder: Path, tmp_path: Path
) -> None:
    text = (folder / "bare.toml").read_text("utf-8")
    (folder / "other.toml").write_text(f"{text}[arm.a]\n{arm}\n", "utf-8")
    with pytest.raises(UsageError, match=message):
        read_recipe(folder / "other.toml")


def test_modules_of_tasks_of_one_method_have_the_names_of_the_tasks() -> None:
    choice = Choice("task", "pos", {"column": "xpos"})
    task = TaskFiles("xpos", choice, Path("train.conllu"), None, Path("test.conllu"))
    assert scope_of("toy", task) == Scope("toy", "xpos")


def test_a_language_adapter_needs_the_name_of_the_language(folder: Path) -> None:
    changes = ["language=", "modules=madx"]
    with pytest.raises(UsageError, match="LAPT trains modules of a language; add language ="):
        read_recipe(folder / "bare.toml", changes)
    assert read_recipe(folder / "bare.toml", [*changes, "lapt=false"]).arms[0].modules


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["language=a.b"], "arm.result: modules = 'madx': expected a key of letters"),
        (["modules.method=madx", "modules.reduction=0"], "expected reduction of at least 1, got 0"),
    ],
)
def test_modules_that_cannot_be_made_are_refused_before_work(
    changes: list[str], message: str, folder: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    chosen = ["modules=madx", *changes] if len(changes) == 1 else changes
    given = [word for change in chosen for word in ("--set", change)]
    run = ["run", str(folder / "bare.toml"), "--out", str(tmp_path / "out"), *given]
    assert main(run) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "stages").exists()
