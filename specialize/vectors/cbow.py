"""Word vectors by CBOW with subwords (fastText; Bojanowski et al. 2017), on a CPU.

The mean of the words around a place predicts the word there, as masked language models do.
Deterministic for one machine and number of threads. `training` says what differs from fastText.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.vectors.training import Grams, Lines, Options, Pairs, Tables, train

# shapes: V words, D width; in a batch P pairs, S centres with a context, U distinct contexts, G
# rows of their n-grams, K noise words


def cbow(lines: Lines, words: Sequence[str], **options: Unpack[Options]) -> Tensor:
    """Return vectors [V, width] of ``words``, whose mean predicts the word between (`train`)."""
    return train(_step, lines, words, **options)


def _step(
    tables: Tables, grams: Grams, pairs: Pairs, noise_K: Tensor, negatives: int, rate: float
) -> Tensor:
    """Take one step of SGD on the sum over centres; return the mean loss of a centre, in nats.

    A centre c costs -log s(h c) - sum over its noise words of log s(-h n), where h is the mean of
    the rows of all its contexts' n-grams and s the logistic function.
    """
    places_S, of_P = torch.unique(pairs.centres_P, return_inverse=True)
    contexts_U, at_P = torch.unique(pairs.ids[pairs.contexts_P], return_inverse=True)
    rows_G, begin_U = grams.of_words(contexts_U)
    sizes_U = grams.sizes_V[contexts_U]
    sums_UD = F.embedding_bag(rows_G, tables.grams_ND, begin_U, mode="sum")
    hidden_SD = torch.zeros(len(places_S), sums_UD.shape[1]).index_add_(0, of_P, sums_UD[at_P])
    hidden_SD /= torch.zeros(len(places_S)).index_add_(0, of_P, sizes_U[at_P].float())[:, None]
    centres_S = pairs.ids[places_S]
    centre_SD, noise_KD = tables.contexts_VD[centres_S], tables.contexts_VD[noise_K]
    score_S, score_SK = (hidden_SD * centre_SD).sum(1), hidden_SD @ noise_KD.T
    weight = negatives / len(noise_K)
    slope_S1, slope_SK = (score_S.sigmoid() - 1)[:, None], score_SK.sigmoid() * weight
    slope_SD = slope_S1 * centre_SD + slope_SK @ noise_KD
    # subtle: as in fastText's code, each row takes the whole gradient of the mean
    slope_UD = torch.zeros_like(sums_UD).index_add_(0, at_P, slope_SD[of_P])
    tables.grams_ND.index_add_(0, rows_G, slope_UD.repeat_interleave(sizes_U, 0), alpha=-rate)
    tables.contexts_VD.index_add_(0, centres_S, slope_S1 * hidden_SD, alpha=-rate)
    tables.contexts_VD.index_add_(0, noise_K, slope_SK.T @ hidden_SD, alpha=-rate)
    losses = F.softplus(-score_S).sum() + weight * F.softplus(score_SK).sum()
    return losses / len(places_S)
