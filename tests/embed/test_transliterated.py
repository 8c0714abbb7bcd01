"""Rows of the pieces of a transliteration, in the position of the piece, in every family."""

import json

import pytest
import torch
from small_tokenizers import byte_level, unigram

from specialize.embed import transliterated
from specialize.embed._rows import FreshRows, Tables
from specialize.errors import UsageError
from specialize.recipe.methods import bind
from specialize.vocab.bpe.model import BPE
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

GREEK = str.maketrans("αβγδχ", "abgd-")


def latin(line: str) -> str:
    """Latin letters for Greek ones; δ is deleted, γ has no piece."""
    return line.translate(GREEK).replace("d", "")


def rows_of(change, mixin=latin) -> FreshRows:
    table = torch.arange(2.0 * len(change.old.pieces)).reshape(-1, 2)
    return transliterated.init(Tables(table, -table, table[:, 0]), change, [], mixin=mixin)


def test_a_piece_gets_the_rows_of_its_transliteration_in_its_position() -> None:
    old = WordPiece([*SPECIAL, "[unused1]", "a", "b", "##a", "##b", "##ab", "-"])
    change = old.place(["αβ", "##αβ", "γ", "δ", "αχα"], slots=False)
    rows = rows_of(change)
    assert rows.sources == (
        "transliterated ab: mean of a, ##b",
        "transliterated ab: copied from ##ab",
        "drawn around the mean",
        "drawn around the mean",
        "transliterated a-a: mixed from a 0.67, - 0.33",
    )
    assert rows.unmatched == {2, 3}
    assert rows.input[:2].tolist() == [[15.0, 16.0], [20.0, 21.0]]
    assert torch.equal(rows.output[:2], -rows.input[:2])
    assert rows.bias[:2].tolist() == [15.0, 20.0]


def test_the_text_is_normalised_as_any_text_of_the_old_vocabulary() -> None:
    from specialize.vocab.wordpiece.pretokenize import BertRules

    old = WordPiece([*SPECIAL, "a", "##b"], rules=BertRules(lowercase=True, strip_accents=True))
    rows = rows_of(old.place(["αβ"]), mixin=lambda line: "ÁB")
    assert rows.sources == ("transliterated ÁB: mean of a, ##b",)


def test_byte_level_pieces_are_decoded_and_encoded() -> None:
    """α is Î± in letters of bytes; ä, its transliteration here, is Ã¤."""
    merges = [("Ã", "¤"), ("Ġ", "Ã¤")]
    old = BPE(json.loads(byte_level(merges=merges).to_str()))
    change = old.place(["Î±", "ĠÎ±", "Î±Î"])
    seen = []

    def umlaut(line: str) -> str:
        seen.append(line)
        return line.replace("α", "ä")

    rows = rows_of(change, mixin=umlaut)
    assert seen == ["α", "α", ""]  # text without marks; none for a part of a character
    whole, inside = (change.old.ids[piece] for piece in ("ĠÃ¤", "Ã¤"))
    assert rows.input[:2, 0].tolist() == [2.0 * inside, 2.0 * whole]
    assert rows.unmatched == {2}


def test_unigram_pieces_keep_their_mark() -> None:
    old = unigram({"▁": -3.0, "▁ab": -1.0, "ab": -1.0, "a": -2.0, "b": -2.0})
    change = old.place({"▁αβ": -1.0, "αβ": -1.0, "δ": -1.0})
    assert rows_of(change).sources == (
        "transliterated ab: copied from ▁ab",
        "transliterated ab: copied from ab",
        "drawn around the mean",
    )


def test_mix_ins_apply_in_order() -> None:
    old = WordPiece([*SPECIAL, "b"])
    mixins = (latin, lambda line: line.replace("a", "b"))
    assert rows_of(old.place(["α"]), mixin=mixins).sources == ("transliterated b: copied from b",)


def test_a_recipe_names_mix_ins_with_their_options() -> None:
    scheme = {"method": "table", "scheme": "uyghur_turkish"}
    old = WordPiece([*SPECIAL, "b", "##u"])
    change = old.place(["بۇ"])
    tables = Tables(torch.randn(7, 2), None, None)
    for given in (scheme, ["lower", scheme]):
        method = bind("embed", "transliterated", {"mixin": given})
        assert method(tables, change, []).sources == ("transliterated bu: mean of b, ##u",)
    with pytest.raises(UsageError, match=r"unknown scheme 'uighur'; known: "):
        bind("embed", "transliterated", {"mixin": scheme | {"scheme": "uighur"}})(
            tables, change, []
        )


def test_a_missing_mix_in_is_explained() -> None:
    with pytest.raises(UsageError, match=r"add mixin = \.\.\. \(any mix-in, .* translit --list"):
        bind("embed", "transliterated", {})
