"""The words of the test data that an arm annotates better or worse than the baseline."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.comparison.values import METRICS, Run
from specialize.errors import SpecializeError
from specialize.recipe.methods import bind

if TYPE_CHECKING:
    from specialize.tasks._base import Sentence

TYPES = 10  # word types of each list
_LONGEST = {"pos": 22, "dep": 13, "ner": 22}  # words of an example sentence
_SHORTEST = 4

Sentences = Sequence["Sentence[Any]"]


@dataclass(frozen=True)
class WordType:
    """How often a word becomes right and how often it becomes wrong."""

    word: str
    fixed: int
    broken: int


@dataclass(frozen=True)
class Example:
    """A test sentence as annotated by people, by the baseline and by an arm, in one seed."""

    words: tuple[str, ...]
    gold: Any  # a tag a word, or a Tree
    before: Any
    after: Any
    seed: int


@dataclass(frozen=True)
class Changes:
    """Words that most seeds of the baseline get wrong and most of the arm right, and vice versa."""

    language: str
    arm: str
    baseline: str
    task: str
    method: str
    seeds: int  # that both have
    words: int  # of the test data
    fixed: int
    broken: int
    better: tuple[WordType, ...]
    worse: tuple[WordType, ...]
    improved: tuple[Example, ...]  # sentences, the most improved first
    worsened: tuple[Example, ...]


@dataclass(frozen=True)
class Found:
    """The changes of a run, and why some cannot be shown."""

    changes: tuple[Changes, ...]
    missing: tuple[str, ...]


def changed_words(run: Run, baseline: str, *, examples: Mapping[tuple[str, str], int]) -> Found:
    """Return what each arm of ``run`` changes in the test data of tasks of the package's methods.

    ``examples``: how many sentences to keep of (arm, task), one of all others.
    """
    arms = {arm["name"]: arm for arm in run.facts["arms"]}
    if baseline not in arms or not any(m in METRICS for m in run.facts["tasks"].values()):
        return Found((), ())
    changes, missing = [], []
    for task, method in run.facts["tasks"].items():
        others = [name for name, arm in arms.items() if name != baseline and task in arm["scores"]]
        if method not in METRICS or task not in arms[baseline]["scores"]:
            continue
        try:
            test = _Test(run, task, method)
            before = test.predictions(arms[baseline])
            for name in others:
                after = test.predictions(arms[name])
                count = examples.get((name, task), 1)
                if found := _compared(test, (baseline, before), (name, after), count):
                    changes.append(found)
        except (SpecializeError, OSError) as error:
            missing.append(f"{run.language}: changed words of {task}: {error}")
    return Found(tuple(changes), tuple(missing))


class _Test:
    """The test data of a task, and the predictions for it."""

    def __init__(self, run: Run, task: str, method: str) -> None:
        table = tomllib.loads((run.folder / "recipe.toml").read_text("utf-8"))["task"][task]
        options = {k: v for k, v in table.items() if k not in ("method", "train", "dev", "test")}
        self.run, self.name, self.method = run, task, method
        self.gold: Sentences = bind("task", method, options)().read(Path(table["test"]))
        written = options | ({"scheme": "iob2"} if method == "ner" else {})  # whatever was read
        self._task = bind("task", method, written)()

    def predictions(self, arm: Mapping[str, Any]) -> dict[int, Sentences]:
        """Return the predicted sentences by seed, of seeds whose file is there."""
        folder = self.run.folder / "arms" / arm["name"] / "predictions"
        found = {}
        for seed in arm["scores"][self.name]["seeds"]:
            for path in sorted(folder.glob(f"{self.name}-{seed}.*")):
                found[seed] = self._task.read(path)
        return {seed: s for seed, s in found.items() if _words(s) == _words(self.gold)}


def _words(sentences: Sentences) -> list[tuple[str, ...]]:
    return [sentence.words for sentence in sentences]


Arm = tuple[str, Mapping[int, Sentences]]  # its name, its predictions by seed


def _compared(test: _Test, baseline: Arm, arm: Arm, examples: int) -> Changes | None:
    seeds = sorted(baseline[1].keys() & arm[1].keys())
    if not seeds:
        return None
    before, after = (_mostly_right(test, found, seeds) for _, found in (baseline, arm))
    fixed, broken = Counter[str](), Counter[str]()
    for sentence, old, new in zip(test.gold, before, after, strict=True):
        for word, was, now in zip(sentence.words, old, new, strict=True):
            fixed[word] += now > was
            broken[word] += was > now
    types = [WordType(w, fixed[w], broken[w]) for w in fixed if fixed[w] or broken[w]]
    shown = [*_examples(test, baseline[1][seeds[0]], arm[1][seeds[0]], before, after, seeds[0])]
    return Changes(
        language=test.run.language,
        arm=arm[0],
        baseline=baseline[0],
        task=test.name,
        method=test.method,
        seeds=len(seeds),
        words=sum(len(sentence.words) for sentence in test.gold),
        fixed=fixed.total(),
        broken=broken.total(),
        better=_first(types, +1),
        worse=_first(types, -1),
        improved=tuple(e for _, e in sorted(shown, key=lambda item: -item[0])[:examples] if _ > 0),
        worsened=tuple(e for _, e in sorted(shown, key=lambda item: item[0])[:examples] if _ < 0),
    )


def _first(types: Iterable[WordType], sign: int) -> tuple[WordType, ...]:
    """Return the types that gain the most (``sign`` 1) or lose the most (-1)."""
    gains = [(sign * (t.fixed - t.broken), t) for t in types]
    ranked = sorted((g for g in gains if g[0] > 0), key=lambda item: (-item[0], item[1].word))
    return tuple(t for _, t in ranked[:TYPES])


def _mostly_right(
    test: _Test, predictions: Mapping[int, Sentences], seeds: Sequence[int]
) -> list[list[bool]]:
    """Return for each word of each sentence whether more than half of ``seeds`` get it right."""
    votes = [
        [right(test.method, gold, predictions[seed][i]) for seed in seeds]
        for i, gold in enumerate(test.gold)
    ]
    return [[2 * sum(word) > len(seeds) for word in zip(*rows, strict=True)] for rows in votes]


def right(method: str, gold: Sentence[Any], predicted: Sentence[Any]) -> list[bool]:
    """Return which words are right: the tag, or head and relation without its subtype (LAS)."""
    pairs = zip(_labels(method, gold.gold), _labels(method, predicted.gold), strict=True)
    return [mine == theirs for mine, theirs in pairs]


def _labels(method: str, annotation: Any) -> Sequence[Any]:
    if method != "dep":
        return tuple(annotation)
    relations = (relation.partition(":")[0] for relation in annotation.deprels)
    return tuple(zip(annotation.heads, relations, strict=True))


def _examples(
    test: _Test,
    old: Sentences,
    new: Sentences,
    before: Sequence[Sequence[bool]],
    after: Sequence[Sequence[bool]],
    seed: int,
) -> Iterator[tuple[int, Example]]:
    """Yield short sentences with their gain, the words that change in this seed as in most."""
    seen = set()
    for i, gold in enumerate(test.gold):
        if not _SHORTEST <= len(gold.words) <= _LONGEST[test.method] or gold.words in seen:
            continue
        seen.add(gold.words)
        here = zip(
            right(test.method, gold, old[i]),
            right(test.method, gold, new[i]),
            before[i],
            after[i],
            strict=True,
        )
        gain = sum((now - was) for was, now, most, later in here if (was, now) == (most, later))
        yield gain, Example(gold.words, gold.gold, old[i].gold, new[i].gold, seed)
