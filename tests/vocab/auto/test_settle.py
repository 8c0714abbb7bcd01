"""The class of a written folder: its own, the generic one with all settings, or a refusal."""

import json
import shutil
from pathlib import Path

import pytest
import tokenizers_made as made
from layouts import LAYOUTS

from specialize.augment import extend
from specialize.errors import DataError
from specialize.vocab.auto.load import class_of, convert, in_fresh_process, load
from specialize.vocab.auto.settle import settled_here, source_of
from specialize.vocab.open import read_vocabulary
from specialize.vocab.write import write_files

TOY = [*made.lines_in("toy")[:40]]


def changed(layout: str, folder: Path) -> Path:
    """Write a layout and the same extended, without a proof; return the folder of the latter."""
    LAYOUTS[layout](folder / "old")
    write_files(extend.change(read_vocabulary(folder / "old"), TOY, pieces=5).new, folder / "new")
    return folder / "new"


def config(folder: Path) -> dict:
    return json.loads((folder / "tokenizer_config.json").read_text("utf-8"))


def test_a_class_that_only_the_model_s_type_names_is_written(tmp_path: Path) -> None:
    new = changed("roberta_saved", tmp_path)
    assert "tokenizer_class" not in config(new)
    assert settled_here(source_of(tmp_path / "old"), new, []) == "RobertaTokenizer"
    assert config(new) == {"model_max_length": 512, "tokenizer_class": "RobertaTokenizer"}


def test_a_class_that_changes_without_the_model_gives_way_to_the_generic_one(
    tmp_path: Path,
) -> None:
    """GPT-2's class would read the folder without config.json, and drop its rules."""
    new = changed("starcoder", tmp_path)
    assert class_of(new) == "GPT2Tokenizer"
    assert settled_here(source_of(tmp_path / "old"), new, []) == "PreTrainedTokenizerFast"
    assert class_of(new) == type(load(tmp_path / "old")).__name__ == "TokenizersBackend"


def test_lost_settings_are_written_out_again(tmp_path: Path) -> None:
    new = changed("gemma", tmp_path)
    kept = {"tokenizer_class": config(new)["tokenizer_class"]}
    (new / "tokenizer_config.json").write_text(json.dumps(kept), "utf-8")
    settled_here(source_of(tmp_path / "old"), new, [])
    assert config(new)["extra_special_tokens"] == config(tmp_path / "old")["extra_special_tokens"]


def test_what_no_class_reads_is_refused_with_the_difference(tmp_path: Path) -> None:
    new = changed("nllb", tmp_path)
    described = json.loads((new / "tokenizer.json").read_text("utf-8"))
    described["normalizer"] = {"type": "Lowercase"}
    (new / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(DataError, match=r"NllbTokenizer: .*; TokenizersBackend: "):
        settled_here(source_of(tmp_path / "old"), new, [])


def test_a_fresh_process_settles_and_converts_the_same(tmp_path: Path) -> None:
    new = changed("qwen2", tmp_path)
    again = shutil.copytree(new, tmp_path / "again")
    here = settled_here(source_of(tmp_path / "old"), new, [])
    there = in_fresh_process(
        "specialize.vocab.auto.settle", str(tmp_path / "old"), str(again), "[UNK]"
    )
    assert (here, config(new)) == (there, config(again))
    answer = in_fresh_process("specialize.vocab.auto.convert", str(tmp_path / "old"))
    assert answer["tokenizer"] == convert(tmp_path / "old").tokenizer
    LAYOUTS["byt5"](tmp_path / "byt5")
    with pytest.raises(DataError, match="ByT5Tokenizer has no pieces of the tokenizers library"):
        in_fresh_process("specialize.vocab.auto.convert", str(tmp_path / "byt5"))


def test_a_file_has_no_source_for_transformers(tmp_path: Path) -> None:
    LAYOUTS["sentencepiece_bare"](tmp_path)
    assert source_of(tmp_path / "spm.model") is None
    assert source_of(tmp_path) is None
