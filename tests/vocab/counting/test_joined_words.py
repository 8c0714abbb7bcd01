"""Words that the pre-tokeniser leaves together, and characters that leave no trace."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers_made import llama2_like

from specialize.augment import replace
from specialize.errors import DataError
from specialize.vocab.audit.audit import audit_library
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.lost import Lost
from specialize.vocab.counting.separable import joins_words, marks_begin

Json = dict[str, Any]

SPACES = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
AT_SPACES: Json = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious"}
AT_SPACES |= {"invert": False}
MARKS = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
PARTS = {
    "Llama 2": {},
    "Gemma": {"normalizer": SPACES, "pre_tokenizer": AT_SPACES},
    "Llama 2, as transformers 5 writes it": {"normalizer": None, "pre_tokenizer": MARKS},
}


@pytest.mark.parametrize("name", PARTS)
def test_words_are_cut_before_marks(name: str) -> None:
    described = llama2_like() | PARTS[name]
    assert joins_words(described)
    vocabulary = BPE(described)
    words = vocabulary.words("ab cd  ef")
    assert [word.lstrip("▁") for word in words] == ["ab", "cd", "ef"]
    pieces = [piece for word in words for piece in vocabulary.segment(word)]
    assert pieces == [vocabulary.pieces[i] for i in vocabulary.encode("ab cd  ef")]
    found = audit_library(vocabulary.tokenizer, ["ab cd ef", "ab"])
    assert (found.words, found.counted_by) == (4, "types")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("crossing", [False, True])
def test_no_new_piece_reaches_over_words(name: str, crossing: bool) -> None:
    described = llama2_like() | PARTS[name]
    if crossing:  # an old piece does
        vocab = described["model"]["vocab"]
        vocab["a▁"] = len(vocab)
        described["model"]["merges"].append(["a", "▁"])
    assert marks_begin(described) != crossing
    change = replace.change(BPE(described), ["ta ta ba ta ba"] * 9, pieces=300, min_count=2)
    assert {"ta", "ba"} & {piece.strip("▁") for piece in change.fresh_pieces}
    assert not any("▁" in piece.lstrip("▁") for piece in change.new.pieces)


def test_a_pre_tokeniser_that_splits_at_spaces_joins_no_words() -> None:
    splitting: list[Json] = [{"type": "WhitespaceSplit"}, MARKS | {"split": True}, AT_SPACES]
    for part in splitting:
        described = llama2_like() | {"normalizer": None, "pre_tokenizer": part}
        assert not joins_words(described)


# Characters without a trace -----------------------------------------------------------------------


def without_unknown() -> Tokenizer:
    vocab = {piece: i for i, piece in enumerate(["a", "b", "c</w>", "ab"])}
    tokenizer = Tokenizer(models.BPE(vocab, [("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def test_dropped_characters_are_missing_and_their_words_unknown() -> None:
    found = audit_library(without_unknown(), ["abħ ħħ ab", "ħ a"])
    assert found.missing == {"ħ": 4}
    assert (found.unknown_words, found.unknown_pieces, found.pieces) == (3, 0, 3)


def test_a_piece_at_the_end_of_words_alone_is_a_piece() -> None:
    described = json.loads(without_unknown().to_str())
    described["model"]["end_of_word_suffix"] = "</w>"
    lost = Lost(Tokenizer.from_str(json.dumps(described)))
    assert [c for c in "abcd " if c in lost] == ["d"]


def test_a_unigram_without_an_unknown_piece_names_what_it_cannot_encode() -> None:
    tokenizer = Tokenizer(models.Unigram([("a", -1.0), ("b", -2.0)]))
    assert audit_library(tokenizer, ["ab"]).pieces == 2
    with pytest.raises(DataError, match=r"^x\.json:1: model\.unk_id is null.* a piece: ħ ż; set"):
        audit_library(tokenizer, ["ab", "aħż"], "x.json")
