"""Annotations as padded tensors, and the loss over labels that both may be missing."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

UNKNOWN = -100  # a label outside the inventory, and at pads


def padded(rows: Iterable[Sequence[int]], mask_BW: Tensor, *, fill: int) -> Tensor:
    """Return integers, one a word, as a tensor [B, W] on the mask's device."""
    width = mask_BW.shape[1]
    full = [[*row, *[fill] * (width - len(row))] for row in rows]
    return torch.tensor(full, dtype=torch.long, device=mask_BW.device)


def label_ids(rows: Iterable[Sequence[str]], labels: Sequence[str], mask_BW: Tensor) -> Tensor:
    """Return the labels' places in the inventory [B, W], `UNKNOWN` where they have none."""
    ids = {label: i for i, label in enumerate(labels)}
    return padded(
        ([ids.get(label, UNKNOWN) for label in row] for row in rows), mask_BW, fill=UNKNOWN
    )


def sentence_cross_entropy(scores_BWL: Tensor, ids_BW: Tensor) -> Tensor:
    """Return the mean over sentences of each one's mean over words with a known label.

    Sentences without such a word do not count; 0 where no sentence counts.
    """
    losses_BW = cross_entropy(
        scores_BWL.float().transpose(1, 2), ids_BW, ignore_index=UNKNOWN, reduction="none"
    )
    words_B = (ids_BW != UNKNOWN).sum(1)
    means_B = losses_BW.sum(1) / words_B.clamp(min=1)
    return means_B.sum() / (words_B > 0).sum().clamp(min=1)


def mean_cross_entropy(scores_NL: Tensor, ids_N: Tensor) -> Tensor:
    """Return the mean over words with a known label; 0 where there is none."""
    total = cross_entropy(scores_NL.float(), ids_N, ignore_index=UNKNOWN, reduction="sum")
    return total / (ids_N != UNKNOWN).sum().clamp(min=1)
