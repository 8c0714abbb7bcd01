"""FOCUS: sparsemax by its definition, and mixtures of pieces used alike in the text."""

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specialize.embed import focus
from specialize.embed._rows import Tables
from specialize.errors import DataError, UsageError
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

NOUNS, VERBS = ["ka", "lo", "mi"], ["tr", "pl", "dv"]
OLD = WordPiece([*SPECIAL, *NOUNS, *VERBS, "of", *(f"##{c}" for c in "abcz"), *"abcz"])
CHANGE = OLD.place(["bac", "caz"])  # used as nouns and as verbs
TABLE = torch.randn(len(OLD.pieces), 4, generator=torch.Generator().manual_seed(0))
OPTIONS = {"width": 16, "epochs": 4}


def text() -> list[str]:
    """Lines of nouns and lines of verbs, long enough that frequent pieces are left out of them."""
    rng = Random(1)
    groups = [*NOUNS, "bac"], [*VERBS, "caz"]
    return [" ".join(rng.choices(group, k=200)) for _ in range(60) for group in groups]


def brute_force(values: torch.Tensor) -> torch.Tensor:
    """Return the nearest point of the simplex: of the points for each support, the best."""
    best, distance = values, float("inf")
    for support in range(1, 2 ** len(values)):
        chosen = torch.tensor([bool(support >> i & 1) for i in range(len(values))])
        point = torch.where(chosen, values - (values[chosen].sum() - 1) / chosen.sum(), 0.0)
        if point.min() >= 0 and (away := float((point - values).square().sum())) < distance:
            best, distance = point, away
    return best


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=6))
def test_sparsemax_is_the_nearest_point_of_the_simplex(values: list[float]) -> None:
    row = torch.tensor(sorted(values, reverse=True), dtype=torch.float64)
    assert torch.allclose(focus.sparsemax(row[None])[0], brute_force(row), atol=1e-9)


def test_supports_of_more_than_the_entries_tried_first_are_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generator = torch.Generator().manual_seed(1)
    queries = torch.randn(7, 3, generator=generator)
    rows = torch.randn(40, 3, generator=generator)
    whole = focus.mixtures(queries, rows)
    assert max(map(len, whole)) > 4
    monkeypatch.setattr(focus, "_FIRST", 4)
    parts = focus.mixtures(queries, rows)
    assert [row.keys() for row in parts] == [row.keys() for row in whole]
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-5) for row in parts)


def test_a_piece_is_mixed_from_those_of_its_contexts() -> None:
    rows = focus.init(Tables(TABLE, None, None), CHANGE, text(), seed=1, **OPTIONS)
    for f, group in enumerate((NOUNS, VERBS)):
        first = rows.sources[f].removeprefix("mixed from ").split()[0]
        assert first in group, rows.sources


def test_pieces_that_the_text_lacks_fall_back_to_their_old_segmentation() -> None:
    change = OLD.place(["bac", "zcb", "яя"])
    rows = focus.init(Tables(TABLE, None, None), change, text(), seed=1, **OPTIONS)
    assert rows.sources[0].startswith("mixed from ")
    assert rows.sources[1] == "mean of z, ##c, ##b"
    assert rows.sources[2] == "drawn around the mean"
    assert rows.unmatched == {2}
    expected = TABLE[[OLD.ids[p] for p in ("z", "##c", "##b")]].mean(0)
    assert torch.allclose(rows.input[1], expected)


@pytest.mark.parametrize(
    ("corpus", "error", "message"),
    [
        ([], UsageError, r"reads text and got none; add a corpus.*fasttext\.cc"),
        (["x"], DataError, "no piece occurs 5 times"),
        (["bac"] * 9, DataError, "a line of two known words"),
        (["bac bac"] * 9, DataError, "kept pieces with an auxiliary vector, got none"),
    ],
)
def test_what_is_missing_is_named(corpus: list[str], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        focus.init(Tables(TABLE, None, None), CHANGE, corpus, **OPTIONS)
