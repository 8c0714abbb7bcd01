"""Audits: one line by hand, then equality with the tokenizers library line by line."""

import json
import lzma
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from vocab_oracle import LETTERS, hard_text, library_pieces, library_tokenizer

from specialize.errors import DataError, MissingError
from specialize.vocab.audit.audit import Audit, audit, audit_library
from specialize.vocab.audit.inspected import audit_path
from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece
from specialize.vocab.library import read_tokenizer
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

pytestmark = pytest.mark.usefixtures("both_ways")

VOCABULARY = WordPiece([*SPECIAL, *"abceş.,", *(f"##{c}" for c in LETTERS), "##ab", "世"])
UNCASED = WordPiece(VOCABULARY.pieces, rules=BertRules(strip_accents=True, lowercase=True))
LONG = "a" * 101


def test_a_text_is_audited():
    """Words: abé . a\u200cb ۋاa ab [MASK]; abé a ##b ##é, ab a ##b twice; ۋاa lacks ۋ and ##ا."""
    found = audit(VOCABULARY, ["abé. a\u200cb", "", "ۋاa ab [MASK]"])
    assert found == Audit(
        words=6,
        pieces=3 + 1 + 2 + 1 + 2 + 1,
        unknown_words=1,
        unknown_pieces=1,
        continued_words=3,
        characters=8 + 13,
        bytes=8 + 1 + 2 + 13 + 2,
        missing={"ۋ": 1, "ا": 1},
        deleted={"\u200c": 1},
    )
    assert found.fertility == 10 / 6
    assert found.unknown_piece_share == 1 / 10


def test_characters_are_missing_by_form_word_initial_or_continuing():
    """ۋ has a continuing piece, but no word-initial one."""
    assert audit(VOCABULARY, ["aۋ ۋa ۋa"]).missing == {"ۋ": 2}


def test_a_vocabulary_of_whole_words_lacks_words_not_characters():
    """A base of word vectors: its tokenizer has no letters."""
    found = audit(WordPiece(["[PAD]", "[UNK]", "un", "deux"]), ["un trois deux"])
    assert (found.unknown_words, found.missing) == (1, {})


def test_an_overlong_word_is_unknown_without_missing_characters():
    found = audit(VOCABULARY, [LONG])
    assert (found.unknown_words, found.pieces, found.missing) == (1, 1, {})


def test_an_unknown_piece_written_out_counts_as_unknown():
    found = audit(VOCABULARY, ["a[UNK] [MASK]"])
    assert (found.words, found.pieces, found.unknown_words) == (3, 3, 1)


def test_the_replacement_character_is_deleted_though_printable():
    assert audit(VOCABULARY, ["a\ufffdb"]).deleted == {"\ufffd": 1}


def test_no_text_has_no_counts():
    found = audit(VOCABULARY, [])
    assert (found.words, found.fertility, found.unknown_piece_share) == (0, 0.0, 0.0)


def test_json_has_what_a_report_needs():
    facts = audit(VOCABULARY, ["ab ۋ"]).to_json()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["fertility"] == 3 / 2
    needed = {"words", "pieces", "unknown_words", "unknown_pieces", "continued_words"}
    assert needed | {"characters", "bytes", "fertility"} <= facts.keys()


ORACLES = [(v, library_tokenizer(v)) for v in (VOCABULARY, UNCASED)]


@given(hard_text(), st.sampled_from(ORACLES))
def test_counts_of_a_line_equal_the_library(line, oracle):
    vocabulary, tokenizer = oracle
    found, pieces = audit(vocabulary, [line]), library_pieces(tokenizer, line)
    assert (found.pieces, found.unknown_pieces) == (len(pieces), pieces.count("[UNK]"))
    assert found.continued_words == sum(
        p.startswith("##") and not before.startswith("##")
        for before, p in zip(["", *pieces], pieces, strict=False)
    )


@given(st.lists(hard_text(), max_size=5))
def test_a_text_counts_as_its_lines(lines):
    whole, parts = audit(VOCABULARY, lines), [audit(VOCABULARY, [line]) for line in lines]
    for name in ("words", "pieces", "unknown_words", "continued_words", "characters", "bytes"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)


@given(hard_text())
def test_both_ways_of_counting_agree(line):
    """Our WordPiece counter against the counter for any tokenizer.json."""
    from specialize.vocab.counting.by_library import count_by_library

    ours = audit(VOCABULARY, [line]).to_json()
    theirs = count_by_library(ORACLES[0][1], [line])
    for name in ("words", "pieces", "unknown_words", "unknown_pieces", "continued_words", "bytes"):
        assert ours[name] == theirs[name], name
    assert ours["deleted"] == theirs["deleted"]


def test_multilingual_bert_counts_as_the_library_did_on_79_languages(data):
    folder = data / "vocab" / "bert-base-multilingual-cased"
    vocabulary = WordPiece(read_wordpiece(folder / "vocab.txt").pieces, special=())
    with lzma.open(folder / "parity.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            found = audit(vocabulary, [line["text"]])
            expected = (len(line["tokens"]), line["tokens"].count("[UNK]"))
            assert (found.pieces, found.unknown_pieces) == expected, line["text"]


# Other tokenizers ---------------------------------------------------------------------------------


def saved(tokenizer: Tokenizer, folder: Path) -> Path:
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def unigram(folder: Path, *, metaspace: bool = True) -> Path:
    pieces = [("<unk>", 0.0), ("▁", -2.0), ("a", -2.0), ("b", -2.0), ("▁ab", -1.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.normalizer = normalizers.Replace("\u200c", "")
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    return saved(tokenizer, folder)


def test_a_unigram_tokenizer_is_audited(tmp_path):
    """▁ab; ▁ a ۋ, the last unknown; ▁ab b."""
    found = audit_path(unigram(tmp_path), ["ab aۋ", "ab\u200cb"])
    assert found == Audit(
        words=3,
        pieces=1 + 3 + 2,
        unknown_words=1,
        unknown_pieces=1,
        continued_words=2,
        characters=9,
        bytes=6 + 6,
        missing={"ۋ": 1},
        deleted={"\u200c": 1},
    )


def test_without_a_pretokeniser_white_space_separates_words(tmp_path):
    found = audit_library(
        read_tokenizer(unigram(tmp_path, metaspace=False) / "tokenizer.json"), ["ab aۋ ab"]
    )
    assert (found.words, found.unknown_words, found.continued_words) == (3, 1, 1)


@pytest.fixture
def gpt2_folder(tmp_path):
    """Byte pieces and the single merge a b -> ab."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate([*alphabet, "ab"])}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", ["", "vocab.json", "merges.txt"])
def test_a_byte_level_tokenizer_has_no_unknowns(gpt2_folder, name):
    """ab is one piece; the second word is a space and two bytes."""
    found = audit_path(gpt2_folder / name, ["ab ۋ"])
    assert (found.words, found.pieces, found.unknown_pieces) == (2, 4, 0)
    assert found.continued_words == 1


def test_a_wordpiece_directory_is_counted_by_our_implementation(tmp_path):
    write_wordpiece(VOCABULARY, tmp_path)
    assert audit_path(tmp_path, ["abé ۋا"]) == audit(VOCABULARY, ["abé ۋا"])


@pytest.mark.parametrize("named", [True, False])
def test_a_damaged_sentencepiece_model_is_named(tmp_path, named):
    model = tmp_path / "spiece.model"
    model.write_bytes(b"\n\x0e")
    with pytest.raises(DataError, match=r"spiece\.model:1: not a SentencePiece model, or damaged"):
        audit_path(model if named else tmp_path, ["a"])


def test_faults_of_other_tokenizers_are_named(tmp_path, gpt2_folder):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"type": "BPE"}}')
    with pytest.raises(DataError, match=r"tokenizer\.json:1: the tokenizers library cannot"):
        audit_path(path, ["a"])
    path.unlink()
    (gpt2_folder / "merges.txt").write_text("a b c d\n")
    with pytest.raises(DataError, match=r"vocab\.json:1"):
        audit_path(gpt2_folder, ["a"])
    (gpt2_folder / "vocab.json").unlink()
    with pytest.raises(MissingError, match="no such file"):
        audit_path(gpt2_folder, ["a"])
