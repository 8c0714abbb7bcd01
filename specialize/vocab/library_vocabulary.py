"""Vocabularies that the tokenizers library segments with: what BPE and Unigram share.

Such a vocabulary is a tokenizer.json and nothing else. Its text is segmented by the library itself,
so that there is no second opinion; what this package adds is where new pieces go.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from specialize.corpus import TextCounts
from specialize.errors import DataError, UsageError
from specialize.vocab.counting.by_library import units_of
from specialize.vocab.counting.separable import merges_stay
from specialize.vocab.counting.space_units import BEFORE_MARK, CONTEXT, text_of
from specialize.vocab.wordpiece.pretokenize import special_parts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Json = dict[str, Any]


class FastVocabulary:
    """A BPE or Unigram vocabulary with the normaliser and pre-tokeniser it comes with.

    ``described``: the tokenizer.json, as the library writes it. A word is what the pre-tokeniser
    makes, in the letters of the pieces (``Ġof``, ``▁of``); where there is none, as for Llama 2, and
    no piece goes on over a mark, lines are cut before marks.
    """

    family: ClassVar[str]
    unk: str

    def __init__(self, described: Json, *, source: str = "tokenizer.json") -> None:
        """Take the tokenizer.json; DataError, naming ``source``, where its ids have holes."""
        self.described, self.source = described, source
        added = described.get("added_tokens") or []
        model: Json = described["model"]
        ids = self.model_ids(model) | {token["content"]: token["id"] for token in added}
        self.pieces: tuple[str, ...] = tuple(sorted(ids, key=ids.__getitem__))
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        if ids != self.ids:
            odd = next(piece for piece, i in self.ids.items() if ids[piece] != i)
            raise DataError(
                f"{source}:1: piece {odd!r} has the id {ids[odd]}, where {self.ids[odd]} would be "
                "next; ids are 0, 1, 2 and so on, each once"
            )
        self.special: tuple[str, ...] = tuple(token["content"] for token in added)
        self._alone = frozenset(self.special)
        self._split = special_parts(self.special)

    @staticmethod
    def model_ids(model: Json) -> dict[str, int]:
        """Return piece -> id of the model's own pieces."""
        raise NotImplementedError

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces.

        Otherwise those behind them would move when pieces are appended: the library numbers added
        tokens that are no pieces from the model's size on, whatever ids are written there.
        """
        raise NotImplementedError

    def there_already(self, piece: str) -> DataError:
        """Return the error of a new piece that is none."""
        return DataError(f"{self.source}:1: piece {piece!r} is there already; leave it out")

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the live tokenizer, without truncation and padding."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(json.dumps(self.described))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        return self.tokenizer.model

    def words(self, text: str) -> list[str]:
        """Return the words of ``text``; added tokens written out are themselves."""
        normalizer, found = self.tokenizer.normalizer, list[str]()
        for i, part in enumerate(self._split(text)):
            if i % 2:
                found.append(part)
            elif part:
                found += self._cut(normalizer.normalize_str(part) if normalizer else part)
        return found

    def _cut(self, text: str) -> list[str]:
        pre = self.tokenizer.pre_tokenizer
        if pre:
            return [word for word, _ in pre.pre_tokenize_str(text)]
        return BEFORE_MARK.split(text) if self._marks_begin else [text]

    @cached_property
    def _marks_begin(self) -> bool:
        return merges_stay(self.described)

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one word, as the library's model finds them."""
        if word in self._alone:
            return [word]
        return [self.pieces[token.id] for token in self._model.tokenize(word)]

    def parts(self, piece: str) -> list[str]:
        """Return the pieces that spell ``piece``; none if some of it is unknown."""
        found = self.segment(piece)
        return [] if self.unk in found else found

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without special ones around it."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def count_words(self, text: TextCounts | Iterable[str]) -> dict[str, int]:
        """Return how often each word occurs in lines of text, in order of first occurrence."""
        if isinstance(text, TextCounts):
            raise UsageError(
                f"{self.source}: counts are of white-space tokens, which {self.family} does not "
                "start from; name the text itself"
            )
        counts: Counter[str] = Counter()
        for words, n in self._words_of(text):
            for word in words:
                counts[word] += n
        for token in self.special:
            counts.pop(token, None)
        return dict(counts)

    def _words_of(self, lines: Iterable[str]) -> Iterator[tuple[list[str], int]]:
        units, _ = units_of(self.described, lines)
        if units is None:
            yield from ((self.words(line), 1) for line in lines)
            return
        behind = len(self.words(CONTEXT))
        for unit, n in units.items():
            if unit[0] == " ":
                yield self.words(CONTEXT + unit)[behind:], n
            else:
                yield self.words(text_of(unit)), n
