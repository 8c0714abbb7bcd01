"""The pieces that shorten the corpus most, for a tokenizer of any family."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.augment._words import words_in
from specialize.errors import UsageError
from specialize.vocab.base import Extension, U, VocabChange
from specialize.vocab.guard import read_guard


def change(
    vocabulary: U,
    corpus: Iterable[str],
    *,
    pieces: int = 1000,
    min_count: int = 5,
    slots: bool = True,
    mixture: float = 0.1,
    strict: bool = False,
    guard: tuple[str, ...] = (),
    guard_budget: float = 0.0,
) -> VocabChange[U]:
    """Add the ``pieces`` that save the most: unknowns where there are any, else pieces.

    - WordPiece: first the characters that unknown words lack, then those pieces of a vocabulary
      trained on the corpus that save the most pieces (occurrences times old pieces less one); the
      least useful are pruned in rounds. ``slots``: fill [unusedN] slots before appending.
    - BPE, byte-level or not: continued BPE. New merges rank after all old ones, so no known text
      gets longer. Letters, digits, spaces and other characters are merged with each other only
      where an old piece does so (``vocab.bpe.extend``).
    - Unigram: scores calibrated to the old ones, ln(``mixture``) + the piece's log-probability.
      ``strict``: scores just high enough to replace sequences of old pieces. With a guard, the
      higher of the two that it allows (``vocab.unigram.extend``).

    ``min_count``: rarer pairs are not merged and rarer characters not added. ``guard``: files of
    other languages; their known words keep their segmentation, except for a share ``guard_budget``
    of the occurrences. The guarantee is exact; the pieces left out for it are chosen greedily
    (Unigram: the least useful for what they change), so the choice need not be optimal.
    """
    if pieces < 0:
        raise UsageError(f"expected pieces of 0 or more, got {pieces}")
    if min_count < 1:
        raise UsageError(f"expected a min_count of 1 or more, got {min_count}")
    keep = read_guard(vocabulary, guard, guard_budget)
    options = Extension(pieces, min_count, slots, mixture, strict, keep)
    return vocabulary.extended(words_in(vocabulary, corpus), options)
