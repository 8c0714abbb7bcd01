"""Vocabularies as files: read back by us and by other libraries; errors name the fault."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from specialize.errors import DataError, MissingError
from specialize.vocab.audit.inspected import audit_path
from specialize.vocab.formats.tokenizer_json import (
    find_wordpiece,
    read_wordpiece,
    vocabulary_file,
    write_wordpiece,
)
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

PIECES = [*SPECIAL, "[unused1]", "a", "b", "##a", "##b", "##ab", "é", "ۋ", ",", "[", "]"]
CASED = WordPiece(PIECES)
UNCASED = WordPiece(PIECES, rules=BertRules(strip_accents=True, lowercase=True), max_chars=7)
TEXT = "abab, Áb ۋab [MASK] aaaaaaaa é\u200cb"


def same(one: WordPiece, other: WordPiece) -> bool:
    settings = ("pieces", "unk", "prefix", "max_chars", "rules", "special")
    return all(getattr(one, name) == getattr(other, name) for name in settings)


@pytest.mark.parametrize("vocabulary", [CASED, UNCASED])
@pytest.mark.parametrize("name", ["", "tokenizer.json"])
def test_a_written_vocabulary_is_read_back(tmp_path, vocabulary, name):
    write_wordpiece(vocabulary, tmp_path / "out")
    assert same(read_wordpiece(tmp_path / "out" / name), vocabulary)
    assert find_wordpiece(tmp_path / "out")


def test_a_vocab_txt_is_read_as_cased_unless_its_config_says_otherwise(tmp_path):
    write_wordpiece(CASED, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    assert same(read_wordpiece(tmp_path), CASED)
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    assert read_wordpiece(tmp_path / "vocab.txt").rules == UNCASED.rules


def test_the_settings_of_the_source_are_kept(tmp_path):
    write_wordpiece(CASED, tmp_path / "old")
    file = tmp_path / "old" / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    described["post_processor"] = None
    described["truncation"] = {
        "direction": "Right",
        "max_length": 9,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    file.write_text(json.dumps(described), "utf-8")
    (tmp_path / "old" / "tokenizer_config.json").write_text('{"model_max_length": 99}')
    change = CASED.place(["##c"])
    write_wordpiece(change.new, tmp_path / "new", source=tmp_path / "old")
    written = json.loads((tmp_path / "new" / "tokenizer.json").read_text("utf-8"))
    assert written["truncation"]["max_length"] == 9
    assert written["model"]["vocab"]["##c"] == 5
    config = json.loads((tmp_path / "new" / "tokenizer_config.json").read_text("utf-8"))
    assert config["model_max_length"] == 99
    assert config["tokenizer_class"] == "PreTrainedTokenizerFast"


@pytest.mark.parametrize("vocabulary", [CASED, UNCASED])
def test_transformers_and_tokenizers_agree_with_us_after_saving(tmp_path, vocabulary):
    from transformers import AutoTokenizer

    new = vocabulary.place(["##é", "ab"]).new
    write_wordpiece(new, tmp_path)
    raw = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert raw.encode(TEXT, add_special_tokens=False).ids == new.encode(TEXT)
    assert loaded(TEXT, add_special_tokens=False)["input_ids"] == new.encode(TEXT)
    framed = [new.ids["[CLS]"], *new.encode("ab"), new.ids["[SEP]"]]
    assert loaded("ab")["input_ids"] == framed
    assert (tmp_path / "vocab.txt").read_text("utf-8").split("\n") == [*new.pieces, ""]


def fault(path: Path) -> str:
    with pytest.raises(DataError) as raised:
        read_wordpiece(path)
    return str(raised.value)


def test_faults_of_a_vocab_txt_are_named_with_their_line(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("[UNK]\na\nb\na\n")
    assert fault(path) == f"{path}:4: duplicate piece 'a', first on line 2"
    path.write_text("[UNK]\na\n\nb\n")
    assert fault(path) == f"{path}:3: empty piece"
    path.write_text("a\nb\n")
    assert fault(path) == f"{path}:1: the vocabulary has no unknown piece '[UNK]'"
    path.write_bytes(b"[UNK]\na\n\xff\n")
    assert fault(path) == f"{path}:3: not UTF-8; is this a vocabulary?"


def test_faults_of_a_tokenizer_json_are_named(tmp_path):
    write_wordpiece(CASED, tmp_path)
    path = tmp_path / "tokenizer.json"
    good = json.loads(path.read_text("utf-8"))

    def broken(**changes) -> str:
        path.write_text(json.dumps(good | changes), "utf-8")
        return fault(path)

    model = good["model"]
    vocab = {piece: i + (i > 9) for piece, i in model["vocab"].items()}
    holes = broken(model=model | {"vocab": vocab})
    assert holes == f"{path}:1: expected the ids 0 to {len(PIECES) - 1}, each once"
    assert "expected a WordPiece tokenizer, got BPE" in broken(model=model | {"type": "BPE"})
    assert "expected a BertNormalizer, got NFC" in broken(normalizer={"type": "NFC"})
    lacking = {key: value for key, value in model.items() if key != "unk_token"}
    assert "model.unk_token is missing" in broken(model=lacking)
    path.write_text('{\n"model": \n')
    assert fault(path).startswith(f"{path}:3: not JSON")
    path.write_text("[]")
    assert "expected a JSON object, got list" in fault(path)


def test_missing_files_are_reported(tmp_path):
    with pytest.raises(MissingError, match=r"holds no tokenizer\.json or vocab\.txt"):
        vocabulary_file(tmp_path)
    with pytest.raises(MissingError, match="is not there"):
        read_wordpiece(tmp_path / "nothing")


def test_a_byte_level_tokenizer_is_not_wordpiece(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"type": "BPE"}, "normalizer": null}')
    assert not find_wordpiece(path)


def test_tokens_added_later_are_left_to_the_library(tmp_path: Path) -> None:
    vocabulary = WordPiece([*SPECIAL, "a", "##b", "<", ">", "n"])
    write_wordpiece(vocabulary, tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.add_tokens(["<n>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = audit_path(tmp_path, ["ab <n>", "a<n>"])
    assert (found.words, found.pieces, found.unknown_pieces) == (4, 5, 0)
    with pytest.raises(DataError, match=r"expected special pieces .* got '<n>'"):
        read_wordpiece(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"added_tokens": ["x"]}, {"model": "x"}, {"model": {"type": "WordPiece", "vocab": ["a"]}}],
    ids=["tokens", "model", "vocab"],
)
def test_a_tokenizer_of_other_types_is_refused(tmp_path: Path, change: dict) -> None:
    write_wordpiece(WordPiece([*SPECIAL, "a"]), tmp_path)
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(DataError, match=r"tokenizer.json:1: "):
        read_wordpiece(tmp_path)
    with pytest.raises(DataError, match=r"tokenizer.json:1: "):
        audit_path(tmp_path, ["a"])
