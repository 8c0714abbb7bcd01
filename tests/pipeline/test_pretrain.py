"""Pretraining a base from scratch: tokenizer, text, model, resuming."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer
from two_processes import in_two

from specialize import atomic
from specialize.commands._processes import in_first
from specialize.errors import DataError, UsageError
from specialize.model.load import load_checkpoint
from specialize.pipeline.pretrain import pretrain
from specialize.recipe.pretrain import read_pretrain
from specialize.train import language_model
from specialize.train.pretrain import Pretrain

STEPS = 12
SHAPES = {"wordpiece": "bert", "unigram": "xlm-roberta", "bpe": "roberta"}
UNKNOWN = "ئۇيغۇرچە"


class Killed(Exception):
    """A simulated power cut."""


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
    folder = pretrain(recipe, tmp_path / "out")
    assert read_pretrain(tmp_path / "out" / "pretrain.toml") == recipe
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == weights(folder)["model.embeddings.tok_embeddings.weight"].shape[0]
    assert tokenizer.unk_token not in tokenizer.tokenize("abcde edcba uvwxyz")
    assert tokenizer.tokenize("o") == ["[UNK]"]
    assert tokenizer.convert_ids_to_tokens(1) == "[unused1]"


def test_two_processes_train_the_base_of_one(recipe: Pretrain, tmp_path: Path) -> None:
    recipe = replace(recipe, precision="float32")
    pretrain(recipe, tmp_path / "one")
    both = in_two(
        lambda: in_first(lambda: print(pretrain(recipe, tmp_path / "two"))), tmp_path / "logs"
    )
    assert both == [(0, f"{tmp_path / 'two' / 'model'}\n", ""), (0, "", "")]
    one, two = (atomic.read_json(tmp_path / name / "training.json") for name in ("one", "two"))
    assert two["history"][-1]["processes"] == 2
    for epoch, other in zip(one["history"], two["history"], strict=True):
        assert epoch["score"] == pytest.approx(other["score"], rel=1e-4)


@pytest.mark.parametrize("tokenizer", ["unigram", "bpe"])
def test_unigram_and_byte_level_tokenizers_are_laid_out_as_xlm_rs_and_robertas(
    tokenizer: str, recipe: Pretrain, tmp_path: Path
) -> None:
    size = {"unigram": 80, "bpe": 300}[tokenizer]
    recipe = replace(recipe, tokenizer=tokenizer, pieces=size, shape=SHAPES[tokenizer])
    folder = pretrain(recipe, tmp_path / "out")
    read = AutoTokenizer.from_pretrained(folder)
    assert read.convert_ids_to_tokens(range(4)) == ["<s>", "<pad>", "</s>", "<unk>"]
    assert read.convert_ids_to_tokens(len(read) - 1) == read.mask_token == "<mask>"
    names = [read.bos_token, read.cls_token, read.eos_token, read.sep_token, read.pad_token]
    assert names == ["<s>", "<s>", "</s>", "</s>", "<pad>"]
    ids = read("abcde uvw<mask>")["input_ids"]
    assert (ids[0], ids[-2:]) == (0, [len(read) - 1, 2])
    assert read.decode(read("abcde uvw")["input_ids"], skip_special_tokens=True) == "abcde uvw"
    unknown = read(UNKNOWN, add_special_tokens=False)["input_ids"]
    assert (read.unk_token_id in unknown) == (tokenizer == "unigram")
    if tokenizer == "bpe":
        assert read.decode(unknown) == UNKNOWN


@pytest.mark.parametrize("tokenizer", SHAPES)
@pytest.mark.parametrize("shape", ["modernbert", "model"])
def test_bases_of_every_tokenizer_and_shape_are_checkpoints(
    tokenizer: str, shape: str, recipe: Pretrain, tmp_path: Path
) -> None:
    shape = SHAPES[tokenizer] if shape == "model" else shape
    recipe = replace(recipe, tokenizer=tokenizer, pieces=300, shape=shape, steps=2)
    checkpoint = load_checkpoint(pretrain(recipe, tmp_path / "out"))
    assert checkpoint.model.config.model_type == shape
    assert checkpoint.framing.positions == 512
    assert (
        checkpoint.framing.mask
        == checkpoint.vocabulary.ids["[MASK]" if tokenizer == "wordpiece" else "<mask>"]
    )
    rows = checkpoint.model.get_input_embeddings().weight.shape[0]
    assert rows == len(checkpoint.vocabulary.pieces) <= 300


@pytest.mark.parametrize("tokenizer", ["unigram", "bpe"])
def test_the_same_recipe_gives_the_same_files(
    tokenizer: str, recipe: Pretrain, tmp_path: Path
) -> None:
    recipe = replace(recipe, tokenizer=tokenizer, pieces=300, shape=SHAPES[tokenizer], steps=2)
    first, second = (pretrain(recipe, tmp_path / name) for name in "ab")
    for file in sorted(path.name for path in first.iterdir()):
        assert (first / file).read_bytes() == (second / file).read_bytes(), file


def test_a_killed_run_ends_with_the_same_weights(
    recipe: Pretrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weights(pretrain(recipe, tmp_path / "whole"))
    loss_sum, calls = language_model.loss_sum, []

    def killing(*given: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > STEPS * 3 // 4:
            raise Killed
        return loss_sum(*given)

    monkeypatch.setattr(language_model, "loss_sum", killing)
    with pytest.raises(Killed):
        pretrain(recipe, tmp_path / "cut")
    monkeypatch.undo()
    resumed = weights(pretrain(recipe, tmp_path / "cut"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_other_steps_are_trained_on_the_same_tokenizer_and_text(
    recipe: Pretrain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = weights(pretrain(recipe, out))
    before = {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}
    second = weights(pretrain(replace(recipe, steps=STEPS + 2), out))
    assert any(not torch.equal(first[name], second[name]) for name in first)
    after = {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()
    again = weights(pretrain(recipe, out))
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_text_that_changed_is_read_again(recipe: Pretrain, tmp_path: Path) -> None:
    out = tmp_path / "out"
    pretrain(recipe, out)
    text = Path(recipe.languages["aa"][0])
    text.write_text(text.read_text("utf-8").replace("a", "q"), "utf-8")
    assert "q" in AutoTokenizer.from_pretrained(pretrain(recipe, out)).tokenize("q")


def test_a_folder_of_something_else_is_refused(recipe: Pretrain, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="is not an empty folder"):
        pretrain(recipe, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "text"), [("report.json", "{}"), ("training.json", '{"language": "mt"}')]
)
def test_results_of_another_command_are_not_replaced(
    name: str, text: str, recipe: Pretrain, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "stages" / ".locks").mkdir(parents=True)
    (out / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"out holds .*; name another --out"):
        pretrain(recipe, out)
    assert not (out / "model").exists()


def test_text_without_a_document_to_hold_out_is_refused_at_once(
    recipe: Pretrain, tmp_path: Path
) -> None:
    one = tmp_path / "one.txt"
    one.write_text("a b c\n", "utf-8")
    with pytest.raises(DataError, match="held-out"):
        pretrain(replace(recipe, languages={"aa": (str(one),)}), tmp_path / "out")


def test_more_steps_at_once_than_epochs_and_positions_allow_are_refused(
    recipe: Pretrain, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="expected steps of at least 2, got 1"):
        replace(recipe, steps=1)
    with pytest.raises(UsageError, match=r"steps to be a multiple of epochs, 2, got 5; .* 4 or 6"):
        replace(recipe, steps=5)
    with pytest.raises(UsageError, match="per_language to be a multiple of epochs, 2, got 5"):
        replace(recipe, steps=Pretrain.steps, per_language=5)
    with pytest.raises(UsageError, match="steps and per_language exclude each other"):
        replace(recipe, steps=4, per_language=6)
    with pytest.raises(UsageError, match="length = 600"):
        pretrain(replace(recipe, length=600), tmp_path / "out")
