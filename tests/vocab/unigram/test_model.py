"""Unigram vocabularies: what is refused."""

import pytest
from small_tokenizers import UNKNOWN, unigram

from specialize.errors import DataError
from specialize.vocab.unigram.model import Unigram

SMALL = unigram({"▁": -3.0, "a": -2.0, "b": -2.5, "ab": -4.0, "c": -5.0})


def test_a_duplicate_piece_is_refused():
    described = unigram({"▁": -1.0, "a": -2.0, "b": -2.0}).described
    described["model"]["vocab"].append(["a", -3.0])
    wrong = r"^t5/tokenizer.json:1: duplicate piece 'a'; rename one of the two"
    with pytest.raises(DataError, match=wrong):
        Unigram(described, source="t5/tokenizer.json")


def test_an_existing_piece_is_refused_as_a_new_one():
    with pytest.raises(DataError, match=r"^tokenizer.json:1: duplicate piece 'ab'; leave"):
        SMALL.place({"ab": -1.0})
    with pytest.raises(DataError, match=r"^tokenizer.json:1: duplicate piece '<unk>'; leave"):
        SMALL.place({UNKNOWN: -1.0})


def test_added_tokens_with_a_gap_in_their_ids_are_refused():
    described = SMALL.described
    token = {"content": "<s>", "id": 9, "special": True}
    with pytest.raises(DataError, match=r"^t.json:1: expected .*, got 9 for piece '<s>'"):
        Unigram(described | {"added_tokens": [token]}, source="t.json")
