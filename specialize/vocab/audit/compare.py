"""Two tokenizers on one text: which words they cut differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Any

from specialize import native
from specialize.vocab.audit.metrics import BLOCK
from specialize.vocab.counting.space_units import CONTEXT
from specialize.vocab.counting.words import Text, counted, split_tokens
from specialize.vocab.piece_text import Speller
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EXAMPLES = 10
TOKENS = 50_000  # types; 391,000 of 35 MB of Uyghur took the tokenizers library 20 s
Pieces = Sequence[str]
Spelt = tuple[bytes | None, ...]  # what each piece spells, without marks; None if unknown
Cutter = Callable[[Sequence[str]], Iterator[tuple[Pieces, Spelt]]]


@dataclass(frozen=True)
class Recut:
    """A word that two tokenizers cut differently, with the pieces of each."""

    word: str
    count: int
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class Differences:
    """How a text's words are cut by one tokenizer and by another, in occurrences.

    ``unit``: what a word is here: "word", pre-tokenised, where both do that by the same rules, else
    "token", what stands between spaces. Pieces are compared by the letters they spell, so that
    ``Ġof`` is ``of``; a changed letter (lower case) or an unknown is a difference.
    """

    unit: str
    covered: float  # share of all occurrences whose types were compared, from 0 to 1
    words: int  # compared
    changed: int
    longer: int  # of these, with more pieces under the second
    shorter: int  # with fewer
    types: int
    changed_types: int
    examples: list[Recut]  # the most frequent

    @property
    def share(self) -> float:
        """Return the share of word occurrences that are cut differently, from 0 to 1."""
        return self.changed / self.words if self.words else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {"share": self.share, **asdict(self)}


def differences(
    first: WordPiece | Tokenizer,
    second: WordPiece | Tokenizer,
    text: Text,
    *,
    tokens: int = TOKENS,
) -> Differences:
    """Return what becomes of the words of ``text`` from ``first`` to ``second``.

    All words are compared; of tokens, the ``tokens`` most frequent types. A token is cut by itself,
    as behind another one and a space: not as at a line's beginning.
    """
    found = counted(text).tokens
    if isinstance(first, WordPiece) and isinstance(second, WordPiece) and _alike(first, second):
        words = split_tokens(found, first.rules, first.special).words
        return _compare("word", words, _word_cutter(first), _word_cutter(second))
    most = nlargest(tokens, found, key=found.__getitem__)
    cutters = _token_cutter(first), _token_cutter(second)
    compared = _compare("token", {token: found[token] for token in most}, *cutters)
    total = sum(found.values())
    return replace(compared, covered=compared.words / total if total else 1.0)


def _alike(first: WordPiece, second: WordPiece) -> bool:
    return (first.rules, first.special) == (second.rules, second.special)


def _compare(unit: str, words: Mapping[str, int], first: Cutter, second: Cutter) -> Differences:
    total = changed = longer = shorter = types = 0
    found: list[Recut] = []
    for block in _blocks(words):
        cut = zip(block, first(block), second(block), strict=True)
        for word, (before, was), (after, now) in cut:
            count = words[word]
            total += count
            types += 1
            if was != now:
                changed += count
                longer += count * (len(after) > len(before))
                shorter += count * (len(after) < len(before))
                found.append(Recut(word, count, list(before), list(after)))
    most = nlargest(EXAMPLES, found, key=lambda recut: recut.count)
    return Differences(unit, 1.0, total, changed, longer, shorter, types, len(found), most)


def _blocks(words: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(words)
    while block := list(islice(waiting, BLOCK)):
        yield block


# Cutters ------------------------------------------------------------------------------------------


def _word_cutter(vocabulary: WordPiece) -> Cutter:
    segment = _segmenter(vocabulary)

    def cut(words: Sequence[str]) -> Iterator[tuple[Pieces, Spelt]]:
        for word in words:
            pieces = segment(word)
            yield pieces, _spelt(vocabulary, pieces)

    return cut


def _token_cutter(opened: WordPiece | Tokenizer) -> Cutter:
    if isinstance(opened, WordPiece):
        return partial(_cut_by_rules, opened, _segmenter(opened))
    opened.no_truncation()
    opened.no_padding()
    return partial(_cut_by_library, opened, Speller(opened))


def _cut_by_rules(
    vocabulary: WordPiece, segment: Callable[[str], Pieces], tokens: Sequence[str]
) -> Iterator[tuple[Pieces, Spelt]]:
    for token in tokens:
        pieces = [piece for word in vocabulary.words(token) for piece in segment(word)]
        yield pieces, _spelt(vocabulary, pieces)


def _cut_by_library(
    tokenizer: Tokenizer, speller: Speller, tokens: Sequence[str]
) -> Iterator[tuple[Pieces, Spelt]]:
    texts = [f"{CONTEXT} {token}" for token in tokens]
    for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
        pieces: list[str] = []
        spelt: list[bytes | None] = []
        for piece, (_, end) in zip(encoding.tokens, encoding.offsets, strict=True):
            if end <= len(CONTEXT):
                continue
            letters = speller.bytes(piece)
            letters = letters if letters is None or spelt else letters.lstrip(b" ")
            if letters != b"":  # the space alone
                pieces.append(speller.shown(piece))
                spelt.append(letters)
        yield pieces, tuple(spelt)


def _segmenter(vocabulary: WordPiece) -> Callable[[str], Pieces]:
    if not (core := native.core()):
        return vocabulary.segment
    handle, pieces, special = vocabulary.handle, vocabulary.pieces, set(vocabulary.special)

    def segment(word: str) -> Pieces:
        if word in special:
            return [word]
        return [pieces[i] for i in core.wordpiece_segment(handle, word)]

    return segment


def _spelt(vocabulary: WordPiece, pieces: Pieces) -> Spelt:
    unk, prefix = vocabulary.unk, vocabulary.prefix
    return tuple(None if p == unk else p.removeprefix(prefix).encode() for p in pieces)
