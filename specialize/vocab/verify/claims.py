"""A tokenizer as it was written, read by two readers, beside what is claimed of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from specialize.corpus import TextCounts
from specialize.corpus.token_counts import TOKEN
from specialize.errors import MissingError
from specialize.vocab.audit.coverage import PieceFacts
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.counting.by_library import read_tokenizer
from specialize.vocab.counting.words import Text
from specialize.vocab.formats.tokenizer_json import load_json, vocabulary_file, wordpiece_of
from specialize.vocab.open import AnyVocabulary, read_vocabulary
from specialize.vocab.wordpiece.model import WordPiece

SHOWN = 5  # pieces and words that a message names
SAMPLE = 5_000  # types of tokens
LINES = 1_000


class Broken(Exception):
    """A check that does not hold: its name, and what breaks it."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{check!r}: {what}")


@dataclass(frozen=True)
class Check:
    """A check that held."""

    name: str
    says: str
    on: dict[str, int] = field(default_factory=dict)  # what it was proved on, counted


@dataclass(frozen=True)
class Claims:
    """What a written tokenizer is held against; all of it can be JSON."""

    source: str  # the tokenizer it was made from
    fresh: dict[str, int]  # new piece -> id
    tokens: list[str] = field(default_factory=list)  # a sample of the text
    examples: dict[str, list[str]] = field(default_factory=dict)  # new piece -> words that have it
    guard: dict[str, int] = field(default_factory=dict)  # word -> occurrences
    budget: float = 0.0  # share of the guarded words that may change
    # of any family, and where ids may move (``vocab.verify.any_family``):
    olds: list[int] = field(default_factory=list)  # the old id of each id, -1 for a new piece
    lines: list[str] = field(default_factory=list)  # a sample of the text, as it is
    joins: bool = False  # old pieces are only joined


def claims_of(
    change: VocabChange[Vocabulary],
    text: Text,
    facts: Iterable[PieceFacts],
    *,
    source: Path,
    guard: Mapping[str, int],
    budget: float,
) -> Claims:
    """Return the claims of ``change``, made for ``text`` from the tokenizer at ``source``."""
    plain = isinstance(change.new, WordPiece) and change.extends
    size = 0 if plain else len(change.new.pieces)
    return Claims(
        source=str(source),
        fresh=dict(zip(change.fresh_pieces, change.fresh, strict=True)),
        tokens=sample(text) if plain else [],
        olds=[change.kept.get(i, -1) for i in range(size)],
        lines=[] if plain else sample_lines(text),
        joins=change.joins,
        examples={found.piece: [fix.word for fix in found.words] for found in facts},
        guard=dict(guard),
        budget=budget,
    )


def sample_lines(text: Text, size: int = LINES) -> list[str]:
    """Return the first ``size`` lines that are not empty; of counts, their tokens as lines."""
    if isinstance(text, TextCounts):
        return list(islice(text.tokens, size))
    return list(islice(filter(None, text), size))


def sample(text: Text, size: int = SAMPLE) -> list[str]:
    """Return the first ``size`` types of tokens of ``text``: of a corpus no more is read."""
    if isinstance(text, TextCounts):
        return list(islice(text.tokens, size))
    found: dict[str, None] = {}
    for line in text:
        for token in TOKEN.finditer(line):
            found[token[0]] = None
            if len(found) == size:
                return list(found)
    return list(found)


@dataclass(frozen=True)
class Source:
    """The tokenizer that another was made from."""

    vocabulary: AnyVocabulary
    added: list[dict[str, Any]]  # the added tokens of a WordPiece's tokenizer.json


def read_source(path: Path) -> Source:
    """Return the tokenizer of a directory or file, which the tokenizers library must read too."""
    vocabulary = read_vocabulary(path)
    if not isinstance(vocabulary, WordPiece) or (file := vocabulary_file(path)).suffix != ".json":
        return Source(vocabulary, [])
    read_tokenizer(file)
    return Source(vocabulary, load_json(file).get("added_tokens") or [])


class Written:
    """The tokenizer in a folder, read anew, and the one it was made from, both WordPieces."""

    def __init__(self, folder: Path, claims: Claims, source: Source) -> None:
        self.claims, file = claims, folder / "tokenizer.json"
        self.library = read_tokenizer(file)
        described = load_json(file)
        self.old, self.new = source.vocabulary, wordpiece_of(described, file)
        self.plain = _lines(folder / "vocab.txt")
        self.added_before, self.added = source.added, described.get("added_tokens") or []
        self.decoder = described.get("decoder") or {}
        self.library.no_truncation()
        self.library.no_padding()
        self._segmented: dict[str, list[str]] = {}

    @cached_property
    def words(self) -> list[str]:
        """Return the words of the sample and of the new pieces, each once."""
        found = [word for token in self.claims.tokens for word in self.old.words(token)]
        found += [word for some in self.claims.examples.values() for word in some]
        return list(dict.fromkeys(found))

    def now(self, word: str) -> list[str]:
        """Return the pieces of ``word``."""
        if word not in self._segmented:
            self._segmented[word] = self.new.segment(word)
        return self._segmented[word]

    def knew(self, word: str) -> bool:
        """Whether the old tokenizer had pieces for ``word``."""
        return self.old.segment(word) != [self.old.unk]

    def encoded(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids that the library has for each text."""
        found = self.library.encode_batch(texts, add_special_tokens=False)
        return [encoding.ids for encoding in found]

    @property
    def decodes(self) -> bool:
        """Whether the library joins pieces as WordPiece does; a decoder may be missing."""
        prefix = self.decoder.get("prefix")
        return self.decoder.get("type") == "WordPiece" and prefix == self.new.prefix

    def fresh_in(self, *words: str) -> list[str]:
        """Return the new pieces that stand in ``words``, each once."""
        return list(dict.fromkeys(p for w in words for p in self.now(w) if p in self.claims.fresh))

    def probe(self, piece: str) -> str:
        """Return a shortest word that might have ``piece``: itself, or behind a letter."""
        inside = self.new.prefix and piece.startswith(self.new.prefix)
        return "a" * bool(inside) + piece.removeprefix(self.new.prefix)

    def never(self, piece: str) -> str:
        """Return why no text can have ``piece``, "" where one can."""
        word = self.probe(piece)
        if not piece.removeprefix(self.new.prefix):
            return "it spells nothing"
        if len(word) > self.new.max_chars:
            return f"words of more than {self.new.max_chars} characters are unknown"
        # subtle: what the rules make of a text, they leave as it is, and its parts too
        if (made := self.new.words(word)) != [word]:
            return f"{word!r} becomes {' '.join(made)!r} before it is segmented"
        return ""


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        raise MissingError(f"{file}: no such file")
    return file.read_bytes().decode().removesuffix("\n").split("\n")
