"""The CRF: one case with known values, then sums and maxima over all paths."""

import math
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.tasks._batch import UNKNOWN
from specialize.tasks._crf import (
    bio_constraints,
    log_partition,
    negative_log_likelihood,
    viterbi,
)

INF = math.inf


def path_score(emissions, transitions, path) -> float:
    own = sum(emissions[word, label].item() for word, label in enumerate(path))
    return own + sum(transitions[a, b].item() for a, b in pairwise(path))


def all_paths(words, labels):
    return list(product(range(labels), repeat=words))


def test_two_words_and_two_labels_by_hand():
    emissions = torch.tensor([[[0.0, 1.0], [2.0, 0.0]]])
    transitions = torch.tensor([[0.0, 3.0], [-1.0, 0.0]])
    # 0,0: 0+0+2 = 2; 0,1: 0+3+0 = 3; 1,0: 1-1+2 = 2; 1,1: 1+0+0 = 1
    expected = math.log(math.exp(2) + math.exp(3) + math.exp(2) + math.exp(1))
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert log_partition(emissions, transitions, mask).item() == pytest.approx(expected)
    assert viterbi(emissions, transitions, mask) == [[0, 1]]
    tags = torch.tensor([[1, 0]])
    loss = negative_log_likelihood(emissions, transitions, tags, mask)
    assert loss.item() == pytest.approx(expected - 2)


def test_bio_constraints_of_one_type():
    start, transitions = bio_constraints(["B-LOC", "I-LOC", "I-PER", "O"])
    assert start.tolist() == [0, -INF, -INF, 0]
    assert transitions.tolist() == [
        [0, 0, -INF, 0],
        [0, 0, -INF, 0],
        [0, -INF, 0, 0],
        [0, -INF, -INF, 0],
    ]


@st.composite
def batches(draw):
    """Two sentences of up to four words, the second of any length, random scores."""
    words, labels = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    emissions = 3 * torch.randn(2, words, labels, generator=generator, dtype=torch.float64)
    transitions = 3 * torch.randn(labels, labels, generator=generator, dtype=torch.float64)
    lengths = [words, draw(st.integers(1, words))]
    mask = torch.arange(words) < torch.tensor(lengths).unsqueeze(1)
    tags = torch.randint(labels, (2, words), generator=generator)
    return emissions, transitions, lengths, mask, tags


@settings(max_examples=60, deadline=None)
@given(batches())
def test_the_partition_sums_all_paths_and_viterbi_finds_the_best(batch):
    emissions, transitions, lengths, mask, _ = batch
    sums = log_partition(emissions, transitions, mask)
    best = viterbi(emissions, transitions, mask)
    for b, length in enumerate(lengths):
        scores = {
            path: path_score(emissions[b], transitions, path)
            for path in all_paths(length, emissions.shape[2])
        }
        expected = torch.tensor(list(scores.values()), dtype=torch.float64).logsumexp(0)
        assert sums[b].item() == pytest.approx(expected.item())
        assert scores[tuple(best[b])] == pytest.approx(max(scores.values()))


@settings(max_examples=60, deadline=None)
@given(batches(), st.integers(0, 3))
def test_an_unknown_tag_is_summed_out(batch, place):
    emissions, transitions, lengths, mask, tags = batch
    tags = tags.masked_fill(~mask, UNKNOWN)
    tags[:, place % tags.shape[1]] = UNKNOWN
    losses = negative_log_likelihood(emissions, transitions, tags, mask)
    sums = log_partition(emissions, transitions, mask)
    for b, length in enumerate(lengths):
        known = tags[b, :length].tolist()
        matching = [
            path_score(emissions[b], transitions, path)
            for path in all_paths(length, emissions.shape[2])
            if all(tag in (UNKNOWN, label) for tag, label in zip(known, path, strict=True))
        ]
        numerator = torch.tensor(matching, dtype=torch.float64).logsumexp(0)
        assert losses[b].item() == pytest.approx((sums[b] - numerator).item(), abs=1e-9)


def test_pads_change_nothing_and_gradients_are_finite():
    generator = torch.Generator().manual_seed(0)
    emissions = torch.randn(1, 5, 3, generator=generator, requires_grad=True)
    transitions = torch.randn(3, 3, generator=generator, requires_grad=True)
    mask = torch.tensor([[True, True, True, False, False]])
    tags = torch.tensor([[0, UNKNOWN, 2, UNKNOWN, UNKNOWN]])
    loss = negative_log_likelihood(emissions, transitions, tags, mask)
    short = negative_log_likelihood(emissions[:, :3], transitions, tags[:, :3], mask[:, :3])
    assert loss.item() == pytest.approx(short.item())
    loss.sum().backward()
    assert emissions.grad.isfinite().all()
    assert transitions.grad.isfinite().all()
    assert emissions.grad[0, 3:].abs().sum() == 0


def test_the_likelihoods_of_all_paths_sum_to_one():
    generator = torch.Generator().manual_seed(1)
    emissions = torch.randn(1, 3, 3, generator=generator).expand(27, 3, 3)
    transitions = torch.randn(3, 3, generator=generator)
    mask = torch.ones(27, 3, dtype=torch.bool)
    losses = negative_log_likelihood(emissions, transitions, torch.tensor(all_paths(3, 3)), mask)
    assert losses.neg().exp().sum().item() == pytest.approx(1)
