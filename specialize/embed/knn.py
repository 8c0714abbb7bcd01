"""Mixtures of the nearest old pieces: WECHSEL (Minixhofer et al. 2022), OFA (Liu et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from specialize.corpus import read_lines
from specialize.embed._auxiliary import Auxiliary, auxiliary, file_vectors, spread
from specialize.embed._blocks import nearest
from specialize.embed._rows import FreshRows, Tables, fresh_rows, one_thread
from specialize.errors import DataError, UsageError
from specialize.progress import Log, Silent
from specialize.vectors.files import read_vectors
from specialize.vocab.base import VocabChange, Vocabulary

_WORDS = 200_000  # words of a file that the dictionary is looked up in


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    neighbours: int = 10,
    temperature: float = 0.1,
    vectors: Path | None = None,
    old_vectors: Path | None = None,
    dictionary: Path | None = None,
    limit: int = 1_000_000,
    width: int = 100,
    epochs: int = 3,
    seed: int = 0,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return mixtures of the ``neighbours`` nearest old pieces, softmax(cosine / temperature).

    Vectors are those of ``focus``, with the same options, and neighbours are of the overlap. OFA:
    ``vectors`` of many languages (its factorised table is left out). WECHSEL: ``vectors`` of the
    new language, ``old_vectors`` of an old one, and a ``dictionary`` (lines of an old word, a tab,
    a new word), by which the old space is rotated onto the new one; neighbours are all old pieces
    in words of ``old_vectors``. Unlike WECHSEL, kept rows stay, and a piece has the mean of the
    words that contain it, as vectors of n-grams are not in text files.
    """
    if neighbours < 1 or temperature <= 0:
        raise UsageError(
            f"expected neighbours of 1 or more and a temperature above 0, got {neighbours} and "
            f"{temperature}"
        )
    found = auxiliary(change, corpus, vectors, limit, width, epochs, seed=seed, log=log)
    if old_vectors or dictionary:
        if not (vectors and old_vectors and dictionary):
            raise UsageError(
                "expected vectors, old_vectors and dictionary together, got only some; fasttext.cc "
                "has vectors, the WECHSEL repository dictionaries from English"
            )
        found = _rotated(change, found, vectors, old_vectors, dictionary)
    cosines_KN, places_KN = nearest(found.fresh_KD, found.old_OD, neighbours)
    shares_KN = (cosines_KN / temperature).softmax(dim=1)
    pairs = zip(places_KN.tolist(), shares_KN.tolist(), strict=True)
    mixed = [dict(zip(places, shares, strict=True)) for places, shares in pairs]
    return fresh_rows(tables, change, spread(change, found, mixed), seed=seed)


def _rotated(
    change: VocabChange[Vocabulary], found: Auxiliary, new: Path, old: Path, dictionary: Path
) -> Auxiliary:
    """Return the vectors with those of all old pieces, rotated onto the space of the new words."""
    (old_words, old_WD), (new_words, new_WD) = (read_vectors(f, limit=_WORDS) for f in (old, new))
    if old_WD.shape[1] != new_WD.shape[1]:
        raise DataError(
            f"{old}:1: expected vectors of {new_WD.shape[1]} dimensions, as in {new}, got "
            f"{old_WD.shape[1]}; take files of one kind"
        )
    pairs = _pairs(dictionary, _ids(old_words), _ids(new_words))
    at_old, at_new = zip(*pairs, strict=True)
    ids, vectors_ND = file_vectors(change.old, old)
    with one_thread():
        rotated_ND = vectors_ND @ rotation(old_WD[list(at_old)], new_WD[list(at_new)])
    control = {*change.old.control_pieces}
    text = [n for n, id in enumerate(ids) if change.old.pieces[id] not in control]
    return replace(found, old=tuple(ids[n] for n in text), old_OD=rotated_ND[text])


def rotation(from_PD: Tensor, to_PD: Tensor) -> Tensor:
    """Return the orthogonal matrix [D, D] that takes rows nearest to others (Schönemann 1966)."""
    left, _, right = torch.linalg.svd(from_PD.double().T @ to_PD.double())
    return (left @ right).float()


def _pairs(file: Path, old: Mapping[str, int], new: Mapping[str, int]) -> Sequence[tuple[int, int]]:
    """Return the rows of the words of each pair that have vectors, in both cases of letters."""
    found = []
    for number, line in read_lines(file):
        words = line.split("\t")
        if len(words) != 2:
            raise DataError(
                f"{file}:{number}: expected an old word, a tab and a new word, got {line[:40]!r}"
            )
        forms = [[*dict.fromkeys((w, w.lower(), w.title()))] for w in map(str.strip, words)]
        found += [(old[a], new[b]) for a in forms[0] for b in forms[1] if a in old and b in new]
    if not found:
        raise DataError(
            f"{file}:1: expected pairs of words that have vectors in both files, got none; is the "
            "language of old_vectors the first?"
        )
    return found


def _ids(words: Sequence[str]) -> dict[str, int]:
    return {word: row for row, word in enumerate(words)}
