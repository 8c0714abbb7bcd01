"""Linear-chain conditional random field without start and end scores (Lafferty et al. 2001).

Shapes: B sentences, W words, L labels; ``transitions_LL[i, j]`` is the score of label j right
after label i. Sentences are padded at their end and have a word each.
"""

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from specialize.tasks._batch import UNKNOWN


def negative_log_likelihood(
    emissions_BWL: Tensor, transitions_LL: Tensor, tags_BW: Tensor, mask_BW: Tensor
) -> Tensor:
    """Return -log P(tags) [B]; tags that are `UNKNOWN` are summed out."""
    unknown_BW1 = (tags_BW == UNKNOWN).unsqueeze(-1)
    allowed_BWL = unknown_BW1 | one_hot(tags_BW.clamp(min=0), emissions_BWL.shape[-1]).bool()
    tied_BWL = emissions_BWL.masked_fill(~allowed_BWL, -torch.inf)
    # one pass over the words for both sums: all paths, and those through the known tags
    both = log_partition(
        torch.cat([emissions_BWL, tied_BWL]), transitions_LL, torch.cat([mask_BW, mask_BW])
    )
    every_B, tied_B = both.chunk(2)
    return every_B - tied_B


def log_partition(emissions_BWL: Tensor, transitions_LL: Tensor, mask_BW: Tensor) -> Tensor:
    """Return the log of the summed exponentials of all paths' scores [B]."""
    total_BL = emissions_BWL[:, 0]
    for emission_BL, inside_B in _later_words(emissions_BWL, mask_BW):
        paths_BLL = total_BL.unsqueeze(2) + transitions_LL
        total_BL = torch.where(inside_B, paths_BLL.logsumexp(1) + emission_BL, total_BL)
    return total_BL.logsumexp(1)


def viterbi(
    emissions_BWL: Tensor,
    transitions_LL: Tensor,
    mask_BW: Tensor,
    *,
    start_L: Tensor | None = None,
) -> list[list[int]]:
    """Return the best path of every sentence; a score of -inf forbids a start or transition."""
    best_BL = emissions_BWL[:, 0] + (0 if start_L is None else start_L)
    stay_BL = torch.arange(best_BL.shape[1], device=best_BL.device).expand_as(best_BL)
    back: list[Tensor] = []
    for emission_BL, inside_B in _later_words(emissions_BWL, mask_BW):
        paths_BL, from_BL = (best_BL.unsqueeze(2) + transitions_LL).max(1)
        best_BL = torch.where(inside_B, paths_BL + emission_BL, best_BL)
        back.append(torch.where(inside_B, from_BL, stay_BL))
    path = [best_BL.argmax(1)]
    for from_BL in reversed(back):
        path.append(from_BL.gather(1, path[-1].unsqueeze(1)).squeeze(1))
    rows = torch.stack(path[::-1], dim=1).tolist()
    return [row[:length] for row, length in zip(rows, mask_BW.sum(1).tolist(), strict=True)]


def bio_constraints(tags: list[str]) -> tuple[Tensor, Tensor]:
    """Return scores to add to starts [L] and transitions [L, L]: -inf before a stray I-X, else 0.

    I-X may follow B-X and I-X only.
    """
    start_L = torch.zeros(len(tags))
    transitions_LL = torch.zeros(len(tags), len(tags))
    for j, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if prefix != "I":
            continue
        start_L[j] = -torch.inf
        for i, before in enumerate(tags):
            if before not in (f"B-{kind}", f"I-{kind}"):
                transitions_LL[i, j] = -torch.inf
    return start_L, transitions_LL


def _later_words(emissions_BWL: Tensor, mask_BW: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return emissions [B, L] and mask [B, 1] of every word but the first."""
    words = emissions_BWL.unbind(1)[1:]
    return list(zip(words, mask_BW.unsqueeze(-1).unbind(1)[1:], strict=True))
