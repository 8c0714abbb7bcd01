"""Place new pieces, leaving out those that make known words unknown or change guarded ones.

WordPiece takes the longest match without backtracking, so a new piece can lead into a dead end:
with {a, ##b, ##cd}, ``abcd`` is ``a ##b ##cd``; with ``##bc`` it is ``a ##bc``, and no piece
continues with ``d``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from specialize.vocab.base import VocabChange
from specialize.vocab.guard import GuardedWords
from specialize.vocab.wordpiece.guard import Guard
from specialize.vocab.wordpiece.longest_match import longest_first
from specialize.vocab.wordpiece.model import WordPiece


def place_safely(
    vocabulary: WordPiece,
    candidates: Iterable[str],
    wanted: int,
    words: Iterable[str],
    *,
    slots: bool = True,
    guard: GuardedWords | None = None,
) -> VocabChange[WordPiece]:
    """Place the first ``wanted`` of ``candidates`` that leave every known word known.

    Candidates that change words of ``guard`` beyond its budget are skipped.

    ``words`` and the texts of the vocabulary's own pieces are checked. If a word would become
    unknown, the last new piece before its dead end is dropped and replaced by the next candidate,
    until no such word is left. The change lists dropped pieces and those refused by the guard.
    """
    refused: dict[str, None] = {}
    waiting = _unique(candidates)
    if guard:
        waiting = Guard(vocabulary, guard.words, budget=guard.budget).admit(waiting, refused)
    chosen = dict.fromkeys(islice(waiting, wanted))
    dropped: dict[str, None] = {}
    # with a closed alphabet no piece leads into a dead end
    known = _known(vocabulary, words) if vocabulary.closed_alphabet is None else []
    while faults := _faults(vocabulary, chosen, known):
        dropped |= faults
        chosen = {piece: None for piece in chosen if piece not in faults}
        chosen |= dict.fromkeys(islice(waiting, wanted - len(chosen)))
    change = vocabulary.place(chosen, slots=slots)
    return replace(change, dropped=tuple(dropped), refused=tuple(refused), guard=guard)


def _unique(candidates: Iterable[str]) -> Iterator[str]:
    """Yield each candidate once, lazily."""
    seen: set[str] = set()
    for piece in candidates:
        if piece not in seen:
            seen.add(piece)
            yield piece


def _known(vocabulary: WordPiece, words: Iterable[str]) -> list[str]:
    """Return the distinct words and texts of pieces that ``vocabulary`` covers."""
    texts = (piece.removeprefix(vocabulary.prefix) for piece in vocabulary.pieces)
    unique = dict.fromkeys([*words, *texts])
    return [w for w in unique if len(w) <= vocabulary.max_chars and vocabulary.cover(w)]


def _faults(vocabulary: WordPiece, chosen: dict[str, None], known: list[str]) -> dict[str, None]:
    """Return, for each word that ``chosen`` make unknown, the last of them before its dead end."""
    pieces = vocabulary.ids.keys() | chosen.keys()
    longest = max([vocabulary.longest, *(len(piece) for piece in chosen)])
    faults: dict[str, None] = {}
    for word in known:
        path, end = longest_first(word, pieces, prefix=vocabulary.prefix, longest=longest)
        if end < len(word):
            # subtle: one exists, or the word would have reached this dead end before
            faults[next(piece for piece in reversed(path) if piece in chosen)] = None
    return faults
