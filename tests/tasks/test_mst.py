"""The tree decoder in Python and C++: small trees, the best of all up to five words, networkx."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.tasks._mst import single_root_trees

pytestmark = pytest.mark.usefixtures("both_ways")


def single_root_tree(scores: np.ndarray) -> list[int]:
    return single_root_trees(scores[None], [len(scores) - 1])[0]


@cache
def all_trees(words: int) -> list[tuple[int, ...]]:
    """Return all trees with one root, by trying every assignment of heads."""
    return [heads for heads in product(range(words + 1), repeat=words) if is_tree(heads)]


def is_tree(heads: tuple[int, ...]) -> bool:
    def reaches_root(word: int) -> bool:
        for _ in heads:
            word = heads[word - 1]
            if word == 0:
                return True
        return False

    return heads.count(0) == 1 and all(map(reaches_root, range(1, len(heads) + 1)))


def total(scores: np.ndarray, heads: list[int] | tuple[int, ...]) -> float:
    return sum(scores[word, head] for word, head in enumerate(heads, 1))


def test_the_enumeration_has_as_many_trees_as_cayleys_formula():
    # words^(words-1) rooted labelled trees, the root of each hung on node 0
    assert [len(all_trees(n)) for n in range(1, 6)] == [1, 2, 9, 64, 625]


def test_a_greedy_tree_is_returned_unchanged():
    # 0 -> 2 -> 1, 2 -> 3
    scores = np.array([[0, 0, 0, 0], [1, 0, 9, 1], [9, 1, 0, 1], [1, 1, 9, 0]])
    assert single_root_tree(scores) == [2, 0, 2]


def test_a_cycle_is_broken_where_it_costs_least():
    # 1 and 2 prefer each other (10 each). Root at 1: 9 + 10 = 19; root at 2: 10 + 7 = 17.
    scores = np.array([[0, 0, 0], [9, 0, 10], [7, 10, 0]])
    assert single_root_tree(scores) == [0, 1]


def test_of_two_words_that_want_to_be_root_one_gives_way():
    # greedily both hang on the root (10 + 9); alone, 1 -> 2 makes 10 + 1, 2 -> 1 makes 9 + 3
    scores = np.array([[0, 0, 0], [10, 0, 3], [9, 1, 0]])
    assert single_root_tree(scores) == [2, 0]


def test_the_roots_child_is_chosen_by_the_root_scores():
    # All edges among words cost the same: only the root scores tell the trees apart.
    scores = np.full((5, 5), -1.0)
    scores[1:, 0] = [-5, -2, -3, -4]
    assert single_root_tree(scores).index(0) == 1


def test_one_word_hangs_on_the_root_whatever_its_score():
    assert single_root_tree(np.array([[0, 0], [-np.inf, 0]])) == [0]


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_scores_that_are_not_numbers_are_refused(score):
    for at in ((1, 0), (1, 2), (2, 0), (2, 1)):
        scores = np.zeros((3, 3))
        scores[at] = score
        with pytest.raises(ValueError, match="diverged"):
            single_root_tree(scores)


def test_the_roots_row_the_diagonal_and_pads_are_ignored():
    scores = np.full((2, 5, 5), np.nan)
    scores[0, 1:, :] = [[9, 0, 1, 1, 1], [1, 9, 0, 1, 1], [1, 1, 9, 0, 1], [1, 1, 1, 9, 0]]
    scores[0, range(5), range(5)] = np.nan
    scores[1, 1, 0], scores[1, 1, 2], scores[1, 2, :2] = 1, 2, (2, 2)
    assert single_root_trees(scores, [4, 2]) == [[0, 1, 2, 3], [2, 0]]


def test_a_batch_may_be_empty_or_have_sentences_without_words():
    assert single_root_trees(np.zeros((0, 1, 1)), []) == []
    assert single_root_trees(np.zeros((2, 2, 2)), [0, 1]) == [[], [0]]


SCORE = st.one_of(
    st.integers(-2, 2).map(float),  # ties
    st.floats(-50, 0),
    st.sampled_from([-1e9, -1e4]),  # as good as forbidden
)


@st.composite
def square(draw, score=SCORE, largest=5):
    size = draw(st.integers(1, largest)) + 1
    values = draw(st.lists(score, min_size=size * size, max_size=size * size))
    return np.array(values).reshape(size, size)


@settings(max_examples=400, deadline=None)
@given(square())
def test_the_tree_is_the_best_of_all_single_root_trees(scores):
    heads = single_root_tree(scores)
    assert is_tree(tuple(heads))
    best = max(total(scores, tree) for tree in all_trees(len(heads)))
    assert total(scores, heads) == pytest.approx(best, rel=1e-12, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(square(st.one_of(st.floats(-9, 0), st.just(-np.inf))))
def test_forbidden_edges_are_used_only_if_every_tree_needs_one(scores):
    heads = single_root_tree(scores)
    assert is_tree(tuple(heads))

    def worth(tree):
        values = [scores[word, head] for word, head in enumerate(tree, 1)]
        allowed = [value for value in values if value > -np.inf]
        return len(allowed), sum(allowed)

    best = max(map(worth, all_trees(len(heads))))
    assert worth(heads) == pytest.approx(best, abs=1e-9)


def test_long_sentences_end_in_trees():
    generator = np.random.default_rng(0)
    for words in (30, 100, 300):
        heads = single_root_tree(generator.normal(size=(words + 1, words + 1)))
        assert is_tree(tuple(heads))


def test_a_chain_of_nested_cycles_is_undone():
    # each word prefers the previous one, the first prefers the last: a cycle of all words
    words = 200
    scores = np.full((words + 1, words + 1), -5.0)
    for word in range(1, words + 1):
        scores[word, (word - 2) % words + 1] = 1.0
    scores[7, 0] = -1.0
    heads = single_root_tree(scores)
    assert heads[6] == 0
    assert total(scores, heads) == words - 1 - 1.0


def with_networkx(scores: np.ndarray) -> list[int]:
    """Return the best tree; each root edge costs more than all other differences together."""
    networkx = pytest.importorskip("networkx")
    size = len(scores)
    cost = 2 * size * (scores.max() - scores.min() + 1)
    graph = networkx.DiGraph()
    for word in range(1, size):
        for head in range(size):
            if head != word:
                graph.add_edge(head, word, weight=scores[word, head] - cost * (head == 0))
    tree = networkx.maximum_spanning_arborescence(graph)
    return [next(iter(tree.predecessors(word))) for word in range(1, size)]


@pytest.mark.parametrize("words", [2, 7, 15, 25])
def test_the_tree_is_as_good_as_that_of_networkx(words):
    generator = np.random.default_rng(words)
    for scores in generator.normal(size=(4, words + 1, words + 1)):
        heads = single_root_tree(scores)
        assert is_tree(tuple(heads))
        assert total(scores, heads) == pytest.approx(total(scores, with_networkx(scores)))
