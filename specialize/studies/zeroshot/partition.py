"""Which of two models is trained on which pairs of a language and a task, and scored on which.

The two partitions complement each other: the tasks of a language alternate between the models, and
those of the other half of the languages the other way round, so that each model sees each language
with some task (Ponti et al. 2021; Ustun et al. 2022, §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from specialize.errors import UsageError
from specialize.modules.scope import Scope

MODELS = ("a", "b")
Halves = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Pair:
    """A language and a task, with the files of its data by part."""

    language: str
    task: str
    files: Mapping[str, Path]

    @property
    def scope(self) -> Scope:
        """The language and the task, as modules know them."""
        return Scope(self.language, self.task)

    @property
    def key(self) -> str:
        """The table of the recipe that names the files: "treebank.tr"."""
        return f"{table_of(self.task)}.{self.language}"


@dataclass(frozen=True)
class Part:
    """What a model is trained on, and what it is not."""

    seen: tuple[Pair, ...]
    unseen: tuple[Pair, ...]

    def __post_init__(self) -> None:
        """Assert that no pair is both."""
        assert not {p.scope for p in self.seen} & {p.scope for p in self.unseen}


def table_of(task: str) -> str:
    """Return the kind of tables that name the files of a task."""
    return "ner" if task == "ner" else "treebank"


def models_of(scope: Scope, halves: Halves, both: Iterable[str], tasks: Sequence[str]) -> str:
    """Return the models that are trained on a pair: "a", "b" or "ab".

    >>> halves = (("tr",), ("vi",))
    >>> [models_of(Scope(l, "pos"), halves, ["en"], ["pos", "dep"]) for l in ("tr", "vi", "en")]
    ['a', 'b', 'ab']
    """
    if scope.language in both:
        return "".join(MODELS)
    return MODELS[(tasks.index(scope.task) + (scope.language in halves[1])) % 2]


def part_of(
    model: str, pairs: Sequence[Pair], halves: Halves, both: Sequence[str], tasks: Sequence[str]
) -> Part:
    """Return the pairs that ``model`` is trained on, and those that it is scored on unseen."""
    trained = {pair.scope: models_of(pair.scope, halves, both, tasks) for pair in pairs}
    return Part(
        tuple(pair for pair in pairs if model in trained[pair.scope]),
        tuple(pair for pair in pairs if model not in trained[pair.scope]),
    )


def check_partition(
    pairs: Sequence[Pair], halves: Halves, both: Sequence[str], tasks: Sequence[str]
) -> None:
    """Raise UsageError where a model would have no data of a task, or a language none of any."""
    for task in tasks:
        own = [pair for pair in pairs if pair.task == task]
        if not own:
            raise UsageError(f"no language has data of the task {task!r}", key="tasks")
        if all(pair.language in both for pair in own):
            raise UsageError(
                f"only languages of both have data of the task {task!r}, so that no pair of it is "
                "unseen; add a language of halves, or leave the task out",
                key="tasks",
            )
        for model in MODELS:
            seen = part_of(model, pairs, halves, both, tasks).seen
            if not any(pair.task == task for pair in seen):
                raise UsageError(
                    f"model {model} has no language to learn the task {task!r} from; move "
                    "languages between halves, or add one to both",
                    key="halves",
                )
    for language in (*both, *halves[0], *halves[1]):
        if not any(pair.language == language for pair in pairs):
            raise UsageError(
                f"{language!r} has no data of the tasks {', '.join(tasks)}; leave it out: "
                f"treebank.{language}=false, ner.{language}=false",
                key="halves",
            )
