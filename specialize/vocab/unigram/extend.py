"""New pieces for a Unigram, with scores that fit those of the old ones (``candidates``)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from specialize.errors import UsageError
from specialize.vocab.guard import GuardedWords, Words
from specialize.vocab.prune_candidates import prune_candidates
from specialize.vocab.unigram.candidates import Candidates, candidates
from specialize.vocab.unigram.guard import Guard
from specialize.vocab.unigram.model import Unigram

_MORE, _FEW = 1.1, 100  # as many times the pieces, and so many: from there on a guard is exact


class ScoredPieces(NamedTuple):
    """New pieces with their scores, most useful first, and pieces left out."""

    scores: dict[str, float]
    dropped: list[str]  # made known words unknown
    refused: list[str]  # changed guarded words


def calibrate(
    vocabulary: Unigram,
    words: Words,
    *,
    pieces: int,
    min_count: int = 5,
    mixture: float = 0.1,
    strict: bool = False,
    guard: GuardedWords | None = None,
) -> ScoredPieces:
    """Return at most ``pieces`` new pieces.

    ``words``: pre-tokenised word -> occurrences. First come the characters that are unknown
    ``min_count`` times, most frequent first. The use of any other piece is its savings: occurrences
    times the old pieces it replaces, less one. From at least twice as many candidates, the least
    useful are pruned in rounds, each measured in the presence of all others.

    Scores are mixed or ``strict``. With a guard and not ``strict``, a piece gets the higher of the
    two; if that changes too many guarded words, the lower; if that still does, it is dropped. The
    returned pieces together never exceed the guard's budget. The pieces dropped for this are chosen
    greedily, by use relative to what they change, which need not be optimal. Without a budget, the
    texts of old pieces are guarded too.
    """
    if not 0 < mixture <= 1:
        raise UsageError(f"mixture is a share above 0, up to 1, not {mixture}")
    guarded = _with_pieces(vocabulary, guard)
    size = 2 * pieces + 1000
    while True:
        some = candidates(vocabulary, words, size, min_count=min_count, mixture=mixture)
        keep = Guard(vocabulary, guarded.words, budget=guarded.budget) if guarded else None
        found = _chosen(vocabulary, words, some, keep, pieces, min_count, strict)
        if len(found.scores) >= pieces or not found.refused or some.all_there:
            return found
        size *= 2  # a guard left too few


def _with_pieces(vocabulary: Unigram, guard: GuardedWords | None) -> GuardedWords | None:
    """Return ``guard``, plus the texts of all old pieces if nothing may change."""
    if not guard or guard.budget:
        return guard
    return GuardedWords(dict.fromkeys(vocabulary.pieces, 1) | {**guard.words})


def _chosen(
    vocabulary: Unigram,
    words: Words,
    some: Candidates,
    keep: Guard | None,
    pieces: int,
    min_count: int,
    strict: bool,
) -> ScoredPieces:
    scores, lower = _scores(some, strict, keep is not None)
    first = dict.fromkeys(some.letters, math.inf)
    worth = {p: math.exp(some.mixed[p]) * some.saves[p] for p in scores} | first
    dropped: dict[str, None] = {}

    def use(these: Sequence[str]) -> dict[str, float]:
        trial = {piece: scores[piece] for piece in these}
        if keep:
            # surplus candidates will be pruned, and their changes with them
            room = max(1.0, len(trial) / (_MORE * pieces + _FEW))
            trial = keep.admitted(trial, lower, worth, room=room)
            scores.update(trial)
        used, faults = _used(vocabulary, trial, words)
        dropped.update(dict.fromkeys(piece for piece in trial if piece in faults))
        saved = {p: used[p] * some.saves[p] for p in trial if used[p] >= min_count} | first
        worth.update(saved)
        return {p: n for p, n in saved.items() if p in trial and p not in faults}

    chosen = prune_candidates([*scores], pieces, use)
    return ScoredPieces({p: scores[p] for p in chosen}, [*dropped], [*keep.refused] if keep else [])


def _scores(
    some: Candidates, strict: bool, guarded: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the score of each candidate, and a lower one for those that change too much."""
    if strict or not guarded:
        return dict(some.strict if strict else some.mixed), {}
    both = {piece: (some.mixed[piece], some.strict[piece]) for piece in some.mixed}
    return {p: max(two) for p, two in both.items()}, {p: min(two) for p, two in both.items()}


def _used(
    vocabulary: Unigram, scores: Mapping[str, float], words: Words
) -> tuple[Counter[str], set[str]]:
    """Return the occurrences of each of ``scores`` in ``words`` with all of them present.

    Also return those in words that were known without them and are unknown with them.
    """
    trial = vocabulary.place(scores).new
    used: Counter[str] = Counter()
    faults: set[str] = set()
    for word, count in words.items():
        fresh = scores.keys() & (found := trial.segment(word))
        for piece in fresh:
            used[piece] += count * found.count(piece)
        if fresh and trial.unk in found and vocabulary.parts(word):
            faults |= fresh
    return used, faults
