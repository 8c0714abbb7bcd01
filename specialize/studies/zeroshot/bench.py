"""A system on its host, with a head for each task and the sentences and text it learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from specialize.model.language_model import LanguageModel, hidden_size
from specialize.model.load import load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.model.word_model import WordModel
from specialize.modules.scope import Scope
from specialize.studies.transfer.cells import read_text
from specialize.studies.zeroshot.partition import Part
from specialize.studies.zeroshot.plans import Mlm, Plan, Training
from specialize.studies.zeroshot.systems import MLM, Keys, System, system_of
from specialize.studies.zeroshot.treebanks import Annotated, annotated, labels_of, task_of
from specialize.tasks._base import Sentence, Task
from specialize.train.finetune import predict
from specialize.train.masking import MaskPieces, mask_pieces
from specialize.train.optim import device


@dataclass(frozen=True)
class Member:
    """A task with its labels and its model, whose encoder is the host."""

    task: Task[Any]
    labels: dict[str, list[str]]
    model: WordModel


@dataclass(frozen=True)
class Text:
    """Text of languages on which a system predicts masked pieces; none for most systems."""

    sequences: Mapping[str, np.ndarray]  # by language: [N, L]
    pieces: MaskPieces
    plan: Mlm

    def sizes(self) -> dict[Scope, int]:
        """Return how many batches each language has."""
        return {
            Scope(language, MLM): max(1, len(own) // self.plan.batch)
            for language, own in self.sequences.items()
        }


@dataclass(frozen=True)
class Bench:
    """A system on its host, with a model for each task and the sentences of its pairs."""

    host: LanguageModel
    system: System
    words: WordEncoder
    members: Mapping[str, Member]
    data: Mapping[Scope, Annotated]  # of seen pairs
    text: Text

    @cached_property
    def units(self) -> dict[Scope, int]:
        """How many terms the loss of all training sentences has: words, of "ner" sentences."""
        return {
            scope: len(own.train) if scope.task == "ner" else sum(len(s.words) for s in own.train)
            for scope, own in self.data.items()
        }

    def predict(self, scope: Scope, sentences: Sequence[Sentence[Any]]) -> list[Sentence[Any]]:
        """Return ``sentences`` as annotated for a pair."""
        member = self.members[scope.task]
        with self.system.at(scope):
            return predict(member.model, self.words, member.task, member.labels, sentences)


class Together(nn.Module):
    """A host, the scalar mix and head of each task, and what heads share: all that is kept."""

    def __init__(
        self, host: LanguageModel, members: Mapping[str, Member], shared: nn.Module | None
    ) -> None:
        """See the class."""
        super().__init__()
        self.host, self.shared = host, shared
        self.mixes = nn.ModuleDict({task: m.model.mix for task, m in members.items()})
        self.heads = nn.ModuleDict({task: m.model.head for task, m in members.items()})

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of all but the host."""
        return [p for name, p in self.named_parameters() if not name.startswith("host.")]


def open_bench(
    base: Path,
    plan: Plan,
    part: Part,
    training: Training,
    mlm: Mlm,
    *,
    adapters: Mapping[str, Path],
    texts: Mapping[str, Path],
    seed: int,
) -> Bench:
    """Return a system on the base, untrained, with the data of its pairs."""
    checkpoint = load_checkpoint(base)
    host = checkpoint.model.to(device())
    data = {pair.scope: annotated(pair, training.sentences) for pair in part.seen}
    tasks = list(dict.fromkeys(pair.task for pair in part.seen))
    languages = dict.fromkeys(pair.language for pair in (*part.seen, *part.unseen))
    system = system_of(plan, host, Keys([*languages], tasks, adapters), seed=seed)
    words = WordEncoder(checkpoint.vocabulary, checkpoint.framing, length=training.length)
    members = {task: _member(host, system, task, labels_of(task, data), seed) for task in tasks}
    sequences = {language: read_text(folder) for language, folder in texts.items()}
    text = Text(sequences, mask_pieces(checkpoint.vocabulary, checkpoint.framing), mlm)
    return Bench(host, system, words, members, data, text)


def _member(
    host: LanguageModel, system: System, name: str, labels: dict[str, list[str]], seed: int
) -> Member:
    task, source = task_of(name), system.factorized
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = source.head(task, labels) if source else task.head(hidden_size(host), labels)
    model = WordModel(host, head, layer_dropout=0.1, precision="float32")
    return Member(task, labels, model.to(next(host.parameters()).device))
