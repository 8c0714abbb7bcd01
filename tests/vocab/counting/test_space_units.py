"""Units of a text: by hand, then what they promise, natively too."""

from collections import Counter

import pytest
from any_lines import any_line
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.native import core
from specialize.vocab.counting.space_units import LONG, count_units, solid, text_of, units


def test_a_line_is_cut_before_single_spaces():
    line = "ab, c  d\te f\u00a0g h"
    assert list(units(line)) == ["ab,", " c  d\te", " f\u00a0g", " h"]


def test_lines_are_not_cut_next_to_characters_that_are_not_solid():
    """A ZWNJ, a combining mark, an acute accent, SentencePiece's mark; é and 世 are solid."""
    assert list(units("\u200ca b")) == ["\u200ca b"]
    line = "a\u200c b e\u0301 c x´ y ▁ z é 世"
    assert list(units(line)) == ["a\u200c b", " e\u0301 c", " x´ y ▁ z", " é", " 世"]


def test_the_first_unit_of_a_line_that_begins_with_a_space_is_a_type_of_its_own():
    assert count_units([" a", "a a"]) == {"\n a": 1, "a": 1, " a": 1}


@pytest.mark.parametrize("wanted", ["0", "1"])
@pytest.mark.parametrize("first", ["\u200f", " ", "\n", "\u0301"])
def test_long_lines_are_cut_whatever_they_begin_with(wanted, first, monkeypatch):
    if wanted == "1" and not core():
        pytest.skip("the native extension is not installed")
    monkeypatch.setenv("SPECIALIZE_NATIVE", wanted)
    line = first + "ab é" * LONG
    assert len(count_units([line])) == 3
    assert count_units([line]) == Counter(units(line))
    assert len(count_units([line[: LONG // 2]])) == 1


@given(any_line())
def test_units_concatenate_to_their_line(line):
    assert "".join(text_of(unit) for unit in units(line)) == line
    assert all(solid(unit[-1]) for unit in list(units(line))[:-1])


@pytest.mark.skipif(not core(), reason="the native extension is not installed")
@settings(max_examples=50)
@given(st.lists(any_line(), max_size=6), st.sampled_from("125"), st.integers(1, 4000))
def test_the_extension_counts_the_same_units(lines, workers, times):
    lines = lines * times if times > 3990 else lines  # now and then enough for several threads
    counts = []
    for wanted in "01":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SPECIALIZE_NATIVE", wanted)
            patch.setenv("SPECIALIZE_THREADS", workers)
            counts.append(list(count_units(lines).items()))
    assert counts[0] == counts[1]


@pytest.mark.skipif(not core(), reason="the native extension is not installed")
def test_the_extension_knows_which_characters_are_solid():
    codes = [c for c in range(0x33000) if not 0xD800 <= c < 0xE000] + [0xE0001, 0xF0000, 0x10FFFF]
    lines = [f"a{chr(c)} {chr(c)}b" for c in codes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_NATIVE", "0")
        defined = list(count_units(lines))
    assert list(count_units(lines)) == defined
