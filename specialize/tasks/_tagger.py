"""What tagging words (pos) and spans (ner) have in common."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from specialize.tasks._base import Sentence, Tags


class TagHead(nn.Module):
    """Dropout and a linear layer; ``twice``: two dropouts in a row, as in the authors' code."""

    def __init__(self, width: int, tags: int, *, dropout: float, twice: bool = False) -> None:
        super().__init__()
        self.dropout = nn.Sequential(*(nn.Dropout(dropout) for _ in range(1 + twice)))
        self.linear = nn.Linear(width, tags)

    def forward(self, words_BWD: Tensor, mask_BW: Tensor) -> Tensor:
        """Return the tags' scores [B, W, L]."""
        scores_BWL: Tensor = self.linear(self.dropout(words_BWD))
        return scores_BWL.float()


class CrfHead(TagHead):
    """A tag head with the transitions of a CRF, which its loss and decoder add (`_crf`)."""

    def __init__(self, width: int, tags: int, *, dropout: float, twice: bool = False) -> None:
        super().__init__(width, tags, dropout=dropout, twice=twice)
        self.transitions_LL = nn.Parameter(torch.empty(tags, tags))
        nn.init.xavier_normal_(self.transitions_LL)


def unknown_tags(sentences: Iterable[Sentence[Tags]], tags: Iterable[str]) -> int:
    """Return how many words have a tag that is not among ``tags``."""
    known = set(tags)
    return sum(tag not in known for sentence in sentences for tag in sentence.gold)


def tag_names(paths: Iterable[Sequence[int]], tags: Sequence[str]) -> list[Tags]:
    """Return sentences' tags, given their places in the inventory.

    >>> tag_names([[1, 0]], ["NOUN", "VERB"])
    [('VERB', 'NOUN')]
    """
    return [tuple(tags[i] for i in path) for path in paths]
