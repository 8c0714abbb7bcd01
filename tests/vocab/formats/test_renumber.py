"""Ids outside a tokenizer's model are renumbered everywhere, and nothing else changes."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from specialize.vocab.formats.json_files import write_json
from specialize.vocab.formats.renumber import named_tokens, renumbered, renumbered_config
from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

IDS = {"[PAD]": 7, "[CLS]": 8, "[SEP]": 9, "x": 0}
BERT = {"type": "BertProcessing", "sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}
ROBERTA = {**BERT, "type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": False}
TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}],
    "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]},
        "both": {"id": "both", "ids": [102, 5], "tokens": ["[SEP]", "[ELSE]"]},
    },
}


def test_ids_of_added_tokens_and_padding_are_renumbered_and_others_kept():
    described = {
        "added_tokens": [{"id": 0, "content": "[PAD]"}, {"id": 5, "content": "[ELSE]"}],
        "padding": {"pad_id": 0, "pad_token": "[PAD]"},
        "model": {"vocab": {"x": 3}},
    }
    before = json.dumps(described)
    assert renumbered(described, IDS) == {
        "added_tokens": [{"id": 7, "content": "[PAD]"}, {"id": 5, "content": "[ELSE]"}],
        "padding": {"pad_id": 7, "pad_token": "[PAD]"},
        "model": {"vocab": {"x": 3}},
    }
    assert json.dumps(described) == before


@pytest.mark.parametrize("processor", [BERT, ROBERTA])
def test_special_pieces_around_a_text_are_renumbered(processor):
    expected = processor | {"sep": ["[SEP]", 9], "cls": ["[CLS]", 8]}
    assert renumbered({"post_processor": processor}, IDS)["post_processor"] == expected
    nested = {"type": "Sequence", "processors": [{"type": "ByteLevel"}, processor]}
    found = renumbered({"post_processor": nested}, IDS)["post_processor"]
    assert found["processors"] == [{"type": "ByteLevel"}, expected]


def test_templates_follow():
    found = renumbered({"post_processor": TEMPLATE}, IDS)["post_processor"]["special_tokens"]
    assert found["[CLS]"]["ids"] == [8]
    assert found["both"]["ids"] == [9, 5]  # no id is given for [ELSE]
    assert found["both"]["tokens"] == ["[SEP]", "[ELSE]"]


def test_tokens_with_ids_of_their_own_are_named():
    described = {
        "added_tokens": [{"id": 0, "content": "<s>"}],
        "post_processor": {"type": "Sequence", "processors": [BERT, TEMPLATE]},
        "padding": {"pad_id": 0, "pad_token": "[PAD]"},
    }
    assert named_tokens(described) == ["<s>", "[CLS]", "[SEP]", "[ELSE]", "[PAD]"]
    assert named_tokens({"added_tokens": None, "post_processor": None, "padding": None}) == []


def test_a_configuration_without_a_token_table_is_unchanged():
    assert renumbered_config({"pad_token": "[PAD]"}, IDS) == {"pad_token": "[PAD]"}


def test_a_wordpiece_in_another_order_is_written_with_its_own_ids(tmp_path: Path):
    old = WordPiece([*SPECIAL, "a", "b", "##a", "##b"])
    write_wordpiece(old, tmp_path / "old")
    table = {str(i): {"content": piece, "special": True} for i, piece in enumerate(SPECIAL)}
    file = tmp_path / "old" / "tokenizer_config.json"
    write_json(file, json.loads(file.read_text()) | {"added_tokens_decoder": table}, indent=1)
    new = old.with_pieces(["b", "##b", "##a", *reversed(SPECIAL), "a"])
    write_wordpiece(new, tmp_path / "new", source=tmp_path / "old")

    assert read_wordpiece(tmp_path / "new").pieces == new.pieces
    expected = [new.ids[piece] for piece in ("[CLS]", "a", "##b", "[MASK]", "[SEP]")]
    library = Tokenizer.from_file(str(tmp_path / "new" / "tokenizer.json"))
    assert library.encode("ab[MASK]").ids == expected
    loaded = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert loaded("ab[MASK]")["input_ids"] == expected
    assert (loaded.pad_token_id, loaded.mask_token_id) == (new.ids["[PAD]"], new.ids["[MASK]"])
    assert loaded(["ab", "a"], padding=True)["input_ids"][1][-1] == new.ids["[PAD]"]
    assert len(loaded) == len(new.pieces)
