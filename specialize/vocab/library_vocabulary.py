"""Vocabularies segmented by the tokenizers library: common code of BPE and Unigram.

Such a vocabulary is just a tokenizer.json. The library itself segments text, so both agree by
construction; this package only adds pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from specialize.corpus import TextCounts
from specialize.errors import DataError, UsageError
from specialize.vocab.counting.separable import marks_begin, units_of
from specialize.vocab.counting.space_units import CONTEXT, text_of
from specialize.vocab.counting.words import as_text
from specialize.vocab.formats.renumber import named_tokens
from specialize.vocab.library import encode_lines, live_tokenizer
from specialize.vocab.marks import (
    BEFORE_MARK,
    BYTE,
    MARK,
    SPACE_LETTER,
    byte_letters,
    is_byte_level,
)
from specialize.vocab.piece_places import continuing, ids_by_word
from specialize.vocab.piece_text import Speller, visible
from specialize.vocab.settings import Settings
from specialize.vocab.wordpiece.pretokenize import special_parts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from specialize.vocab.audit.audit import Audit
    from specialize.vocab.counting.words import Text

Json = dict[str, Any]

_REMEMBERED = 50_000  # cached sentences


class LibraryVocabulary:
    """A BPE or Unigram vocabulary with its normaliser and pre-tokeniser.

    ``described``: the tokenizer.json, as the library writes it. Words are those of the
    pre-tokeniser, in the letters of the pieces (``Ġof``, ``▁of``). Where it leaves words together,
    as in Llama 2 and Gemma, lines are cut before marks, provided that no piece has a mark after
    its first letter.
    """

    family: ClassVar[str]
    prefix = ""  # here, word-initial pieces carry a mark
    unk: str

    def __init__(
        self, described: Json, *, source: str = "tokenizer.json", settings: Settings | None = None
    ) -> None:
        """Wrap the tokenizer.json; DataError, naming ``source``, if its ids have gaps.

        ``settings``: of the folder it came from.
        """
        self.described, self.source = described, source
        added = described.get("added_tokens") or []
        model: Json = described["model"]
        ids = self.model_ids(model) | {token["content"]: token["id"] for token in added}
        self.pieces: tuple[str, ...] = tuple(sorted(ids, key=ids.__getitem__))
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        if ids != self.ids:
            odd = next(piece for piece, i in self.ids.items() if ids[piece] != i)
            raise DataError(
                f"{source}:1: expected the ids 0, 1, 2 and so on, each once, got {ids[odd]} for "
                f"piece {odd!r} instead of {self.ids[odd]}"
            )
        settings = settings or Settings()
        self.settings: Settings | None = (
            settings if settings.pieces else settings.opened(self.pieces)
        )
        self.special: tuple[str, ...] = tuple(token["content"] for token in added)
        self._alone = frozenset(self.special)
        self._split = special_parts(self.special)
        self._sentences: dict[tuple[str, ...], list[list[int]]] = {}

    def with_described(self, described: Json) -> Self:
        """Return a vocabulary of another tokenizer.json with the same settings."""
        return type(self)(described, source=self.source, settings=self.settings)

    # Differences of BPE and Unigram ----------------------------------------------------------

    @staticmethod
    def model_ids(model: Json) -> dict[str, int]:
        """Return piece -> id of the model's own pieces."""
        raise NotImplementedError

    def folded(self) -> Json:
        """Return the tokenizer.json with added tokens among the model's pieces.

        Otherwise appending pieces would renumber them: the library numbers added tokens that are
        not pieces from the model's size on, whatever their written ids.
        """
        raise NotImplementedError

    def sentencepiece_scores(
        self, pieces: Sequence[str], *, below: float
    ) -> list[tuple[str, float]]:
        """Return ``pieces`` with scores for a SentencePiece model with lowest score ``below``."""
        raise NotImplementedError

    def model_changes(self, old: Any) -> str:
        """Return the first difference from the model of ``old`` besides new pieces, or ""."""
        raise NotImplementedError

    def duplicate(self, piece: str) -> DataError:
        """Return the error for a new piece that is already in the vocabulary."""
        return DataError(f"{self.source}:1: duplicate piece {piece!r}; leave it out")

    # Texts and words ------------------------------------------------------------------------------

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer in memory, without truncation and padding."""
        return live_tokenizer(self.described, self.source)

    @cached_property
    def _model(self) -> Any:
        return self.tokenizer.model

    def words(self, text: str) -> list[str]:
        """Return the words of ``text``; added tokens in it are separate words."""
        normalizer, found = self.tokenizer.normalizer, list[str]()
        for i, part in enumerate(self._split(text)):
            if i % 2:
                found.append(part)
            elif part:
                found += self._cut(normalizer.normalize_str(part) if normalizer else part)
        return found

    def _cut(self, text: str) -> list[str]:
        pre = self.tokenizer.pre_tokenizer
        parts = [word for word, _ in pre.pre_tokenize_str(text)] if pre else [text]
        if self._marks_begin:
            return [word for part in parts for word in BEFORE_MARK.split(part)]
        return parts

    @cached_property
    def _marks_begin(self) -> bool:
        return marks_begin(self.described)

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one word under the library's model."""
        if word in self._alone:
            return [word]
        return [self.pieces[token.id] for token in self._model.tokenize(word)]

    def parts(self, piece: str, text: str | None = None) -> list[str]:
        """Return the pieces of the text of ``piece``, or of ``text``, in its position."""
        words = [piece]
        if text is not None:
            mark = SPACE_LETTER if self.is_byte_level else MARK
            words = self.words(text)
            # subtle: whatever the pre-tokeniser does to a first word, the piece has a mark or not
            words[:1] = [mark * piece.startswith(mark) + w.removeprefix(mark) for w in words[:1]]
        found = [part for word in words for part in self.segment(word)]
        return [] if self.unk in found else found

    def text(self, piece: str) -> str:
        """Return the decoded text of ``piece`` without marks; "" where it is not text."""
        return (self.speller.text(piece) or "").strip(" ")

    def trace(self, word: str) -> list[str]:
        """Return the pieces that the segmentation of ``word`` depends on: its own."""
        return self.segment(word)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without special ones around it."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return ``encode`` of each line, in parallel."""
        return encode_lines(self.tokenizer, lines)

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word in the sentence of ``words``, joined by single spaces.

        See ``piece_places.ids_by_word``. A word without a piece (deleted by the normaliser, or
        covered by the previous word's last piece, as in ``▁of▁the``) gets the unknown piece, or the
        pieces of a space if there is none. Recent sentences are cached.
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

    def unknown_text(self, text: str) -> str:
        """Return the normalised text under unknown pieces, without spaces."""
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

    # Counts ---------------------------------------------------------------------------------------

    def count_words(self, text: Text) -> dict[str, int]:
        """Return the occurrences of each word in lines of text, by first occurrence."""
        text = as_text(text)
        if isinstance(text, TextCounts):
            raise UsageError(
                f"{self.source}: expected a text, got counts of white-space tokens, which "
                f"{self.family} cannot use; name the text itself"
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

    def audit(self, text: Text) -> Audit:
        """Return the audit of lines of text."""
        from specialize.vocab.audit.audit import audit_library  # audits vocabularies

        return audit_library(self.tokenizer, text, self.source)

    # Pieces ---------------------------------------------------------------------------------------

    @cached_property
    def is_byte_level(self) -> bool:
        """Whether pieces are written in byte-level letters."""
        return is_byte_level(self.described)

    @cached_property
    def byte_pieces(self) -> tuple[str, ...]:
        """Return the pieces that are single bytes: ``Ġ`` of byte-level ones, or ``<0x20>``."""
        if self.is_byte_level:
            return byte_letters()
        if self.described["model"].get("byte_fallback"):
            return tuple(piece for piece in self.pieces if BYTE.fullmatch(piece))
        return ()

    @cached_property
    def control_pieces(self) -> list[str]:
        """Return special pieces, the unknown piece and those framing a text, by id."""
        control = {*self.special, self.unk, *named_tokens(self.described)}
        return sorted(control & self.ids.keys(), key=self.ids.__getitem__)

    def base_pieces(self, letters: Iterable[str]) -> set[str]:
        """Return the pieces of ``letters``, the bytes and the mark."""
        return {*letters, *self.byte_pieces, MARK}

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word (``piece_places.continuing``)."""
        return id in self._continuing

    @cached_property
    def _continuing(self) -> frozenset[int]:
        apart = {self.ids[piece] for piece in (*self.special, self.unk) if piece}
        return continuing(self.pieces, byte_level=self.is_byte_level) - apart

    @cached_property
    def speller(self) -> Speller:
        """Return the speller of the pieces."""
        return Speller(self.tokenizer, self.described)

    def readable(self, piece: str) -> str:
        """Return ``piece`` in readable form, on one line, with bytes decoded."""
        return visible(self.speller.readable(piece))

    def setting_changes(self, old: LibraryVocabulary) -> str:
        """Return the first difference from ``old`` except new pieces (a rule, score ...), or ""."""
        for name in old.described.keys() - {"model", "added_tokens", "version"}:
            if old.described[name] != self.described[name]:
                return f"{name} has changed"
        before, now = old.described["model"], self.described["model"]
        for name in before.keys() - {"vocab", "merges"}:
            if before[name] != now[name]:
                return f"model.{name} has changed"
        return self.model_changes(old)
