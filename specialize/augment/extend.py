"""The pieces that save the most, in the way of the vocabulary's own family: any tokenizer."""

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
    """Add the ``pieces`` that save the most: unknowns where there are any, pieces otherwise.

    - WordPiece: the characters that unknown words lack, then, of a vocabulary trained on the
      corpus, what saves the most pieces (occurrences times old pieces, less one), the least useful
      going round by round; ``slots``: [unusedN] places are taken before appending.
    - BPE, byte-level or not: continued BPE. New merges stand behind all old ones, so that no known
      text gets longer, and join no classes of characters (letters, digits, spaces, others) that no
      old piece joins (``vocab.bpe.extend``).
    - Unigram: scores calibrated to the old ones, ln(``mixture``) + a piece's own log-probability;
      ``strict``: scores that only join old pieces; with a guard, the higher of the two that it
      allows (``vocab.unigram.extend``).

    ``min_count``: what occurs less often is not merged, nor a character added. ``guard``: files of
    other languages; the words in them that are known keep their segmentation, but for a share
    ``guard_budget`` of their occurrences. That is exact; which pieces give way for it is chosen one
    after the other (of a Unigram: the least useful for what they change), and need not be the best.
    """
    if pieces < 0:
        raise UsageError(f"expected n of 0 pieces or more, got {pieces}")
    if min_count < 1:
        raise UsageError(f"expected a min_count of 1 or more, got {min_count}")
    keep = read_guard(vocabulary, guard, guard_budget)
    options = Extension(pieces, min_count, slots, mixture, strict, keep)
    return vocabulary.extended(words_in(vocabulary, corpus), options)
