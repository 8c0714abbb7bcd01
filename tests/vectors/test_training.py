"""Vectors by skip-gram and CBOW: neighbours of a toy text, the gradient, determinism."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.errors import DataError
from specialize.vectors import cbow as cbow_module
from specialize.vectors import skipgram as module
from specialize.vectors import training
from specialize.vectors.cbow import cbow
from specialize.vectors.skipgram import skipgram
from specialize.vectors.training import Grams, Pairs, Tables, ngrams

ANIMALS, TOOLS = ["kat", "hund", "fox", "wolf"], ["saw", "nail", "drill", "plum"]
WORDS = [*ANIMALS, *TOOLS, "runs", "eats", "sleeps", "cuts", "lies", "breaks"]
SHORT = {"width": 12, "epochs": 5, "sample": 1.0}


def text() -> list[list[int]]:
    rng = random.Random(1)
    ids = {word: i for i, word in enumerate(WORDS)}
    kinds = [(ANIMALS, WORDS[8:11]), (TOOLS, WORDS[11:])]
    lines = []
    for _ in range(400):
        nouns, verbs = rng.choice(kinds)
        lines.append([ids[rng.choice(nouns)], ids[rng.choice(verbs)]])
    return lines


def test_ngrams_have_three_to_six_characters_of_the_marked_word() -> None:
    assert list(ngrams("ab")) == ["<ab", "<ab>", "ab>"]
    assert list(ngrams("a")) == ["<a>"]
    assert max(map(len, ngrams("abcdefghi"))) == 6


@pytest.mark.parametrize("model", [skipgram, cbow])
def test_words_of_the_same_contexts_become_nearest(model: Any) -> None:
    vectors = F.normalize(model(text(), WORDS, seed=1, **SHORT), dim=1)
    assert vectors.shape == (len(WORDS), 12)
    for group in (ANIMALS, TOOLS):
        for word in group:
            near = (vectors @ vectors[WORDS.index(word)])[: len(ANIMALS + TOOLS)].topk(4).indices
            assert {WORDS[i] for i in near.tolist()} == set(group)


@pytest.mark.parametrize("model", [skipgram, cbow])
def test_words_of_equal_parts_are_near_where_contexts_say_nothing(model: Any) -> None:
    words = ["garden", "gardens", "brick", "bricks", "and"]
    lines = [[rng, 4] for rng in (0, 1, 2, 3)] * 100
    vectors = F.normalize(model(lines, words, seed=3, **SHORT), dim=1)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[3]


@pytest.mark.parametrize("model", [skipgram, cbow])
def test_the_same_seed_gives_the_same_vectors_whatever_else_is_drawn(model: Any) -> None:
    first = model(text(), WORDS, seed=5, **SHORT)
    torch.manual_seed(99)
    random.seed(99)
    assert torch.equal(first, model(text(), WORDS, seed=5, **SHORT))
    assert not torch.equal(first, model(text(), WORDS, seed=6, **SHORT))


@pytest.mark.parametrize("model", [skipgram, cbow])
def test_an_ngram_that_many_words_share_makes_steps_small(model: Any) -> None:
    """As Vietnamese "ng>", with which steps of 1,024 words diverged."""
    words = [f"{a}{b}ng" for a in "bcdghklmnt" for b in "aeiouy"]
    rng = random.Random(1)
    lines = [rng.choices(range(len(words)), k=8) for _ in range(400)]
    vectors = model(lines, words, seed=1, **SHORT)
    assert vectors.isfinite().all()
    assert vectors.norm(dim=1).max() < 5


def small_tables() -> tuple[Grams, Tensor, Tensor]:
    """Return four words' n-grams, and random rows of these and of the words as contexts."""
    generator = torch.Generator().manual_seed(1)
    grams = Grams.of(["ab", "abc", "b", "bcd"])
    table = torch.randn(grams.rows, 5, generator=generator)
    return grams, table, torch.randn(4, 5, generator=generator)


def test_a_step_follows_the_gradient_that_autograd_finds() -> None:
    grams, table, contexts = small_tables()
    ids = torch.tensor([0, 2, 1, 3])
    pairs = Pairs(ids, torch.tensor([0, 0, 1, 2]), torch.tensor([2, 3, 0, 3]))
    centres_P, contexts_P = torch.tensor([0, 0, 2, 1]), torch.tensor([1, 3, 0, 3])
    noise_K = torch.tensor([3, 3, 1])
    hidden = grams.means(table, torch.arange(4)).requires_grad_()
    leaf = contexts.clone().requires_grad_()
    loss = _loss(hidden, leaf, centres_P, contexts_P, noise_K, 5)
    loss.backward()
    assert hidden.grad is not None
    assert leaf.grad is not None

    tables = Tables(table.clone(), contexts.clone())
    mean = module._step(tables, grams, pairs, noise_K, 5, 0.1)
    assert torch.allclose(mean * 4, loss.detach(), rtol=1e-5)
    assert torch.allclose(tables.contexts_VD, contexts - 0.1 * leaf.grad, atol=1e-6)
    expected = table.clone()
    for i in range(4):
        for row in grams.of_words(torch.tensor([i]))[0].tolist():
            expected[row] -= 0.1 * hidden.grad[i]
    assert torch.allclose(tables.grams_ND, expected, atol=1e-6)


def test_a_step_of_cbow_follows_the_gradient_that_autograd_finds() -> None:
    """Of the loss by its definition; each row of a context takes the whole gradient of the mean."""
    grams, table, contexts = small_tables()
    ids = torch.tensor([0, 2, 1, 2])  # contexts of place 0 are words 2 and 1, of place 3 word 2
    pairs = Pairs(ids, torch.tensor([0, 3, 0]), torch.tensor([1, 1, 2]))
    noise_K = torch.tensor([3, 3, 1])
    rows = {word: grams.of_words(torch.tensor([word]))[0].tolist() for word in range(4)}
    near = {0: [2, 1], 3: [2]}
    leaf = contexts.clone().requires_grad_()
    means = {s: table[[r for w in own for r in rows[w]]].mean(0) for s, own in near.items()}
    hidden = {s: mean.clone().requires_grad_() for s, mean in means.items()}
    loss = torch.zeros(())
    for place, state in hidden.items():
        loss = loss - F.logsigmoid(state @ leaf[ids[place]])
        for noise in noise_K.tolist():
            loss = loss - 5 / 3 * F.logsigmoid(-state @ leaf[noise])
    loss.backward()

    tables = Tables(table.clone(), contexts.clone())
    mean = cbow_module._step(tables, grams, pairs, noise_K, 5, 0.1)
    assert torch.allclose(mean * 2, loss.detach(), rtol=1e-5)
    assert leaf.grad is not None
    assert torch.allclose(tables.contexts_VD, contexts - 0.1 * leaf.grad, atol=1e-6)
    expected = table.clone()
    for place, own in near.items():
        for row in (row for word in own for row in rows[word]):
            expected[row] -= 0.1 * hidden[place].grad
    assert torch.allclose(tables.grams_ND, expected, atol=1e-6)


def _loss(
    hidden: Tensor,
    contexts: Tensor,
    centres_P: Tensor,
    contexts_P: Tensor,
    noise_K: Tensor,
    negatives: int,
) -> Tensor:
    """Return the loss pair by pair, by its definition."""
    total = torch.zeros(())
    for centre, context in zip(centres_P.tolist(), contexts_P.tolist(), strict=True):
        total = total - F.logsigmoid(hidden[centre] @ contexts[context])
        for noise in noise_K.tolist():
            share = negatives / len(noise_K)
            total = total - share * F.logsigmoid(-hidden[centre] @ contexts[noise])
    return total


def test_pairs_are_within_the_window_and_the_line() -> None:
    class Widest:
        """Draws the whole window for every word."""

        def integers(self, low: int, high: int, size: int) -> object:
            return np.full(size, high - 1)

    ids, lines = np.array([5, 6, 7, 8, 9]), np.array([0, 0, 0, 1, 1])
    pairs = training.Pairs.of(ids, lines, 2, Widest())  # type: ignore[arg-type]
    found = sorted(zip(pairs.centres_P.tolist(), pairs.contexts_P.tolist(), strict=True))
    assert found == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3)]


@pytest.mark.parametrize("model", [skipgram, cbow])
@pytest.mark.parametrize("lines", [[], [[]], [[0], [1]]])
def test_text_without_a_pair_is_refused(lines: list[list[int]], model: Any) -> None:
    with pytest.raises(DataError, match="two known words or more"):
        model(lines, WORDS, seed=1)


@pytest.mark.parametrize("model", [skipgram, cbow])
def test_a_text_of_two_words_is_enough(model: Any) -> None:
    vectors = model([[0, 1]], ["a", "b"], width=4, seed=1)
    assert vectors.shape == (2, 4)
    assert vectors.isfinite().all()
