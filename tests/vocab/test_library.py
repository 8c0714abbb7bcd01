"""The tokenizers library behind one module: what it cannot read, and texts in parallel."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers_made import any_text, latin, xlmr_like

from specialize.errors import DataError, MissingError
from specialize.vocab.library import encode_lines, live_tokenizer, loaded, read_tokenizer

CUT = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}


def test_a_description_that_the_library_cannot_read_is_named() -> None:
    with pytest.raises(DataError, match=r"^x\.json:1: the tokenizers library cannot read it: "):
        live_tokenizer({"model": {"type": "Trigram"}}, "x.json")


def test_a_file_that_the_library_cannot_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"none\.json: no such file; correct the path"):
        read_tokenizer(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    with pytest.raises(DataError, match=r"broken\.json:1: the tokenizers library cannot read it"):
        read_tokenizer(tmp_path / "broken.json")


def test_merges_of_pieces_with_spaces_are_asked_for_as_pairs() -> None:
    """Issues 566 and 645 of the library: "a b c" is three parts to it."""
    vocab = {"a": 0, " ": 1, "b": 2, " b": 3, "a b": 4}
    model = {"type": "BPE", "vocab": vocab, "merges": [[" ", "b"], ["a", " b"]]}
    assert live_tokenizer({"model": model}, "x.json").encode("a b").tokens == ["a b"]
    with pytest.raises(DataError, match=r'write merges as pairs, \["a", "b c"\]'):
        live_tokenizer({"model": model | {"merges": ["  b", "a  b"]}}, "x.json")


def test_faults_of_other_origin_are_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def fail() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        loaded(tmp_path / "file", fail)


def test_no_tokenizer_truncates_or_pads() -> None:
    tokenizer = live_tokenizer(xlmr_like() | {"truncation": CUT}, "x.json")
    assert len(tokenizer.encode(latin()[0], add_special_tokens=False).ids) > 3


TOKENIZER = live_tokenizer(json.loads(json.dumps(xlmr_like())), "x.json")


@given(st.lists(any_text(), max_size=5))
def test_lines_are_encoded_together_as_alone(lines: list[str]) -> None:
    alone = [TOKENIZER.encode(line, add_special_tokens=False).ids for line in lines]
    assert encode_lines(TOKENIZER, lines) == alone
