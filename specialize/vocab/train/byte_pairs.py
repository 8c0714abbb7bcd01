"""Pieces merged from word counts: a WordPiece vocabulary, or more pieces for any BPE.

Deterministic. The algorithm is that of the tokenizers library's "WordPiece" trainer, which the
paper's authors used (byte-pair merges over characters, continuing ones marked ``##``), with one
fix: ties go to the pair of older pieces, as there, but the age of characters is their order in
Unicode, not in a hash table. On small corpora ties matter: with another rule, 140 of 2,000 pieces
change.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from specialize import native
from specialize.errors import UsageError

Pair = tuple[str, str]


def train_wordpiece(
    counts: Mapping[str, int],
    *,
    size: int,
    special: Sequence[str] = (),
    min_count: int = 5,
    alphabet: int = 1000,
    closed: bool = False,
    prefix: str = "##",
) -> list[str]:
    """Return at most ``size`` pieces: ``special``, the alphabet, then merges, most frequent first.

    ``counts``: word -> occurrences, words being pre-tokenised. ``alphabet``: the
    number of most frequent characters to use; words with others are left out. ``closed``: every
    character becomes a piece both word-initial and continuing, as in mBERT's vocabulary; otherwise
    only in the forms that occur. Merging stops when no pair occurs ``min_count`` times.
    """
    settings = (size, list(special), max(1, min_count), alphabet, closed, prefix)
    train = _train_natively if native.core() else _train
    pieces = train(counts, *settings)
    if isinstance(pieces, int):
        raise UsageError(
            f"a vocabulary of {size} pieces cannot hold {pieces} special pieces and "
            "characters; ask for more pieces or a smaller alphabet"
        )
    return pieces


def _train_natively(counts: Mapping[str, int], *settings: Any) -> list[str] | int:
    words = native.as_words(counts)
    return native.core().train_wordpiece(words.handle, *settings)  # type: ignore[no-any-return]


def _train(
    counts: Mapping[str, int],
    size: int,
    special: Sequence[str],
    min_count: int,
    alphabet: int,
    closed: bool,
    prefix: str,
) -> list[str] | int:
    """Return the pieces, or the number of special pieces and characters if that is too large."""
    letters = most_frequent_letters(counts, alphabet)
    words = [(list(word), n) for word, n in sorted(counts.items()) if letters.issuperset(word)]
    symbols = [[c if i == 0 else prefix + c for i, c in enumerate(word)] for word, _ in words]
    seen = {symbol for word in symbols for symbol in word}
    initial, continuing = sorted(letters), [prefix + c for c in sorted(letters)]
    base = [*initial, *(piece for piece in continuing if closed or piece in seen)]
    pieces = {piece: age for age, piece in enumerate(dict.fromkeys([*special, *base]))}
    if len(pieces) > size:
        return len(pieces)
    for (left, right), _ in _merges(symbols, [n for _, n in words], min_count, prefix, pieces):
        if len(pieces) == size:
            break
        pieces.setdefault(left + right.removeprefix(prefix), len(pieces))
    return list(pieces)


def merge_further(
    words: Mapping[tuple[str, ...], int],
    ages: Mapping[str, int],
    *,
    pieces: int,
    min_count: int = 1,
    avoid: Iterable[str] = (),
) -> list[tuple[str, int]]:
    """Return at most ``pieces`` new pieces, each with the occurrences of its first merge.

    Byte-pair merging continues from ``words``, given as sequences of old pieces; ``ages`` gives
    each old piece an age to break ties as above. Texts in ``avoid`` are never merged.
    """
    if native.core():
        return _merge_natively(words, ages, pieces, max(1, min_count), frozenset(avoid))
    return _merge_further(words, ages, pieces, max(1, min_count), frozenset(avoid))


def _merge_further(
    words: Mapping[tuple[str, ...], int],
    ages: Mapping[str, int],
    pieces: int,
    min_count: int,
    avoid: frozenset[str],
) -> list[tuple[str, int]]:
    symbols, counts = [list(word) for word in words], list(words.values())
    used = sorted({symbol for word in symbols for symbol in word}, key=ages.__getitem__)
    known = {symbol: age for age, symbol in enumerate(used)}
    new: dict[str, int] = {}
    for (left, right), count in _merges(symbols, counts, min_count, "", known, avoid):
        if len(new) == pieces:
            break
        if left + right not in known:
            known[left + right] = len(known)
            new[left + right] = count
    return list(new.items())


def _merge_natively(
    words: Mapping[tuple[str, ...], int],
    ages: Mapping[str, int],
    pieces: int,
    min_count: int,
    avoid: frozenset[str],
) -> list[tuple[str, int]]:
    """Merge natively: pieces are encoded as characters, in the order of their ages."""
    letters = {piece: chr(_letter(age)) for piece, age in ages.items()}
    encoded = {"".join(map(letters.__getitem__, word)): count for word, count in words.items()}
    names = [(ord(letters[piece]), piece) for piece in {p for word in words for p in word}]
    found = native.core().merge_further(
        native.as_words(encoded).handle, names, pieces, min_count, list(avoid)
    )
    return list(found)


def _letter(age: int) -> int:
    """Return a code point for the piece of an age, in the same order; skipping surrogates."""
    return age + 1 if age + 1 < 0xD800 else age + 1 + 0x800


def most_frequent_letters(counts: Mapping[str, int], limit: int) -> set[str]:
    """Return the ``limit`` most frequent characters; ties go to the lower code point."""
    letters: Counter[str] = Counter()
    for word, count in counts.items():
        for letter in word:
            letters[letter] += count
    return set(sorted(letters, key=lambda c: (-letters[c], c))[:limit])


def _merges(
    symbols: list[list[str]],
    counts: list[int],
    min_count: int,
    prefix: str,
    ages: Mapping[str, int],
    avoid: Container[str] = (),
) -> Iterator[tuple[Pair, int]]:
    """Yield the pair to merge next, most frequent first, with its occurrences.

    ``symbols`` are modified. ``ages``: piece -> its id; the caller adds each merged pair before
    asking for the next. ``avoid``: texts that are never merged.
    """
    pairs: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # words that may contain the pair
    for i, word in enumerate(symbols):
        for pair in pairwise(word):
            pairs[pair] += counts[i]
            places[pair].add(i)
    heap: list[tuple[int, int, int, Pair]] = []

    def push(pair: Pair) -> None:
        if pairs[pair] >= min_count:
            heapq.heappush(heap, (-pairs[pair], ages[pair[0]], ages[pair[1]], pair))

    for pair in pairs:
        push(pair)
    while heap:
        count, _, _, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            push(pair)  # outdated: push it again with its current count
            continue
        if pair[0] + pair[1].removeprefix(prefix) in avoid:
            continue
        yield pair, -count
        for new in _merge(pair, symbols, counts, pairs, places, prefix):
            push(new)


def _merge(
    pair: Pair,
    symbols: list[list[str]],
    counts: list[int],
    pairs: Counter[Pair],
    places: defaultdict[Pair, set[int]],
    prefix: str,
) -> set[Pair]:
    """Merge ``pair`` in all words; return the newly formed pairs."""
    left, right = pair
    merged = left + right.removeprefix(prefix)
    born: set[Pair] = set()
    for i in places.pop(pair):
        word, n, k = symbols[i], counts[i], 0
        while k < len(word) - 1:
            if word[k] != left or word[k + 1] != right:
                k += 1
                continue
            if k > 0:
                pairs[word[k - 1], left] -= n
                pairs[word[k - 1], merged] += n
                places[word[k - 1], merged].add(i)
                born.add((word[k - 1], merged))
            if k + 2 < len(word):
                pairs[right, word[k + 2]] -= n
                pairs[merged, word[k + 2]] += n
                places[merged, word[k + 2]].add(i)
                born.add((merged, word[k + 2]))
            word[k : k + 2] = [merged]
            k += 1
    del pairs[pair]
    return born
