"""BERT's pre-tokenisation: literal lines, then equality with the tokenizers library."""

import sys
import unicodedata
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocab_oracle import hard_text, library_words

from specialize.vocab.counting.words import count_tokens, count_words
from specialize.vocab.wordpiece.pretokenize import (
    BertRules,
    deleted_characters,
    tokens_of,
    words,
)

UNCASED = BertRules(strip_accents=True, lowercase=True)
RULES = [BertRules(), UNCASED, BertRules(clean=False), BertRules(ideographs=False)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Hello, 世界", ["Hello", ",", "世", "界"]),
        ("don't [MASK]", ["don", "'", "t", "[", "MASK", "]"]),
        ("مي\u200cخواهم", ["ميخواهم"]),  # ZWNJ is deleted and joins
        ("a\u2028b\u00a0c", ["a", "b", "c"]),
        ("a\x1cb\x85c\0d", ["abcd"]),  # str.split would split at two of these
        ("كـتاب", ["كـتاب"]),  # tatweel is a letter
        ("e\u0301", ["e\u0301"]),  # never composed
    ],
)
def test_text_is_split_into_words(text, expected):
    assert words(text) == expected


def test_an_uncased_tokenizer_strips_marks_and_lowers_letter_by_letter():
    assert words("ÉCOLE Σ ΑΣ", UNCASED) == ["ecole", "σ", "ας".replace("ς", "σ")]


def test_without_cleaning_control_characters_stay_and_split_by_unicode_category():
    assert words("a\x1cb a\x85b", BertRules(clean=False)) == ["a\x1cb", "a", "b"]


def test_words_are_counted_in_order_of_first_occurrence():
    counts = count_words(["b, a", "a b b", ""])
    assert list(counts.items()) == [("b", 3), (",", 1), ("a", 2)]
    assert count_tokens(["b, a", "a b b"]) == {"b,": 1, "a": 2, "b": 2}


@given(hard_text(), st.sampled_from(RULES))
def test_words_equal_the_library(text, rules):
    assert words(text, rules) == library_words(text, rules)


@given(hard_text(), st.sampled_from(RULES))
def test_tokens_split_no_word(text, rules):
    assert [w for t in tokens_of(text, rules) for w in words(t, rules)] == words(text, rules)


@given(st.lists(hard_text(), max_size=4), st.sampled_from(RULES))
def test_counting_types_equals_counting_words(lines, rules):
    counts = count_words(lines, rules)
    occurring = Counter(w for x in lines for w in words(x, rules))
    assert list(counts.items()) == list(occurring.items())


def differing(code_points, rules: BertRules) -> list[int]:
    """Return code points around which text is split differently from the library."""
    codes = [c for c in code_points if not 0xD800 <= c <= 0xDFFF]

    def same(chosen: list[int]) -> bool:
        size = 16 if len(chosen) > 16 else 1  # a character alone decides
        groups = ("".join(map(chr, chosen[i : i + size])) for i in range(0, len(chosen), size))
        text = "".join(f"a{group}b " for group in groups)
        return words(text, rules) == library_words(text, rules)

    found, pending = [], [codes[i : i + 4096] for i in range(0, len(codes), 4096)]
    while pending:
        part = pending.pop()
        if same(part):
            continue
        if len(part) == 1:
            found += part
        else:
            pending += [part[: len(part) // 2], part[len(part) // 2 :]]
    return sorted(found)


def test_the_basic_plane_up_to_the_ideographs_equals_the_library():
    for rules in (BertRules(), BertRules(clean=False)):
        for code in range(0, 0x3400, 16):  # each character alone
            assert differing(range(code, code + 16), rules) == []


@pytest.mark.slow
@pytest.mark.parametrize("clean", [True, False])
def test_every_code_point_equals_the_library(clean):
    assert differing(range(sys.maxunicode + 1), BertRules(clean=clean)) == []


@pytest.mark.slow
@pytest.mark.skipif(
    unicodedata.unidata_version != "14.0.0", reason="the table of marks is made for Unicode 14"
)
def test_every_code_point_lowers_as_in_the_library_but_for_letters_unassigned_here():
    odd = differing(range(sys.maxunicode + 1), UNCASED)
    decomposed_since = [0x11938]
    assert [c for c in odd if unicodedata.category(chr(c)) != "Cn"] == decomposed_since


def test_deleted_characters_are_exactly_those_that_vanish():
    assert {"\u200c", "\0", "\ufeff"} <= deleted_characters()
    assert not {"a", " ", "\n", "\u2028", "\u0301"} & deleted_characters()
    assert [c for c in deleted_characters() if c.isprintable()] == ["\ufffd"]  # audit relies on it
