"""Fewer pieces: what a corpus never uses is dropped, and all of it is segmented as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from specialize.errors import DataError, UsageError
from specialize.vocab.base import VocabChange
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.space_units import MARK
from specialize.vocab.counting.words import counted, split_tokens
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.open import AnyVocabulary, words_of
from specialize.vocab.train.retrain import byte_letters, control_pieces
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece, longest_first

Pair = tuple[str, str]


def change(
    vocabulary: AnyVocabulary, corpus: Iterable[str], *, min_count: int = 1
) -> VocabChange[Any]:
    """Drop the pieces that the corpus never uses; the others keep their order, and no row is fresh.

    Every word of the corpus has the same pieces afterwards. Kept are special pieces, bytes, the
    characters of the corpus, the pieces of its words, and what these hang on: the merges and
    pieces that they are made by (BPE), the lowest score, from which the unknown's is reckoned
    (Unigram), the pieces that lead an unknown word into its dead end (WordPiece).

    ``min_count``: above 1, pieces that occur less often go too. Words that had one are then spelt
    with smaller pieces; none that was known becomes unknown, for whose sake some rare pieces stay.
    """
    if min_count < 1:
        raise UsageError(f"min_count = {min_count} drops nothing; 1 or more is a count")
    words = _words(vocabulary, corpus)
    if not words:
        raise DataError("the corpus has no word to keep pieces for; name files with text")
    new = _pruned(vocabulary, words, min_count)
    kept = {i: vocabulary.ids[piece] for i, piece in enumerate(new.pieces)}
    return VocabChange(vocabulary, new, kept, (), joins=min_count == 1)


def _words(vocabulary: AnyVocabulary, corpus: Iterable[str]) -> Mapping[str, int]:
    if isinstance(vocabulary, WordPiece):  # special pieces written out part words
        tokens = counted(corpus).tokens
        return split_tokens(tokens, vocabulary.rules, vocabulary.special).words
    return words_of(vocabulary, corpus)


def _pruned(vocabulary: AnyVocabulary, words: Mapping[str, int], min_count: int) -> AnyVocabulary:
    used: Counter[str] = Counter()
    for word, count in words.items():
        for piece in _walk(vocabulary, word):
            used[piece] += count
    keep = _always(vocabulary, words) | {p for p, n in used.items() if n >= min_count}
    new = without(vocabulary, keep)
    if min_count == 1:  # nothing has changed: see the tests
        return new
    known = [word for word in words if _is_known(vocabulary, word)]
    while lost := [word for word in known if not _is_known(new, word)]:
        keep |= {piece for word in lost for piece in _walk(vocabulary, word)}
        new = without(vocabulary, keep)
    return new


def _is_known(vocabulary: AnyVocabulary, word: str) -> bool:
    return vocabulary.unk not in vocabulary.segment(word)


def _walk(vocabulary: AnyVocabulary, word: str) -> list[str]:
    """Return the pieces that make ``word`` what it is: its own, or those before a dead end."""
    if not isinstance(vocabulary, WordPiece):
        return vocabulary.segment(word)
    if len(word) > vocabulary.max_chars:
        return []
    ids, prefix, longest = vocabulary.ids, vocabulary.prefix, vocabulary.longest
    return longest_first(word, ids, prefix=prefix, longest=longest)[0]


def _always(vocabulary: AnyVocabulary, words: Iterable[str]) -> set[str]:
    """Return what is kept however rare it is."""
    letters = {character for word in words for character in word}
    if isinstance(vocabulary, WordPiece):
        return letters | {vocabulary.prefix + character for character in letters}
    keep = letters | {*byte_letters(vocabulary), MARK}
    if isinstance(vocabulary, Unigram):
        keep.add(min(vocabulary.scores, key=vocabulary.scores.__getitem__))
    return keep


def without(vocabulary: AnyVocabulary, keep: set[str]) -> AnyVocabulary:
    """Return ``vocabulary`` with the pieces of ``keep`` only, special ones, and what they hang on.

    ``keep`` has the characters of a text; where it has the pieces of a word too, these stay so.
    """
    keep = keep.union(control_pieces(vocabulary))
    if isinstance(vocabulary, BPE):
        keep.update(_intermediate(vocabulary, keep.copy()))
    pieces = [piece for piece in vocabulary.pieces if piece in keep]
    if isinstance(vocabulary, WordPiece):
        return vocabulary.with_pieces(pieces)
    ids = {piece: i for i, piece in enumerate(pieces)}
    model = vocabulary.described["model"]
    # subtle: added tokens that are no pieces of the model stay behind them, where they were
    if isinstance(vocabulary, BPE):
        vocab = {piece: i for piece, i in ids.items() if piece in model["vocab"]}
        merges = [pair for pair in model["merges"] if {*pair, pair[0] + pair[1]} <= vocab.keys()]
        model = model | {"vocab": vocab, "merges": merges}
        return BPE(
            renumbered(vocabulary.described | {"model": model}, ids), source=vocabulary.source
        )
    listed = [entry for entry in model["vocab"] if entry[0] in ids]
    model = model | {"vocab": listed, "unk_id": ids[vocabulary.unk]}
    return Unigram(
        renumbered(vocabulary.described | {"model": model}, ids), source=vocabulary.source
    )


def _intermediate(vocabulary: BPE, pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces that ``pieces`` are merged from.

    Of one piece alone, since no merge within it sees what stands around: where it is a word's
    piece, no merge went over its borders, and those within went by their ranks.
    """
    ranks = {(a, b): rank for rank, (a, b) in enumerate(vocabulary.described["model"]["merges"])}
    for piece in pieces:
        if piece in vocabulary.ids:
            yield from _merged(piece, ranks)


def _merged(piece: str, ranks: Mapping[Pair, int]) -> list[str]:
    """Return what is merged on the way to ``piece``; nothing where merges do not lead to it."""
    symbols, made = list(piece), list[str]()
    while len(symbols) > 1:
        pairs = enumerate(pairwise(symbols))
        rank, i = min((ranks.get(pair, len(ranks)), i) for i, pair in pairs)
        if rank == len(ranks):
            return []
        symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
        made.append(symbols[i])
    return [*piece, *made] if made else []
