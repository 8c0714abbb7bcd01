"""WordPiece: segmentation by hand, then equality with the tokenizers library; ids of pieces."""

import json
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocab_oracle import LETTERS, hard_text, library_pieces, library_tokenizer

from specialize.errors import DataError
from specialize.vocab.base import unchanged
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

SMALL = WordPiece([*SPECIAL, "un", "##aff", "##able", "a", "##b", "##cd", "b", "##a", "aa"])
SLOTS = WordPiece(["[PAD]", "[unused1]", "[unused2]", "[UNK]", "a", "##a"])


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("unaffable", ["un", "##aff", "##able"]),
        ("abcd", ["a", "##b", "##cd"]),
        ("abc", ["[UNK]"]),  # longest match first, no backtracking
        ("aab", ["aa", "##b"]),
        ("[MASK]", ["[MASK]"]),
        ("a" + 99 * "b", ["a"] + 99 * ["##b"]),
        ("a" + 100 * "b", ["[UNK]"]),
    ],
)
def test_words_are_segmented_longest_match_first(word, pieces):
    assert SMALL.segment(word) == pieces


def test_special_pieces_in_the_text_are_kept_whole():
    assert SMALL.words("a[MASK]ab [mask]") == ["a", "[MASK]", "ab", "[", "mask", "]"]
    assert [SMALL.pieces[i] for i in SMALL.encode("a[MASK]ab")] == ["a", "[MASK]", "a", "##b"]


def test_special_pieces_without_brackets_are_found_too():
    vocabulary = WordPiece(["<unk>", "<mask>", "a"], unk="<unk>", special=["<unk>", "<mask>"])
    assert vocabulary.words("a<mask>a") == ["a", "<mask>", "a"]
    assert WordPiece(["[UNK]", "a"], special=[]).words("[UNK]") == ["[", "UNK", "]"]


def test_new_pieces_take_the_slots_and_then_the_end():
    change = SLOTS.place(["b", "c", "##b"])
    assert change.new.pieces == ("[PAD]", "b", "c", "[UNK]", "a", "##a", "##b")
    assert change.fresh == (1, 2, 6)
    assert change.kept == {0: 0, 3: 3, 4: 4, 5: 5}
    assert change.fresh_pieces == ["b", "c", "##b"]


def test_unused_slots_stay_and_no_id_changes():
    assert SLOTS.place(["b"]).new.pieces == ("[PAD]", "b", "[unused2]", "[UNK]", "a", "##a")
    assert SLOTS.place(["b"], slots=False).new.pieces == (*SLOTS.pieces, "b")
    assert SLOTS.slots == 2


def test_an_existing_piece_is_refused_as_a_new_one():
    with pytest.raises(DataError, match="duplicate piece '##a'"):
        SLOTS.place(["##a"])


def test_unchanged_keeps_every_piece_and_row():
    change = unchanged(SLOTS)
    assert (change.new, change.fresh, change.kept[5]) == (SLOTS, (), 5)


def test_an_alphabet_is_closed_if_each_character_has_both_forms():
    closed = WordPiece(["[UNK]", "[unused1]", "a", "##a", "b", "##b", "ab"])
    assert closed.closed_alphabet == {"a", "b"}
    assert SMALL.closed_alphabet is None


CASES = [
    WordPiece(
        [*SPECIAL, *"abceşۋەئ.[]", *(f"##{c}" for c in LETTERS), "##ab", "世", "UNK", "##NK"]
    ),
    WordPiece(
        [*SPECIAL, *"abce", "##a", "##b", "##bc", "abc", "é"],
        rules=BertRules(strip_accents=True, lowercase=True),
    ),
    WordPiece(["[UNK]", "a", "##b", "##\u0301"], max_chars=5, rules=BertRules(clean=False)),
]
LIBRARY = [library_tokenizer(case) for case in CASES]


@given(hard_text(), st.sampled_from(range(len(CASES))))
def test_pieces_equal_the_library(text, case):
    vocabulary, expected = CASES[case], library_pieces(LIBRARY[case], text)
    assert [vocabulary.pieces[i] for i in vocabulary.encode(text)] == expected
    assert [p for w in vocabulary.words(text) for p in vocabulary.segment(w)] == expected


@given(
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=8, unique=True),
    st.lists(st.text("ab", min_size=1, max_size=3), max_size=8, unique=True),
    st.text("ab", min_size=1, max_size=12),
)
def test_segmentation_equals_the_library_for_any_vocabulary(initial, continuing, word):
    vocabulary = WordPiece(["[UNK]", *initial, *(f"##{c}" for c in continuing)], max_chars=10)
    assert vocabulary.segment(word) == library_pieces(library_tokenizer(vocabulary), word)


@given(st.text(LETTERS, min_size=1, max_size=110))
def test_with_a_closed_alphabet_a_word_is_unknown_exactly_if_a_character_is(word):
    letters = "abceş"
    vocabulary = WordPiece(
        ["[UNK]", *letters, *(f"##{c}" for c in letters), "##bc", "abc"], max_chars=100
    )
    strange = len(word) > 100 or not set(word) <= set(letters)
    assert (vocabulary.segment(word) == ["[UNK]"]) == strange


def test_multilingual_bert_equals_the_library_on_79_languages(data):
    folder = data / "vocab" / "bert-base-multilingual-cased"
    vocabulary = read_wordpiece(folder / "vocab.txt")
    assert len(vocabulary.closed_alphabet) == 9998
    vocabulary = WordPiece(vocabulary.pieces, special=())  # the file was created without them
    with lzma.open(folder / "parity.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            assert vocabulary.encode(line["text"]) == line["ids"], line["text"]
