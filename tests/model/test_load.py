"""Loading and saving models: every shape loads, unusable folders are refused early."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import FAIRSEQ, SHAPES, framing_of, write_model, write_tokenizer
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
)

from specialize.errors import DataError, MissingError
from specialize.model.language_model import FULL, head_of
from specialize.model.load import load_checkpoint, new_modernbert, save_model
from specialize.vocab.open import read_vocabulary

RELATIVE = {"modernbert", "deberta", "deberta-own-head", "deberta-v2"}  # no table of positions
SMALL = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}


def test_every_shape_loads_with_vocabulary_and_framing(folder: Path, shape: str) -> None:
    base = load_checkpoint(folder)
    assert base.folder == folder
    assert not base.model.training
    names = SHAPES[shape].names
    assert base.framing == framing_of(base.vocabulary, names, positions=20)
    assert base.model.chosen_head == head_of(base.model) != FULL


def test_a_text_as_long_as_the_positions_fits_and_a_longer_one_does_not(
    tiny: Path, shape: str
) -> None:
    base = load_checkpoint(tiny)
    piece = base.vocabulary.ids["a"]
    base.model.base_model(input_ids=torch.full((1, base.framing.positions), piece))
    if shape not in RELATIVE:
        with pytest.raises((IndexError, RuntimeError)):
            base.model.base_model(input_ids=torch.full((1, base.framing.positions + 1), piece))


def test_saved_models_load_with_plain_transformers(folder: Path, tmp_path: Path) -> None:
    base = load_checkpoint(folder)
    save_model(base.model, base.vocabulary, tmp_path / "new", source=folder)
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "new").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "new")
    inputs = tokenizer("ab cab", return_tensors="pt")
    framing, pieces = base.framing, base.vocabulary.encode("ab cab")
    assert inputs["input_ids"].tolist() == [[*framing.prefix, *pieces, *framing.suffix]]
    with torch.no_grad():
        expected = base.model(input_ids=inputs["input_ids"]).logits
        assert torch.equal(model(input_ids=inputs["input_ids"]).logits, expected)


def test_a_checkpoint_in_half_precision_is_loaded_in_float32(tmp_path: Path) -> None:
    base = load_checkpoint(write_model("bert", tmp_path / "base"))
    save_model(base.model, base.vocabulary, tmp_path / "half", dtype=torch.bfloat16)
    stored = load_file(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.bfloat16}
    loaded = load_checkpoint(tmp_path / "half").model
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_weights_have_the_mode_of_the_other_files(mask: int, tmp_path: Path) -> None:
    base = load_checkpoint(write_model("bert", tmp_path / "base"))
    before = os.umask(mask)
    try:
        save_model(base.model, base.vocabulary, tmp_path / "new")
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "new").iterdir()}
    assert modes["model.safetensors"] == 0o666 & ~mask
    assert set(modes.values()) == {0o666 & ~mask}


# Refused ------------------------------------------------------------------------------------------


def headless(folder: Path) -> None:
    AutoModel.from_pretrained(folder).save_pretrained(folder)


def own_head(folder: Path) -> None:
    """As in the published DeBERTa-v3: weights of one head, configuration of the other."""
    write_model("deberta-v2-own-head", folder)
    change_config(folder, legacy=True)


def torn(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    del state["bert.encoder.layer.1.output.dense.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def added(folder: Path) -> None:
    pieces = list(read_vocabulary(folder).pieces)
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), "utf-8")
    (folder / "added_tokens.json").write_text('{"ab": 17, "neu": 18}', "utf-8")


def short(folder: Path) -> None:
    """A model with fewer rows than the tokenizer has pieces."""
    write_model("bert", folder / "other", padding=-2)
    for name in ("config.json", "model.safetensors"):
        shutil.copy(folder / "other" / name, folder)


def other_weights(folder: Path) -> None:
    write_model("bert", folder / "other", padding=2)
    shutil.copy(folder / "other" / "model.safetensors", folder)


def other_width(folder: Path) -> None:
    change_config(folder, intermediate_size=24)


def without_head(folder: Path) -> None:
    change_config(folder, model_type="dpr")


def with_decoder(folder: Path) -> None:
    shape = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 8}
    shape |= {"decoder_ffn_dim": 8, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    BartForConditionalGeneration(BartConfig(vocab_size=18, **shape)).save_pretrained(folder)


def without_language(folder: Path) -> None:
    write_model("x-mod", folder, default_language=None)


def with_code(folder: Path) -> None:
    (folder / "mine.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n", "utf-8")
    classes = {"AutoConfig": "mine.Config", "AutoModelForMaskedLM": "mine.Model"}
    change_config(folder, model_type="mine", auto_map=classes)


def with_kernel(folder: Path) -> None:
    change_config(folder, attn_implementation="someone/kernel")


def with_nested_kernel(folder: Path) -> None:
    change_config(folder, text_config={"_attn_implementation": {"": "someone/kernel"}})


def no_table(folder: Path) -> None:
    (folder / "config.json").write_text("[1]", "utf-8")


def not_finite(folder: Path) -> None:
    state = load_file(folder / "model.safetensors")
    state["bert.encoder.layer.1.output.dense.weight"][3, 2] = float("inf")
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def halved(folder: Path) -> None:
    """A download that was interrupted."""
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def shards(folder: Path) -> None:
    load_checkpoint(folder).model.save_pretrained(folder, max_shard_size="2KB")
    (folder / "model.safetensors").unlink()
    halved_shard = sorted(folder.glob("*.safetensors"))[1]
    halved_shard.write_bytes(halved_shard.read_bytes()[:-1])


def as_bin(folder: Path) -> Path:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    return folder / "pytorch_model.bin"


def halved_bin(folder: Path) -> None:
    file = as_bin(folder)
    file.write_bytes(file.read_bytes()[:3000])


def code_in_bin(folder: Path) -> None:
    torch.save({"weights": Opens(folder / "ran")}, as_bin(folder))


class Opens:
    """An object that opens a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.file), "w")


def change_config(folder: Path, **values: Any) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


REFUSED: list[tuple[Callable[[Path], None], type[Exception], str]] = [
    (
        headless,
        DataError,
        r"lacks its masked-LM head: \d+ of the tensors of BertForMaskedLM, such as cls",
    ),
    (own_head, DataError, r'lacks its masked-LM head.*set "legacy" to false in config\.json'),
    (torn, DataError, r"lacks weights: 1 of the tensors.*dense\.weight; download it again"),
    (without_tokenizer, MissingError, r"holds no tokenizer\.json or vocab\.txt"),
    (without_config, MissingError, r"no config\.json; expected the directory of a model"),
    (without_weights, DataError, "cannot be loaded: .*model.safetensors"),
    (added, DataError, r"added_tokens\.json:1: 1 tokens, such as 'neu', are not in the vocabulary"),
    (short, DataError, r"config\.json:\d+: vocab_size is 16, but the tokenizer has 18 pieces"),
    (other_weights, DataError, r"config\.json:\d+: vocab_size is 18, but \S+ has 20 rows"),
    (
        other_width,
        DataError,
        r"shapes differ .* in 6 of the tensors.*expected \(24,\), got \(16,\)",
    ),
    (without_head, DataError, r"config\.json:1: transformers has no language-model class for dpr"),
    (with_decoder, DataError, r"config\.json:1: bart is an encoder with a decoder"),
    (without_language, DataError, r"default_language is not set; set it to one of en_XX, de_DE"),
    (with_code, DataError, r"config\.json:1: transformers cannot read it"),
    (with_kernel, DataError, r"config\.json:1: attn_implementation is 'someone/kernel', which may"),
    (
        with_nested_kernel,
        DataError,
        r"config\.json:1: _attn_implementation is .*may be code to dow",
    ),
    (no_table, DataError, r"config\.json:1: expected the configuration of a model"),
    (not_finite, DataError, r"safetensors: bert\.encoder\.layer\.1\.output\.dense\.weight has val"),
    (halved, DataError, r"model\.safetensors:1: damaged \(.*download it again"),
    (shards, DataError, r"model-00002-of-\d+\.safetensors:1: damaged \(.*download it again"),
    (halved_bin, DataError, r"pytorch_model\.bin: cannot be loaded: "),
    (code_in_bin, DataError, r"pytorch_model\.bin: cannot be loaded: "),
]


@pytest.mark.parametrize(
    ("spoil", "kind", "message"), REFUSED, ids=[spoil.__name__ for spoil, *_ in REFUSED]
)
def test_unusable_checkpoints_are_refused_with_advice(
    spoil: Callable[[Path], None],
    kind: type[Exception],
    message: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = write_model("bert", tmp_path / "base")
    spoil(folder)
    capfd.readouterr()
    with pytest.raises(kind, match=message) as caught:
        load_checkpoint(folder)
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""  # transformers' own report is suppressed
    assert not (folder / "ran").exists()


def test_a_checkpoint_of_torch_is_loaded_by_its_weights_alone(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path)
    expected = load_checkpoint(folder).model.state_dict()
    as_bin(folder)
    found = load_checkpoint(folder).model.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_added_tokens_can_become_pieces_as_the_message_advises(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path, padding=1)
    added(folder)
    with pytest.raises(DataError, match=r"append them to vocab\.txt .* and delete this file"):
        load_checkpoint(folder)
    with (folder / "vocab.txt").open("a", encoding="utf-8") as pieces:
        pieces.write("neu\n")
    (folder / "added_tokens.json").unlink()
    assert load_checkpoint(folder).vocabulary.encode("neu") == [18]


# New models ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bert", "roberta", "albert"])
def test_a_new_base_takes_its_special_ids_from_the_framing(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    write_tokenizer(shape, tmp_path / "tokenizer")
    vocabulary = read_vocabulary(tmp_path / "tokenizer")
    framing = framing_of(vocabulary, shape.names, positions=64)
    save_model(
        new_modernbert(vocabulary, framing, seed=3, **SMALL),
        vocabulary,
        tmp_path / "model",
        source=tmp_path / "tokenizer",
    )
    base = load_checkpoint(tmp_path / "model")
    assert base.framing == framing
    config, ids = base.model.config, vocabulary.ids
    assert config.pad_token_id == ids[shape.names["pad"]]
    assert config.cls_token_id == config.bos_token_id == ids[shape.names["cls"]]
    assert config.sep_token_id == config.eos_token_id == ids[shape.names["sep"]]


def test_the_seed_alone_decides_a_new_base(tmp_path: Path) -> None:
    write_tokenizer(SHAPES["roberta"], tmp_path)
    vocabulary = read_vocabulary(tmp_path)
    framing = framing_of(vocabulary, FAIRSEQ)

    def table(seed: int) -> torch.Tensor:
        model = new_modernbert(vocabulary, framing, seed=seed, **SMALL)
        return model.get_input_embeddings().weight

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = table(1)
    assert torch.equal(torch.rand(3), expected)  # the global generator is untouched
    assert torch.equal(first, table(1))
    assert not torch.equal(first, table(2))
