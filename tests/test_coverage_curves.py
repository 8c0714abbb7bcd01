"""Coverage curves: by hand, prefixes of one selection, texts apart."""

import pytest
from any_lines import any_line
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import bpe

from specialize.augment import char_first, greedy, tva
from specialize.corpus import count_lines
from specialize.coverage_curves import Curve, Point, coverage_curves, selections
from specialize.errors import DataError
from specialize.toylang import ToyFiles
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

pytestmark = pytest.mark.usefixtures("both_ways")

OPEN = WordPiece([*SPECIAL, "a", "b", "##a", "##b"])
RANKED = {"tva": tva.change, "char_first": char_first.change, "greedy": greedy.change}


def curve(method: str, *lines: str, on: list[str]) -> Curve:
    found = coverage_curves("toy", OPEN, on, {"text": list(lines)})
    return next(one for one in found if one.method == method)


def test_the_points_of_a_curve_are_counted_on_the_text() -> None:
    """şa şa ab: two unknown words, then ş ##a ş ##a a ##b."""
    found = curve("char_first", "şa şa ab", on=["şa çç"])
    assert found.points == (
        Point(0, 2 / 4, 4 / 3),
        Point(3, 0.0, 6 / 3),  # ş, ç, ##ç: the method ends before 10
    )
    assert found.ends
    assert found.at(2) == found.points[0]
    assert found.at(99) == found.points[1]


def test_pieces_are_chosen_on_another_text_than_measured() -> None:
    found = curve("greedy", "çç", on=["şa"])
    assert [point.unknown_pieces for point in found.points] == [1.0, 1.0]


def test_a_text_without_words_has_no_shares() -> None:
    assert curve("tva", on=["şa"]).points[0] == Point(0, None, None)
    with pytest.raises(DataError, match="expected a corpus with words"):
        curve("tva", "şa", on=[])


def test_other_families_have_extend_alone() -> None:
    vocabulary = bpe("abs")
    found = list(coverage_curves("toy", vocabulary, ["ab ab ab ab ab"], {"text": ["ab"]}))
    assert [one.method for one in found] == ["extend"]
    first, *_, last = found[0].points
    assert first.pieces_per_word > last.pieces_per_word


def assert_equal_to_selection(vocabulary: WordPiece, lines: list[str], steps: list[int]) -> None:
    text = count_lines(lines)
    for method, change in RANKED.items():
        found = selections(vocabulary, text, change, ranked=True, steps=steps)
        for step, selected in zip(steps, found, strict=False):
            wanted = change(vocabulary, text, pieces=step)
            assert selected.fresh_pieces == wanted.fresh_pieces, (method, step)
            assert selected.new.pieces == wanted.new.pieces


@settings(deadline=None, max_examples=30)
@given(st.lists(any_line(), min_size=1, max_size=6))
def test_a_prefix_of_a_selection_is_the_smaller_selection(lines: list[str]) -> None:
    lines = [*lines, "şa ça " * 6, "aş abc cab " * 5]
    assert_equal_to_selection(OPEN, lines, [0, 1, 2, 3, 5, 8, 40])


def test_dropped_pieces_are_chosen_again_for_each_number() -> None:
    """##bc leads abcd into a dead end; with so many pieces it does, with fewer it may not."""
    vocabulary = WordPiece([*SPECIAL, "a", "##b", "##cd", "b", "c", "d"])
    lines = ["abcd " * 9, "xbc xbc " * 8, "xbce " * 7, "dbc " * 6]
    assert_equal_to_selection(vocabulary, lines, [0, 1, 2, 3, 4, 6, 20])


def test_the_toy_language_has_prefixes_too(vocabulary: WordPiece, toy: ToyFiles) -> None:
    lines = toy.corpus.read_text("utf-8").splitlines()[:400]
    assert_equal_to_selection(vocabulary, lines, [0, 5, 20, 60])
