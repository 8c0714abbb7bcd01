"""What unknown pieces hide is named by the characters that have no piece."""

from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from specialize.vocab.audit.audit import audit_library

PIECES = [("<unk>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in "abel")]


def unigram(normalizer: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram(PIECES, unk_id=0))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("be\u0301a", {"é": 1}),  # composed by the normaliser: e has a piece
        ("ŀ ab", {"·": 1}),  # NFKC: l and a dot
        ("b\u0331", {"ḇ": 1}),
        ("q\u0331", {"q": 1, "\u0331": 1}),  # no composed form
        ("ħab ħ", {"ħ": 2}),
    ],
)
def test_characters_are_named_as_the_normaliser_leaves_them(
    text: str, missing: dict[str, int]
) -> None:
    """As of sillsdev/silnlp issue 352 and sentencepiece issues 329 and 839."""
    assert audit_library(unigram(normalizers.NFKC()), [text]).missing == missing


@pytest.mark.usefixtures("both_ways")
def test_without_a_normaliser_characters_are_those_of_the_text() -> None:
    assert audit_library(unigram(None), ["be\u0301a ŀ"]).missing == {"\u0301": 1, "ŀ": 1}


def test_unknown_words_are_named_by_all_their_characters() -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "ab": 1}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    assert audit_library(tokenizer, ["AB ba"]).missing == {"b": 1, "a": 1}
