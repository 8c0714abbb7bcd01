"""Classes of characters, by hand."""

import pytest

from specialize.vocab.bpe.character_classes import character_classes


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("aŞب世", "LLLL"),
        ("1\u0661", "DD"),
        ("▁ \n", "SSS"),
        (".'²😀", "OOOO"),
        ("\u06d4\u0f0b", "LL"),  # the Urdu full stop, Tibetan's mark between syllables
        ("e\u0301.\u0301ب\u200c", "LLOOLL"),  # marks and ZWNJ: as the character before them
        ("\u0301a", "?L"),
    ],
)
def test_there_are_four_classes_of_characters(text: str, classes: str) -> None:
    assert character_classes(text) == classes
