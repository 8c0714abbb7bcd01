"""Framing: read from the files of a model as transformers reads them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, processors
from tokenizers_made import gpt2_like, latin, llama2_like, xlmr_like
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from specialize.augment import prune
from specialize.errors import DataError
from specialize.vocab.formats.tokenizer_json import write_wordpiece
from specialize.vocab.framing import FROM_PADDING, frame_pieces, moved, read_framing
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

PIECES = [*SPECIAL, "[unused1]", *"abcdefghijklmnopqrstuvwxyzığüöçş.,", "##a", "##b", "##k"]
NAMES = {"pad_token": "<pad>", "mask_token": "<mask>"}


def bert_like(folder: Path) -> None:
    write_wordpiece(WordPiece(PIECES), folder)


def roberta_like(folder: Path) -> None:
    tokenizer = Tokenizer.from_str(json.dumps(gpt2_like()))
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<mask>"])
    ids = [(name, tokenizer.token_to_id(name)) for name in ("</s>", "<s>")]
    tokenizer.post_processor = processors.RobertaProcessing(*ids)
    save(tokenizer, folder, cls_token="<s>", sep_token="</s>", **NAMES)


def xlmr(folder: Path) -> None:
    save(Tokenizer.from_str(json.dumps(xlmr_like())), folder, **NAMES)


def t5_like(folder: Path) -> None:
    tokenizer = Tokenizer.from_str(json.dumps(xlmr_like()))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    save(tokenizer, folder, pad_token="<pad>", eos_token="</s>")


def llama_like(folder: Path) -> None:
    save(Tokenizer.from_str(json.dumps(llama2_like())), folder, pad_token="</s>", bos_token="<s>")


def save(tokenizer: Tokenizer, folder: Path, **names: Any) -> None:
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)


SHAPES = [bert_like, roberta_like, xlmr, t5_like, llama_like]


def pieces_of(folder: Path, ids: Sequence[int]) -> list[str]:
    pieces = read_vocabulary(folder).pieces
    return [pieces[i] for i in ids]


def test_bert_frames_a_text_with_its_special_pieces(tmp_path: Path) -> None:
    bert_like(tmp_path)
    framing = read_framing(read_vocabulary(tmp_path), tmp_path)
    assert pieces_of(tmp_path, framing.prefix) == ["[CLS]"]
    assert pieces_of(tmp_path, framing.suffix) == ["[SEP]"]
    assert (framing.pad, framing.mask) == (PIECES.index("[PAD]"), PIECES.index("[MASK]"))
    assert pieces_of(tmp_path, sorted(framing.special)) == [*SPECIAL, "[unused1]"]
    assert (framing.positions, framing.room) == (512, 510)


@pytest.mark.parametrize("make", SHAPES)
def test_a_text_is_framed_as_transformers_frames_it(make: Any, tmp_path: Path) -> None:
    make(tmp_path)
    vocabulary = read_vocabulary(tmp_path)
    framing, theirs = read_framing(vocabulary, tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    for line in latin()[:20]:
        framed = [*framing.prefix, *vocabulary.encode(line), *framing.suffix]
        assert framed == theirs(line)["input_ids"]
    assert framing.pad == theirs.pad_token_id
    if theirs.mask_token_id is not None:  # else a piece named <mask> is used, if any
        assert framing.mask == theirs.mask_token_id
    assert framing.special >= {*theirs.all_special_ids}


def test_a_bare_vocab_txt_has_the_frame_of_its_classification_pieces(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES) + "\n", "utf-8")
    framing = read_framing(read_vocabulary(tmp_path), tmp_path)
    assert (framing.prefix, framing.suffix, framing.pad) == ((2,), (3,), 0)


def test_names_of_a_vocab_txt_come_from_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("<s>\n</s>\n<pad>\n[UNK]\n<mask>\na\n", "utf-8")
    names = {"cls_token": "<s>", "sep_token": {"content": "</s>"}, **NAMES}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(names))
    framing = read_framing(read_vocabulary(tmp_path), tmp_path)
    assert (framing.prefix, framing.suffix, framing.pad, framing.mask) == ((0,), (1,), 2, 4)


def test_the_padding_piece_is_looked_up_in_each_file_in_turn(tmp_path: Path) -> None:
    bert_like(tmp_path)
    vocabulary, file = read_vocabulary(tmp_path), tmp_path / "tokenizer_config.json"

    def padding() -> str:
        return vocabulary.pieces[read_framing(vocabulary, tmp_path).pad]

    file.write_text("{}")
    assert padding() == "[PAD]"
    (tmp_path / "config.json").write_text('{"pad_token_id": 7}')
    assert padding() == PIECES[7]
    (tmp_path / "special_tokens_map.json").write_text('{"pad_token": {"content": "b"}}')
    assert padding() == "b"
    file.write_text('{"pad_token": "c"}')
    assert padding() == "c"


def test_a_tokenizer_without_a_padding_piece_is_refused(tmp_path: Path) -> None:
    save(Tokenizer.from_str(json.dumps(gpt2_like())), tmp_path)
    with pytest.raises(DataError, match=r'name one of .* as "pad_token"'):
        read_framing(read_vocabulary(tmp_path), tmp_path)


@pytest.mark.parametrize("config", [{"eos_token_id": 2}, {"eos_token_id": [2, 1]}, {}])
def test_the_piece_that_ends_a_text_separates_documents_and_pads(
    config: dict[str, Any], tmp_path: Path
) -> None:
    names = {"bos_token": "<s>"} if config else {"bos_token": "<s>", "eos_token": "</s>"}
    save(Tokenizer.from_str(json.dumps(llama2_like())), tmp_path, **names)
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    vocabulary = read_vocabulary(tmp_path)
    framing = read_framing(vocabulary, tmp_path)
    assert vocabulary.ids["</s>"] == 2
    assert (framing.suffix, framing.separator, framing.pad) == ((), (2,), 2)
    assert 2 in framing.special
    now = prune.change(vocabulary, ["a"])
    assert now.new.pieces[moved(framing, now).end] == "</s>"


def test_a_suffix_separates_documents_where_there_is_one(tmp_path: Path) -> None:
    t5_like(tmp_path)
    framing = read_framing(read_vocabulary(tmp_path), tmp_path)
    assert framing.separator == framing.suffix != ()
    assert framing.end is None


def test_files_without_a_post_processor_are_refused(tmp_path: Path) -> None:
    model = gpt2_like()["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), "utf-8")
    merges = "".join(f"{a} {b}\n" for a, b in model["merges"])
    (tmp_path / "merges.txt").write_text(merges, "utf-8")
    with pytest.raises(DataError, match=r"expected a tokenizer\.json"):
        read_framing(read_vocabulary(tmp_path), tmp_path)


def test_pieces_frame_a_fresh_vocabulary() -> None:
    vocabulary = WordPiece(PIECES)
    framing = frame_pieces(
        vocabulary, prefix=["[CLS]"], suffix=["[SEP]"], pad="[PAD]", mask="[MASK]", positions=128
    )
    assert (framing.prefix, framing.suffix, framing.pad, framing.mask) == ((2,), (3,), 0, 4)
    assert framing.special == {0, 1, 2, 3, 4, 5}
    with pytest.raises(DataError, match="lacks the special pieces <s>"):
        frame_pieces(vocabulary, prefix=["<s>"], suffix=[], pad="[PAD]", mask=None, positions=9)


# Positions ----------------------------------------------------------------------------------------

TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 40}
TINY |= {"intermediate_size": 16, "max_position_embeddings": 12, "pad_token_id": 1}
OWN: dict[str, dict[str, Any]] = {
    "xmod": {"languages": ["en"], "default_language": "en"},
    "esm": {"position_embedding_type": "absolute", "mask_token_id": 4},
    "distilbert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16},
    "gpt2": {"n_positions": 12, "n_embd": 16, "n_layer": 1, "n_head": 2, "pad_token_id": None},
}
COUNTING = ["roberta", "camembert", "xlm-roberta", "xlm-roberta-xl", "xmod", "mpnet", "esm"]
OTHERS = ["bert", "electra", "distilbert", "albert", "gpt2"]


@pytest.mark.parametrize("kind", [*COUNTING, "data2vec-text", "roberta-prelayernorm", *OTHERS])
def test_the_longest_text_that_fits_is_found(kind: str, tmp_path: Path) -> None:
    config = AutoConfig.for_model(kind, **TINY | OWN.get(kind, {}))
    config.save_pretrained(tmp_path)
    bert_like(tmp_path)
    positions = read_framing(read_vocabulary(tmp_path), tmp_path).positions
    assert positions == 12 - 2 * (kind in FROM_PADDING)
    model = AutoModel.from_config(config).eval()
    with torch.no_grad():
        model(torch.full((1, positions), 5))
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            model(torch.full((1, positions + 1), 5))


@pytest.mark.parametrize(
    ("config", "tokenizer", "positions"),
    [
        ({}, {}, 512),
        ({}, {"model_max_length": 64}, 64),
        ({"model_type": "t5", "n_positions": 512}, {"model_max_length": 10**30}, 512),
        ({"model_type": "deberta-v2", "max_position_embeddings": -1}, {}, 512),
        ({"max_position_embeddings": 8192}, {"model_max_length": 1024}, 1024),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {}, 512),
        ({"model_type": "roberta", "max_position_embeddings": 514}, {}, 513),  # [PAD] is 0
    ],
)
def test_positions_without_a_table_of_them(
    config: dict[str, Any], tokenizer: dict[str, Any], positions: int, tmp_path: Path
) -> None:
    bert_like(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    assert read_framing(read_vocabulary(tmp_path), tmp_path).positions == positions
