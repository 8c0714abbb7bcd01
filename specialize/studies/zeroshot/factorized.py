"""Heads whose last layer comes from parameter space factorization (`modules.psf`).

Of tags, it is the layer before the softmax; of trees, that of the relations, over the products of
the features of a word and of its head. Which word is the head is scored as without factorization.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from specialize.modules.psf import Divergences, Factorization
from specialize.modules.scope import Scope
from specialize.studies.zeroshot.plans import Psf
from specialize.tasks._base import Task
from specialize.tasks._biaffine import BiaffineHead, mlp
from specialize.tasks._tagger import TagHead
from specialize.tasks.dep import DepTask

# shapes: B sentences, W words, H heads, N words of a batch without pads, K width, L labels


class Factorized:
    """The factorization of all heads, and the pair for which they run."""

    def __init__(self, plan: Psf, width: int, languages: list[str], *, seed: int) -> None:
        """``width``: of the states of words."""
        self.plan, self.width, self.seed = plan, width, seed
        self.module = Factorization(width, embedding=plan.embedding, rank=plan.rank, seed=seed)
        for language in languages:
            self.module.languages.add(language, seed=seed)
        self.divergences: Divergences | None = None  # of the last forward pass
        self._scopes: list[Scope] = []

    @contextmanager
    def at(self, scope: Scope) -> Iterator[None]:
        """Run heads for ``scope`` meanwhile; UsageError if a variable is missing."""
        self.module.check(scope)
        self._scopes.append(scope)
        try:
            yield
        finally:
            self._scopes.pop()

    def head(self, task: Task[Any], labels: dict[str, list[str]]) -> nn.Module:
        """Return a head of a task, and add the task to the factorization."""
        (names,) = labels.values()
        if isinstance(task, DepTask):
            width = self.plan.relation_width
            self.module.add_task(task.name, len(names), width=width**2, seed=self.seed)
            layer = GeneratedLayer(self)
            head: nn.Module = FactorizedBiaffine(self.width, task, width, layer)
        else:
            self.module.add_task(task.name, len(names), seed=self.seed)
            head = task.head(self.width, labels)
            assert isinstance(head, TagHead)
            head.add_module("linear", GeneratedLayer(self))
        self.module.requires_grad_(True)
        return head

    def logits(self, states: Tensor, *, training: bool) -> Tensor:
        """Return the logits [..., L] of a draw in training, else those at the means."""
        self.module.train(training)
        draws = self.module(states, self._scopes[-1], samples=int(training))
        self.divergences = draws.divergences
        logits: Tensor = draws.logits[0]
        return logits


class GeneratedLayer(nn.Module):
    """A linear layer with the parameters of the pair at hand; it has none of its own."""

    def __init__(self, source: Factorized) -> None:
        """See the class."""
        super().__init__()
        self.source = source  # no submodule: heads share it

    def forward(self, states: Tensor) -> Tensor:
        """Return the logits [..., L] of states [..., K]."""
        return self.source.logits(states, training=self.training)


class FactorizedBiaffine(BiaffineHead):
    """A biaffine head that scores relations by a generated layer."""

    def __init__(self, states: int, task: DepTask, width: int, layer: GeneratedLayer) -> None:
        """``width``: of the features of a word and of a head; ``layer`` reads their products."""
        super().__init__(states, 1, width=task.width, dropout=task.dropout)
        del self.relation_weight_LKK, self.relation_bias_L
        self.relation_word, self.relation_head = mlp(states, width), mlp(states, width)
        self.layer = layer

    def relations(self, words_NK: Tensor, heads_NK: Tensor) -> Tensor:
        """Return the relations' scores [N, L] of words, each with one head."""
        found: Tensor = self.layer((words_NK[:, :, None] * heads_NK[:, None, :]).flatten(1))
        return found

    def all_relations(self, words_WK: Tensor, heads_HK: Tensor) -> Tensor:
        """Return the relations' scores [W, H, L] of a sentence's words with every head."""
        products = words_WK[:, None, :, None] * heads_HK[None, :, None, :]
        found: Tensor = self.layer(products.flatten(2))
        return found
