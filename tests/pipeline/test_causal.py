"""A base that predicts the next piece, through the same recipe."""

import json
from pathlib import Path

import pytest
import torch
from causal_models import write_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from specialize.cli import main
from specialize.toylang import ToyFiles

RECIPE = """\
base = "BASE"
embed = "subwords"
[corpus]
files = ["CORPUS"]
dev = 0.2
[lapt]
epochs = 1
length = 48
rate = 1e-2
dev_lines = 20
[arm.plain]
[arm.extended]
augment = { method = "extend", pieces = 40 }
[arm.fresh]
augment = { method = "extend", pieces = 40 }
lapt = { train = "fresh" }
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model("llama2", tmp_path_factory.mktemp("base") / "llama")


def recipe(folder: Path, base: Path, toy: ToyFiles, more: str = "") -> str:
    file = folder / "run.toml"
    text = RECIPE.replace("BASE", str(base)).replace("CORPUS", str(toy.corpus))
    file.write_text(text + more, "utf-8")
    return str(file)


def test_a_causal_base_is_extended_and_trained(base: Path, toy: ToyFiles, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["run", recipe(tmp_path, base, toy), "--out", str(out)]) == 0
    arms = {
        arm["name"]: arm for arm in json.loads((out / "report.json").read_text("utf-8"))["arms"]
    }
    bits = {name: arm["bits_by_epoch"][0] for name, arm in arms.items()}
    assert all(after < before for before, after in bits.values())
    assert bits["extended"][0] == bits["fresh"][0] != bits["plain"][0]
    ids = list(out.glob("stages/ids-*/ids.bin"))
    assert len(ids) == 2  # the arms with the same text and vocabulary share it

    folder = out / "arms" / "extended" / "model"
    model, tokenizer = (c.from_pretrained(folder) for c in (AutoModelForCausalLM, AutoTokenizer))
    assert len(tokenizer) == model.config.vocab_size == 460
    assert model(**tokenizer("abc", return_tensors="pt")).logits.isfinite().all()
    fresh = AutoModelForCausalLM.from_pretrained(out / "arms" / "fresh" / "model").state_dict()
    for name, tensor in AutoModelForCausalLM.from_pretrained(base).state_dict().items():
        assert torch.equal(fresh[name][: len(tensor)], tensor)


@pytest.mark.parametrize("plan", [[], ["--plan"]], ids=["run", "plan"])
def test_tasks_are_refused_before_work_with_what_to_do(
    plan: list[str],
    base: Path,
    toy: ToyFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = f'[task.pos]\ntrain = "{toy.train}"\ndev = "{toy.dev}"\ntest = "{toy.test}"\n'
    file = recipe(tmp_path, base, toy, task)
    assert main(["run", file, "--out", str(tmp_path / "out"), *plan]) == 2
    message = capsys.readouterr().err
    assert "arm.plain: pos: expected an encoder" in message
    assert "set arm.plain.tasks = []" in message
    assert not list(tmp_path.glob("out/stages/*/stage.json"))


def test_fresh_rows_alone_need_pieces_before_work(
    base: Path, toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recipe(tmp_path, base, toy, '[arm.none]\nlapt = { train = "fresh" }\n')
    assert main(["run", file, "--out", str(tmp_path / "out")]) == 2
    assert 'arm.none: lapt.train = "fresh", but no piece is added' in capsys.readouterr().err
    assert not list(tmp_path.glob("out/stages/*/stage.json"))


def test_losses_of_both_kinds_of_models_are_not_compared(
    base: Path,
    base_folder: Path,
    toy: ToyFiles,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    masked = f'[arm.masked]\nbase = "{base_folder}"\n'
    for more, count in ((masked, 1), (masked + "lapt = false\n", 0)):
        file = recipe(tmp_path, base, toy, more)
        assert main(["run", file, "--out", str(tmp_path / "out"), "--plan"]) == 0
        shown = capsys.readouterr().out
        assert shown.count("bits per byte of plain, extended, fresh are those of causal") == count


def test_settings_of_masks_are_said_to_have_no_effect(
    base: Path, base_folder: Path, toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lapt = "lapt = { words = true, static = 5, mask = 0.15 }\n"
    more = f'[arm.causal]\n{lapt}[arm.masked]\nbase = "{base_folder}"\n{lapt}'
    file = recipe(tmp_path, base, toy, more)
    assert main(["run", file, "--out", str(tmp_path / "out"), "--plan"]) == 0
    warned = [line for line in capsys.readouterr().out.splitlines() if "no effect" in line]
    expected = "no effect on a base that predicts the next piece, which masks nothing"
    assert warned == [f"warning: causal: lapt.words, lapt.static: {expected}"]
