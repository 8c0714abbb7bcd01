"""What training of vectors with subwords reads and changes: text, n-grams, tables, noise.

As fastText (Bojanowski et al. 2017), but for what suits batches:

- A batch of words is one step, and its noise words are shared by all of them, weighted so that each
  pair has as many as asked for (Ji et al. 2016): matrix products in place of single rows.
- All words are known in advance, so every n-gram has a row of its own: no hash buckets.
- Lines are shuffled in every epoch, which keeps the same few words from filling a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.errors import DataError
from specialize.progress import Log, Silent

# shapes: V words, N n-grams, D width; in a batch P pairs, U distinct words, G rows of their
# n-grams, K noise words

_SHORTEST, _LONGEST = 3, 6  # characters of an n-gram, < and > around the word included
# occurrences in a step, at most on average, of a word and of an n-gram: gradients are summed. With
# 119 of Vietnamese "ng>" skip-gram diverges, with 99 it does not.
_REPEATED, _SHARED = 8, 64
_USABLE = 100.0  # norm of a vector, at most; usual are 2 to 10
_NOISE = 256  # noise words of a step
_NOISE_POWER = 0.5  # of a word's count, in the distribution of noise words (fastText's code)

Lines = Iterable[Sequence[int] | np.ndarray]
# noise words, how many of them each pair or centre has, rate -> mean loss
Step = Callable[["Tables", "Grams", "Pairs", Tensor, int, float], Tensor]


class Options(TypedDict, total=False):
    """The keyword arguments of `train`."""

    width: int
    epochs: int
    window: int
    negatives: int
    rate: float
    sample: float
    batch: int
    seed: int
    log: Log


def train(
    step: Step,
    lines: Lines,
    words: Sequence[str],
    *,
    width: int = 100,
    epochs: int = 5,
    window: int = 5,
    negatives: int = 5,
    rate: float = 0.05,
    sample: float = 1e-4,
    batch: int = 1024,
    seed: int = 0,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Tensor:
    """Return vectors [V, width] of ``words``: the mean of a word's own row and of its n-grams'.

    ``lines``: the ids (places in ``words``) of each line's words; a window of 1 to ``window`` words
    on either side does not cross lines. ``negatives``: noise words of a pair, or of a centre where
    a step takes all its contexts together. ``rate``: of plain SGD, falling to 0. ``sample``: words
    whose share of the text is above it are left out at random. ``batch``: words of a step, at most;
    fewer where many share a word or an n-gram, whose gradients are summed. The other defaults are
    fastText's. DataError where no line has two words. See
    `in_smaller_steps`.
    """
    text = Text.of(lines)
    if not (text.lines[1:] == text.lines[:-1]).any():
        raise DataError("expected a line of two known words or more to train on, got none")
    rng = np.random.default_rng(seed)
    grams = Grams.of(words)
    counts = np.bincount(text.ids, minlength=len(words))
    shares = _kept_shares(counts, sample)
    batch = _batch(counts * np.minimum(shares, 1), grams, batch)
    first = rng.uniform(-1 / width, 1 / width, (grams.rows, width)).astype(np.float32)
    tables = Tables(torch.from_numpy(first), torch.zeros(len(words), width))
    noise = counts**_NOISE_POWER
    noise = noise.cumsum() / noise.sum()
    for epoch in range(epochs):
        shown = text.sampled(shares, rng)
        for begin in range(0, len(shown.ids), batch):
            part = slice(begin, begin + batch)
            done = (epoch + begin / len(shown.ids)) / epochs
            drawn = torch.from_numpy(noise.searchsorted(rng.random(_NOISE)))
            pairs = Pairs.of(shown.ids[part], shown.lines[part], window, rng)
            if len(pairs.centres_P):
                loss = step(tables, grams, pairs, drawn, negatives, rate * (1 - done))
                read, total = round(done * epochs * len(text.ids)), epochs * len(text.ids)
                log.step(read, total, loss=loss, tokens=read)
    return grams.means(tables.grams_ND, torch.arange(len(words)))


def in_smaller_steps(
    made: Callable[[int], Tensor],
    batches: Sequence[int],
    log: Log = Silent(),  # noqa: B008
) -> Tensor:
    """Return the vectors of ``made(batch)`` for the first of ``batches`` that does not diverge.

    How many words a step may have depends on the text: gradients of an n-gram are summed over its
    words. DataError where all diverge, with vectors that are not finite or far too long.
    """
    for batch in batches:
        vectors_VD = made(batch)
        longest = float(vectors_VD.norm(dim=1).max())
        if longest < _USABLE:  # nan is not
            return vectors_VD
        log.say(
            f"vectors diverged in steps of {batch} (longest: {longest:g}); trained in smaller ones"
        )
    raise DataError(f"training of vectors diverged, in steps of {batches[-1]} too")


@dataclass(frozen=True)
class Tables:
    """The two tables that are trained."""

    grams_ND: Tensor
    contexts_VD: Tensor


@dataclass(frozen=True)
class Text:
    """The ids of words one after another, and the line of each."""

    ids: np.ndarray
    lines: np.ndarray

    @classmethod
    def of(cls, lines: Lines) -> Text:
        """Return the text of lines of ids."""
        parts = [np.asarray(line, np.int64) for line in lines]
        sizes = [len(part) for part in parts]
        ids = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        return cls(ids, np.repeat(np.arange(len(parts)), sizes))

    def sampled(self, shares: np.ndarray, rng: np.random.Generator) -> Text:
        """Return the text with each word kept at the share of its type, lines in another order."""
        kept = rng.random(len(self.ids)) < shares[self.ids]
        if not kept.any():  # a text of a few words
            kept[:] = True
        order = rng.permutation(self.lines[-1] + 1)[self.lines[kept]].argsort(kind="stable")
        return Text(self.ids[kept][order], self.lines[kept][order])


def _kept_shares(counts: np.ndarray, sample: float) -> np.ndarray:
    """Return with which probability an occurrence of each word is kept, as in fastText's code."""
    ratio = sample * counts.sum() / np.maximum(counts, 1)
    return np.sqrt(ratio) + ratio


def _batch(counts: np.ndarray, grams: Grams, most: int) -> int:
    """Return how many words make a step: few where one word, or n-gram, is in much of the text."""
    of_rows = np.zeros(grams.rows)
    np.add.at(of_rows, grams.ids.numpy(), np.repeat(counts, grams.sizes_V.numpy()))
    shared = of_rows[len(counts) :].max(initial=0)
    fewest = min(_REPEATED / counts.max(), _SHARED / max(shared, 1e-9))
    return int(max(2, min(most, counts.sum() * fewest)))


@dataclass(frozen=True)
class Grams:
    """The rows of every word: its own, then those of its n-grams."""

    ids: Tensor  # those of one word after those of another
    starts_V: Tensor
    sizes_V: Tensor
    rows: int

    @classmethod
    def of(cls, words: Sequence[str]) -> Grams:
        """Return the rows of words."""
        rows: dict[str, int] = {}
        found = [
            [i, *(len(words) + rows.setdefault(gram, len(rows)) for gram in ngrams(word))]
            for i, word in enumerate(words)
        ]
        sizes = torch.tensor([len(own) for own in found])
        ids = torch.tensor([row for own in found for row in own])
        return cls(ids, sizes.cumsum(0) - sizes, sizes, len(words) + len(rows))

    def means(self, table_ND: Tensor, words_U: Tensor) -> Tensor:
        """Return the mean row [U, D] of each word."""
        rows_G, begin_U = self.of_words(words_U)
        return F.embedding_bag(rows_G, table_ND, begin_U, mode="mean")

    def of_words(self, words_U: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rows [G] of words, and where those of each begin [U]."""
        sizes = self.sizes_V[words_U]
        begin = sizes.cumsum(0) - sizes
        steps = torch.arange(int(sizes.sum())) - begin.repeat_interleave(sizes)
        return self.ids[self.starts_V[words_U].repeat_interleave(sizes) + steps], begin


def ngrams(word: str) -> Iterator[str]:
    """Yield the n-grams of ``<word>``: ``"ab"`` -> ``<ab``, ``<ab>``, ``ab>``."""
    marked = f"<{word}>"
    for begin in range(len(marked)):
        for end in range(begin + _SHORTEST, min(begin + _LONGEST, len(marked)) + 1):
            yield marked[begin:end]


@dataclass(frozen=True)
class Pairs:
    """The words of a batch and those near them: places P of a centre and of one of its contexts."""

    ids: Tensor  # the words of the batch, in order
    centres_P: Tensor
    contexts_P: Tensor

    @classmethod
    def of(cls, ids: np.ndarray, lines: np.ndarray, window: int, rng: np.random.Generator) -> Pairs:
        """Return the pairs within a random distance of each centre, of one line."""
        reach = rng.integers(1, window + 1, len(ids))
        centres, contexts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for distance in range(1, min(window, len(ids) - 1) + 1):
            left, right = np.arange(len(ids) - distance), np.arange(distance, len(ids))
            near = lines[left] == lines[right]
            for centre, context in ((left, right), (right, left)):
                chosen = near & (reach[centre] >= distance)
                centres.append(centre[chosen])
                contexts.append(context[chosen])
        both = (torch.from_numpy(np.concatenate(part)) for part in (centres, contexts))
        return cls(torch.from_numpy(ids), *both)
