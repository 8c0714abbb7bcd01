"""The annotated sentences of a study: read, checked, and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specialize.errors import DataError
from specialize.model.find import find_model
from specialize.model.load import load_checkpoint
from specialize.modules.scope import Scope
from specialize.modules.sites import sites
from specialize.studies import treebanks
from specialize.studies.running import check_lengths
from specialize.studies.treebanks import Sentences, check_forms, overlap
from specialize.studies.zeroshot.partition import MODELS, Pair
from specialize.studies.zeroshot.recipe import Study, choice_of
from specialize.tasks._base import Task

_MOST_REPEATED = 0.5  # share of test sentences that may be in a pair's own train and dev


@dataclass(frozen=True)
class Annotated:
    """The sentences of a pair to train on and to choose the best weights by."""

    train: Sentences
    dev: Sentences


def annotated(pair: Pair, most: int) -> Annotated:
    """Return the first ``most`` sentences to train on (0: all), and a quarter as many of dev.

    Sentences of the pair's test file are in neither; WikiAnn repeats many.
    """
    test = {sentence.words for sentence in test_sentences(pair, 0)}
    return Annotated(*treebanks.train_and_dev(choice_of(pair.task), pair.files, most, without=test))


def test_sentences(pair: Pair, most: int) -> Sentences:
    """Return ``most`` test sentences (0: all), drawn once for all, in the order of the file."""
    return treebanks.test_sentences(choice_of(pair.task), pair.files["test"], most)


def task_of(name: str) -> Task[Any]:
    """Return a task with the options of the study."""
    found: Task[Any] = choice_of(name)()()
    return found


def labels_of(task: str, seen: Mapping[Scope, Annotated]) -> dict[str, list[str]]:
    """Return the labels of a task in the pairs that a model sees; DataError if there are none."""
    own = [s for scope, data in seen.items() if scope.task == task for s in data.train]
    found = task_of(task).labels(own)
    task_of(task).check(own, found)
    return found


def check_treebanks(study: Study) -> list[str]:
    """Return warnings about the data; DataError where scores on them would mean nothing.

    UsageError for lengths that the base cannot take.
    """
    lengths = {"training.length": study.training.length}
    if any(plan.needs_text for plan in study.systems.values()):
        lengths["mlm.length"] = study.mlm.length
        sites(load_checkpoint(find_model(study.base)).model)
    check_lengths(study.base, lengths)
    warnings = [warning for pair in study.pairs for warning in _repeated(pair)]
    most = study.training.sentences
    data = {pair.scope: annotated(pair, most) for pair in study.pairs}
    tests = {pair.scope: test_sentences(pair, study.sentences) for pair in study.pairs}
    trained = [s for own in data.values() for part in (own.train, own.dev) for s in part]
    for pair in study.pairs:
        own, test = data[pair.scope], tests[pair.scope]
        if not own.train or not own.dev:
            raise DataError(
                f"{next(iter(pair.files.values()))}:1: {pair.key} has {len(own.train)} sentences "
                f"to train on and {len(own.dev)} of dev, without those of test; one or more of "
                "each are needed: choose other files"
            )
        for part, sentences in (("train", own.train), ("dev", own.dev), ("test", test)):
            check_forms(f"{pair.key}, {part}", sentences)
        warnings += overlap(pair.key, test, trained)
        if len(own.train) < (wanted := max(study.few.sentences, default=0)):
            raise DataError(
                f"{own.train[0].where}: {pair.language} has {len(own.train)} training sentences "
                f"of {pair.task}, {wanted} are wanted; lower few.sentences"
            )
    for model in MODELS:
        pairs = study.part(model)
        for task in study.tasks:
            labels = labels_of(task, {pair.scope: data[pair.scope] for pair in pairs.seen})
            for pair in pairs.unseen:
                if pair.task == task:
                    _check_labels(pair, tests[pair.scope], labels, model)
    return list(dict.fromkeys(warnings))


def _repeated(pair: Pair) -> list[str]:
    """Return a warning where `annotated` leaves sentences out; DataError for half of test."""
    train, dev = treebanks.train_and_dev(choice_of(pair.task), pair.files, 0)
    test = test_sentences(pair, 0)
    done = " or dev, and are left out there"
    return overlap(pair.key, test, [*train, *dev], most=_MOST_REPEATED, done=done)


def _check_labels(pair: Pair, test: Sentences, labels: dict[str, list[str]], model: str) -> None:
    """Raise DataError where a model knows no label of an unseen pair."""
    outside = sum(tag == "O" for s in test for tag in s.gold) if pair.task == "ner" else 0
    labelled = sum(len(s.words) for s in test) - outside
    if labelled and task_of(pair.task).check(test, labels) == labelled:
        raise DataError(
            f"{test[0].where}: {pair.language}: no label of its {pair.task} data occurs in those "
            f"that model {model} is trained on; they have another annotation; choose others"
        )
