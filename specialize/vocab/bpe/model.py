"""BPE, byte-level or over characters: pieces merged from pairs, the oldest merge first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from specialize.errors import DataError
from specialize.vocab.base import Extension, VocabChange, appended
from specialize.vocab.bpe.merges import intermediate_pieces, merges_of
from specialize.vocab.counting.lost import drops_characters
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.library_vocabulary import Json, LibraryVocabulary
from specialize.vocab.settings import Settings


class BPE(LibraryVocabulary):
    """A BPE vocabulary of the tokenizers library, such as GPT-2's, Llama's or tiktoken's."""

    family = "BPE"

    def __init__(
        self, described: Json, *, source: str = "tokenizer.json", settings: Settings | None = None
    ) -> None:
        """Wrap the tokenizer.json.

        DataError if pieces carry prefixes or suffixes, or characters without a piece are dropped.
        """
        model = described["model"]
        for name in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(name):
                raise DataError(
                    f"{source}:1: model.{name}: expected null, got {model[name]!r}; a BPE with "
                    "such marks (CLIP's, GPT's) can be inspected, not changed; choose another base"
                )
        if model.get("dropout"):
            raise DataError(
                f"{source}:1: model.dropout is {model['dropout']}, with which a text has other "
                "pieces each time; set it to null"
            )
        if drops_characters(described):
            raise DataError(
                f"{source}:1: model.unk_token is null and there is no byte fallback, so characters "
                "without a piece are lost; name a piece for the unknown"
            )
        super().__init__(described, source=source, settings=settings)
        self.unk: str = model.get("unk_token") or ""
        self.byte_fallback = bool(
            model.get("byte_fallback")
        )  # characters without a piece become bytes
        self.ignore_merges = bool(model.get("ignore_merges"))  # a word that is a piece stays whole

    @staticmethod
    def model_ids(model: Json) -> dict[str, int]:
        """Return piece -> id."""
        return dict(model["vocab"])

    def sentencepiece_scores(
        self, pieces: Sequence[str], *, below: float
    ) -> list[tuple[str, float]]:
        """Return ``pieces`` with decreasing scores under ``below``, so they are merged last."""
        return [(piece, below - 1 - i) for i, piece in enumerate(pieces)]

    @cached_property
    def control_pieces(self) -> list[str]:
        """Return special pieces, and pieces that no merge produces, like GPT-2's <|endoftext|>."""
        control = {*super().control_pieces}
        if not self.ignore_merges:
            merged = {left + right for left, right in self.described["model"]["merges"]}
            merged.update(self.byte_pieces)
            control.update(p for p in self.pieces if len(p) > 1 and p not in merged)
        return sorted(control, key=self.ids.__getitem__)

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces."""
        return self.described | {"model": self.described["model"] | {"vocab": dict(self.ids)}}

    def place(self, new: Iterable[str]) -> VocabChange[BPE]:
        """Return the change that appends ``new`` pieces, with merges after all old ones.

        Every old merge ranks before every new one, so a word is first segmented into old pieces,
        which are then merged further: the new segmentation is a coarsening of the old, and no text
        without unknowns gets longer. That is continued BPE. Each new piece gets all merges of two
        pieces that form it, as converters from tiktoken and SentencePiece do, in order of ids.
        """
        fresh = list(new)
        described = self.folded()
        ids: dict[str, int] = described["model"]["vocab"]
        for piece in fresh:
            if piece in ids:
                raise self.duplicate(piece)
            ids[piece] = len(ids)
        merges = [*described["model"]["merges"], *merges_of(ids, fresh)]
        described["model"]["merges"] = merges
        return appended(self, self.with_described(described), fresh, coarsens=True)

    def extended(self, words: Mapping[str, int], options: Extension) -> VocabChange[BPE]:
        """Return the change that adds pieces by continued merging (``bpe.extend``)."""
        from specialize.vocab.bpe.extend import continue_merges  # extends this

        found = continue_merges(
            self,
            words,
            pieces=options.pieces,
            min_count=options.min_count,
            guard=options.guard,
        )
        refused = tuple(found.refused)
        return replace(self.place(found.pieces), refused=refused, guard=options.guard)

    def retrained(self, words: Mapping[str, int], *, size: int, min_count: int) -> BPE:
        """Return a vocabulary of ``size`` pieces trained on ``words``, with the same rules."""
        from specialize.vocab.train.retrain import retrain_bpe  # trains this

        return retrain_bpe(self, words, size=size, min_count=min_count)

    def restricted(self, keep: Collection[str]) -> BPE:
        """Return the vocabulary with the pieces of ``keep``, and those they are merged from."""
        model = self.described["model"]
        wanted = {*keep, *self.control_pieces}
        wanted.update(intermediate_pieces(model["merges"], wanted & self.ids.keys()))
        ids = {piece: i for i, piece in enumerate(p for p in self.pieces if p in wanted)}
        # subtle: added tokens that are not pieces of the model keep their order after the pieces
        vocab = {piece: i for piece, i in ids.items() if piece in model["vocab"]}
        merges = [pair for pair in model["merges"] if {*pair, pair[0] + pair[1]} <= vocab.keys()]
        model = model | {"vocab": vocab, "merges": merges}
        return self.with_described(renumbered(self.described | {"model": model}, ids))

    def model_changes(self, old: BPE) -> str:
        """Return the first difference from the merges of ``old``, or ""."""
        merges = iter(self.described["model"]["merges"])
        kept = all(merge in merges for merge in old.described["model"]["merges"])  # a subsequence
        return "" if kept else "old merges are missing or in another order"
