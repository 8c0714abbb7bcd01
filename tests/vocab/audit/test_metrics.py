"""Measures of a tokenizer on a text: values by hand and an outside oracle."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import byte_level
from vocab_oracle import hard_text, library_pieces, library_tokenizer

from specialize.vocab.audit.audit import audit, audit_library
from specialize.vocab.audit.metrics import (
    bytes_per_piece,
    library_counts,
    parity,
    renyi_efficiency,
    wordpiece_counts,
)
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

pytestmark = pytest.mark.usefixtures("both_ways")

UNCASED = BertRules(strip_accents=True, lowercase=True)
RULES = [BertRules(), UNCASED, BertRules(lowercase=True), BertRules(clean=False, ideographs=False)]
SMALL = WordPiece([*SPECIAL, "a", "b", "##b", "##c", ".", "ab"])


def test_renyi_efficiency_of_three_pieces_by_hand() -> None:
    """Shares 1/2, 1/4, 1/4 at alpha 2: -log(1/4 + 1/16 + 1/16) / log 4."""
    assert renyi_efficiency([2, 1, 1], 4, alpha=2) == pytest.approx(math.log(8 / 3) / math.log(4))


@pytest.mark.parametrize(
    ("text", "alpha", "expected"),
    [
        ("pick @@ed pick @@l @@ed pick @@les", 2.5, 0.8265064834225245),
        ("pick @@e @@d pick @@l @@e @@d pick @@l @@e @@s", 2.5, 0.9204840242168808),
        ("pick @@ed pick @@l @@ed pick @@les", 1, 0.9211854965885544),
    ],
)
def test_renyi_efficiency_is_that_of_its_authors(text: str, alpha: float, expected: float) -> None:
    """The values that tokenization-scorer is tested with; its V is the pieces that occur."""
    pieces = text.split()
    counts = [pieces.count(piece) for piece in set(pieces)]
    assert renyi_efficiency(counts, len(counts), alpha=alpha) == pytest.approx(expected)


def test_renyi_efficiency_has_its_bounds() -> None:
    assert renyi_efficiency([7] * 50, 50) == pytest.approx(1)
    assert renyi_efficiency([7], 50) == 0
    assert renyi_efficiency([7] * 5 + [0], 50) == renyi_efficiency([1] * 5, 50) < 1
    assert renyi_efficiency([], 50) is None
    assert renyi_efficiency([7], 1) is None


def test_bytes_per_piece_and_parity_by_hand() -> None:
    """A ab c, unknown: a | ab | [UNK] of 6 bytes; ab. ab."""
    ours, theirs = audit(SMALL, ["a ab c"]), audit(SMALL, ["ab"])
    assert bytes_per_piece(ours) == 2
    assert parity(ours, theirs) == 3
    nothing = audit(SMALL, [])
    assert bytes_per_piece(nothing) is parity(ours, nothing) is parity(nothing, ours) is None


@given(st.lists(hard_text(), max_size=4), st.sampled_from(RULES))
def test_pieces_are_counted_as_the_library_yields_them(lines: list[str], rules: BertRules) -> None:
    vocabulary = WordPiece(SMALL.pieces, rules=rules)
    tokenizer = library_tokenizer(vocabulary)
    expected = [piece for line in lines for piece in library_pieces(tokenizer, line)]
    found = wordpiece_counts(vocabulary, lines)
    assert found == {piece: expected.count(piece) for piece in expected}
    assert sum(found.values()) == audit(vocabulary, lines).pieces


@settings(max_examples=15)
@given(st.lists(st.text("ab ۋ.\u0301", max_size=12), max_size=4))
def test_pieces_are_counted_by_types_as_by_lines(lines: list[str]) -> None:
    tokenizer = byte_level(merges=[("a", "b"), ("Ġ", "ab")])
    by_lines = library_counts(tokenizer, lines, by_types=False)
    assert library_counts(tokenizer, lines, by_types=True) == by_lines
    assert sum(by_lines.values()) == audit_library(tokenizer, lines).pieces
