"""Weighted means of other methods' rows, and what happens where a method finds nothing."""

import pytest
import torch

from specialize.embed import blend, mean, moments, subwords
from specialize.embed._rows import FreshRows, Tables
from specialize.errors import UsageError
from specialize.recipe.methods import bind
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "a", "b", "##a", "##b"])
CHANGE = OLD.place(["ab", "xb"])  # x is unknown
TABLE = torch.arange(18.0).reshape(9, 2)
UNTIED = Tables(TABLE, -TABLE, TABLE[:, 0])


def rows_of(of: list, **options) -> FreshRows:
    return bind("embed", "blend", {"of": of} | options)(UNTIED, CHANGE, [], seed=4)


MEAN = {"method": "mean", "noise": 0.0}


def test_rows_of_every_table_are_weighted_means() -> None:
    rows = rows_of(["subwords", MEAN], weights=[3, 1])
    pieces = (TABLE[5] + TABLE[8]) / 2
    expected = 0.75 * pieces + 0.25 * TABLE.mean(dim=0)
    torch.testing.assert_close(rows.input[0], expected)
    torch.testing.assert_close(rows.output[0], -expected)
    torch.testing.assert_close(rows.bias[0], expected[0])
    assert rows.sources[0] == "0.75 subwords: mean of a, ##b; 0.25 mean: the mean row"


def test_a_method_that_finds_nothing_leaves_its_weight_to_the_others() -> None:
    rows = rows_of(["subwords", MEAN], weights=[3, 1])
    torch.testing.assert_close(rows.input[1], TABLE.mean(dim=0))
    assert rows.sources[1] == "mean: the mean row"
    assert not rows.unmatched


def test_a_weight_of_0_makes_a_method_the_fallback_of_others() -> None:
    rows = rows_of(["subwords", MEAN], weights=[1, 0])
    assert rows.sources == ("subwords: mean of a, ##b", "mean: the mean row")
    torch.testing.assert_close(rows.input[0], (TABLE[5] + TABLE[8]) / 2)
    torch.testing.assert_close(rows.input[1], TABLE.mean(dim=0))


def test_what_no_method_finds_is_drawn_once() -> None:
    """A mean of two draws would have a smaller deviation than rows have."""
    rows = rows_of(["subwords", {"method": "subwords", "weights": "length"}])
    assert rows.unmatched == {1}
    assert rows.sources[1] == "subwords: drawn around the mean"
    again = rows_of(["subwords", "overlap"])
    assert torch.equal(rows.input[1], again.input[1])


def test_drawn_rows_of_two_methods_are_independent() -> None:
    """Unless the table of a method sets its seed."""
    table = torch.randn(9, 4000, generator=torch.Generator().manual_seed(0))
    tables = Tables(table, None, None)
    drawn = blend.init(tables, CHANGE, [], of=(mean.init, moments.init)).input
    centred = drawn - table.mean(dim=0)
    assert (centred / table.std(dim=0)).std() == pytest.approx(0.5**0.5, abs=0.03)
    same = [{"method": "moments", "seed": 7}] * 2
    rows = bind("embed", "blend", {"of": same})(tables, CHANGE, [])
    torch.testing.assert_close(rows.input, moments.init(tables, CHANGE, [], seed=7).input)


def test_functions_are_blended_as_well_as_names() -> None:
    rows = blend.init(UNTIED, CHANGE, [], of=(subwords.init, subwords.init))
    torch.testing.assert_close(rows.input[0], (TABLE[5] + TABLE[8]) / 2)


def test_blends_may_be_nested() -> None:
    inner = {"method": "blend", "of": ["subwords", MEAN]}
    rows = rows_of([inner, MEAN])
    expected = 0.25 * (TABLE[5] + TABLE[8]) / 2 + 0.75 * TABLE.mean(dim=0)
    torch.testing.assert_close(rows.input[0], expected)


@pytest.mark.parametrize(
    ("of", "weights"),
    [
        ([], []),
        (["mean"], []),
        (["mean"] * 2, [1]),
        (["mean"] * 2, [0, 0]),
        (["mean"] * 2, [2, -1]),
    ],
)
def test_weights_that_make_no_mean_are_refused(of: list, weights: list) -> None:
    with pytest.raises(UsageError, match="expected two methods or more, with weights of 0 or more"):
        rows_of(of, weights=weights)


@pytest.mark.parametrize(
    ("of", "message"),
    [
        (["subwords", "scrip"], r"unknown embed 'scrip'; .*did you mean 'script'\?"),
        ([{"method": "script", "size": 3}, "mean"], r"unknown key 'size' in the options of embed"),
        ([{"method": "script", "scale": "x"}], r"embed\.of\.scale = 'x': expected a number"),
        ([3], r"embed\.of = \[3\]: expected a list of methods"),
        ("subwords", r"embed\.of = 'subwords': expected a list of methods"),
        ([{"scale": 1.0}], r"embed\.of = .*expected a list of methods"),
    ],
)
def test_methods_in_a_blend_are_checked_as_in_a_recipe(of: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bind("embed", "blend", {"of": of}, where="embed")
