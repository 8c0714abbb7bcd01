"""Text as batches of masked sequences: packing, sampling, masking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from specialize.errors import UsageError
from specialize.vocab.wordpiece.model import WordPiece

# shapes: N sequences in all, B sequences a batch, L pieces a sequence, M masked positions


@dataclass(frozen=True)
class Frame:
    """The special pieces that frame a sequence, and the ids a mask may be replaced by."""

    cls: int
    sep: int
    pad: int
    mask: int
    ordinary: Tensor  # ids
    continuing: Tensor  # [V], True for a piece that is not the first of its word


def frame_of(vocabulary: WordPiece) -> Frame:
    """Return the frame of a BERT-like vocabulary; random replacements are never special pieces.

    The original draws them from the whole vocabulary, [CLS] and [unused1] included.
    """
    wanted = ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
    if missing := [piece for piece in wanted if piece not in vocabulary.ids]:
        raise UsageError(f"masked training needs the pieces {missing}, which the vocabulary lacks")
    ids = vocabulary.ids
    special = {ids[piece] for piece in vocabulary.special}
    slots = {i for i, p in enumerate(vocabulary.pieces) if p.startswith("[unused")}
    ordinary = [i for i in range(len(vocabulary.pieces)) if i not in special | slots]
    continuing = [piece.startswith(vocabulary.prefix) for piece in vocabulary.pieces]
    cls, sep, pad, mask_id = (ids[piece] for piece in wanted)
    return Frame(cls, sep, pad, mask_id, torch.tensor(ordinary), torch.tensor(continuing))


def pack(vocabulary: WordPiece, documents: Iterable[Sequence[str]], length: int) -> np.ndarray:
    """Return sequences [N, L] of ids: [CLS], pieces, and a [SEP] after each document.

    Documents stay together and in order; a sequence is cut where it is full (RoBERTa's
    FULL-SENTENCES, Liu et al. 2019, §4.2), so nothing but the last sequence is padded. The original
    still builds BERT's sentence pairs although it has dropped the loss that needs them.
    """
    frame = frame_of(vocabulary)
    parts: list[np.ndarray] = []
    for lines in documents:
        ids = [i for line in lines for i in vocabulary.encode(line)]
        if ids:
            parts.append(np.array([*ids, frame.sep], dtype=np.int32))
    if not parts:
        return np.empty((0, length), np.int32)
    stream = np.concatenate(parts)
    padded = np.full(-(-len(stream) // (length - 1)) * (length - 1), frame.pad, np.int32)
    padded[: len(stream)] = stream
    body = padded.reshape(-1, length - 1)
    return np.concatenate([np.full((len(body), 1), frame.cls, np.int32), body], axis=1)


def mask(
    ids_BL: Tensor, frame: Frame, *, rate: float, generator: torch.Generator, words: bool = False
) -> tuple[Tensor, Tensor]:
    """Return inputs [B, L] and the chosen positions [B, L] (bool).

    Each ordinary position is chosen with probability ``rate``, or with ``words`` each word with all
    its pieces; of the chosen positions, 80 % become [MASK], 10 % a random ordinary piece, 10 % stay
    (Devlin et al. 2019, §3.1; whole words: their later release).
    """
    free = (ids_BL != frame.cls) & (ids_BL != frame.sep) & (ids_BL != frame.pad)
    draw = torch.rand(ids_BL.shape, generator=generator)
    if words:
        first = torch.arange(ids_BL.shape[1]).masked_fill(frame.continuing[ids_BL], 0)
        draw = draw.gather(1, first.cummax(1).values)
    chosen = free & (draw < rate)
    if not chosen.any():  # a tiny batch: something must be learnt from it
        chosen = free & (torch.cumsum(free.flatten(), 0).view_as(free) == 1)
    kind = torch.rand(ids_BL.shape, generator=generator)
    picks = torch.randint(len(frame.ordinary), ids_BL.shape, generator=generator)
    inputs = torch.where(chosen & (kind < 0.8), frame.mask, ids_BL)
    return torch.where(chosen & (kind >= 0.9), frame.ordinary[picks], inputs), chosen


def order(count: int, *, seed: int, epoch: int) -> np.ndarray:
    """Return the order [N] in which an epoch visits ``count`` items."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batches_by_length(
    lengths: Sequence[int], batch: int, *, seed: int, epoch: int, pool: int = 16
) -> list[np.ndarray]:
    """Return an epoch's batches of item numbers, each of items of similar length.

    Items are shuffled, sorted by length within pools of ``pool`` batches, and the batches shuffled:
    a small treebank's sentences are then hardly padded, which more than halves the work.
    """
    shuffled = order(len(lengths), seed=seed, epoch=epoch)
    by_length = np.asarray(lengths)
    batches: list[np.ndarray] = []
    for start in range(0, len(shuffled), pool * batch):
        part = shuffled[start : start + pool * batch]
        part = part[np.argsort(by_length[part], kind="stable")]
        batches += [part[i : i + batch] for i in range(0, len(part), batch)]
    places = np.random.default_rng((seed, epoch, 1)).permutation(len(batches))
    return [batches[i] for i in places]


def mixed_order(counts: Sequence[int], total: int, *, alpha: float, seed: int) -> np.ndarray:
    """Return ``total`` item numbers, sampled so that a source of n items has weight n^alpha.

    Items of the sources are numbered one source after the other; each source is gone through
    whole, in a new random order every time, before an item of it comes again.
    """
    rng = np.random.default_rng(seed)
    weights = np.array(counts, float) ** alpha
    drawn = np.floor(total * weights / weights.sum()).astype(int)
    starts = np.concatenate([[0], np.cumsum(counts)])
    chosen = []
    for start, count, wanted in zip(starts, counts, drawn, strict=False):
        rounds = [rng.permutation(count) for _ in range(-(-wanted // count))] if count else []
        chosen += [start + np.concatenate(rounds)[:wanted]] if rounds else []
    return rng.permutation(np.concatenate(chosen))
