"""Copies of rows of old pieces that are written alike."""

import pytest
import torch

from specialize.embed import overlap
from specialize.embed._rows import Tables
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "[unused1]", "ﬁ", "Éa", "ea", "##ab", "##c"])
CHANGE = OLD.place(["fi", "éa", "êa", "##AB", "ab", "##d"], slots=False)
TABLES = Tables(torch.arange(22.0).reshape(11, 2), None, torch.arange(11.0))


def copied(**options: bool) -> list[str]:
    sources = overlap.init(TABLES, CHANGE, [], **options).sources
    return [s.removeprefix("copied from ") for s in sources]


DRAWN = "drawn around the mean"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["ﬁ", "Éa", "Éa", "##ab", DRAWN, DRAWN]),
        ({"role": False}, ["ﬁ", "Éa", "Éa", "##ab", "##ab", DRAWN]),
        ({"case": False}, ["ﬁ", "ea", "ea", DRAWN, DRAWN, DRAWN]),
        ({"marks": False}, ["ﬁ", "Éa", DRAWN, "##ab", DRAWN, DRAWN]),
        ({"case": False, "marks": False}, ["ﬁ", DRAWN, DRAWN, DRAWN, DRAWN, DRAWN]),
    ],
)
def test_the_closest_old_piece_of_the_same_position_is_copied(
    options: dict[str, bool], expected: list[str]
) -> None:
    assert copied(**options) == expected


def test_rows_and_biases_are_copied() -> None:
    rows = overlap.init(TABLES, CHANGE, [])
    assert rows.input[:4].tolist() == TABLES.input[[6, 7, 7, 9]].tolist()
    assert rows.bias[:4].tolist() == [6.0, 7.0, 7.0, 9.0]
    assert rows.unmatched == {4, 5}


def test_a_combining_mark_is_not_alike_to_others() -> None:
    old = WordPiece([*SPECIAL, "##\u0301"])
    rows = overlap.init(Tables(torch.randn(6, 2), None, None), old.place(["##\u0300"]), [])
    assert rows.sources == (DRAWN,)
