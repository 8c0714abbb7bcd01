"""What a task is: a reader, a head with its loss and decoder, a writer and a metric."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from specialize.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from specialize.tasks._pretokenize import Style

Tags = tuple[str, ...]


@dataclass(frozen=True)
class Tree:
    """A labelled dependency tree: for every word its head (1 is the first word, 0 the root)."""

    heads: tuple[int, ...]
    deprels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.heads)


A = TypeVar("A", Tags, Tree)  # the annotation of a sentence


class Source(Protocol):
    """The lines a sentence was read from; each file format has its own."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def line(self) -> int:
        """The number, from 1, of the sentence's first row."""


@dataclass(frozen=True)
class Sentence(Generic[A]):
    """The words of a sentence, their annotation, and the lines they came from."""

    words: tuple[str, ...]
    gold: A  # empty in a sentence to annotate
    source: Any  # a Source

    @property
    def where(self) -> str:
        """``file:line``, for messages."""
        return f"{self.source.path}:{self.source.line}"


class Task(Protocol[A]):
    """What training needs of a task. Shapes: B sentences, W words, D the model's width.

    Sentences in a batch are padded at their end; ``mask_BW`` is true at words. ``labels`` maps the
    name of an inventory to its sorted labels and can be kept as JSON. New heads and dropout draw
    from torch's default generator, which is the caller's to seed.
    """

    @property
    def name(self) -> str:
        """The method's name: "pos", "dep" or "ner"."""

    @property
    def metric(self) -> str:
        """The key of `score` that chooses the best epoch."""

    @property
    def format(self) -> str:
        """What it reads and writes: "CoNLL-U" or "columns"."""

    def read(self, path: Path) -> list[Sentence[A]]:
        """Return the sentences of a labelled file; DataError if it is malformed."""

    def words(self, path: Path, *, pretokenize: Style = "spaces") -> list[Sentence[A]]:
        """Return the sentences of a file to annotate, their gold empty.

        The file is in the task's format, annotated or not, or plain text (`_plain`), which is
        split into words by ``pretokenize``; `_pretokenize.style_of` finds that of training data.
        """

    def labels(self, sentences: Iterable[Sentence[A]]) -> dict[str, list[str]]:
        """Return the inventories that a head for these sentences predicts from."""

    def check(self, sentences: Sequence[Sentence[A]], labels: dict[str, list[str]]) -> int:
        """Return how many words carry a label outside ``labels``.

        Such a label is never predicted, so its words count as wrong. Raises DataError if the
        inventories leave nothing to learn.
        """

    def head(self, width: int, labels: dict[str, list[str]]) -> nn.Module:
        """Return a fresh head: (words_BWD, mask_BW) -> scores, for `loss` and `decode`."""

    def loss(
        self,
        head: Any,
        scores: Any,
        sentences: Sequence[Sentence[A]],
        labels: dict[str, list[str]],
        mask_BW: Tensor,
    ) -> Tensor:
        """Return the scalar training loss; pads and labels outside ``labels`` add nothing."""

    def decode(
        self, head: Any, scores: Any, labels: dict[str, list[str]], mask_BW: Tensor
    ) -> list[A]:
        """Return the best annotation of every sentence."""

    def predicted(self, sentence: Sentence[A], annotation: A) -> Sentence[A]:
        """Return the sentence with ``annotation`` instead of its gold."""

    def write(self, sentences: Iterable[Sentence[A]], path: Path) -> None:
        """Write the task's format, everything but the annotation as it was read."""

    def score(
        self, gold: Sequence[Sentence[A]], predicted: Sequence[Sentence[A]]
    ) -> dict[str, float]:
        """Return the metrics, in percent."""


def dev_score(
    task: Task[A], gold: Sequence[Sentence[A]], predicted: Sequence[Sentence[A]]
) -> float:
    """Return what chooses the best epoch: the task's own ``dev_score``, if any, or its metric."""
    own = getattr(task, "dev_score", None)
    return own(gold, predicted) if own else task.score(gold, predicted)[task.metric]


def gaps(task: Task[A], sentences: Sequence[Sentence[A]]) -> list[str]:
    """Return what the task's own ``gaps``, if any, warns of in labelled sentences."""
    own = getattr(task, "gaps", None)
    return list(own(sentences)) if own else []


def annotated(sentence: Sentence[A], annotation: A) -> Sentence[A]:
    """Return the sentence with ``annotation``, one entry a word, instead of its gold."""
    if len(annotation) != len(sentence.words):
        raise DataError(
            f"{sentence.where}: {len(sentence.words)} words, but {len(annotation)} predictions"
        )
    return replace(sentence, gold=annotation)


def paired(gold: Sequence[Sentence[A]], predicted: Sequence[Sentence[A]]) -> Iterator[tuple[A, A]]:
    """Yield gold and predicted annotations in pairs; both must be of the same words."""
    if len(gold) != len(predicted):
        raise DataError(f"{len(gold)} gold sentences, but {len(predicted)} predicted ones")
    for reference, other in zip(gold, predicted, strict=True):
        if reference.words != other.words:
            pairs = enumerate(zip_longest(reference.words, other.words, fillvalue=""), 1)
            place, (expected, got) = next((i, pair) for i, pair in pairs if pair[0] != pair[1])
            raise DataError(
                f"{other.where}: other words than {reference.where}: expected {expected!r} as word "
                f"{place}, got {got!r}"
            )
        yield reference.gold, other.gold


def percent(part: float, whole: float) -> float:
    """Return ``part`` of ``whole`` in percent; 0 of nothing.

    >>> percent(1, 8), percent(0, 0)
    (12.5, 0.0)
    """
    return 100 * part / whole if whole else 0.0


def check_dropout(dropout: float) -> float:
    """Return the dropout probability; UsageError if it is out of range."""
    if not 0 <= dropout < 1:
        message = f"dropout {dropout} is out of range; it is at least 0 and below 1"
        raise UsageError(message, key="dropout")
    return dropout
