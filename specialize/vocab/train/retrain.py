"""A new vocabulary to replace an old one: same family and rules, different pieces.

``retrain_*`` return a vocabulary of ``size`` pieces trained on words (pre-tokenised ->
occurrences). First come the old one's control pieces, in their order, then the alphabet (bytes
where it has them, and the characters that occur ``min_count`` times), then:

- WordPiece and BPE: pairs merged while they occur ``min_count`` times, the most frequent first;
- Unigram: SentencePiece's pieces, by probability.

There are fewer pieces if the words yield no more. UsageError if the alphabet exceeds ``size``, or
nothing occurs ``min_count`` times. Results do not depend on the order of the words; memory grows
with the number of types.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from specialize.errors import UsageError
from specialize.vocab.bpe.merges import merges_of
from specialize.vocab.bpe.model import BPE
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.guard import Words
from specialize.vocab.marks import BEFORE_MARK, MARK
from specialize.vocab.train.byte_pairs import merge_further, train_wordpiece
from specialize.vocab.unigram.candidates import trained_unigram
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

_OF_ITS_OWN = 4  # <unk>, <s>, </s> and the mark count in the size of a SentencePiece model


def train_like(
    vocabulary: WordPiece, words: Words, *, size: int, min_count: int, alphabet: int
) -> WordPiece:
    """Return a WordPiece of ``size`` pieces, special ones included, under the same rules.

    It has at most ``alphabet`` characters, in the forms that occur.
    """
    pieces = train_wordpiece(
        words,
        size=size,
        special=list(dict.fromkeys((*vocabulary.special, vocabulary.unk))),
        min_count=min_count,
        alphabet=alphabet,
        prefix=vocabulary.prefix,
    )
    return vocabulary.with_pieces(pieces)


def _letters(words: Words, min_count: int) -> list[str]:
    """Return the characters that occur ``min_count`` times, in Unicode order."""
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    letters = sorted(c for c, n in counts.items() if n >= min_count)
    if not letters:
        raise UsageError(f"no character occurs min_count = {min_count} times; lower it")
    return letters


def _room(size: int, taken: int) -> int:
    """Return the number of pieces left of ``size``."""
    if taken > size:
        raise UsageError(
            f"a vocabulary of {size} pieces cannot hold {taken} special pieces and characters; "
            "ask for more pieces, or raise min_count to leave rare characters out"
        )
    return size - taken


# WordPiece and BPE --------------------------------------------------------------------------------


def retrain_wordpiece(
    vocabulary: WordPiece, words: Words, *, size: int, min_count: int
) -> WordPiece:
    """Return a new WordPiece; each character begins words and, where rules allow, goes on."""
    letters, special = _letters(words, min_count), vocabulary.control_pieces
    cut = (c for c in letters if vocabulary.words(f"a{c}a") != [f"a{c}a"])
    idle = {vocabulary.prefix + c for c in cut}  # such as punctuation, never inside a word
    _room(size, len({*special, *letters}) + len(letters) - len(idle))
    if any(len(word) > vocabulary.max_chars for word in words):  # unknown under any training
        words = {word: n for word, n in words.items() if len(word) <= vocabulary.max_chars}
    pieces = train_wordpiece(
        words,
        size=size + len(idle),
        special=special,
        min_count=min_count,
        alphabet=len(letters),  # the most frequent ones: exactly these
        closed=True,
        prefix=vocabulary.prefix,
    )
    return vocabulary.with_pieces([piece for piece in pieces if piece not in idle])


def retrain_bpe(vocabulary: BPE, words: Words, *, size: int, min_count: int) -> BPE:
    """Return a new BPE."""
    special, bytes_ = vocabulary.control_pieces, vocabulary.byte_pieces
    letters = bytes_ if vocabulary.is_byte_level else _alphabet(vocabulary, words, min_count)
    pieces = list(dict.fromkeys([*special, *bytes_, *letters]))
    room = _room(size, len(pieces))
    ages = {letter: age for age, letter in enumerate(letters)}
    found = merge_further(
        _known_runs(words, ages), ages, pieces=room, min_count=min_count, avoid=pieces
    )
    merged = [piece for piece, _ in found]
    ids = {piece: i for i, piece in enumerate([*pieces, *merged])}
    merges = merges_of({piece: ids[piece] for piece in [*letters, *merged]}, merged)
    model = vocabulary.described["model"] | {"vocab": ids, "merges": merges}
    return vocabulary.with_described(renumbered(vocabulary.described | {"model": model}, ids))


def _alphabet(vocabulary: BPE | Unigram, words: Words, min_count: int) -> list[str]:
    mark = {MARK} & vocabulary.ids.keys()
    return sorted({*_letters(words, min_count), *mark})


def _known_runs(words: Words, letters: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Return the runs of two or more known characters within words, which can be merged."""
    known = frozenset(letters)
    runs: Counter[tuple[str, ...]] = Counter()
    for joined, count in words.items():
        for word in BEFORE_MARK.split(joined):
            for run in _runs(word, known):
                if len(run) > 1:
                    runs[tuple(run)] += count
    return runs


def _runs(word: str, known: frozenset[str]) -> Iterator[str]:
    if known.issuperset(word):
        yield word
    else:
        yield from "".join(c if c in known else "\0" for c in word).split("\0")


# Unigram ------------------------------------------------------------------------------------------


def retrain_unigram(vocabulary: Unigram, words: Words, *, size: int, min_count: int) -> Unigram:
    """Return a new Unigram."""
    special, bytes_ = vocabulary.control_pieces, list(vocabulary.byte_pieces)
    letters = _alphabet(vocabulary, words, min_count)
    if vocabulary.is_byte_level:
        letters, bytes_ = sorted({*letters, *bytes_}), []
    base = dict.fromkeys(special, 0.0) | {byte: vocabulary.scores[byte] for byte in bytes_}
    needed = base.keys() | letters
    room = _room(size, len(needed))
    scores = _scores(words, letters, size - len(base))
    longer = [piece for piece in scores if piece not in needed][:room]
    chosen = {*longer, *letters} - base.keys()
    listed = base | {piece: score for piece, score in scores.items() if piece in chosen}
    ids = {piece: i for i, piece in enumerate(listed)}
    model = vocabulary.described["model"] | {"vocab": [[p, s] for p, s in listed.items()]}
    model["unk_id"] = ids[vocabulary.unk]
    return vocabulary.with_described(renumbered(vocabulary.described | {"model": model}, ids))


def _scores(words: Words, letters: list[str], size: int) -> dict[str, float]:
    """Return about ``size`` pieces with their log-probabilities, the most probable first.

    SentencePiece leaves out the rarest of ``letters``, one in 2,000: they get the lowest score.
    """
    parts = _parts(words, frozenset(letters))
    if not parts:
        raise UsageError("no word is of characters that occur min_count times; lower it")
    # subtle: sorted, so that nothing depends on the order of the text
    trained = trained_unigram(dict(sorted(parts.items())), size + _OF_ITS_OWN)
    if not any(part.startswith(MARK) for part in parts):
        trained = _unmarked(trained)
    lowest = min(trained.values())
    scores = trained | {c: lowest for c in letters if c not in trained}
    return dict(sorted(scores.items(), key=lambda item: -item[1]))  # stable


def _parts(words: Words, letters: frozenset[str]) -> Counter[str]:
    """Return the parts between marks that consist of ``letters`` only."""
    parts: Counter[str] = Counter()
    for word, count in words.items():
        for part in BEFORE_MARK.split(word):
            core = part.removeprefix(MARK)
            if core.split() == [core] and MARK not in core and letters.issuperset(part):
                parts[part] += count
    return parts


def _unmarked(scores: Mapping[str, float]) -> dict[str, float]:
    """Return pieces for words without an initial mark, which SentencePiece always adds."""
    shares: defaultdict[str, float] = defaultdict(float)
    for piece, score in scores.items():
        if bare := piece.removeprefix(MARK):
            shares[bare] += math.exp(score)
    return {piece: math.log(share) for piece, share in shares.items()}
