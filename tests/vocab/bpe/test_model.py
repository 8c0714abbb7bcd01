"""BPE vocabularies: what is refused."""

import pytest
from small_tokenizers import bpe
from tokenizers import models

from specialize.errors import DataError
from specialize.vocab.bpe.model import BPE

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def test_marks_of_words_and_dropout_are_refused():
    with pytest.raises(DataError, match=r"^tokenizer.json:1: model.continuing_subword_prefix: exp"):
        bpe("ab", continuing_subword_prefix="##")
    with pytest.raises(DataError, match=r"^tokenizer.json:1: model.end_of_word_suffix: exp"):
        bpe("ab", end_of_word_suffix="</w>")
    with pytest.raises(DataError, match=r"^tokenizer.json:1: model.dropout is 0.5, .*null"):
        bpe("ab", dropout=0.5)


def test_a_tokenizer_that_loses_characters_is_refused():
    """Without a piece for the unknown, and without bytes, the library passes over x."""
    assert [t.value for t in models.BPE({"a": 0}, []).tokenize("axa")] == ["a", "a"]
    for by_bytes in (False, True):
        with pytest.raises(DataError, match=r"^tokenizer.json:1: model.unk_token is null and the"):
            bpe("ab", unk_token=None, byte_fallback=by_bytes)
    assert bpe([*BYTES, *"ab"], unk_token=None, byte_fallback=True).unk == ""


def test_an_existing_piece_is_refused_as_a_new_one():
    old = bpe("ab", [("a", "b")])
    for pieces in (["ab"], ["aa", "aa"]):
        with pytest.raises(DataError, match=r"^tokenizer.json:1: duplicate piece 'a.'; leave"):
            old.place(pieces)


def test_ids_with_holes_are_refused():
    described = bpe("ab").described
    described["model"]["vocab"] = {"a": 0, "b": 2}
    wrong = r"^x/tokenizer.json:1: expected the ids 0, .*, got 2 for piece 'b' instead of 1"
    with pytest.raises(DataError, match=wrong):
        BPE(described, source="x/tokenizer.json")
