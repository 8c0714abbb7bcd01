"""Measures of a tokenizer on a text, beyond the counts of its audit; None where there is no value.

All are computed from counts: of pieces, of types of words, or of two parallel texts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from specialize.vocab.audit.audit import Audit
from specialize.vocab.counting.space_units import CONTEXT, count_units, text_of
from specialize.vocab.counting.words import Text, counted, split_tokens
from specialize.vocab.library import BLOCK
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.replacements import count_replacements

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ALPHA = 2.5  # correlates best with BLEU, r = 0.78 (Zouhar et al. 2023)


def bytes_per_piece(audit: Audit) -> float | None:
    """Return bytes of text per piece.

    Bytes are those of the lines in UTF-8, with spaces and without line ends; [CLS] and [SEP] do not
    count as pieces. An unknown piece counts with its word's bytes although it loses them: read this
    with the unknowns. Scripts differ in bytes per letter: use ``parity`` to compare languages.
    """
    return audit.bytes / audit.pieces if audit.pieces else None


def renyi_efficiency(
    counts: Iterable[int], vocabulary_size: int, *, alpha: float = ALPHA
) -> float | None:
    """Return the Rényi efficiency H / log V of a text's pieces, without unit: 1 if all are even.

    H = log(sum over pieces of p ** alpha) / (1 - alpha), p a piece's share of all pieces of the
    text; for alpha = 1 its limit, Shannon's entropy (Zouhar et al. 2023, "Tokenization and the
    Noiseless Channel"; Cognetta et al. 2024 show how to raise it without benefit). ``counts``: the
    occurrences of each piece; zeros have no effect. ``vocabulary_size``: V, either all pieces of
    the vocabulary, including special and unused ones, which makes it low for a language that uses
    few of them; or the pieces that occur in the text, as in the authors' tokenization-scorer.
    """
    found = [count for count in counts if count > 0]
    if not found or vocabulary_size < 2:
        return None
    total = sum(found)
    shares = [count / total for count in found]
    if alpha == 1:
        entropy = -math.fsum(p * math.log(p) for p in shares)
    else:
        entropy = math.log(math.fsum(p**alpha for p in shares)) / (1 - alpha)
    return abs(entropy) / math.log(vocabulary_size)  # abs: a single piece has -0.0


def parity(ours: Audit, theirs: Audit) -> float | None:
    """Return pieces of one language / pieces of another over the same sentences, without unit.

    1: both need equally many pieces; 2: ours needs twice as many (Petrov et al. 2023, "Language
    Model Tokenizers Introduce Unfairness Between Languages"). The ratio of sums, not the mean of
    ratios per sentence. An unknown piece replaces a whole word, so unknowns make a language look
    short.
    """
    return ours.pieces / theirs.pieces if ours.pieces and theirs.pieces else None


# Counts of pieces ---------------------------------------------------------------------------------


def wordpiece_counts(vocabulary: WordPiece, text: Text) -> dict[str, int]:
    """Return the occurrences of each piece in ``text``; their sum is the pieces of its audit."""
    split = split_tokens(counted(text).tokens, vocabulary.rules, vocabulary.special)
    found = count_replacements(split.words, vocabulary, vocabulary).overall
    for piece, count in split.special.items():
        found[piece] = found.get(piece, 0) + count
    return found


def library_counts(tokenizer: Tokenizer, lines: Iterable[str], *, by_types: bool) -> dict[str, int]:
    """Return the same under any tokenizer of the library.

    ``by_types``: units (``specialize.vocab.counting.space_units``) are segmented once
    each, as in the audit; otherwise every line.
    """
    ids = _ids_of_units(tokenizer, count_units(lines)) if by_types else _ids(tokenizer, lines)
    return {str(tokenizer.id_to_token(i)): count for i, count in ids.items() if count}


def _ids(tokenizer: Tokenizer, lines: Iterable[str]) -> Counter[int]:
    counts: Counter[int] = Counter()
    waiting = iter(lines)
    while block := list(islice(waiting, BLOCK)):
        for encoding in tokenizer.encode_batch(block, add_special_tokens=False):
            counts.update(encoding.ids)
    return counts


def _ids_of_units(tokenizer: Tokenizer, units: Mapping[str, int]) -> Counter[int]:
    counts: Counter[int] = Counter()
    behind = 0  # occurrences of the context before a unit
    waiting = iter(units.items())
    while block := list(islice(waiting, BLOCK)):
        texts = [CONTEXT + unit if unit[0] == " " else text_of(unit) for unit, _ in block]
        encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
        for (unit, times), encoding in zip(block, encodings, strict=True):
            behind += times if unit[0] == " " else 0
            for piece in encoding.ids:
                counts[piece] += times
    for piece in tokenizer.encode(CONTEXT, add_special_tokens=False).ids:
        counts[piece] -= behind
    return counts
