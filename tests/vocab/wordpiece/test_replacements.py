"""Pieces that replace unknowns: the paper's count, by hand."""

import pytest

from specialize.vocab.counting.words import count_tokens, count_words
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules
from specialize.vocab.wordpiece.replacements import Replacements, count_replacements

pytestmark = pytest.mark.usefixtures("both_ways")

OLD = WordPiece(["[UNK]", "a", "##a", "b", "##b", "(", ")"])
NEW = WordPiece(["[UNK]", "a", "##a", "##ş", "ş", "##şa", "(", "aa"])


def test_pieces_of_words_that_become_known_are_credited():
    """aş was [UNK] and is a ##ş; şaşa was and is ş ##a ##şa; aa was known; xş stays [UNK]."""
    counts = {"aş": 3, "şaşa": 2, "aa": 10, "xş": 7}
    found = count_replacements(counts, OLD, NEW)
    assert found.replaced == {"a": 3, "##ş": 3, "ş": 2, "##a": 2, "##şa": 2}
    assert found.overall == {"a": 3, "##ş": 3, "ş": 2, "##a": 2, "##şa": 2, "aa": 10, "[UNK]": 7}
    assert found.ranked(OLD) == ["##ş", "ş", "##şa"]
    assert found.ranked(OLD, pad=True) == ["##ş", "ş", "##şa", "aa"]


def test_a_piece_is_credited_for_each_of_its_occurrences():
    assert count_replacements({"aşş": 2}, OLD, NEW).replaced == {"a": 2, "##ş": 4}


def test_a_token_counts_with_its_punctuation_and_old_pieces_are_not_credited():
    """(aş, as a token: ( [UNK] becomes ( a ##ş; "(" was there before."""
    words, tokens = count_words(["(aş a"]), count_tokens(["(aş a"])
    assert count_replacements(words, OLD, NEW).replaced == {"a": 1, "##ş": 1}
    assert count_replacements(tokens, OLD, NEW).replaced == {"a": 1, "##ş": 1}
    # a-aş: a is among the old pieces of the token, so it is credited by words only
    old = WordPiece([*OLD.pieces, "-"])
    new = WordPiece([*NEW.pieces, "-"])
    assert count_replacements(count_words(["a-aş"]), old, new).replaced == {"a": 1, "##ş": 1}
    assert count_replacements(count_tokens(["a-aş"]), old, new).replaced == {"##ş": 1}


def test_a_token_needs_fewer_unknowns_not_none():
    """aş-x: two unknowns become one."""
    old, new = WordPiece([*OLD.pieces, "-"]), WordPiece([*NEW.pieces, "-"])
    assert count_replacements({"aş-x": 1}, old, new).replaced == {"a": 1, "##ş": 1}
    assert count_replacements({"x-y": 1}, old, new).replaced == {}


def test_ties_go_to_the_first_occurrence():
    found = Replacements(replaced={"d": 1, "c": 2, "b": 2}, overall={"z": 1, "b": 2, "y": 1})
    assert found.ranked(OLD, pad=True) == ["c", "d", "z", "y"]
    assert found.ranked(WordPiece(["[UNK]", "y"])) == ["c", "b", "d"]


def test_the_two_vocabularies_may_split_words_differently():
    special = WordPiece(["[PAD]", "[UNK]", "[MASK]", "a"])
    plain = WordPiece(["[PAD]", "[UNK]", "a", "##b", "[", "]", "MASK"])
    found = count_replacements(count_tokens(["[MASK] ab"]), special, plain)
    assert found.overall == {"[": 1, "MASK": 1, "]": 1, "a": 1, "##b": 1}
    assert found.replaced == {"a": 1, "##b": 1}
    cased, uncased = WordPiece(["[UNK]", "x"]), BertRules(lowercase=True)
    lower = WordPiece(["[UNK]", "a", "##b"], rules=uncased)
    assert count_replacements(count_words(["AB"]), cased, lower).replaced == {"a": 1, "##b": 1}


@pytest.mark.parametrize("count", [count_words, count_tokens])
def test_nothing_is_replaced_if_nothing_is_unknown(count):
    assert count_replacements(count(["aa b", "(a)"]), OLD, NEW).replaced == {}
