"""Tables of plain text."""

import pytest

from specialize.reports.tables import columns, filled, most_frequent, short_names


def test_two_columns_are_aligned_to_the_left_and_the_others_to_the_right() -> None:
    rows = [("tokenizer", "text", "words"), ("mini", "ug", "10,668")]
    assert columns(rows) == ["tokenizer  text   words", "mini       ug    10,668"]


def test_long_names_are_shortened_in_the_middle() -> None:
    row = ["abcdefghijklmnopqrst", "b", "1"]
    assert columns([row], width=20) == ["abcdef…nopqrst  b  1"]
    assert columns([row], width=2) == ["abcde…opqrst  b  1"]  # both ends are kept


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["texts/ug.txt.xz"], ["ug.txt.xz"]),
        (["models/ug/vocab.txt", "vocab.txt", "mini"], ["ug", "vocab.txt", "mini"]),
        (["a/dev.txt", "b/dev.txt"], ["a/dev.txt", "b/dev.txt"]),
        (["a/x/dev.txt", "b/x/dev.txt"], ["a/x/dev.txt", "b/x/dev.txt"]),
        (["a/ug/vocab.txt", "b/ug/vocab.txt"], ["a/ug", "b/ug"]),
        (["a/dev.txt", "dev.txt"], ["a/dev.txt", "dev.txt"]),
    ],
)
def test_paths_are_as_short_as_tells_them_apart(names: list[str], short: list[str]) -> None:
    assert short_names(names) == dict(zip(names, short, strict=True))


def test_lists_are_filled_to_the_width() -> None:
    assert filled(["aa", "bb", "cc"], width=8) == "  aa  bb\n  cc"


def test_the_most_frequent_characters_come_first_with_how_many_more() -> None:
    counts = {"b": 1, "a": 1, "\u200c": 3}
    assert most_frequent(counts, 2) == "  (U+200C) 3  a(U+0061) 1  and 1 more"
