"""Treebanks as all studies read, draw and check them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from specialize.errors import DataError
from specialize.pipeline.task_data import read_file
from specialize.recipe.methods import Choice
from specialize.tasks._base import Sentence
from specialize.tasks._split import split

Sentences = list[Sentence[Any]]

_NO_FORM = "_"  # a word of a treebank that is released without its text
_MOST_FORMLESS = 0.5  # share of words; "_" is a word of its own too
_MOST_SEEN = 0.1  # share of test sentences that may be in train: short ones are, by chance


def train_and_dev(
    choice: Choice,
    files: Mapping[str, Path],
    most: int,
    *,
    without: Container[tuple[str, ...]] = (),
) -> tuple[Sentences, Sentences]:
    """Return the first ``most`` sentences to train on (0: all), and a quarter as many of dev.

    ``files``: by part; of train and dev, one may be missing: then every fifth sentence is dev.
    ``without``: the words of sentences that are left out of both.
    """
    parts = {p: read_file(choice, f) for p, f in files.items() if p != "test"}
    if len(parts) < 2:
        parts["train"], parts["dev"] = split(next(iter(parts.values())), fold=0, folds=5)
    parts = {p: [s for s in found if s.words not in without] for p, found in parts.items()}
    few = max(1, most // 4) if most else None
    return parts["train"][: most or None], parts["dev"][:few]


def test_sentences(choice: Choice, file: Path, most: int) -> Sentences:
    """Return ``most`` test sentences (0: all), drawn once for all, in the order of the file."""
    found = read_file(choice, file)
    if not most or len(found) <= most:
        return found
    drawn = np.random.default_rng(0).permutation(len(found))[:most]
    return [found[i] for i in sorted(drawn)]


def check_forms(what: str, sentences: Sequence[Sentence[Any]]) -> None:
    """Raise DataError for a treebank without its text."""
    words = [word for sentence in sentences for word in sentence.words]
    missing = words.count(_NO_FORM)
    if words and missing > _MOST_FORMLESS * len(words):
        first = next(s for s in sentences if _NO_FORM in s.words)
        raise DataError(
            f"{first.where}: {what}: {missing:,} of {len(words):,} words have no form (_): the "
            "treebank is released without its text; merge the forms in, or choose another"
        )


def overlap(
    key: str,
    test: Sequence[Sentence[Any]],
    train: Iterable[Sentence[Any]],
    *,
    most: float = _MOST_SEEN,
    done: str = "",
) -> list[str]:
    """Return a warning where test sentences are in train; DataError where more than ``most`` are.

    ``most``: a share of test. ``done``: what was done about them, added to the warning.
    """
    known = {sentence.words: sentence for sentence in train}
    seen = [sentence for sentence in test if sentence.words in known]
    if len(seen) > most * len(test):
        longest = max(seen, key=lambda sentence: len(sentence.words))
        raise DataError(
            f"{longest.where}: {key}: {len(seen)} of {len(test)} test sentences are also trained "
            f"on (this one at {known[longest.words].where}); choose disjoint files"
        )
    if not seen:
        return []
    return [f"{key}: {len(seen)} of {len(test)} test sentences also occur in train{done}"]
