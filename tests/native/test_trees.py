"""The native tree decoder equals the Python reference, also where several trees are best."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from specialize.native import core
from specialize.tasks._mst import single_root_tree, single_root_trees

pytestmark = pytest.mark.usefixtures("extension")

SCORES = [
    st.integers(-2, 2).map(float),  # many trees are best
    st.floats(-50, 0),
    st.sampled_from([-np.inf, -np.inf, -1.0, -2.0]),
    st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, -1e9, 5e-324, -1e300]),
]


@st.composite
def batches(draw: st.DrawFn) -> tuple[np.ndarray, list[int]]:
    lengths = draw(st.lists(st.integers(0, 9), max_size=3))
    size = max(lengths, default=0) + draw(st.integers(1, 3))
    shape = (len(lengths), size, size)
    return draw(arrays(np.float64, shape, elements=draw(st.sampled_from(SCORES)))), lengths


@given(batches())
def test_trees_equal_the_reference(batch: tuple[np.ndarray, list[int]]) -> None:
    scores, lengths = batch
    expected = [
        single_root_tree(of[: n + 1, : n + 1]) for of, n in zip(scores, lengths, strict=True)
    ]
    assert core().single_root_trees(scores, lengths) == expected


@pytest.mark.parametrize("words", [40, 90])
def test_long_sentences_with_many_nested_cycles_equal_the_reference(words: int) -> None:
    generator = np.random.default_rng(words)
    shape = (words + 1, words + 1)
    near = -np.abs(np.subtract.outer(np.arange(words + 1.0), np.arange(words + 1.0)))
    for scores in (
        generator.normal(size=shape),
        generator.integers(-3, 3, shape).astype(float),
        np.zeros(shape),
        near,
        near + generator.normal(size=shape) / 2,
        np.where(generator.random(shape) < 0.9, -np.inf, near),
    ):
        assert core().single_root_trees(scores[None], [words]) == [single_root_tree(scores)]


def test_scores_of_another_type_or_layout_are_copied() -> None:
    scores = np.random.default_rng(0).normal(size=(3, 6, 6))
    single = scores.astype(np.float32)
    expected = [single_root_tree(one) for one in single]
    assert single_root_trees(single, [5, 5, 5]) == expected
    turned = np.asfortranarray(single.astype(np.float64))
    assert single_root_trees(turned, [5, 5, 5]) == expected


@pytest.mark.parametrize(
    ("scores", "lengths", "message"),
    [
        (np.zeros((2, 3, 3), np.float32), [1, 1], "expected contiguous float64 scores"),
        (np.zeros((2, 3, 4)), [1, 1], "expected contiguous float64 scores"),
        (np.zeros((3, 3)), [1, 1, 1], "expected contiguous float64 scores"),
        (np.zeros((2, 3, 3)).transpose(0, 2, 1), [1, 1], "contiguous"),
        (np.zeros((2, 3, 3)), [1], "expected as many lengths as sentences"),
        (np.zeros((2, 3, 3)), [1, 3], "expected lengths of at least 0 and less than"),
        (np.zeros((2, 3, 3)), [1, -1], "expected lengths of at least 0 and less than"),
        (np.zeros((1, 0, 0)), [0], "expected lengths of at least 0 and less than"),
    ],
)
def test_the_extension_checks_sizes(scores: np.ndarray, lengths: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        core().single_root_trees(scores, lengths)
