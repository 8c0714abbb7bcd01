"""Training a WordPiece vocabulary from word counts: the same pieces every time.

The scheme is that of the tokenizers library's "WordPiece" trainer, which the paper's authors used
(byte-pair merges over characters, continuing ones marked ``##``), with its one fault mended: ties
between equally frequent pairs go to the pair of older pieces, as there, but the age of characters
is their order in Unicode, not that of a hash table. On small corpora ties decide much: of a
vocabulary of two thousand pieces, 140 change with another rule.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
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

    ``counts``: word -> occurrences, words being pre-tokenised. ``alphabet``: only so many of the
    most frequent characters are used, and words with others are left out. ``closed``: every
    character becomes a piece both word-initial and continuing, as in mBERT's vocabulary; otherwise
    only as it occurs. Merging stops where no pair occurs ``min_count`` times.
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
    """Return the pieces, or how many the special pieces and characters alone come to."""
    letters = most_frequent_letters(counts, alphabet)
    words = [(list(word), n) for word, n in sorted(counts.items()) if letters.issuperset(word)]
    symbols = [[c if i == 0 else prefix + c for i, c in enumerate(word)] for word, _ in words]
    seen = {symbol for word in symbols for symbol in word}
    initial, continuing = sorted(letters), [prefix + c for c in sorted(letters)]
    base = [*initial, *(piece for piece in continuing if closed or piece in seen)]
    pieces = {piece: age for age, piece in enumerate(dict.fromkeys([*special, *base]))}
    if len(pieces) > size:
        return len(pieces)
    for left, right in _merges(symbols, [n for _, n in words], min_count, prefix, pieces):
        if len(pieces) == size:
            break
        pieces.setdefault(left + right.removeprefix(prefix), len(pieces))
    return list(pieces)


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
) -> Iterator[Pair]:
    """Yield the pair to merge next, most frequent first; ``symbols`` change as it goes.

    ``ages``: piece -> its place in the vocabulary, where each merged pair must stand before the
    next is asked for.
    """
    pairs: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)  # words that may hold the pair
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
            push(pair)  # outdated: put it back under its present count
            continue
        yield pair
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
    """Merge ``pair`` in all words; return the pairs that came to be."""
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
