"""Unigram: the pieces that are most probable together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from specialize.errors import DataError
from specialize.vocab.base import Extension, VocabChange, appended
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.library_vocabulary import Json, LibraryVocabulary
from specialize.vocab.settings import Settings


class Unigram(LibraryVocabulary):
    """A Unigram vocabulary of the tokenizers library, such as XLM-R's or T5's."""

    family = "Unigram"

    def __init__(
        self, described: Json, *, source: str = "tokenizer.json", settings: Settings | None = None
    ) -> None:
        """Wrap the tokenizer.json; DataError without an unknown piece, or with duplicate pieces."""
        model = described["model"]
        self.scores: dict[str, float] = dict(model["vocab"])
        if len(self.scores) != len(model["vocab"]):
            names = Counter(piece for piece, _ in model["vocab"])
            duplicate = next(piece for piece, times in names.items() if times > 1)
            raise DataError(
                f"{source}:1: duplicate piece {duplicate!r}; rename one of the two, so that "
                "no id moves"
            )
        super().__init__(described, source=source, settings=settings)
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
        """Return the library's model alone, which is built faster than a whole tokenizer."""
        from tokenizers import models

        model = self.described["model"]
        listed = [(piece, score) for piece, score in model["vocab"]]
        return models.Unigram(listed, model["unk_id"], model.get("byte_fallback") or False)

    def sentencepiece_scores(
        self, pieces: Sequence[str], *, below: float
    ) -> list[tuple[str, float]]:
        """Return ``pieces`` with their own scores."""
        return [(piece, self.scores[piece]) for piece in pieces]

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces.

        They are matched before segmentation, except those that must be whole words, so their score
        rarely matters. It is the lowest, so no other score changes.
        """
        lowest = min(self.scores.values(), default=0.0)
        listed = [[piece, self.scores.get(piece, lowest)] for piece in self.pieces]
        return self.described | {"model": self.described["model"] | {"vocab": listed}}

    def place(self, new: Mapping[str, float]) -> VocabChange[Unigram]:
        """Return the change that appends ``new`` pieces with their scores (log-probabilities)."""
        described = self.folded()
        for piece, score in new.items():
            if piece in self.ids:
                raise self.duplicate(piece)
            described["model"]["vocab"].append([piece, score])
        return appended(self, self.with_described(described), list(new))

    def extended(self, words: Mapping[str, int], options: Extension) -> VocabChange[Unigram]:
        """Return the change that adds pieces with calibrated scores (``unigram.extend``)."""
        from specialize.vocab.unigram.extend import calibrate  # extends this

        found = calibrate(
            self,
            words,
            pieces=options.pieces,
            min_count=options.min_count,
            mixture=options.mixture,
            strict=options.strict,
            guard=options.guard,
        )
        return replace(
            self.place(found.scores),
            dropped=tuple(found.dropped),
            refused=tuple(found.refused),
            coarsens=options.strict,
            guard=options.guard,
        )

    def retrained(self, words: Mapping[str, int], *, size: int, min_count: int) -> Unigram:
        """Return a vocabulary of ``size`` pieces trained on ``words``, with the same rules."""
        from specialize.vocab.train.retrain import retrain_unigram  # trains this

        return retrain_unigram(self, words, size=size, min_count=min_count)

    def base_pieces(self, letters: Iterable[str]) -> set[str]:
        """Return the pieces of ``letters``, bytes, the mark, and the least probable piece.

        The score of the unknown piece depends on the lowest.
        """
        return super().base_pieces(letters) | {min(self.scores, key=self.scores.__getitem__)}

    def restricted(self, keep: Collection[str]) -> Unigram:
        """Return the vocabulary with the pieces of ``keep`` and control pieces."""
        wanted = {*keep, *self.control_pieces}
        ids = {piece: i for i, piece in enumerate(p for p in self.pieces if p in wanted)}
        model = self.described["model"]
        # subtle: added tokens that are not pieces of the model keep their order after the pieces
        listed = [entry for entry in model["vocab"] if entry[0] in ids]
        model = model | {"vocab": listed, "unk_id": ids[self.unk]}
        return self.with_described(renumbered(self.described | {"model": model}, ids))

    def model_changes(self, old: Unigram) -> str:
        """Return an old piece whose score has changed, or ""."""
        moved = (p for p, score in old.scores.items() if self.scores.get(p) != score)
        piece = next(moved, None)
        return "" if piece is None else f"piece {piece!r} has another score"

    def score(self, pieces: list[str]) -> float:
        """Return the total log-probability of ``pieces``."""
        return sum(self.scores[piece] for piece in pieces)
