"""Vocabularies of any family behind one door: files, and live tokenizers of two libraries."""

import json
from pathlib import Path

import pytest
import tokenizers_made as made
from tokenizers import Tokenizer, models

from specialize import audit, augment_tokenizer, open_vocabulary, write_vocabulary
from specialize.augment import extend
from specialize.errors import DataError
from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe import BPE
from specialize.vocab.unigram import Unigram
from specialize.vocab.wordpiece import WordPiece

LAYOUTS = [made.gpt2_like, made.llama3_like, made.llama2_like, made.xlmr_like]
TOY = made.lines_in("toy")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_live_tokenizer_is_extended_and_written(layout, tmp_path: Path) -> None:
    """As the README says it: open, extend, audit, write; from the library or transformers."""
    from transformers import PreTrainedTokenizerFast

    live = Tokenizer.from_str(json.dumps(layout()))
    wrapped = PreTrainedTokenizerFast(tokenizer_object=live)
    vocabulary = open_vocabulary(live)
    assert open_vocabulary(wrapped).pieces == vocabulary.pieces
    change = extend.change(vocabulary, TOY, pieces=30)
    before, after = audit(vocabulary, TOY), audit(change.new, TOY)
    assert (after.unknown_words, after.pieces) < (before.unknown_words or 1, before.pieces)
    write_vocabulary(change.new, tmp_path / "new")
    again = open_vocabulary(tmp_path / "new")
    assert [again.encode(line) for line in TOY] == [change.new.encode(line) for line in TOY]


def test_the_bundled_wordpiece_is_one_of_them(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    mini = open_vocabulary("mini")
    assert isinstance(mini, WordPiece)
    write_vocabulary(mini, tmp_path)
    live = open_vocabulary(AutoTokenizer.from_pretrained(tmp_path))
    assert isinstance(live, WordPiece)
    assert live.pieces == mini.pieces


def test_other_models_are_refused_by_name() -> None:
    with pytest.raises(DataError, match="Tokenizer:1: a WordLevel tokenizer with other rules"):
        open_vocabulary(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))


def test_the_command_is_a_function_too(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "tokenizer.json").write_text(json.dumps(made.llama3_like()), "utf-8")
    said = augment_tokenizer(
        str(tmp_path / "old"), TOY, "extend", {"pieces": 5}, str(tmp_path / "new")
    )
    assert said.startswith("5 pieces added by extend: ")
    assert (tmp_path / "new" / "manifest.json").is_file()


@pytest.mark.parametrize("layout", [made.gpt2_like, made.xlmr_like])
def test_families_share_the_protocol(layout) -> None:
    vocabulary: Vocabulary = open_vocabulary(Tokenizer.from_str(json.dumps(layout())))
    assert isinstance(vocabulary, BPE | Unigram)
    line = made.lines_in("Latin")[0]
    pieces = [p for word in vocabulary.words(line) for p in vocabulary.segment(word)]
    assert [vocabulary.ids[piece] for piece in pieces] == vocabulary.encode(line)
    piece = max(vocabulary.pieces, key=len)
    assert vocabulary.parts(piece) == [piece]
