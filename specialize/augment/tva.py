"""Vocabulary augmentation of Chau et al. (2020): the pieces that replace the most unknowns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from specialize.augment._words import check_pieces, words_in
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import count_tokens, counted
from specialize.vocab.guard import read_guard
from specialize.vocab.train.retrain import train_like
from specialize.vocab.wordpiece.model import WordPiece, require_wordpiece
from specialize.vocab.wordpiece.replacements import count_replacements
from specialize.vocab.wordpiece.safe_extend import place_safely

PRESETS = {"paper": ("word", False), "as_released": ("token", True)}  # unit, pad


def change(
    vocabulary: WordPiece,
    corpus: Iterable[str],
    *,
    pieces: int = 99,
    new_vocabulary: int = 5000,
    preset: str = "paper",
    unit: str = "",
    pad: bool | None = None,
    slots: bool = True,
    min_count: int = 5,
    alphabet: int = 1000,
    guard: tuple[Path, ...] = (),
    guard_budget: float = 0.0,
) -> VocabChange[WordPiece]:
    """Add the n pieces of a new vocabulary V that replace the most unknowns of the corpus.

    VA, TVA and E-MBERT are settings of (V, n, a), where a is the rate of the fresh rows:

    - VA: V = ``new_vocabulary`` = 5000, n = ``pieces`` = 99, a = 1;
    - TVA: the same with ``fresh_rate`` a above 1 in the recipe's table [lapt];
    - E-MBERT (Wang et al., 2020): ``pieces`` = ``new_vocabulary``, ``slots = false`` and
      ``pad = true``, which appends all of V, with ``embed = "random"`` and a = 1.

    Options: ``preset`` sets ``unit`` and ``pad`` unless they are given:

    - ``paper``, as described in the paper: unknowns are counted by ``word``; fewer than n pieces
      are added if fewer replace an unknown;
    - ``as_released``, as in the authors' code: by white-space ``token``, punctuation included, and
      filled up to n (``pad``) with the most frequent new pieces overall, then with pieces of V that
      the corpus never needs.

    ``slots``: fill [unusedN] slots before appending. ``min_count`` and ``alphabet``: the fewest
    occurrences of a pair that V merges, and the most characters it has. ``guard``: files of other
    languages; their known words keep their segmentation, except for a share ``guard_budget`` of the
    occurrences.

    Differences from the authors' run: their trainer gives a different V each time, ours breaks
    ties by the age of the pieces; they trained V without removing control characters; and pieces
    that make known words unknown, which their code does not detect, are left out
    (``change.dropped``).
    """
    check_pieces(pieces, new_vocabulary)
    unit, pad = _settings(preset, unit, pad)
    keep = read_guard(require_wordpiece(vocabulary), guard, guard_budget)
    text = counted(corpus)
    words = words_in(vocabulary, text)
    new = train_like(vocabulary, words, size=new_vocabulary, min_count=min_count, alphabet=alphabet)
    by_token = unit == "token" and not vocabulary.by_library
    units = count_tokens(text, vocabulary.rules) if by_token else words
    found = count_replacements(units, vocabulary, new, overall=pad)
    candidates = found.ranked(vocabulary, pad=pad)
    if pad:  # also those the corpus never uses: E-MBERT appends all of V
        candidates += [piece for piece in new.pieces if piece not in vocabulary.ids]
    return place_safely(vocabulary, candidates, pieces, words, slots=slots, guard=keep)


def _settings(preset: str, unit: str, pad: bool | None) -> tuple[str, bool]:
    """Return unit and pad, by default the preset's."""
    if preset not in PRESETS:
        raise UsageError(f"unknown preset {preset!r}; known: {', '.join(PRESETS)}")
    if unit not in ("", "word", "token"):
        raise UsageError(f"unknown unit {unit!r}; known: word, token")
    preset_unit, preset_pad = PRESETS[preset]
    return unit or preset_unit, preset_pad if pad is None else pad
