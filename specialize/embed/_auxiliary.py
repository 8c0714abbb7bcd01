"""Auxiliary vectors: fresh pieces and pieces with an old row in one space.

They are trained on the text as the new vocabulary segments it, as in FOCUS (Dobler & de Melo 2023),
or read from a file of pieces or of words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from specialize.corpus import TextCounts
from specialize.embed._rows import Weights, mean_of, one_thread
from specialize.errors import DataError, UsageError
from specialize.progress import Log, Silent
from specialize.vectors.cbow import cbow
from specialize.vectors.files import read_vectors
from specialize.vectors.training import in_smaller_steps
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.counting.long_lines import LONGEST
from specialize.vocab.marks import MARK, SPACE_LETTER

# shapes: F fresh pieces, K of them with a vector, O kept pieces with one, N pieces, D width

_MIN_COUNT = 5  # occurrences of a piece in the text; FOCUS: 10
_WORDS = 200_000  # words of a file that are read, at most
_LINES = 1000  # encoded at once
_BATCHES = (128, 32, 8)  # pieces of a step, in turn: short pieces diverge with 1,024
_NEGATIVES = 10  # noise pieces of a place, as in FOCUS
_SAMPLE = 1e-3  # pieces are more frequent than words, for which fastText has 1e-4
_REMEMBERED = 2  # trainings
_trained: dict[str, Tensor] = {}  # vectors by what they were trained on; later methods share them


@dataclass(frozen=True)
class Auxiliary:
    """Vectors of fresh pieces, and of pieces with an old row; none is 0."""

    places: tuple[int, ...]  # in change.fresh, of the fresh pieces that have a vector
    fresh_KD: Tensor
    old: tuple[int, ...]  # old ids
    old_OD: Tensor


def auxiliary(
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    vectors: Path | None,
    limit: int,
    width: int,
    epochs: int,
    *,
    seed: int,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Auxiliary:
    """Return the vectors of a file, or those trained on at most ``limit`` pieces of the corpus.

    Trained: on the text in pieces of ``change.new``, by CBOW with subwords;
    pieces that occur five times have a vector. Of one process, the last trainings are kept for
    further methods. File: ``file_vectors``. UsageError without text and file; DataError where no
    kept piece has a vector.
    """
    if vectors:
        ids, vectors_ND = file_vectors(change.new, vectors)
    else:
        lines = encoded(change.new, corpus, limit)
        ids, vectors_ND = _train(change.new, lines, width, epochs, seed, log)
    found = of_pieces(change, ids, vectors_ND)
    log.say(
        f"auxiliary vectors of {len(found.places):,} of {len(change.fresh):,} fresh pieces and "
        f"{len(found.old):,} old ones"
    )
    return found


def of_pieces(change: VocabChange[Vocabulary], ids: Sequence[int], vectors_ND: Tensor) -> Auxiliary:
    """Return the vectors of new ids as those of fresh pieces and of kept ones."""
    control = set(change.new.control_pieces)
    rows = {
        id: row
        for row, (id, known) in enumerate(zip(ids, vectors_ND.any(dim=1).tolist(), strict=True))
        if known and change.new.pieces[id] not in control
    }
    places = tuple(place for place, id in enumerate(change.fresh) if id in rows)
    kept = [id for id in rows if id in change.kept]
    if not kept:
        raise DataError(
            "expected kept pieces with an auxiliary vector, got none; give more text or another "
            "file, or choose embed = 'subwords'"
        )
    return Auxiliary(
        places,
        vectors_ND[[rows[change.fresh[place]] for place in places]],
        tuple(change.kept[id] for id in kept),
        vectors_ND[[rows[id] for id in kept]],
    )


def spread(
    change: VocabChange[Vocabulary], found: Auxiliary, mixed: Iterable[Mapping[int, float]]
) -> list[Weights]:
    """Return weights for all fresh pieces: those of ``mixed`` [K], by place in ``found.old``.

    A piece without a vector has the mean of its old segmentation; one with neither is drawn.
    """
    weights = subword_weights(change)
    for place, mixture in zip(found.places, mixed, strict=True):
        weights[place] = {found.old[row]: weight for row, weight in mixture.items()}
    return weights


def subword_weights(change: VocabChange[Vocabulary]) -> list[Weights]:
    """Return the mean of each fresh piece's old segmentation, None where it has none."""
    old = change.old
    return [mean_of([old.ids[p] for p in old.parts(piece)]) for piece in change.fresh_pieces]


# Training -----------------------------------------------------------------------------------------


def encoded(vocabulary: Vocabulary, corpus: Iterable[str], limit: int) -> list[np.ndarray]:
    """Return the ids of the first lines, with at least ``limit`` pieces where there are as many.

    UsageError without text, and for token counts in place of lines.
    """
    if isinstance(corpus, TextCounts):
        raise UsageError("expected lines of text, got token counts; give the texts themselves")
    lines, found, size = iter(corpus), list[np.ndarray](), 0
    while size < limit and (block := [line[:LONGEST] for line in islice(lines, _LINES)]):
        for ids in vocabulary.encode_lines(block):
            if size < limit:
                found.append(np.array(ids, np.int64))
                size += len(ids)
    if not size:
        raise UsageError(
            "this method reads text and got none; add a corpus, or where it takes vectors, a file "
            "of them in fastText's text format (fasttext.cc has some for 157 languages)"
        )
    return found


def _train(
    vocabulary: Vocabulary,
    lines: Sequence[np.ndarray],
    width: int,
    epochs: int,
    seed: int,
    log: Log,
) -> tuple[list[int], Tensor]:
    """Return the ids of frequent pieces that are text, and their vectors [N, D]."""
    pieces, known = vocabulary.pieces, vocabulary.ids
    counts = np.bincount(np.concatenate(lines), minlength=len(pieces))
    counts[[known[piece] for piece in vocabulary.control_pieces if piece in known]] = 0
    chosen = np.flatnonzero(counts >= _MIN_COUNT)
    if not len(chosen):
        raise DataError(f"no piece occurs {_MIN_COUNT} times in the text; give more text")
    at = np.full(len(pieces), -1)
    at[chosen] = np.arange(len(chosen))
    shown = [row[row >= 0] for row in (at[line] for line in lines)]
    words = [_letters(vocabulary, id) for id in chosen.tolist()]
    key = _digest(shown, words, (width, epochs, seed))
    if key not in _trained:
        vectors = _cbow(shown, words, width, epochs, seed, log)
        while len(_trained) >= _REMEMBERED:
            del _trained[next(iter(_trained))]
        _trained[key] = vectors
    return chosen.tolist(), _trained[key]


def _cbow(
    lines: Sequence[np.ndarray],
    words: Sequence[str],
    width: int,
    epochs: int,
    seed: int,
    log: Log,
) -> Tensor:
    """Return vectors [N, D]; steps are of fewer pieces where the vectors diverge."""

    def made(batch: int) -> Tensor:
        with one_thread():
            return cbow(
                lines,
                words,
                width=width,
                epochs=epochs,
                sample=_SAMPLE,
                negatives=_NEGATIVES,
                batch=batch,
                seed=seed,
                log=log,
            )

    try:
        return in_smaller_steps(made, _BATCHES, log)
    except DataError as error:
        raise DataError(f"{error}; give more text, or a file of vectors") from None


def _letters(vocabulary: Vocabulary, id: int) -> str:
    """Return the letters of a piece, for its n-grams; those of a continuing one behind a +.

    With the marks of its family, ``<##`` would be in most pieces of a batch, and diverge;
    without any, ``##a`` would share all n-grams with ``a``, which is used differently.
    """
    piece = vocabulary.readable(vocabulary.pieces[id]).removeprefix(vocabulary.prefix)
    return f"{'+' * vocabulary.continues(id)}{piece.lstrip(MARK)}"


def _digest(lines: Sequence[np.ndarray], words: Sequence[str], settings: tuple[int, ...]) -> str:
    found = hashlib.sha256(repr((settings, words)).encode())
    for line in lines:
        found.update(len(line).to_bytes(8, "little") + line.tobytes())
    return found.hexdigest()


# Files --------------------------------------------------------------------------------------------


def file_vectors(vocabulary: Vocabulary, file: Path) -> tuple[list[int], Tensor]:
    """Return the ids of pieces with a vector in ``file`` (fastText's text format), and vectors.

    Where most entries are pieces, marks (``##``, ``▁``, ``Ġ``) included, each piece has its own.
    Otherwise the file is one of words, the most frequent first: a piece has the mean of the words
    that contain it, weighted by 1 / rank (Zipf's law in place of counts, as RAMEN does).
    """
    words, vectors_WD = read_vectors(file, limit=_WORDS)
    known = vocabulary.ids
    marks = (vocabulary.prefix,) if vocabulary.prefix else (MARK, SPACE_LETTER)
    named = {known[word]: row for row, word in enumerate(words) if word in known}
    if 2 * len(named) > len(words) and any(word.startswith(marks) for word in words):
        return list(named), vectors_WD[list(named.values())]
    return _contained(vocabulary, words, vectors_WD)


def _contained(
    vocabulary: Vocabulary, words: Sequence[str], vectors_WD: Tensor
) -> tuple[list[int], Tensor]:
    """Return the ids of pieces in ``words``, and the weighted mean of the words of each [N, D]."""
    # encoded in a sentence, so that the space before a word counts; the first one again as such
    encoded = [
        ids
        for start in range(0, len(words), _LINES)
        for ids in vocabulary.encode_words([words[0], *words[start : start + _LINES]])[1:]
    ]
    pairs = torch.tensor([(id, row) for row, ids in enumerate(encoded) for id in {*ids}])
    pieces, at = pairs[:, 0].unique(return_inverse=True)
    weights = 1 / (pairs[:, 1] + 1.0)
    with one_thread():
        sums = torch.zeros(len(pieces), vectors_WD.shape[1])
        sums.index_add_(0, at, vectors_WD[pairs[:, 1]] * weights[:, None])
        totals = torch.zeros(len(pieces)).index_add_(0, at, weights)
    return pieces.tolist(), sums / totals[:, None]
