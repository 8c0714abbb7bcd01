"""The treebanks of a study: read, checked, and drawn."""

from __future__ import annotations

from specialize.errors import DataError, UsageError
from specialize.studies import treebanks
from specialize.studies.running import check_lengths
from specialize.studies.transfer.recipe import Study, Treebank, choice_of
from specialize.studies.treebanks import Sentences, check_forms, overlap


def train_and_dev(task: str, bank: Treebank, most: int) -> tuple[Sentences, Sentences]:
    """Return the first ``most`` sentences to train on (0: all), and a quarter as many of dev."""
    return treebanks.train_and_dev(choice_of(task), bank.files, most)


def test_sentences(task: str, bank: Treebank, most: int) -> Sentences:
    """Return ``most`` test sentences (0: all), drawn once for all, in the order of the file."""
    return treebanks.test_sentences(choice_of(task), bank.files["test"], most)


def check_treebanks(study: Study) -> list[str]:
    """Return warnings about the treebanks; DataError where scores on them would mean nothing.

    UsageError for lengths that the base cannot take.
    """
    lengths = {"mlm.length": study.mlm.length, "adapter.length": study.adapter.length}
    check_lengths(study.base, lengths)
    warnings = []
    for task in study.tasks:
        banks, targets = study.of_task(task)
        train = []
        for bank in banks:
            own, dev = train_and_dev(task, bank, study.adapter.sentences)
            for part, sentences in (("train", own), ("dev", dev)):
                check_forms(f"treebank.{bank.name}, {part}", sentences)
            train += own
        method = choice_of(task)()()
        labels = method.labels(train)
        for target in targets:
            test = test_sentences(task, target, study.sentences)
            check_forms(f"treebank.{target.name}, test", test)
            warnings += overlap(f"treebank.{target.name}", test, train)
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
