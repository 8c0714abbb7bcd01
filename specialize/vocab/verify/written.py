"""A written tokenizer, read back, beside the original."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.vocab.auto import settle
from specialize.vocab.base import Vocabulary
from specialize.vocab.formats.detect import describe
from specialize.vocab.formats.json_files import Json, load_json
from specialize.vocab.formats.tokenizer_json import model_type
from specialize.vocab.library import read_tokenizer
from specialize.vocab.open import vocabulary_in
from specialize.vocab.piece_text import Speller
from specialize.vocab.verify.claims import Broken, Claims

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Source:
    """The original tokenizer, as read by us and by the library."""

    path: Path
    vocabulary: Vocabulary
    tokenizer: Tokenizer

    @cached_property
    def opened(self) -> settle.Source | None:
        """Return the source as transformers opens it, None if it does not."""
        return settle.source_of(self.path, self.tokenizer)


def read_source(path: Path) -> Source:
    """Return the tokenizer of a folder or file, which the tokenizers library must read too."""
    found = describe(path)
    library = found.library()
    vocabulary = vocabulary_in(found.as_written(), found.file, found.settings)
    return Source(path, vocabulary, library)


@dataclass(frozen=True)
class Files:
    """The tokenizer.json in a folder, as read by us and by the library."""

    folder: Path
    described: Json
    vocabulary: Vocabulary
    tokenizer: Tokenizer


def read_files(folder: Path) -> Files:
    """Return the tokenizer.json in ``folder``; DataError if it is damaged."""
    file = folder / "tokenizer.json"
    described, tokenizer = load_json(file), read_tokenizer(file)
    if model_type(described, file) != "WordPiece":
        described = json.loads(tokenizer.to_str())
    return Files(folder, described, vocabulary_in(described, file), tokenizer)


class Written:
    """A written tokenizer, its source, and their segmentations of the words."""

    def __init__(self, files: Files, claims: Claims, source: Source) -> None:
        """Take what was read; ``Broken`` if a file is missing."""
        for name in claims.files:
            if not (files.folder / name).is_file():
                raise Broken("files", f"{name} is missing")
        self.folder, self.claims, self.source = files.folder, claims, source
        self.old, self.new, self.library = source.vocabulary, files.vocabulary, files.tokenizer
        self._described = files.described
        self.kept = _kept(claims, len(self.old.pieces)) if claims.extends else claims.kept
        special = {*self.old.special, *self.new.special}
        self.lines = [line for line in claims.lines if not any(s in line for s in special)]
        self._before: dict[str, list[str]] = {}
        self._now: dict[str, list[str]] = {}

    @cached_property
    def words(self) -> list[str]:
        """Return the distinct words of the sample and of the new pieces."""
        found = (word for line in self.lines for word in self.old.words(line))
        examples = (word for some in self.claims.examples.values() for word in some)
        return list(dict.fromkeys([*found, *examples]))

    def before(self, word: str) -> list[str]:
        """Return the old pieces of ``word``; none if part of it was unknown."""
        if word not in self._before:
            self._before[word] = _known(self.old, word)
        return self._before[word]

    def now(self, word: str) -> list[str]:
        """Return the new pieces of ``word``; none if part of it is unknown."""
        if word not in self._now:
            self._now[word] = _known(self.new, word)
        return self._now[word]

    @cached_property
    def speller(self) -> Speller:
        """Return the speller of the new pieces."""
        return Speller(self.library, self._described)

    @cached_property
    def encoded(self) -> list[list[int]]:
        """Return the library's ids of each line, without special pieces."""
        return self.encode(self.lines)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the library's ids of each text."""
        found = self.library.encode_batch_fast(texts, add_special_tokens=False)
        return [encoding.ids for encoding in found]


def _kept(claims: Claims, size: int) -> list[int]:
    """Return the old id of each id of an extension of ``size`` pieces, -1 for a new piece."""
    taken = set(claims.fresh.values())
    return [-1 if at in taken else at for at in range(max([size, *(at + 1 for at in taken)]))]


def _known(vocabulary: Vocabulary, word: str) -> list[str]:
    found = vocabulary.segment(word)
    return [] if vocabulary.unk in found else found
