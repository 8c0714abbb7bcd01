"""The treebanks of a study: read, checked, and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from specialize.errors import DataError, UsageError
from specialize.pipeline.task_data import read_file
from specialize.studies.transfer.recipe import Study, Treebank, choice_of
from specialize.tasks._base import Sentence
from specialize.tasks._split import split

Sentences = list[Sentence[Any]]

_NO_FORM = "_"  # a word of a treebank that is released without its text
_MOST_FORMLESS = 0.5  # share of words; "_" is a word of its own too
_MOST_SEEN = 0.1  # share of test sentences that may be in train: short ones are, by chance


def train_and_dev(task: str, bank: Treebank, most: int) -> tuple[Sentences, Sentences]:
    """Return the first ``most`` sentences to train on (0: all), and a quarter as many of dev."""
    parts = {p: read_file(choice_of(task), f) for p, f in bank.files.items() if p != "test"}
    if len(parts) < 2:
        parts["train"], parts["dev"] = split(next(iter(parts.values())), fold=0, folds=5)
    few = max(1, most // 4) if most else None
    return parts["train"][: most or None], parts["dev"][:few]


def test_sentences(task: str, bank: Treebank, most: int) -> Sentences:
    """Return ``most`` test sentences (0: all), drawn once for all, in the order of the file."""
    found = read_file(choice_of(task), bank.files["test"])
    if not most or len(found) <= most:
        return found
    drawn = np.random.default_rng(0).permutation(len(found))[:most]
    return [found[i] for i in sorted(drawn)]


def check_treebanks(study: Study) -> list[str]:
    """Return warnings about the treebanks; DataError where scores on them would mean nothing."""
    warnings = []
    for task in study.tasks:
        banks, targets = study.of_task(task)
        train = []
        for bank in banks:
            own, dev = train_and_dev(task, bank, study.adapter.sentences)
            for part, sentences in (("train", own), ("dev", dev)):
                _check_forms(f"treebank.{bank.name}, {part}", sentences)
            train += own
        known = {s.words: s for s in train}
        method = choice_of(task)()()
        labels = method.labels(train)
        for target in targets:
            test = test_sentences(task, target, study.sentences)
            _check_forms(f"treebank.{target.name}, test", test)
            warnings += _overlap(target.name, test, known)
            words = sum(len(s.words) for s in test)
            if method.check(test, labels) == words:
                raise DataError(
                    f"{test[0].where}: treebank.{target.name}: no label of the {task} adapter "
                    "occurs; it was trained on another annotation; choose other treebanks"
                )
    return list(dict.fromkeys(warnings))


def check_partners(study: Study) -> list[str]:
    """Return the languages that have text and a target for every task: those that interact."""
    targets = {t.name for t in study.targets if set(t.tasks) == set(study.tasks)}
    found = [name for name in study.transfer if name in targets]
    if len(found) < max(study.interference.sizes):
        raise UsageError(
            f"interference needs {max(study.interference.sizes)} languages or more that are both "
            f"in transfer and in targets, for all tasks; got: {', '.join(found) or 'none'}",
            key="transfer",
        )
    return found


def _check_forms(what: str, sentences: Iterable[Sentence[Any]]) -> None:
    """Raise DataError for a treebank without its text."""
    listed = list(sentences)
    words = [word for sentence in listed for word in sentence.words]
    missing = words.count(_NO_FORM)
    if words and missing > _MOST_FORMLESS * len(words):
        first = next(s for s in listed if _NO_FORM in s.words)
        raise DataError(
            f"{first.where}: {what}: {missing:,} of {len(words):,} words have no form (_): the "
            "treebank is released without its text; merge the forms in, or choose another"
        )


def _overlap(name: str, test: Sequence[Sentence[Any]], known: Any) -> list[str]:
    """Return a warning where test sentences are trained on; DataError for more than a tenth."""
    seen = [sentence for sentence in test if sentence.words in known]
    if len(seen) > _MOST_SEEN * len(test):
        longest = max(seen, key=lambda sentence: len(sentence.words))
        raise DataError(
            f"{longest.where}: treebank.{name}: {len(seen)} of {len(test)} test sentences are also "
            f"trained on (this one at {known[longest.words].where}); choose disjoint files"
        )
    if not seen:
        return []
    return [f"{name}: {len(seen)} of {len(test)} test sentences also occur in train"]
