"""Unigram: the pieces that are most probable together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from specialize.errors import DataError
from specialize.vocab.base import VocabChange, appended
from specialize.vocab.library_vocabulary import FastVocabulary, Json


class Unigram(FastVocabulary):
    """A Unigram vocabulary as the tokenizers library has it: XLM-R's, T5's."""

    family = "Unigram"

    def __init__(self, described: Json, *, source: str = "tokenizer.json") -> None:
        """Take the tokenizer.json; DataError without a piece for the unknown, or one twice."""
        model = described["model"]
        self.scores: dict[str, float] = dict(model["vocab"])
        if len(self.scores) != len(model["vocab"]):
            names = Counter(piece for piece, _ in model["vocab"])
            twice = next(piece for piece, times in names.items() if times > 1)
            raise DataError(
                f"{source}:1: piece {twice!r} stands twice in the vocabulary; give one of the two "
                "another name, so that no id moves"
            )
        super().__init__(described, source=source)
        if (unknown := model["unk_id"]) is None:
            raise DataError(
                f"{source}:1: model.unk_id is null, with which the library fails at a character "
                "that has no piece; give it the id of a piece for the unknown"
            )
        self.unk: str = model["vocab"][unknown][0]

    @staticmethod
    def model_ids(model: Json) -> dict[str, int]:
        """Return piece -> id."""
        return {piece: i for i, (piece, _) in enumerate(model["vocab"])}

    @cached_property
    def _model(self) -> Any:
        """Return the library's model by itself, which is made sooner than a whole tokenizer."""
        from tokenizers import models

        model = self.described["model"]
        listed = [(piece, score) for piece, score in model["vocab"]]
        return models.Unigram(listed, model["unk_id"], model.get("byte_fallback") or False)

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces.

        Their score is hardly ever asked for: they are taken out of a text before it is segmented,
        but for those that must be whole words. It is the lowest, so that no other score changes.
        """
        lowest = min(self.scores.values(), default=0.0)
        listed = [[piece, self.scores.get(piece, lowest)] for piece in self.pieces]
        return self.described | {"model": self.described["model"] | {"vocab": listed}}

    def place(self, new: Mapping[str, float]) -> VocabChange[Unigram]:
        """Return the change that appends ``new`` pieces with their scores (log-probabilities)."""
        made = self.folded()
        for piece, score in new.items():
            if piece in self.ids:
                raise self.there_already(piece)
            made["model"]["vocab"].append([piece, score])
        return appended(self, Unigram(made, source=self.source), list(new))

    def score(self, pieces: list[str]) -> float:
        """Return the log-probability of ``pieces`` one after the other."""
        return sum(self.scores[piece] for piece in pieces)
