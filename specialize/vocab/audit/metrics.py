"""Measures of a tokenizer on a text, beyond the counts of its audit; None where there is no value.

All are computed from counts: of pieces, of types of words, or of two texts that say the same.
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

ALPHA = 2.5  # at which the efficiency follows BLEU best, r = 0.78 (Zouhar et al. 2023)


def bytes_per_piece(audit: Audit) -> float | None:
    """Return the bytes of the text / its pieces, in bytes: how much text a piece carries.

    Bytes are those of the lines in UTF-8, spaces included and line ends left out; [CLS] and [SEP]
    are no pieces. An unknown piece carries its word's bytes without saying them: read it with the
    unknowns. Scripts differ in bytes a letter, so texts of two languages are better compared by
    ``parity``.
    """
    return audit.bytes / audit.pieces if audit.pieces else None


def renyi_efficiency(
    counts: Iterable[int], vocabulary_size: int, *, alpha: float = ALPHA
) -> float | None:
    """Return the Rényi efficiency H / log V of a text's pieces, without unit: 1 if all are even.

    H = log(sum over pieces of p ** alpha) / (1 - alpha), p a piece's share of all pieces of the
    text; for alpha = 1 its limit, Shannon's entropy (Zouhar et al. 2023, "Tokenization and the
    Noiseless Channel"; Cognetta et al. 2024 show how it can be raised without good). ``counts``:
    the occurrences of each piece, zeros changing nothing. ``vocabulary_size``: V. Two are of use:
    all pieces of the vocabulary, special and unused ones included, which makes it low for a
    language that uses few of them; and the pieces that occur in the text, as in the authors'
    tokenization-scorer.
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

    1: both take as many pieces to say the same; 2: ours takes twice as many (Petrov et al. 2023,
    "Language Model Tokenizers Introduce Unfairness Between Languages"). Of the sums, not the
    mean of the sentences' ratios. An unknown piece stands for a whole word, so unknowns make a
    language look short.
    """
    return ours.pieces / theirs.pieces if ours.pieces and theirs.pieces else None


# Counts of pieces ---------------------------------------------------------------------------------


def wordpiece_counts(vocabulary: WordPiece, text: Text) -> dict[str, int]:
    """Return how often each piece occurs in ``text``; their sum is the pieces of its audit."""
    split = split_tokens(counted(text).tokens, vocabulary.rules, vocabulary.special)
    found = count_replacements(split.words, vocabulary, vocabulary).overall
    for piece, count in split.special.items():
        found[piece] = found.get(piece, 0) + count
    return found


def library_counts(tokenizer: Tokenizer, lines: Iterable[str], *, by_types: bool) -> dict[str, int]:
    """Return the same under any tokenizer of the library.

    ``by_types``: units (``specialize.vocab.counting.space_units``) are segmented once
    each, which is right where the audit did so too; else every line is.
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
    behind = 0  # how often the context stood before a unit
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
