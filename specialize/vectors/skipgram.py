"""Word vectors by skip-gram with subwords (fastText; Bojanowski et al. 2017), on a CPU.

Deterministic for one machine and number of threads. `training` says what differs from fastText.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.vectors.training import Grams, Lines, Options, Pairs, Tables, train

# shapes: V words, D width; in a batch P pairs, U distinct centres, G rows of their n-grams, K noise
# words


def skipgram(lines: Lines, words: Sequence[str], **options: Unpack[Options]) -> Tensor:
    """Return vectors [V, width] of ``words``, which predict the words near them (`train`)."""
    return train(_step, lines, words, **options)


def _step(
    tables: Tables, grams: Grams, pairs: Pairs, noise_K: Tensor, negatives: int, rate: float
) -> Tensor:
    """Take one step of SGD on the sum over pairs; return the mean loss of a pair, in nats.

    A pair costs -log s(h c) - sum over its noise words of log s(-h n); s is the logistic function.
    """
    centres_P, contexts_P = pairs.ids[pairs.centres_P], pairs.ids[pairs.contexts_P]
    words_U, at_P, pairs_U = torch.unique(centres_P, return_inverse=True, return_counts=True)
    rows_G, begin_U = grams.of_words(words_U)
    hidden_UD = F.embedding_bag(rows_G, tables.grams_ND, begin_U, mode="mean")
    hidden_PD, context_PD = hidden_UD[at_P], tables.contexts_VD[contexts_P]
    noise_KD = tables.contexts_VD[noise_K]
    score_P, score_UK = (hidden_PD * context_PD).sum(1), hidden_UD @ noise_KD.T
    weight_U1 = (pairs_U * (negatives / len(noise_K)))[:, None]
    slope_P1 = (score_P.sigmoid() - 1)[:, None]
    slope_UK = score_UK.sigmoid() * weight_U1
    slope_UD = (slope_UK @ noise_KD).index_add_(0, at_P, slope_P1 * context_PD)
    # subtle: as in fastText's code, each row of a word takes the whole gradient of their mean
    sizes_U = grams.sizes_V[words_U]
    tables.grams_ND.index_add_(0, rows_G, slope_UD.repeat_interleave(sizes_U, 0), alpha=-rate)
    tables.contexts_VD.index_add_(0, contexts_P, slope_P1 * hidden_PD, alpha=-rate)
    tables.contexts_VD.index_add_(0, noise_K, slope_UK.T @ hidden_UD, alpha=-rate)
    losses = F.softplus(-score_P).sum() + (F.softplus(score_UK) * weight_U1).sum()
    return losses / len(centres_P)
