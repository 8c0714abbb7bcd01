"""Skip-gram vectors: neighbours of a toy text, the gradient, n-grams, determinism."""

import random

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.errors import DataError
from specialize.vectors import skipgram as module
from specialize.vectors.skipgram import ngrams, skipgram

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


def test_words_of_the_same_contexts_become_nearest() -> None:
    vectors = F.normalize(skipgram(text(), WORDS, seed=1, **SHORT), dim=1)
    assert vectors.shape == (len(WORDS), 12)
    for group in (ANIMALS, TOOLS):
        for word in group:
            near = (vectors @ vectors[WORDS.index(word)])[: len(ANIMALS + TOOLS)].topk(4).indices
            assert {WORDS[i] for i in near.tolist()} == set(group)


def test_words_of_equal_parts_are_near_where_contexts_say_nothing() -> None:
    words = ["garden", "gardens", "brick", "bricks", "and"]
    lines = [[rng, 4] for rng in (0, 1, 2, 3)] * 100
    vectors = F.normalize(skipgram(lines, words, seed=3, **SHORT), dim=1)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[3]


def test_the_same_seed_gives_the_same_vectors_whatever_else_is_drawn() -> None:
    first = skipgram(text(), WORDS, seed=5, **SHORT)
    torch.manual_seed(99)
    random.seed(99)
    assert torch.equal(first, skipgram(text(), WORDS, seed=5, **SHORT))
    assert not torch.equal(first, skipgram(text(), WORDS, seed=6, **SHORT))


def test_a_step_follows_the_gradient_that_autograd_finds() -> None:
    generator = torch.Generator().manual_seed(1)
    words = ["ab", "abc", "b", "bcd"]
    grams = module._Grams.of(words)
    table = torch.randn(grams.rows, 5, generator=generator)
    contexts = torch.randn(len(words), 5, generator=generator)
    centres_P, contexts_P = torch.tensor([0, 0, 2, 1]), torch.tensor([1, 3, 0, 3])
    noise_K = torch.tensor([3, 3, 1])
    hidden = grams.means(table, torch.arange(len(words))).requires_grad_()
    leaf = contexts.clone().requires_grad_()
    loss = _loss(hidden, leaf, centres_P, contexts_P, noise_K, 5)
    loss.backward()
    assert hidden.grad is not None
    assert leaf.grad is not None

    tables = module._Tables(table.clone(), contexts.clone())
    mean = module._step(tables, grams, centres_P, contexts_P, noise_K, 5, 0.1)
    assert torch.allclose(mean * 4, loss.detach(), rtol=1e-5)
    assert torch.allclose(tables.contexts_VD, contexts - 0.1 * leaf.grad, atol=1e-6)
    expected = table.clone()
    for i in range(len(words)):
        for row in grams.of_words(torch.tensor([i]))[0].tolist():
            expected[row] -= 0.1 * hidden.grad[i]
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
            return module.np.full(size, high - 1)

    ids, lines = module.np.array([0, 1, 2, 3, 4]), module.np.array([0, 0, 0, 1, 1])
    centres, contexts = module._pairs(ids, lines, 2, Widest())  # type: ignore[arg-type]
    found = sorted(zip(centres.tolist(), contexts.tolist(), strict=True))
    assert found == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 4), (4, 3)]


@pytest.mark.parametrize("lines", [[], [[]], [[0], [1]]])
def test_text_without_a_pair_is_refused(lines: list[list[int]]) -> None:
    with pytest.raises(DataError, match="two known words or more"):
        skipgram(lines, WORDS, seed=1)


def test_a_text_of_two_words_is_enough() -> None:
    vectors = skipgram([[0, 1]], ["a", "b"], width=4, seed=1)
    assert vectors.shape == (2, 4)
    assert vectors.isfinite().all()
