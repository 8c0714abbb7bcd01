"""BPE, byte-level or over characters: pieces merged from pairs, the oldest merge first."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.errors import DataError
from specialize.vocab.base import VocabChange, appended
from specialize.vocab.bpe.merges import merges_of
from specialize.vocab.bpe.native_count import is_byte_level
from specialize.vocab.counting.space_units import BYTE
from specialize.vocab.library_vocabulary import FastVocabulary, Json


class BPE(FastVocabulary):
    """A BPE vocabulary as the tokenizers library has it: GPT-2's, Llama's, tiktoken's."""

    family = "BPE"

    def __init__(self, described: Json, *, source: str = "tokenizer.json") -> None:
        """Take the tokenizer.json; DataError where pieces carry marks of words' ends.

        And where a character that has no piece leaves no trace.
        """
        model = described["model"]
        for name in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(name):
                raise DataError(
                    f"{source}:1: model.{name} is {model[name]!r}; BPE is extended without such "
                    "marks only"
                )
        if model.get("dropout"):
            raise DataError(
                f"{source}:1: model.dropout is {model['dropout']}, with which a text has other "
                "pieces each time; set it to null"
            )
        if _drops_characters(described):
            raise DataError(
                f"{source}:1: model.unk_token is null and there are no bytes to fall back on, so "
                "that a character without a piece is lost; name a piece for the unknown"
            )
        super().__init__(described, source=source)
        self.unk: str = model.get("unk_token") or ""
        self.by_bytes = bool(model.get("byte_fallback"))  # what has no piece becomes bytes
        self.whole_first = bool(model.get("ignore_merges"))  # a word that is a piece stays whole

    @staticmethod
    def model_ids(model: Json) -> dict[str, int]:
        """Return piece -> id."""
        return dict(model["vocab"])

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces."""
        return self.described | {"model": self.described["model"] | {"vocab": dict(self.ids)}}

    def place(self, new: Iterable[str]) -> VocabChange[BPE]:
        """Return the change that appends ``new`` pieces, and merges for them behind all others.

        Every old merge goes before every new one, so a word's old pieces are found first and are
        merged on: the new segmentation is a coarsening of the old, and no text without unknowns
        gets longer. That is continued BPE. Each new piece gets all merges of two pieces that spell
        it, as converters from tiktoken and SentencePiece write them, in the order of their ids.
        """
        fresh = list(new)
        made = self.folded()
        ids: dict[str, int] = made["model"]["vocab"]
        for piece in fresh:
            if piece in ids:
                raise self.there_already(piece)
            ids[piece] = len(ids)
        merges = [*made["model"]["merges"], *merges_of(ids, fresh)]
        made["model"]["merges"] = merges
        return appended(self, BPE(made, source=self.source), fresh, joins=True)


def _drops_characters(described: Json) -> bool:
    """Whether the library passes over what has no piece, without a word."""
    model = described["model"]
    if model.get("unk_token") or is_byte_level(described):
        return False
    all_bytes = sum(bool(BYTE.fullmatch(piece)) for piece in model["vocab"]) == 256
    return not (model.get("byte_fallback") and all_bytes)
