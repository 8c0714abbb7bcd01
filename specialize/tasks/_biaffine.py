"""The biaffine dependency parser's head (Dozat and Manning 2017).

Shapes: B sentences, W words, D the encoder's width, K the parser's, H = W + 1 heads (0 is the
root), L relations, N the words of a batch without pads.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop


class ParserScores(NamedTuple):
    """A batch's scores of arcs; relations are scored later, for the pairs that matter."""

    arcs_BWH: Tensor  # log P(head | word); -inf at pads and at the word itself
    words_BWK: Tensor  # words as dependents, to score relations
    heads_BHK: Tensor  # root and words as heads, to score relations


class BiaffineHead(nn.Module):
    """Scores of arcs and relations.

    Arcs: a matrix over the two representations, each with a 1 appended; a further constant would
    cancel in the softmax. Relations: one matrix and one constant each, no linear terms. ``copies``:
    the layers of words start as copies of those of heads, as in the authors' code.
    """

    def __init__(
        self, states: int, relations: int, *, width: int, dropout: float, copies: bool = False
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.root_D = nn.Parameter(torch.randn(states))
        self.arc_word, self.arc_head = mlp(states, width), mlp(states, width)
        self.relation_word, self.relation_head = mlp(states, width), mlp(states, width)
        if copies:
            self.arc_word.load_state_dict(self.arc_head.state_dict())
            self.relation_word.load_state_dict(self.relation_head.state_dict())
        self.arc_weight = nn.Parameter(torch.empty(width + 1, width + 1))
        self.relation_weight_LKK = nn.Parameter(torch.empty(relations, width, width))
        self.relation_bias_L = nn.Parameter(torch.zeros(relations))
        nn.init.xavier_uniform_(self.arc_weight)
        nn.init.xavier_uniform_(self.relation_weight_LKK)

    def forward(self, words_BWD: Tensor, mask_BW: Tensor) -> ParserScores:
        """Return log-probabilities of arcs, and what `relations` needs."""
        words_BWD = drop(words_BWD, self.dropout, self.training)
        root_B1D = self.root_D.to(words_BWD.dtype).expand(len(words_BWD), 1, -1)
        heads_BHD = self._same_for_all_words(torch.cat([root_B1D, words_BWD], dim=1))
        words_BWD = heads_BHD[:, 1:]
        arc_words = _with_one(self._same_for_all_words(self.arc_word(words_BWD)))
        arc_heads = _with_one(self._same_for_all_words(self.arc_head(heads_BHD)))
        arcs_BWH = (arc_words @ self.arc_weight @ arc_heads.transpose(1, 2)).float()
        return ParserScores(
            arcs_BWH.masked_fill(~_possible(mask_BW), -torch.inf).log_softmax(-1),
            self._same_for_all_words(self.relation_word(words_BWD)).float(),
            self._same_for_all_words(self.relation_head(heads_BHD)).float(),
        )

    def relations(self, words_NK: Tensor, heads_NK: Tensor) -> Tensor:
        """Return the relations' scores [N, L] of words, each with one head."""
        scores_NL = torch.einsum("ni,lij,nj->nl", words_NK, self.relation_weight_LKK, heads_NK)
        return scores_NL + self.relation_bias_L

    def all_relations(self, words_WK: Tensor, heads_HK: Tensor) -> Tensor:
        """Return the relations' scores [W, H, L] of a sentence's words with every head."""
        scores_WHL = torch.einsum("wi,lij,hj->whl", words_WK, self.relation_weight_LKK, heads_HK)
        return scores_WHL + self.relation_bias_L

    def _same_for_all_words(self, x_BWK: Tensor) -> Tensor:
        """Drop the same features of all words of a sentence (Gal and Ghahramani 2016)."""
        keep_B1K = drop(torch.ones_like(x_BWK[:, :1]), self.dropout, self.training)
        return x_BWK * keep_B1K


def mlp(states: int, width: int) -> nn.Module:
    """Return a layer that makes features of words."""
    return nn.Sequential(nn.Linear(states, width), nn.ELU())


def _with_one(x_BWK: Tensor) -> Tensor:
    return torch.cat([x_BWK, torch.ones_like(x_BWK[..., :1])], dim=-1)


def _possible(mask_BW: Tensor) -> Tensor:
    """Return which heads [B, W, H] a word may have: the root and any other word."""
    numbers_H = torch.arange(mask_BW.shape[1] + 1, device=mask_BW.device)
    other_WH = numbers_H[1:].unsqueeze(1) != numbers_H
    heads_BH = torch.cat([torch.ones_like(mask_BW[:, :1]), mask_BW], dim=1)
    return heads_BH.unsqueeze(1) & other_WH
