"""The parts of a parser of one language or two, shared or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from specialize.studies.sharing.sharing import PARTS, Sharing, derived
from specialize.tasks._base import Sentence, Tree
from specialize.tasks._biaffine import ParserScores
from specialize.tasks.dep import DepTask

LANGUAGE = 12  # width E of a language's vector


class Batch(Protocol):
    """Sentences of one language as tensors."""

    @property
    def mask_BW(self) -> Tensor:
        """Return which places are words."""


class Parts(nn.Module):
    """The parts of one language, or those of two, shared as ``sharing`` says.

    ``treebanks``: the training sentences of each language. Every part is initialised by a generator
    of its own, seeded by ``seed``, the part and the languages that use it, so that a language that
    shares nothing begins with the same weights alone and beside another. A part's vocabulary, or
    labels, are those of its languages together.
    """

    def __init__(
        self,
        treebanks: Mapping[str, Sequence[Sentence[Tree]]],
        sharing: Sharing,
        task: DepTask,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.sharing, self.task = sharing, task
        self.languages = tuple(treebanks)
        self.labels: dict[str, dict[str, list[str]]] = {}  # by language
        self._parts: dict[tuple[str, str], Any] = {}  # by part and language
        for part in PARTS:
            mode = sharing.of(part)
            for users in [(one,) for one in treebanks] if mode == "none" else [self.languages]:
                sentences = [s for language in users for s in treebanks[language]]
                with _seeded(seed, part, *users):
                    module = self.new(part, sentences, LANGUAGE if mode == "soft" else 0)
                self._parts |= {(part, language): module for language in users}
                if part == "score":
                    self.labels |= dict.fromkeys(users, task.labels(sentences))
        self.once = nn.ModuleList(dict.fromkeys(self._parts.values()))  # each module
        with _seeded(seed, "language", *treebanks):
            self.vectors = nn.Embedding(len(self.languages), LANGUAGE)

    def new(self, part: str, sentences: Sequence[Sentence[Tree]], extra: int) -> nn.Module:
        """Return a part for ``sentences``; ``extra``: the width of the language's vector, if any.

        Its weights are drawn from torch's default generator.
        """
        raise NotImplementedError

    def batch(self, language: str, sentences: Sequence[Sentence[Tree]]) -> Any:
        """Return sentences of ``language`` as a `Batch`."""
        raise NotImplementedError

    def forward(self, language: str, batch: Any) -> ParserScores:
        """Return the scores of a batch of ``language``."""
        raise NotImplementedError

    def part(self, part: str, language: str) -> Any:
        """Return the module that ``language`` uses as ``part``."""
        return self._parts[part, language]

    def vector(self, part: str, language: str) -> Tensor:
        """Return the vector [E] of ``language`` where the part takes it, else an empty one."""
        vector: Tensor = self.vectors.weight[self.languages.index(language)]
        return vector if self.sharing.of(part) == "soft" else vector[:0]


@contextmanager
def _seeded(*parts: object) -> Iterator[None]:
    """Seed torch's default generator of the CPU, and restore it afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived(*parts))
        yield


def appended(given_BLX: Tensor, language_E: Tensor) -> Tensor:
    """Append the language's vector to every place."""
    return torch.cat([given_BLX, language_E.expand(*given_BLX.shape[:2], -1)], -1)
