"""Vocabularies that the tokenizers library segments with: what BPE and Unigram share.

Such a vocabulary is a tokenizer.json and nothing else. Its text is segmented by the library itself,
so that there is no second opinion; what this package adds is where new pieces go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from specialize.corpus import TextCounts
from specialize.errors import DataError, UsageError
from specialize.vocab.bpe.native_count import is_byte_level
from specialize.vocab.counting.by_library import units_of
from specialize.vocab.counting.separable import merges_stay
from specialize.vocab.counting.space_units import BEFORE_MARK, CONTEXT, MARK, text_of
from specialize.vocab.library import encode_lines, live_tokenizer
from specialize.vocab.piece_places import continuing, ids_by_word
from specialize.vocab.wordpiece.pretokenize import special_parts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Json = dict[str, Any]

_REMEMBERED = 50_000  # sentences


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
        self._sentences: dict[tuple[str, ...], list[list[int]]] = {}

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
        return live_tokenizer(self.described, self.source)

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

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return ``encode`` of each line, in parallel."""
        return encode_lines(self.tokenizer, lines)

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word in the sentence of ``words``, joined by single spaces.

        See ``piece_places.ids_by_word``. A word without a piece gets the unknown piece, or the
        pieces of a space where there is none; a word that a piece of the word before it covers too
        (``▁of▁the``) is one. The last sentences are remembered.
        """
        key = tuple(words)
        found = self._sentences.get(key)
        if found is None:
            if len(self._sentences) >= _REMEMBERED:
                self._sentences.clear()
            found = [ids or self._nothing for ids in ids_by_word(self.tokenizer, words)]
            self._sentences[key] = found
        return [[*ids] for ids in found]

    @cached_property
    def _nothing(self) -> list[int]:
        """Return the ids of a word without pieces."""
        return [self.ids[self.unk]] if self.unk else self.encode(" ") or [0]

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word: it has no mark, and is none."""
        return id in self._continuing

    @cached_property
    def _continuing(self) -> frozenset[int]:
        apart = {self.ids[piece] for piece in (*self.special, self.unk) if piece}
        return continuing(self.pieces, byte_level=is_byte_level(self.described)) - apart

    def unspelt(self, text: str) -> str:
        """Return the text under unknown pieces, as the normaliser leaves it, without spaces."""
        if not self.unk:
            return ""
        unknown, hidden = self.ids[self.unk], list[str]()
        for word in self.words(text):
            if word in self._alone:
                hidden += [word] if word == self.unk else []
                continue
            letters = word.encode()
            spans = (t.offsets for t in self._model.tokenize(word) if t.id == unknown)
            hidden += [letters[start:end].decode() for start, end in spans]
        return "".join(hidden).replace(MARK, "").replace(" ", "")

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
