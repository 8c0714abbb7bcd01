"""Scores of all targets: sentences encoded once, batched by length over all targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from specialize.model.word_encoder import WordBatch, WordEncoder
from specialize.studies.transfer.adapters import TaskAdapter
from specialize.studies.transfer.recipe import Treebank
from specialize.studies.transfer.treebanks import test_sentences
from specialize.tasks._base import Sentence, Tree
from specialize.train.sampling import batches_within

_BUDGET = {"cpu": 2048, "cuda": 16384}  # pieces of a batch

Right = dict[str, list[int]]  # right words of each test sentence, by target


@dataclass(frozen=True)
class TestSet:
    """The test sentences of all targets of a task, as batches on the model's device."""

    __test__ = False  # for pytest: no test

    targets: dict[str, range]  # places of each target's sentences
    sentences: list[Sentence[Any]]
    batches: list[tuple[list[int], WordBatch]]

    def words(self) -> Right:
        """Return the number of words of each sentence, by target."""
        return {n: [len(self.sentences[i].words) for i in own] for n, own in self.targets.items()}


def test_set(
    task: str, targets: Sequence[Treebank], most: int, words: WordEncoder, device: torch.device
) -> TestSet:
    """Return ``most`` sentences of each target (0: all)."""
    sentences: list[Sentence[Any]] = []
    places = {}
    for target in targets:
        found = test_sentences(task, target, most)
        places[target.name] = range(len(sentences), len(sentences) + len(found))
        sentences += found
    return TestSet(places, sentences, list(_batches(sentences, words, device)))


def _batches(
    sentences: Sequence[Sentence[Any]], words: WordEncoder, device: torch.device
) -> Iterator[tuple[list[int], WordBatch]]:
    sizes = words.sizes(s.words for s in sentences)
    for items in batches_within(sizes, _BUDGET[device.type]):
        yield items, words.batch([sentences[i].words for i in items], device)


@torch.no_grad()
def evaluate(adapter: TaskAdapter, test: TestSet) -> Right:
    """Return the right words of each sentence; the adapter is on the model, and in scope."""
    right = [0] * len(test.sentences)
    module = adapter.module.eval()
    for items, batch in test.batches:
        scores = module(batch)
        found = adapter.task.decode(module.head, scores, adapter.labels, batch.mask_BW)
        for i, annotation in zip(items, found, strict=True):
            right[i] = _right(test.sentences[i].gold, annotation)
    return {name: [right[i] for i in own] for name, own in test.targets.items()}


def loss(adapter: TaskAdapter, sentences: Sequence[Sentence[Any]], batch: WordBatch) -> Tensor:
    """Return the task's mean loss on a batch, without dropout."""
    module = adapter.module.eval()
    scores = module(batch)
    return adapter.task.loss(module.head, scores, sentences, adapter.labels, batch.mask_BW)


def _right(gold: Any, annotation: Any) -> int:
    """Return how many words are right: the tag, or head and relation without subtype (LAS)."""
    if not isinstance(gold, Tree):
        return sum(one == other for one, other in zip(gold, annotation, strict=True))
    relations = zip(gold.deprels, annotation.deprels, strict=True)
    same = [one.partition(":")[0] == other.partition(":")[0] for one, other in relations]
    heads = zip(gold.heads, annotation.heads, strict=True)
    return sum(one == other and own for (one, other), own in zip(heads, same, strict=True))
