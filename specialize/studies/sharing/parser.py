"""The parser: a BiLSTM over characters, one over words, and the package's biaffine scorer.

Sizes are those of UUParser (de Lhoneux et al. 2018): vectors of characters 24, of words 100, of the
language 12 (one table for all parts); a BiLSTM of 50 each way over characters, two of 125 each way
over words; no tags, no pretrained vectors. Rare words and characters are replaced by the unknown
one in training with probability 0.25 / (0.25 + count), words as there, characters so that the
unknown one is trained. What differs: the paper's third part scores transitions (arc-hybrid with
swap, two layers over eleven words' states); here it is `tasks._biaffine`, whose trees are decoded
as maximum spanning trees. Dropout is one mask a sentence, outside of the recurrence.

Shapes: B sentences, W words of a sentence, N different words of a batch, C characters of a word,
E width of the language's vector (0 without), D width of the states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from specialize.model.lstm import BiLSTM, same_dropped
from specialize.studies.sharing.parts import Parts, appended
from specialize.tasks._base import Sentence, Tree
from specialize.tasks._biaffine import ParserScores

CHARACTER, WORD = 24, 100  # widths of vectors
SPELLING, STATES = 2 * 50, 2 * 125  # widths of states, both directions
_LAYERS = 2
_UNKNOWN = 0.25  # strength of the replacement by the unknown symbol


class Symbols(nn.Module):
    """A table of vectors of words or characters; row 0 is the unknown one."""

    def __init__(self, counts: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.ids = {symbol: i for i, symbol in enumerate(sorted(counts), 1)}
        self.vectors = nn.Embedding(len(self.ids) + 1, width)
        shares = [_UNKNOWN / (_UNKNOWN + counts[symbol]) for symbol in self.ids]
        self.register_buffer("rare", torch.tensor([0.0, *shares]), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors [..., width] of ids [...]."""
        if self.training:
            rare: Tensor = self.rare  # type: ignore[assignment]
            ids = ids.masked_fill(torch.rand(ids.shape, device=ids.device) < rare[ids], 0)
        found: Tensor = self.vectors(ids)
        return found


class Characters(nn.Module):
    """The part "char": states of words from their characters."""

    def __init__(self, counts: Mapping[str, int], language: int) -> None:
        super().__init__()
        self.symbols = Symbols(counts, CHARACTER)
        self.lstm = BiLSTM(CHARACTER + language, SPELLING)

    def forward(self, ids_NC: Tensor, lengths_N: Tensor, language_E: Tensor) -> Tensor:
        """Return the states [N, SPELLING]."""
        return self.lstm.last(appended(self.symbols(ids_NC), language_E), lengths_N)


class Words(nn.Module):
    """The part "word": states of words in their sentence."""

    def __init__(self, counts: Mapping[str, int], language: int, dropout: float) -> None:
        super().__init__()
        self.symbols = Symbols(counts, WORD)
        widths = [WORD + SPELLING + language, *[STATES] * (_LAYERS - 1)]
        self.layers = nn.ModuleList(BiLSTM(width, STATES) for width in widths)
        self.dropout = dropout

    def forward(
        self, ids_BW: Tensor, spelling_BWD: Tensor, lengths_B: Tensor, language_E: Tensor
    ) -> Tensor:
        """Return the states [B, W, STATES]."""
        states = appended(torch.cat([self.symbols(ids_BW), spelling_BWD], -1), language_E)
        for layer in self.layers:
            states = layer(same_dropped(states, self.dropout, self.training), lengths_B)
        return states


@dataclass(frozen=True)
class SpeltBatch:
    """Sentences of one language as ids of its parts."""

    ids_BW: Tensor
    mask_BW: Tensor  # true at words
    lengths_B: Tensor
    characters_NC: Tensor
    lengths_N: Tensor
    place_BW: Tensor  # of a word among the N


class Parser(Parts):
    """The parser of the paper's sizes."""

    def new(self, part: str, sentences: Sequence[Sentence[Tree]], extra: int) -> nn.Module:
        """Return a part; see `Parts.new`."""
        words = Counter(word for sentence in sentences for word in sentence.words)
        if part == "char":
            characters = Counter[str]()
            for word, count in words.items():
                for character in word:
                    characters[character] += count
            return Characters(characters, extra)
        if part == "word":
            return Words(words, extra, self.task.dropout)
        return self.task.head(STATES + extra, self.task.labels(sentences))

    def forward(self, language: str, batch: SpeltBatch) -> ParserScores:
        """Return the scores of a batch of ``language``."""
        spelling_ND = self.part("char", language)(
            batch.characters_NC, batch.lengths_N, self.vector("char", language)
        )
        states_BWD = self.part("word", language)(
            batch.ids_BW,
            spelling_ND[batch.place_BW],
            batch.lengths_B,
            self.vector("word", language),
        )
        given_BWD = appended(states_BWD, self.vector("score", language))
        scores: ParserScores = self.part("score", language)(given_BWD, batch.mask_BW)
        return scores

    def batch(self, language: str, sentences: Sequence[Sentence[Tree]]) -> SpeltBatch:
        """Return sentences of ``language`` as ids."""
        device = next(self.parameters()).device
        words = [sentence.words for sentence in sentences]
        places = {word: i for i, word in enumerate(dict.fromkeys(w for s in words for w in s))}
        known = self.part("word", language).symbols.ids
        spelt = self.part("char", language).symbols.ids
        lengths_B = torch.tensor([len(sentence) for sentence in words])
        return SpeltBatch(
            ids_BW=_padded([[known.get(w, 0) for w in s] for s in words]).to(device),
            mask_BW=(torch.arange(int(lengths_B.max())) < lengths_B.unsqueeze(1)).to(device),
            lengths_B=lengths_B.to(device),
            characters_NC=_padded([[spelt.get(c, 0) for c in word] for word in places]).to(device),
            lengths_N=torch.tensor([len(word) for word in places]).to(device),
            place_BW=_padded([[places[w] for w in s] for s in words]).to(device),
        )


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (width - len(row))] for row in rows])
