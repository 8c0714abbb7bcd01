"""How the systems of a study are built and trained: the tables of its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from specialize.errors import UsageError
from specialize.studies.transfer import recipe as transfer
from specialize.train.optim import at_least


@dataclass(frozen=True)
class Full:
    """All weights of the base are fine-tuned and shared by all pairs; a head for each task."""

    rate: float = 5e-5  # peak learning rate of the base

    needs_text: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("system", self, {"rate": 0})


@dataclass(frozen=True)
class Madx:
    """Language adapters trained on text, task adapters stacked on them; the base is frozen."""

    rate: float = 1e-4  # peak learning rate of task adapters
    reduction: int = 16  # a task adapter's width is that of the model divided by this
    language_rate: float = 1e-4  # learning rate of language adapters
    language_reduction: int = 2  # as reduction, of language adapters
    invertible: bool = True  # an invertible adapter of the embeddings for each language too
    last: bool = True  # adapters in the last layer too; false: MAD-X 2.0

    needs_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("system", self, {"rate": 0, "reduction": 1})
        at_least("system", self, {"language_rate": 0, "language_reduction": 1})


@dataclass(frozen=True)
class Hyperx:
    """One network generates the adapters of all pairs; text is one of its tasks (Hyper-X)."""

    rate: float = 1e-4  # peak learning rate of the network and the layer norms of the base
    projected: int = 192  # width before the generators, "d_s" in the paper's tables: 192 or 32
    size: int = 256  # width of the adapters
    embedding: int = 64  # width of the embedding of a language, a task, a layer
    deviation: float = 1.0  # of embeddings before training
    by: tuple[str, ...] = ("language", "task")  # what it sees beside the layer

    needs_text: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("system", self, {"rate": 0, "projected": 1, "size": 1, "embedding": 1})
        at_least("system", self, {"deviation": 0})
        if self.by not in (("language", "task"), ("task",)):
            raise UsageError(
                f"expected by = ['language', 'task'], or ['task'] for the baseline without "
                f"languages, got {list(self.by)}"
            )


@dataclass(frozen=True)
class Psf:
    """The base is fine-tuned; the last layer of heads comes from variables of language and task."""

    rate: float = 5e-5  # peak learning rate of the base; all else has that of heads
    embedding: int = 100  # width of the variables
    rank: int = 10  # of the factor that correlates languages, and tasks; 0: independent
    samples: int = 3  # draws of an update
    relation_width: int = 16  # features of a word and of its head, whose products give relations

    needs_text: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("system", self, {"rate": 0, "embedding": 1, "rank": 0, "samples": 1})
        at_least("system", self, {"relation_width": 1})


@dataclass(frozen=True)
class Training:
    """How each model is trained on annotated sentences; defaults of the paper where it has any."""

    steps: int = 2000  # updates on annotated sentences, of which each has those of one pair
    evaluations: int = 4  # how often dev is scored meanwhile; the weights of the best are kept
    batch: int = 32  # sentences of an update
    head_rate: float = 1e-3  # peak learning rate of heads and the scalar mix of layers
    warmup: float = 0.04  # share of the updates in which the rate rises; then it falls to 0
    decay: float = 0.01  # weight decay
    temperature: float = 5.0  # a pair of n batches is drawn with weight n^(1/temperature)
    sentences: int = 0  # to train on of each pair, the first; dev: a quarter as many; 0: all
    length: int = 256  # pieces of a sentence at once

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("training", self, {"steps": 1, "evaluations": 1, "batch": 1, "length": 3})
        at_least("training", self, {"head_rate": 0, "decay": 0, "sentences": 0, "warmup": 0})
        at_least("training", self, {"temperature": 1})  # in proportion; above, more even
        if self.warmup >= 1:
            raise UsageError(f"expected training.warmup below 1, got {self.warmup}")
        if self.steps % self.evaluations:
            raise UsageError(
                f"expected training.steps to be a multiple of training.evaluations, got "
                f"{self.steps} and {self.evaluations}"
            )


@dataclass(frozen=True)
class Mlm:
    """Masked language modelling on text."""

    steps: int = 1000  # updates of each language adapter of MAD-X
    batch: int = 8  # sequences of an update
    length: int = 128  # pieces of a sequence
    mask: float = 0.15  # share of the pieces to predict
    lines: int = 3000  # of each language's text, a sample; 0: all

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("mlm", self, {"steps": 1, "lines": 0})
        self.batches(0.0)

    def batches(self, rate: float) -> transfer.Mlm:
        """Return how batches are drawn and masked."""
        return transfer.Mlm(self.batch, self.length, rate, self.mask, self.lines)


@dataclass(frozen=True)
class Few:
    """Continued training of each model on a few sentences of each unseen pair, one by one."""

    sentences: tuple[int, ...] = ()  # how many: [5, 10, 20, 50] in the paper; none: no such scores
    epochs: int = 50  # passes over them, at the constant peak rates

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("few", self, {"epochs": 1})
        if min(self.sentences, default=1) < 1 or len({*self.sentences}) < len(self.sentences):
            raise UsageError(
                f"expected few.sentences above 0, each different, got {list(self.sentences)}"
            )


Plan = Full | Madx | Hyperx | Psf
KINDS: dict[str, type[Plan]] = {"full": Full, "madx": Madx, "hyperx": Hyperx, "psf": Psf}


def kind_of(plan: Plan) -> str:
    """Return the name of a plan's kind in recipes."""
    return next(kind for kind, cls in KINDS.items() if cls is type(plan))
