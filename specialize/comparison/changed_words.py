"""The words of the test data that an arm annotates better or worse than the baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specialize.comparison.read import open_runs
from specialize.comparison.sentences import gold_sentences, predictions_file, read_sentences
from specialize.comparison.values import METRICS, Run
from specialize.errors import SpecializeError

if TYPE_CHECKING:
    from specialize.tasks._base import Sentence

    Sentences = Sequence[Sentence[Any]]

TYPES = 10  # word types of each list
NOTABLE = 10  # words of one type that are worth a caution
LONGEST = {"pos": 22, "dep": 13, "ner": 22}  # words of an example sentence
SHORTEST = 4


@dataclass(frozen=True)
class WordType:
    """How often a word becomes right and how often it becomes wrong."""

    word: str
    fixed: int
    broken: int


@dataclass(frozen=True)
class Example:
    """A test sentence as in the gold file, by the baseline and by an arm, in one seed."""

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

    @property
    def caution(self) -> str:
        """Return what to say if one word makes half of the difference or more, else ""."""
        net = self.fixed - self.broken
        better = net > 0
        first = (self.better if better else self.worse)[:1]
        own = sum(word.fixed - word.broken for word in first)
        if not net or 2 * own / net < 1 or abs(own) < NOTABLE:
            return ""
        return (
            f"{self.language}, {self.task}: {self.arm} has {abs(net):,} words "
            f"{'more' if better else 'fewer'} right than {self.baseline}, and "
            f"{first[0].word} alone {abs(own):,} of them: look at the other words before choosing"
        )


@dataclass(frozen=True)
class Found:
    """The changes of a run, and why some cannot be shown."""

    changes: tuple[Changes, ...]
    missing: tuple[str, ...]


def changed_words(run: Run, baseline: str, *, examples: Mapping[tuple[str, str], int]) -> Found:
    """Return what each arm of ``run`` changes in the test data of the package's own tasks.

    ``examples``: how many sentences to keep of (arm, task), improved and worsened; one of others.
    """
    changes: list[Changes] = []
    missing = []
    for task, method in run.facts["tasks"].items():
        arms = [arm["name"] for arm in run.facts["arms"] if task in arm["scores"]]
        if method not in METRICS or baseline not in arms:
            continue
        try:
            test = _read(run, task, arms)
            for arm in arms:
                if arm != baseline and (seeds := test.common(baseline, arm)):
                    count = examples.get((arm, task), 1)
                    changes.append(_compared(test, baseline, arm, seeds, count))
        except (SpecializeError, OSError) as error:
            missing.append(f"{run.language}: changed words of {task}: {error}")
    return Found(tuple(changes), tuple(missing))


@dataclass(frozen=True)
class _Test:
    """The test data of a task, and the predictions of each arm and seed."""

    language: str
    task: str
    method: str
    gold: Sentences
    predicted: Mapping[str, Mapping[int, Sentences]]

    def common(self, baseline: str, arm: str) -> list[int]:
        """Return the seeds that both have."""
        return sorted(self.predicted[baseline].keys() & self.predicted[arm].keys())

    def mostly_right(self, arm: str, seeds: Sequence[int]) -> list[list[bool]]:
        """Return for each word of each sentence whether more than half of ``seeds`` get it."""
        votes = (
            [right(self.method, gold, self.predicted[arm][seed][i]) for seed in seeds]
            for i, gold in enumerate(self.gold)
        )
        return [[2 * sum(word) > len(seeds) for word in zip(*rows, strict=True)] for rows in votes]


def _read(run: Run, task: str, arms: Iterable[str]) -> _Test:
    from specialize.tasks._base import paired

    opened, _ = open_runs([run.folder])
    reader, gold = gold_sentences(task, opened)
    seeds = {arm["name"]: arm["scores"].get(task, {}).get("seeds", ()) for arm in run.facts["arms"]}
    predicted: dict[str, dict[int, Sentences]] = {arm: {} for arm in arms}
    for arm, own in predicted.items():
        for seed in seeds[arm]:
            file = predictions_file(opened[0], arm, task, seed)
            if file is None:  # `compare` says which are missing
                continue
            found = read_sentences(reader, file)
            list(paired(gold, found))  # DataError unless they are of the same words
            own[seed] = found
    return _Test(run.language, task, run.facts["tasks"][task], gold, predicted)


def _compared(test: _Test, baseline: str, arm: str, seeds: list[int], examples: int) -> Changes:
    before, after = (test.mostly_right(name, seeds) for name in (baseline, arm))
    fixed, broken = Counter[str](), Counter[str]()
    for sentence, old, new in zip(test.gold, before, after, strict=True):
        for word, was, now in zip(sentence.words, old, new, strict=True):
            fixed[word] += now > was
            broken[word] += was > now
    types = [WordType(w, fixed[w], broken[w]) for w in fixed if fixed[w] or broken[w]]
    shown = [*_examples(test, baseline, arm, before, after, seeds[0])]
    return Changes(
        language=test.language,
        arm=arm,
        baseline=baseline,
        task=test.task,
        method=test.method,
        seeds=len(seeds),
        words=sum(len(sentence.words) for sentence in test.gold),
        fixed=fixed.total(),
        broken=broken.total(),
        better=_first(types, +1),
        worse=_first(types, -1),
        improved=_most(shown, examples, +1),
        worsened=_most(shown, examples, -1),
    )


def _first(types: Iterable[WordType], sign: int) -> tuple[WordType, ...]:
    """Return the types that gain the most (``sign`` 1) or lose the most (-1)."""
    gains = [(sign * (t.fixed - t.broken), t) for t in types]
    ranked = sorted((g for g in gains if g[0] > 0), key=lambda item: (-item[0], item[1].word))
    return tuple(t for _, t in ranked[:TYPES])


def _most(shown: Iterable[tuple[int, Example]], count: int, sign: int) -> tuple[Example, ...]:
    """Return the ``count`` sentences that gain or lose the most, the first of equals."""
    ranked = sorted(((sign * gain, e) for gain, e in shown), key=lambda item: -item[0])
    return tuple(example for gain, example in ranked[:count] if gain > 0)


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
    baseline: str,
    arm: str,
    before: Sequence[Sequence[bool]],
    after: Sequence[Sequence[bool]],
    seed: int,
) -> Iterator[tuple[int, Example]]:
    """Yield short sentences with their gain: words that change in ``seed`` as in most seeds."""
    seen = set()
    for i, gold in enumerate(test.gold):
        if not SHORTEST <= len(gold.words) <= LONGEST[test.method] or gold.words in seen:
            continue
        seen.add(gold.words)
        old, new = (test.predicted[name][seed][i] for name in (baseline, arm))
        here = zip(right(test.method, gold, old), right(test.method, gold, new), strict=True)
        most = zip(before[i], after[i], strict=True)
        gain = sum(a[1] - a[0] for a, b in zip(here, most, strict=True) if a == b)
        yield gain, Example(gold.words, gold.gold, old.gold, new.gold, seed)
