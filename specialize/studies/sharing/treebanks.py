"""The treebanks of a study: read, checked, and drawn for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from specialize.errors import DataError
from specialize.pipeline.task_data import read_task
from specialize.recipe.recipe import TaskFiles
from specialize.studies.sharing.recipe import Study
from specialize.studies.sharing.sharing import derived
from specialize.studies.sharing.training import Training, Treebank
from specialize.studies.treebanks import check_forms, overlap
from specialize.tasks._base import Sentence, Tree
from specialize.tasks._checks import check_data, same_files


def check_treebanks(study: Study) -> list[str]:
    """Return warnings about the treebanks of a study; DataError where they cannot be compared."""
    warnings = []
    data = {name: read_task(files).data for name, files in study.treebanks.items()}
    for name, own in data.items():
        files = study.treebanks[name]
        for part, sentences in (("train", own.train), ("dev", own.dev), ("test", own.test)):
            check_forms(f"treebank.{name}, {part}", sentences)
        if same := same_files(files.files):
            raise DataError(f"{files.test}:1: treebank.{name}: {same[0]}; name another file")
        check_data(files.choice()(), own.train, own.dev, own.test)
        if len(own.train) < study.training.sentences:
            raise DataError(
                f"{own.train[0].where}: treebank.{name} has {len(own.train)} sentences to train "
                f"on, {study.training.sentences} are to be drawn; lower training.sentences"
            )
    for pair in study.pairs:
        one, other = (set(study.treebanks[name].files.values()) for name in pair)
        if common := sorted(one & other):
            raise DataError(f"{common[0]}:1: a file of both languages of {'-'.join(pair)}")
        for name in pair:
            train = [sentence for other in pair for sentence in data[other].train]
            warnings += overlap(f"treebank.{name}", data[name].test, train)
    return list(dict.fromkeys(warnings))


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
