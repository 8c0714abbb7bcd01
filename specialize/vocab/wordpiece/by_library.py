"""A WordPiece with other rules than BERT's, or with added tokens: the library cuts its words.

Words are segmented by longest match as in every WordPiece, so methods work on its counts of words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from specialize.corpus import TextCounts
from specialize.errors import DataError, UsageError
from specialize.vocab.counting.words import Text
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.library import live_tokenizer
from specialize.vocab.piece_places import ids_by_word
from specialize.vocab.settings import Settings
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from specialize.vocab.audit.audit import Audit

Json = dict[str, Any]


class LibraryWordPiece(WordPiece):
    """A WordPiece whose normaliser, pre-tokeniser and added tokens are the library's."""

    by_library = True

    def __init__(self, described: Json, *, source: str, settings: Settings) -> None:
        """Wrap a tokenizer.json; DataError, naming ``source``, if its ids have gaps."""
        model, added = described["model"], described.get("added_tokens") or []
        ids = model["vocab"] | {token["content"]: token["id"] for token in added}
        pieces = sorted(ids, key=ids.__getitem__)
        if [ids[piece] for piece in pieces] != list(range(len(pieces))):
            raise DataError(f"{source}:1: expected the ids 0 to {len(pieces) - 1}, each once")
        self.source = source
        try:
            super().__init__(
                pieces,
                unk=model["unk_token"],
                prefix=model["continuing_subword_prefix"],
                max_chars=model["max_input_chars_per_word"],
                special=[token["content"] for token in added],
                settings=settings.described(described).opened(settings.pieces or pieces),
            )
        except DataError as error:
            raise DataError(f"{source}:1: {error}") from None
        # added tokens are pieces of the model, or appending would renumber them
        model = model | {"vocab": dict(self.ids)}
        self.described = renumbered(described | {"model": model}, self.ids)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer of the library."""
        return live_tokenizer(self.described, self.source)

    def words(self, text: str) -> list[str]:
        """Return the words of ``text``; added tokens in it are separate words."""
        normalizer, pre = self.tokenizer.normalizer, self.tokenizer.pre_tokenizer
        found = list[str]()
        for i, part in enumerate(self._parts(text)):
            if i % 2:
                found.append(part)
            elif part:
                plain = normalizer.normalize_str(part) if normalizer else part
                found += [w for w, _ in pre.pre_tokenize_str(plain)] if pre else [plain]
        return found

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without special ones around it."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word in its sentence; a word without a piece is unknown."""
        return [ids or [self.ids[self.unk]] for ids in ids_by_word(self.tokenizer, words)]

    def count_words(self, text: Text) -> Mapping[str, int]:
        """Return the occurrences of each word in lines of text, by first occurrence."""
        if isinstance(text, TextCounts):
            raise UsageError(
                f"{self.source}: expected a text, got counts of white-space tokens, which a "
                "WordPiece with other rules than BERT's cannot use; name the text itself"
            )
        return Counter(word for line in text for word in self.words(line))

    def audit(self, text: Text) -> Audit:
        """Return the audit of lines of text."""
        from specialize.vocab.audit.audit import audit_library  # audits vocabularies

        return audit_library(self.tokenizer, text, self.source)

    def with_pieces(self, pieces: Sequence[str]) -> LibraryWordPiece:
        """Return a vocabulary of other pieces under the same rules."""
        ids = {piece: i for i, piece in enumerate(pieces)}
        model = self.described["model"] | {"vocab": ids}
        described = renumbered(self.described | {"model": model}, ids)
        settings = self.settings or Settings()
        return LibraryWordPiece(described, source=self.source, settings=settings)

    def setting_changes(self, old: WordPiece) -> str:
        """Return the first rule or setting that differs from ``old``, or ""."""
        before: Json = getattr(old, "described", {})
        for name in self.described.keys() - {"model", "added_tokens", "version"}:
            if before.get(name) != self.described[name]:
                return f"{name} has changed"
        return super().setting_changes(old)
