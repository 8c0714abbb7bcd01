"""New pieces for a WordPiece: missing characters, then the most useful of a new vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from specialize.errors import UsageError
from specialize.vocab.base import Extension, VocabChange
from specialize.vocab.guard import Words
from specialize.vocab.prune_candidates import prune_candidates
from specialize.vocab.train.retrain import train_like
from specialize.vocab.wordpiece.characters import missing_characters
from specialize.vocab.wordpiece.guard import Guard
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.replacements import count_replacements
from specialize.vocab.wordpiece.safe_extend import place_safely


def extend_wordpiece(
    vocabulary: WordPiece,
    words: Words,
    options: Extension,
) -> VocabChange[WordPiece]:
    """Return the change that adds pieces for ``words``.

    First come the characters that unknown words lack ``min_count`` times, then those pieces of a
    vocabulary trained on the words that save the most (occurrences times old pieces less one); the
    least useful candidates are pruned in rounds. Pieces that change words of the guard beyond its
    budget are refused.
    """
    pieces, min_count, guard = options.pieces, options.min_count, options.guard
    keep = Guard(vocabulary, guard.words, budget=guard.budget) if guard else None
    refused: dict[str, None] = {}
    letters = list(missing_characters(vocabulary, words, min_count=min_count))
    candidates = _candidates(vocabulary, words, letters, pieces, min_count, keep, refused)
    letters = [piece for piece in letters if piece not in refused][:pieces]
    chosen_letters = frozenset(letters)
    longer = [piece for piece in candidates if piece not in chosen_letters]
    with_letters = vocabulary.place(letters, slots=False).new
    saves = {piece: max(1, len(with_letters.parts(piece)) - 1) for piece in longer}

    def use(some: Sequence[str]) -> dict[str, int]:
        trial = with_letters.place(some, slots=False).new
        overall = count_replacements(words, vocabulary, trial).overall
        return {piece: overall.get(piece, 0) * saves[piece] for piece in some}

    chosen = [*letters, *prune_candidates(longer, pieces - len(letters), use)]
    change = place_safely(vocabulary, chosen, pieces, words, slots=options.slots)
    return replace(change, refused=tuple(refused), guard=guard)


def _candidates(
    vocabulary: WordPiece,
    words: Words,
    letters: Sequence[str],
    pieces: int,
    min_count: int,
    guard: Guard | None,
    refused: dict[str, None],
) -> list[str]:
    """Return ``letters`` and the pieces of a new vocabulary that ``guard`` admits.

    If it leaves fewer than ``pieces``, a larger vocabulary is trained, as long as the words yield
    more. Single characters are candidates only if enough words lack them.
    """
    size = 2 * pieces + 1000 + len(letters)
    while True:
        try:
            new = train_like(vocabulary, words, size=size, min_count=min_count, alphabet=1000)
        except UsageError:  # too small for the alphabet, as with few pieces for many scripts
            size *= 2
            continue
        merged = (p for p in new.pieces if len(p.removeprefix(vocabulary.prefix)) > 1)
        found = [*letters, *(piece for piece in merged if piece not in vocabulary.ids)]
        admitted = list(guard.admit(found, refused)) if guard else found
        if len(admitted) >= pieces or len(new.pieces) < size:
            return admitted
        size *= 2
