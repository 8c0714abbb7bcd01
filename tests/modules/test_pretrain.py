"""Pretraining with modules from nothing: X-MOD and its SHARED baseline."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from module_hosts import new_host
from transformers import AutoModelForMaskedLM

from specialize.errors import UsageError
from specialize.model.load import load_checkpoint
from specialize.modules import xmod
from specialize.modules.attach import attach
from specialize.modules.packs import opened_at, read_pack
from specialize.modules.policy import Policy, trained
from specialize.modules.scope import Scope
from specialize.pipeline.pretrain import pretrain
from specialize.progress import Silent
from specialize.train import language_model, loop
from specialize.train.bits_per_byte import Row, score
from specialize.train.optim import muon
from specialize.train.pretrain import DEV, Pretrain

EACH = 6  # steps of a language


class Killed(Exception):
    """A simulated power cut."""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Pretrain:
    files, folder = {}, tmp_path_factory.mktemp("text")
    for code, letters in {"aa": "abcde", "bb": "abxyz"}.items():
        rng = random.Random(code)
        words = ["".join(rng.choices(letters, k=rng.randint(1, 6))) for _ in range(40)]
        documents = ["\n".join(" ".join(rng.choices(words, k=8)) for _ in range(2))] * 200
        files[code] = (str(folder / f"{code}.txt"),)
        Path(files[code][0]).write_text("\n\n".join(documents), "utf-8")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "pieces": 160}
    steps = {"per_language": EACH, "epochs": 2, "batch": 2, "length": 16, "warmup": 2}
    return Pretrain(files, modules="xmod", precision="float32", slots=3, **sizes, **steps)


def facts(out: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads((out / "training.json").read_text("utf-8"))
    return found


def rows_of(out: Path) -> dict[str, list[Row]]:
    (file,) = out.glob(f"stages/packed-*/{DEV}")
    return {c: [Row(**row) for row in rows] for c, rows in json.loads(file.read_text()).items()}


def test_a_plain_host_and_a_pack_score_as_at_the_end_of_training(
    recipe: Pretrain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    folder, pack = pretrain(recipe, out), out / "modules.safetensors"
    plain = AutoModelForMaskedLM.from_pretrained(folder).state_dict()
    assert not any("module" in name for name in plain)
    scores = facts(out)["bits_per_byte"]
    assert list(scores) == ["aa", "bb"]
    for code, rows in rows_of(out).items():
        with opened_at(folder, [pack], Scope(code)) as base:
            assert score(base.model, rows, base.framing.pad) == scores[code]
            other = {"aa": "bb", "bb": "aa"}[code]
        with opened_at(folder, [pack], Scope(other)) as base:
            assert score(base.model, rows, base.framing.pad) != scores[code]
    with pytest.raises(UsageError, match="no parameters of language 'cc'; known: aa, bb"):
        opened_at(folder, [pack], Scope("cc")).__enter__()


def test_the_three_variants_share_tokenizer_text_and_batches(
    recipe: Pretrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "out", []
    loss_sum = language_model.loss_sum

    def watching(model: object, ids: torch.Tensor, *given: torch.Tensor) -> torch.Tensor:
        if torch.is_grad_enabled():
            seen.append(ids)
        return loss_sum(model, ids, *given)

    monkeypatch.setattr(language_model, "loss_sum", watching)
    batches = {}
    for modules in ("shared", "xmod", "none"):
        pretrain(replace(recipe, modules=modules), out)
        batches[modules], seen = seen, []
        assert (out / "modules.safetensors").exists() == (modules != "none")
        if modules == "shared":
            (part,) = read_pack(out / "modules.safetensors").parts.values()
            assert (part["by"], part["keys"]) == ("all", ["all"])
    assert len(batches["none"]) == 2 * EACH
    for left, middle, right in zip(*batches.values(), strict=True):
        assert torch.equal(left, middle)
        assert torch.equal(left, right)
    assert len(list(out.glob("stages/packed-*"))) == len(list(out.glob("stages/tokenizer-*"))) == 1


def test_languages_left_out_of_training_are_in_the_tokenizer_alone(
    recipe: Pretrain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    folder = pretrain(replace(recipe, train_on=("bb",), dev_lines=3), out)
    (part,) = read_pack(out / "modules.safetensors").parts.values()
    assert part["keys"] == list(facts(out)["bits_per_byte"]) == ["bb"]
    assert facts(out)["history"][-1]["steps"] == EACH // 2
    vocabulary = load_checkpoint(folder).vocabulary
    assert vocabulary.unk not in vocabulary.segment("edcba")


def test_the_modules_of_a_rare_language_are_trained(recipe: Pretrain, tmp_path: Path) -> None:
    rare = tmp_path / "rare.txt"
    rare.write_text("\n".join(["abe bea"] * 3), "utf-8")
    languages = {**recipe.languages, "cc": (str(rare),)}
    pretrain(replace(recipe, languages=languages, per_language=0, steps=8), tmp_path / "out")
    tensors = read_pack(tmp_path / "out" / "modules.safetensors").tensors
    biases = {name: t for name, t in tensors.items() if name.endswith("bias") and "[cc]" in name}
    assert biases
    assert all(bool(t.any()) for t in biases.values())
    assert facts(tmp_path / "out")["bits_per_byte"]["cc"] is None


def test_a_killed_run_ends_with_the_same_host_and_modules(
    recipe: Pretrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretrain(recipe, tmp_path / "whole")
    loss_sum, calls = language_model.loss_sum, []

    def killing(*given: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > EACH * 3 // 2:
            raise Killed
        return loss_sum(*given)

    monkeypatch.setattr(language_model, "loss_sum", killing)
    with monkeypatch.context() as patch:
        plan = loop.Plan
        patch.setattr(loop, "Plan", lambda *a, **k: plan(*a, **{**k, "checkpoint_seconds": 0.0}))
        with pytest.raises(Killed):
            pretrain(recipe, tmp_path / "cut")
    monkeypatch.undo()
    pretrain(recipe, tmp_path / "cut")
    for file in ("model/model.safetensors", "modules.safetensors"):
        assert (tmp_path / "cut" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


@pytest.mark.parametrize("name", ["bert", "modernbert"])
def test_trained_modules_stay_while_another_language_trains(name: str, tmp_path: Path) -> None:
    host = new_host(name)
    source = xmod.modules(host)
    for key in ("aa", "bb"):
        source.keyed.add(key)
    modules = attach(host, {xmod.SITE: source})
    states = []

    def evaluate() -> float:
        keys = source.keyed.keys
        tensors = {k: source.keyed.tensors_of(k) for k in keys}
        states.append({k: {n: t.clone() for n, t in tensors[k].items()} for k in keys})
        return 0.0

    with trained(host, [Policy(host)]):
        language_model.train_language_model(
            host,
            language_model.following,
            np.random.default_rng(0).integers(5, 20, (8, 6)),
            lambda epoch: np.arange(4) + 4 * epoch,
            muon(host, rate=0.1, hidden_rate=0.1, decay=0.5),
            lambda step: 1.0,
            evaluate,
            loop.Plan(2, 2, 1, keep_best=False),
            language_model.Step(2, 0),
            within=lambda items: modules.at(Scope("aa" if max(items) < 4 else "bb")),
            checkpoint=tmp_path / "checkpoint.pt",
            log=Silent(),
        )
    first, middle, last = states
    for idle, busy, old, new in (("bb", "aa", first, middle), ("aa", "bb", middle, last)):
        assert all(torch.equal(old[idle][n], new[idle][n]) for n in old[idle])
        assert not any(torch.equal(old[busy][n], new[busy][n]) for n in old[busy])


def test_settings_without_a_meaning_are_refused_before_work(
    recipe: Pretrain, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="each code once, of aa, bb; got aa, cc"):
        replace(recipe, train_on=("aa", "cc"))
    with pytest.raises(UsageError, match="each code once, of aa, bb; got aa, aa"):
        replace(recipe, train_on=("aa", "aa"))
    with pytest.raises(UsageError, match="steps of at least 2, a batch for each of aa, bb; got 1"):
        replace(recipe, per_language=0, steps=1, epochs=1)
    with pytest.raises(UsageError, match="per_language of at least 2, got 1"):
        replace(recipe, per_language=1)
    renamed = replace(recipe, languages={"a b": recipe.languages["aa"]})
    with pytest.raises(
        UsageError, match=r"languages\.a b: expected a key of letters, digits and -, got 'a b'"
    ):
        pretrain(renamed, tmp_path / "out")
    assert not (tmp_path / "out").exists()
