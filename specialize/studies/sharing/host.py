"""The parser on a transformer: adapters in a frozen host, and the package's biaffine scorer.

The parts of the study, in a host such as mini: "char" are adapters in the lower half of its layers,
"word" those in the upper half, "score" the scorer, on the mean of the last layer's states over the
pieces of a word. Adapters have half the host's width and act after the feed-forward part, as the
language adapters of MAD-X (`modules.madx`). Where a part is shared softly, the language's vector is
appended to the input of its adapters, which is a bias of their inner states. The host's tokenizer
and weights are the same for both languages and do not train.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from specialize.errors import UsageError
from specialize.model.language_model import hidden_size, layer_count, layers
from specialize.model.load import Checkpoint
from specialize.model.word_encoder import WordBatch, WordEncoder
from specialize.modules.attach import attach
from specialize.modules.functions import Bottleneck
from specialize.modules.madx import table
from specialize.modules.scope import Scope
from specialize.modules.sources import PerKey, Source, View
from specialize.studies.sharing.parts import Parts, appended
from specialize.studies.sharing.sharing import Sharing
from specialize.tasks._base import Sentence, Tree
from specialize.tasks._biaffine import ParserScores
from specialize.tasks.dep import DepTask

_REDUCTION = 2  # of the host's width to that of the adapters
_LENGTH = 128  # pieces of a row
_STD = 0.02  # of initial weights


class Informed(PerKey):
    """Adapters to whose input a vector of the language is appended."""

    def __init__(
        self,
        width: int,
        layers: Sequence[int],
        extra: int,
        vector: Callable[[str], Tensor],
        *,
        size: int,
        seed: int,
    ) -> None:
        """``extra``: width E of the vector that ``vector`` returns for a language."""
        super().__init__("all", width, layers, size=size, seed=seed, std=_STD)
        self._vector = vector
        self.maps = nn.ParameterDict(
            {str(layer): nn.Parameter(_STD * torch.randn(size, extra)) for layer in layers}
        )

    def part(self, layer: int, scope: Scope) -> Bottleneck:
        """Return the parameters for the scope's language."""
        found = super().part(layer, scope)
        own = self.maps[str(layer)] @ self._vector(scope.language)
        return found._replace(down_bias=found.down_bias + own)


class ByLanguage(Source):
    """The adapters of each language, at the same sites."""

    def __init__(self, sources: Mapping[str, Sequence[PerKey]]) -> None:
        super().__init__()
        every = list(dict.fromkeys(source for own in sources.values() for source in own))
        self.sources = nn.ModuleList(every)
        self._of = {language: list(own) for language, own in sources.items()}
        self.width = every[0].width
        self.layers = tuple(sorted({layer for source in every for layer in source.layers}))

    def forward(self, states: Tensor, view: View, layer: int, scope: Scope) -> Tensor:
        """Return the states after the adapter that the scope's language has in this layer."""
        for source in self._of[scope.language]:
            states = source(states, view, layer, scope)
        return states

    def check(self, scope: Scope) -> None:
        """Raise UsageError for a language without adapters."""
        if scope.language not in self._of:
            raise UsageError(f"no adapters of {scope.language!r}; known: {', '.join(self._of)}")


class HostParser(Parts):
    """The parts on a host, which is no submodule: it neither trains nor enters checkpoints."""

    def __init__(
        self,
        host: Checkpoint,
        treebanks: Mapping[str, Sequence[Sentence[Tree]]],
        sharing: Sharing,
        task: DepTask,
        *,
        seed: int,
    ) -> None:
        """``host``: its model gets the adapters of this parser; see `Parts` for the others."""
        self._width, count = hidden_size(host.model), layer_count(host.model)
        if count < 2:
            raise UsageError(f"expected a host of two layers or more, got {count}")
        self._layers = {"char": range(count // 2), "word": range(count // 2, count)}
        super().__init__(treebanks, sharing, task, seed=seed)
        self._held = (host.model.requires_grad_(False).eval(),)
        self._words = WordEncoder(
            host.vocabulary, host.framing, length=min(_LENGTH, host.framing.positions)
        )
        adapters = ByLanguage(
            {name: [self.part(part, name) for part in self._layers] for name in self.languages}
        )
        self._modules_at = attach(host.model, table(host.model, adapters)).at

    def new(self, part: str, sentences: Sequence[Sentence[Tree]], extra: int) -> nn.Module:
        """Return a part; see `Parts.new`."""
        if part == "score":
            return self.task.head(self._width + extra, self.task.labels(sentences))
        size, seed = max(1, self._width // _REDUCTION), int(torch.randint(2**31, ()))
        own = self._layers[part]
        made: PerKey
        if extra:
            vector = self.vector
            made = Informed(
                self._width, own, extra, lambda name: vector(part, name), size=size, seed=seed
            )
        else:
            made = PerKey("all", self._width, own, size=size, seed=seed, std=_STD)
        return made.requires_grad_(True)

    def batch(self, language: str, sentences: Sequence[Sentence[Tree]]) -> WordBatch:
        """Return sentences as rows of pieces."""
        device = next(self.parameters()).device
        return self._words.batch([sentence.words for sentence in sentences], device)

    def forward(self, language: str, batch: WordBatch) -> ParserScores:
        """Return the scores of a batch of ``language``."""
        (host,) = self._held
        with self._modules_at(Scope(language)):
            states_RLD = layers(host, batch.ids_RL, batch.real_RL)[-1]
        words_BWD = (batch.mean_RKL @ states_RLD).flatten(0, 1)[batch.place_BW]
        given_BWD = appended(words_BWD, self.vector("score", language))
        scores: ParserScores = self.part("score", language)(given_BWD, batch.mask_BW)
        return scores
