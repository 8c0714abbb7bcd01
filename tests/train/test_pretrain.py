"""Pretraining a base from nothing: vocabulary, text, model, resumed where it was stopped."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from specialize.errors import DataError
from specialize.train import mlm as masked
from specialize.train.pretrain import Pretrain, pretrain

STEPS = 12


class Killed(Exception):
    """Stands for the power cut."""


@pytest.fixture
def recipe(tmp_path: Path) -> Pretrain:
    files = {}
    for code, letters in {"aa": "abcde", "bb": "uvwxyz"}.items():
        rng = random.Random(code)
        words = ["".join(rng.choices(letters, k=rng.randint(1, 6))) for _ in range(40)]
        documents = ["\n".join(" ".join(rng.choices(words, k=8)) for _ in range(2))] * 300
        files[code] = (str(tmp_path / f"{code}.txt"),)
        Path(files[code][0]).write_text("\n\n".join(documents), "utf-8")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    return Pretrain(
        files, pieces=160, slots=3, steps=STEPS, epochs=2, batch=2, length=16, warmup=2, **small
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModelForMaskedLM.from_pretrained(folder).state_dict()


def test_the_model_loads_with_plain_transformers_and_knows_the_letters(
    recipe: Pretrain, tmp_path: Path
) -> None:
    folder = pretrain(recipe, tmp_path / "out", say=lambda line: None)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == weights(folder)["model.embeddings.tok_embeddings.weight"].shape[0]
    assert tokenizer.unk_token not in tokenizer.tokenize("abcde edcba uvwxyz")
    assert tokenizer.tokenize("o") == ["[UNK]"]
    assert tokenizer.convert_ids_to_tokens(1) == "[unused1]"


def test_a_killed_run_ends_with_the_same_weights(
    recipe: Pretrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weights(pretrain(recipe, tmp_path / "whole", say=lambda line: None))
    logits_at, calls = masked.logits_at, []

    def killing(*given: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > STEPS * 3 // 4:
            raise Killed
        return logits_at(*given)

    monkeypatch.setattr(masked, "logits_at", killing)
    with pytest.raises(Killed):
        pretrain(recipe, tmp_path / "cut", say=lambda line: None)
    monkeypatch.undo()
    resumed = weights(pretrain(recipe, tmp_path / "cut", say=lambda line: None))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_text_without_a_document_to_hold_out_is_refused_at_once(
    recipe: Pretrain, tmp_path: Path
) -> None:
    one = tmp_path / "one.txt"
    one.write_text("a b c\n", "utf-8")
    with pytest.raises(DataError, match="hold out"):
        pretrain(replace(recipe, languages={"aa": (str(one),)}), tmp_path / "out", say=print)
