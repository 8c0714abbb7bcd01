"""Interference: counts of gains and losses, and the paper's worked example."""

import pytest

from specialize.studies.transfer.projection import place_of, projections, signs_of

ALONE = {"ar": 50.0, "bn": 50.0, "cy": 50.0, "de": 50.0}


def test_the_worked_example_of_the_paper() -> None:
    """Appendix F, Table 6: Arabic lies at (0.43, -0.14)."""
    found = place_of({(-1, -1): 1, (-1, 1): 1, (1, -1): 3, (1, 1): 2})
    assert [round(axis, 2) for axis in found] == [0.43, -0.14]


def test_pairs_place_a_language_by_what_it_receives_and_gives() -> None:
    pairs = {
        ("ar", "bn"): {"ar": 51.0, "bn": 49.0},
        ("ar", "cy"): {"ar": 52.0, "cy": 53.0},
        ("bn", "cy"): {"bn": 48.0, "cy": 51.0},
    }
    ar, bn, cy = projections(["ar", "bn", "cy"], ALONE, pairs)
    assert ar.counts == {(1, -1): 1, (1, 1): 1}
    assert (ar.place, bn.place, cy.place) == ((1.0, 0.0), (-1.0, 1.0), (1.0, 0.0))


def test_ties_are_left_out_and_counted() -> None:
    pairs = {("ar", "bn"): {"ar": 50.0, "bn": 60.0}, ("ar", "cy"): {"ar": 40.0, "cy": 60.0}}
    ar, bn, cy = projections(["ar", "bn", "cy"], ALONE, pairs)
    assert (ar.place, ar.ties) == ((-1.0, 1.0), 1)
    assert (bn.place, bn.ties, cy.ties) == ((), 1, 0)


def test_triples_fall_into_octants_and_are_placed_on_three_axes() -> None:
    triples = {
        ("ar", "bn", "cy"): {"ar": 51.0, "bn": 49.0, "cy": 60.0},
        ("ar", "bn", "de"): {"ar": 51.0, "bn": 49.0, "de": 40.0},
    }
    ar, cy = projections(["ar", "cy"], ALONE, triples)
    assert ar.counts == {(1, -1, 1): 1, (1, -1, -1): 1}
    assert ar.place == (1.0, -1.0, 0.0)
    assert cy.counts == {(1, 1, -1): 1}


@pytest.mark.parametrize(("size", "count"), [(2, 4), (3, 8)])
def test_there_is_a_count_for_every_combination_of_signs(size: int, count: int) -> None:
    assert len(set(signs_of(size))) == count
    assert signs_of(size)[0] == (1,) * size
