"""The treebanks of a study: read, checked, and drawn for a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specialize.errors import DataError
from specialize.pipeline.task_data import read_task
from specialize.recipe.recipe import TaskFiles
from specialize.studies.sharing.recipe import Study
from specialize.studies.sharing.sharing import derived
from specialize.studies.sharing.training import Training, Treebank
from specialize.tasks._base import Sentence, Tree
from specialize.tasks._checks import check_data, same_files

if TYPE_CHECKING:
    from specialize.train.finetune import Data

_NO_FORM = "_"  # a word of a treebank that is released without its text
_MOST_FORMLESS = 0.5  # share of words; "_" is a word of its own too
_MOST_SEEN = 0.1  # share of test sentences that may be in train: short ones are, by chance


def check_treebanks(study: Study) -> list[str]:
    """Return warnings about the treebanks of a study; DataError where they cannot be compared."""
    warnings = []
    data = {name: read_task(files).data for name, files in study.treebanks.items()}
    for name, own in data.items():
        files = study.treebanks[name]
        for part, sentences in (("train", own.train), ("dev", own.dev), ("test", own.test)):
            _check_forms(f"treebank.{name}, {part}", sentences)
        if same := same_files(files.files):
            raise DataError(f"{files.test}:1: treebank.{name}: {same[0]}; name another file")
        check_data(files.choice()(), own.train, own.dev, own.test)
        if len(own.train) < study.training.sentences:
            raise DataError(
                f"{own.train[0].where}: treebank.{name} has {len(own.train)} sentences to train "
                f"on, {study.training.sentences} are to be drawn; lower training.sentences"
            )
    for pair in study.pairs:
        for name in pair:
            warnings += _overlap(name, data[name].test, pair, data)
    return list(dict.fromkeys(warnings))


def _check_forms(what: str, sentences: Treebank) -> None:
    """Raise DataError for a treebank without its text."""
    words = [word for sentence in sentences for word in sentence.words]
    missing = words.count(_NO_FORM)
    if words and missing > _MOST_FORMLESS * len(words):
        first = next(s for s in sentences if _NO_FORM in s.words)
        raise DataError(
            f"{first.where}: {what}: {missing:,} of {len(words):,} words have no form (_): the "
            "treebank is released without its text; merge the forms in, or choose another"
        )


def _overlap(name: str, test: Treebank, pair: Sequence[str], data: Mapping[str, Data]) -> list[str]:
    """Return a warning where test sentences are in the pair's training data, words alike.

    DataError where more than a tenth of them are.
    """
    known = {s.words: s for other in pair for s in data[other].train}
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


def drawn(name: str, files: TaskFiles, plan: Training, seed: int) -> tuple[Treebank, Treebank]:
    """Return the sentences to train on, drawn by the seed, and those that measure progress.

    With ``plan.sentences``, the latter are the first of dev, a quarter as many.
    """
    data = read_task(files).data
    if not plan.sentences:
        return data.train, data.dev
    order = np.random.default_rng(derived(seed, "drawn", name)).permutation(len(data.train))
    train = [data.train[i] for i in sorted(order[: plan.sentences])]
    return train, data.dev[: max(1, plan.sentences // 4)]


def test_of(files: TaskFiles) -> list[Sentence[Tree]]:
    """Return the test sentences."""
    return list(read_task(files).data.test)


def paths(study: Study) -> list[Path]:
    """Return the files of all treebanks."""
    return [path for files in study.treebanks.values() for path in files.files.values()]
