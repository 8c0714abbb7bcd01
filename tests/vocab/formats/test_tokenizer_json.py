"""Vocabularies as files: read back by us and by other libraries; errors name the fault."""

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from specialize.errors import DataError, MissingError
from specialize.vocab.audit.inspected import audit_path
from specialize.vocab.formats.tokenizer_json import (
    has_bert_rules,
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
    described = json.loads((tmp_path / "out" / "tokenizer.json").read_text("utf-8"))
    assert has_bert_rules(described, tmp_path)


def plain(folder: Path, *pieces: str, end: str = "\n", **config: object) -> WordPiece:
    (folder / "vocab.txt").write_text("".join(p + end for p in (*SPECIAL, *pieces)), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return read_wordpiece(folder / "vocab.txt")


def test_the_settings_beside_a_vocab_txt_are_read(tmp_path):
    assert plain(tmp_path, "A", "a", do_lower_case=False).rules == BertRules()
    uncased = BertRules(strip_accents=True, lowercase=True)
    assert plain(tmp_path, "A", "a", do_lower_case=True).rules == uncased
    kept = plain(tmp_path, "a", do_lower_case=True, strip_accents=False)
    assert kept.rules == BertRules(lowercase=True)
    joined = plain(tmp_path, "A", tokenize_chinese_chars=False)
    assert joined.words("\u4e16\u754c") == ["\u4e16\u754c"]
    other = plain(tmp_path, "A", "<unk>", "<s>", unk_token="<unk>", cls_token="<s>")
    assert (other.unk, other.ids["<s>"] in other.tokenizer.encode("A").ids) == ("<unk>", True)
    table = {"5": {"content": "[unused1]", "special": True}}
    declared = plain(tmp_path, "[unused1]", "[unused2]", "A", added_tokens_decoder=table)
    assert declared.slot_ids == (6,)


def test_tokens_declared_beside_a_vocab_txt_must_be_its_pieces(tmp_path):
    """Or new pieces would get their ids."""
    table = {"6": {"content": "<new>", "special": True}}
    with pytest.raises(DataError, match=r"tokenizer_config\.json:1: '<new>' is not in vocab\.txt"):
        plain(tmp_path, "A", added_tokens_decoder=table)
    (tmp_path / "added_tokens.json").write_text('{"<new>": 6}')
    with pytest.raises(DataError, match=r"added_tokens\.json:1: .* '<new>', are not in the vocab"):
        plain(tmp_path, "A")


def test_a_vocab_txt_without_capitals_or_settings_is_uncased_and_that_is_noted(tmp_path):
    """Accents are stripped unless a piece has one."""
    for pieces, accents in ((["a", "##b"], True), (["a", "\u00e9"], False)):
        found = plain(tmp_path, *pieces)
        assert found.rules == BertRules(strip_accents=accents, lowercase=True)
        assert found.settings
        assert "read as uncased" in found.settings.notes[0]
    for pieces in (["a", "A"], ["\u06d5", "1"]):  # cased; a script without case
        found = plain(tmp_path, *pieces)
        assert (found.rules, found.settings.notes) == (BertRules(), ())


def test_white_space_behind_a_piece_is_no_part_of_it_and_a_byte_order_mark_is_refused(tmp_path):
    for end in (" \n", "\t\n", "\r\n", "\u3000\n"):
        assert plain(tmp_path, "A", "the", end=end).pieces == (*SPECIAL, "A", "the")
    path = tmp_path / "vocab.txt"
    path.write_text("\ufeff" + "\n".join([*SPECIAL, "A"]), "utf-8")
    assert fault(path).startswith(f"{path}:1: a byte order mark before the first piece, '[PAD]'")


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
    assert not has_bert_rules({"model": {"type": "BPE"}, "normalizer": None}, tmp_path)


def test_tokens_added_later_are_left_to_the_library(tmp_path: Path) -> None:
    vocabulary = WordPiece([*SPECIAL, "a", "##b", "<", ">", "n"])
    write_wordpiece(vocabulary, tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.add_tokens(["<n>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    found = audit_path(tmp_path, ["ab <n>", "a<n>"])
    assert (found.words, found.pieces, found.unknown_pieces) == (4, 5, 0)
    read = read_wordpiece(tmp_path)
    assert read.by_library
    assert [read.pieces[i] for i in read.encode("ab <n>")] == ["a", "##b", "<n>"]
    assert read.settings
    assert "added token '<n>'" in read.settings.notes[0]


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
