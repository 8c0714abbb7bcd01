"""Rows of the same script and position; small groups are widened."""

import json
import unicodedata

import pytest
import regex
import torch
from small_tokenizers import byte_level

from specialize.embed import script
from specialize.embed._rows import Tables
from specialize.errors import UsageError
from specialize.vocab.bpe.model import BPE
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

LATIN, CYRILLIC = "abcdefgh", "абвгдежз"
OLD = WordPiece([*SPECIAL, "[unused1]", *LATIN, *(f"##{c}" for c in LATIN), *CYRILLIC, "1", "2"])
CHANGE = OLD.place(["ab", "##ab", "аб", "##аб", "ա", "##ա", "12"], slots=False)


def table(width: int = 500) -> torch.Tensor:
    """Rows whose values are near 10 for Latin initials, 20 inside, 30 for Cyrillic, 40 others."""
    levels = [1000.0] * 6 + [10.0] * 8 + [20.0] * 8 + [30.0] * 8 + [40.0] * 2
    spread = torch.randn(len(levels), width, generator=torch.Generator().manual_seed(1))
    return torch.tensor(levels)[:, None] + spread


def test_rows_are_like_those_of_the_same_script_and_position() -> None:
    rows = script.init(Tables(table(), -table(), torch.arange(32.0)), CHANGE, [], smallest=2)
    assert [round(level) for level in rows.input.mean(dim=1).tolist()[:3]] == [10, 20, 30]
    assert [round(level) for level in rows.output.mean(dim=1).tolist()[:3]] == [-10, -20, -30]
    assert rows.input[:3].std(dim=1).tolist() == pytest.approx([1.0] * 3, abs=0.2)
    assert rows.bias[:3].tolist() == [9.5, 17.5, 25.5]
    assert not rows.unmatched


def test_a_small_group_is_widened_to_its_script_then_to_its_position() -> None:
    """Cyrillic has no continuing piece, Armenian none at all."""
    rows = script.init(Tables(table(), None, None), CHANGE, [], smallest=3)
    assert rows.sources == (
        "drawn around the mean of 8 pieces (Latin, word-initial)",
        "drawn around the mean of 8 pieces (Latin, continuing)",
        "drawn around the mean of 8 pieces (Cyrillic, word-initial)",
        "drawn around the mean of 8 pieces (Cyrillic)",
        "drawn around the mean of 18 pieces (word-initial)",
        "drawn around the mean of 8 pieces (continuing)",
        "drawn around the mean of 18 pieces (word-initial)",
    )
    assert rows.input.max() < 200  # special pieces and slots are in no group


def test_a_table_smaller_than_any_group_is_one_group() -> None:
    rows = script.init(Tables(table(), None, None), CHANGE, [], smallest=99)
    assert set(rows.sources) == {"drawn around the mean of 26 pieces (all)"}


def test_the_scale_multiplies_the_deviation() -> None:
    rows = script.init(Tables(table(), None, None), CHANGE, [], smallest=2, scale=0.0)
    assert torch.equal(rows.input[0], table()[6:14].mean(dim=0))


def test_parts_of_characters_are_a_group_of_their_own() -> None:
    old = BPE(json.loads(byte_level(merges=[("Ø", "§")]).to_str()))
    change = old.place(["Ø§Ø", "ĠØ§"])  # the second is Arabic
    tables = Tables(torch.randn(len(old.pieces), 4), None, None)
    first, second = script.init(tables, change, [], smallest=2).sources
    assert "parts of characters" in first
    assert "parts" not in second


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "Latin"),
        ("1ə", "Latin"),
        ("ә", "Cyrillic"),
        ("ە", "Arabic"),
        ("中", "Han"),
        ("𐌀", "Old"),
        ("ᥐ", "Tai_Le"),
        ("ᐁ", "Canadian_Aboriginal"),
        ("\u0301a", "Latin"),
        ("ａ", "Latin"),
        ("12.∞", "Common"),
        ("", "Common"),
        ("\ue000", "Common"),
    ],
)
def test_scripts_are_those_of_unicode(text: str, expected: str) -> None:
    assert script.script_of(text) == expected


def test_every_letter_has_a_script_but_those_that_scripts_share() -> None:
    letters = [chr(c) for c in range(0x80, 0x20000, 11) if unicodedata.category(chr(c))[0] == "L"]
    without = [c for c in letters if script.script_of(c) == script.COMMON]
    assert len(letters) > 5000
    assert [c for c in without if not regex.match(r"\p{Script=Common}", c)] == []


def test_a_group_of_one_row_is_refused() -> None:
    with pytest.raises(UsageError, match="smallest of 2 or more, got 1"):
        script.init(Tables(table(), None, None), CHANGE, [], smallest=1)
