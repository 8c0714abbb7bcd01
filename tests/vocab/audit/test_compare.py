"""Words that two tokenizers segment differently."""

import pytest
from small_tokenizers import byte_level, folding_unigram, inspected
from tokenizers import Tokenizer

from specialize.vocab.audit.compare import Differences, SegmentationChange, differences
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

pytestmark = pytest.mark.usefixtures("both_ways")

SMALL = WordPiece([*SPECIAL, "a", "b", "##b", "##c", ".", "ab"])


def compared(
    first: WordPiece | Tokenizer, second: WordPiece | Tokenizer, text: list[str], **more: int
) -> Differences:
    return differences(inspected(first), inspected(second), text, **more)


def test_words_segmented_differently_by_hand() -> None:
    """Known to both alike: a. Longer: abc, ab ##c -> a ##b ##c, twice. Shorter: none."""
    other = WordPiece([piece for piece in SMALL.pieces if piece != "ab"])
    found = compared(SMALL, other, ["a abc abc.", "ۋ"])
    assert (found.unit, found.words, found.types) == ("word", 5, 4)
    assert (found.changed, found.longer, found.shorter, found.changed_types) == (2, 2, 0, 1)
    assert found.examples == [SegmentationChange("abc", 2, ["ab", "##c"], ["a", "##b", "##c"])]
    assert found.share == found.to_json()["share"] == 2 / 5
    assert compared(SMALL, SMALL, ["a abc"]).share == 0


def test_families_are_compared_by_the_letters_of_their_pieces() -> None:
    """ab is one piece in both, b. are two; abۋ is unknown here, and bytes there."""
    found = compared(SMALL, byte_level(merges=[("a", "b"), ("Ġ", "ab")]), ["ab ab abۋ b."])
    assert (found.unit, found.words, found.covered) == ("token", 4, 1)
    assert found.examples == [SegmentationChange("abۋ", 1, ["[UNK]"], ["ab", "<DB>", "<8B>"])]
    known = WordPiece([*SMALL.pieces, "##a"])
    assert compared(known, folding_unigram("▁", "a", "b", "▁a", "."), ["a b."]).changed == 0


def test_the_most_frequent_tokens_are_compared() -> None:
    found = compared(SMALL, byte_level(merges=[]), ["a a a b"], tokens=1)
    assert (found.words, found.types, found.covered) == (3, 1, 0.75)
