"""Opening vocabularies of any family: files, and tokenizers of two libraries in memory."""

import json
from pathlib import Path

import pytest
import tokenizers_made as made
from sentencepiece import SentencePieceTrainer
from tokenizers import Tokenizer, models

from specialize import audit, augment_tokenizer, open_vocabulary, write_vocabulary
from specialize.augment import extend
from specialize.errors import DataError
from specialize.model.find import tokenizer_path
from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

LAYOUTS = [made.gpt2_like, made.llama3_like, made.llama2_like, made.xlmr_like]
TOY = made.lines_in("toy")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tokenizer_in_memory_is_extended_and_written(layout, tmp_path: Path) -> None:
    """As in the README: open, extend, audit, write; from tokenizers or transformers."""
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
    with pytest.raises(DataError, match=r"Tokenizer:1: expected WordPiece, .*, got WordLevel"):
        open_vocabulary(Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))


def test_a_sentencepiece_model_whose_folder_renumbers_pieces_is_refused(tmp_path: Path) -> None:
    """XLM-R's rows are shifted by one from the .model's ids: pieces would get wrong rows."""
    file = tmp_path / "sentencepiece.bpe.model"
    SentencePieceTrainer.train(
        sentence_iterator=iter(TOY), model_prefix=str(file.with_suffix("")), vocab_size=100
    )
    with pytest.raises(DataError, match=r"model:1: .*pieces differently.*tokenizer\.json"):
        open_vocabulary(tmp_path)
    assert isinstance(open_vocabulary(file), Unigram)  # its own ids
    write_vocabulary(open_vocabulary(file), tmp_path / "made")
    assert isinstance(open_vocabulary(tmp_path / "made"), Unigram)


def test_the_command_is_also_a_function(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "tokenizer.json").write_text(json.dumps(made.llama3_like()), "utf-8")
    message = augment_tokenizer(
        str(tmp_path / "old"), TOY, "extend", {"pieces": 5}, str(tmp_path / "new")
    )
    assert message.startswith("5 pieces added by extend: ")
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


def test_a_unigram_without_an_unknown_piece_is_refused() -> None:
    described = made.xlmr_like()
    described["model"]["unk_id"] = None
    with pytest.raises(DataError, match=r"Tokenizer:1: model\.unk_id is null"):
        open_vocabulary(Tokenizer.from_str(json.dumps(described)))


def test_a_wordpiece_with_added_tokens_is_segmented_by_the_library(tmp_path: Path) -> None:
    live = Tokenizer.from_file(str(tokenizer_path("mini") / "tokenizer.json"))
    live.add_tokens(["<new>"])
    vocabulary = open_vocabulary(live)
    assert "<new>" in vocabulary.ids
    change = extend.change(vocabulary, TOY, pieces=10)
    write_vocabulary(change.new, tmp_path)
    again = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert again.encode("a<new>b", add_special_tokens=False).tokens == ["a", "<new>", "b"]
    for line in TOY[:50]:
        assert again.encode(line, add_special_tokens=False).ids == change.new.encode(line)


@pytest.mark.parametrize("table", [["a"], {"0": 1}, {"x": {"content": "<s>"}}])
def test_a_damaged_table_of_tokens_is_named(tmp_path: Path, table) -> None:
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"added_tokens_decoder": table}), "utf-8")
    (tmp_path / "tokenizer.json").write_text(json.dumps(made.gpt2_like()), "utf-8")
    with pytest.raises(DataError, match=r"tokenizer_config\.json:1: added_tokens_decoder"):
        write_vocabulary(open_vocabulary(tmp_path), tmp_path / "new", source=tmp_path)


def test_an_empty_file_of_ranks_is_refused_as_a_file_of_ranks(tmp_path: Path) -> None:
    (tmp_path / "a.tiktoken").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.tiktoken:1: byte 0x00 has no rank"):
        open_vocabulary(tmp_path)


def test_other_objects_than_fast_tokenizers_are_a_type_error(tmp_path: Path) -> None:
    from transformers import ByT5Tokenizer

    for tokenizer in (ByT5Tokenizer(), ["a"], None):
        with pytest.raises(TypeError, match=f"fast tokenizer .*, got {type(tokenizer).__name__}"):
            open_vocabulary(tokenizer)
    with pytest.raises(TypeError, match="a path or a model's name, got ByT5Tokenizer"):
        augment_tokenizer(ByT5Tokenizer(), ["a"], "extend", {}, tmp_path / "new")
