"""The pieces that save the most, in the way of the vocabulary's own family: any tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from specialize.augment._new_vocabulary import train_like
from specialize.augment._words import no_words, words_in
from specialize.corpus import open_text
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange
from specialize.vocab.bpe.extend import continued
from specialize.vocab.bpe.model import BPE
from specialize.vocab.open import AnyVocabulary, words_of
from specialize.vocab.prune_candidates import narrowed
from specialize.vocab.unigram.extend import calibrated
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.characters import missing_characters
from specialize.vocab.wordpiece.guard import Guard, check_guard, nothing_to_keep, open_guard
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.replacements import count_replacements
from specialize.vocab.wordpiece.safe_extend import place_safely


def change(
    vocabulary: AnyVocabulary,
    corpus: Iterable[str],
    *,
    pieces: int = 1000,
    min_count: int = 5,
    slots: bool = True,
    mixture: float = 0.1,
    strict: bool = False,
    guard: tuple[Path, ...] = (),
    guard_budget: float = 0.0,
) -> VocabChange[WordPiece] | VocabChange[BPE] | VocabChange[Unigram]:
    """Add the ``pieces`` that save the most: unknowns where there are any, pieces otherwise.

    - WordPiece: the characters that unknown words lack, then, of a vocabulary trained on the
      corpus, what saves the most pieces (occurrences times old pieces, less one), the least useful
      going round by round; ``slots``: [unusedN] places are taken before appending.
    - BPE, byte-level or not: continued BPE. New merges stand behind all old ones, so that no known
      text gets longer, and join no kinds of characters (letters, digits, spaces, others) that no
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
        raise UsageError(f"n = {pieces} pieces cannot be added; ask for 0 or more")
    if min_count < 1:
        raise UsageError(f"min_count = {min_count} is no count of occurrences; ask for 1 or more")
    if isinstance(vocabulary, WordPiece):
        return _wordpiece(vocabulary, corpus, pieces, min_count, slots, guard, guard_budget)
    words = words_of(vocabulary, corpus)
    if not words:
        raise no_words()
    keep = _guarded(vocabulary, guard, guard_budget)
    if isinstance(vocabulary, BPE):
        merged = continued(
            vocabulary, words, pieces=pieces, min_count=min_count, guard=keep, budget=guard_budget
        )
        return replace(vocabulary.place(merged.pieces), refused=tuple(merged.refused))
    scored = calibrated(
        vocabulary,
        words,
        pieces=pieces,
        min_count=min_count,
        mixture=mixture,
        strict=strict,
        guard=keep,
        budget=guard_budget,
    )
    change = vocabulary.place(scored.scores)
    dropped, refused = tuple(scored.dropped), tuple(scored.refused)
    return replace(change, dropped=dropped, refused=refused, joins=strict)


def _guarded(
    vocabulary: BPE | Unigram, files: Sequence[str], budget: float
) -> Mapping[str, int] | None:
    """Return the words of the guard that are known."""
    if not check_guard(files, budget):
        return None
    words = words_of(vocabulary, open_text(files))
    known = {word: n for word, n in words.items() if vocabulary.parts(word)}
    if not known:
        raise nothing_to_keep(files)
    return known


def _wordpiece(
    vocabulary: WordPiece,
    corpus: Iterable[str],
    pieces: int,
    min_count: int,
    slots: bool,
    guard: Sequence[str],
    budget: float,
) -> VocabChange[WordPiece]:
    keep = open_guard(vocabulary, guard, budget)
    words = words_in(corpus, vocabulary)
    refused: dict[str, None] = {}
    letters = list(missing_characters(vocabulary, words, min_count=min_count))
    candidates = _candidates(vocabulary, words, letters, pieces, min_count, keep, refused)
    letters = [piece for piece in letters if piece not in refused][:pieces]
    chosen_letters = frozenset(letters)
    longer = [piece for piece in candidates if piece not in chosen_letters]
    spelt = vocabulary.place(letters, slots=False).new
    saves = {piece: max(1, len(spelt.parts(piece)) - 1) for piece in longer}

    def use(some: Sequence[str]) -> dict[str, int]:
        trial = spelt.place(some, slots=False).new
        overall = count_replacements(words, vocabulary, trial).overall
        return {piece: overall.get(piece, 0) * saves[piece] for piece in some}

    chosen = [*letters, *narrowed(longer, pieces - len(letters), use)]
    change = place_safely(vocabulary, chosen, pieces, words, slots=slots)
    return replace(change, refused=tuple(refused))


def _candidates(
    vocabulary: WordPiece,
    words: Mapping[str, int],
    letters: Sequence[str],
    pieces: int,
    min_count: int,
    guard: Guard | None,
    refused: dict[str, None],
) -> list[str]:
    """Return ``letters`` and the pieces of a new vocabulary that ``guard`` admits.

    Where it leaves fewer than ``pieces``, the new vocabulary is made larger, while the words yield
    more. Of single characters only those that are lacked often enough are candidates.
    """
    size = 2 * pieces + 1000 + len(letters)
    while True:
        new = train_like(vocabulary, words, size=size, min_count=min_count, alphabet=1000)
        merged = (p for p in new.pieces if len(p.removeprefix(vocabulary.prefix)) > 1)
        found = [*letters, *(piece for piece in merged if piece not in vocabulary.ids)]
        admitted = list(guard.admit(found, refused)) if guard else found
        if len(admitted) >= pieces or len(new.pieces) < size:
            return admitted
        size *= 2
