"""Candidate pieces for a Unigram, and their probabilities relative to the old ones.

They come from a Unigram trained on the words (sentencepiece with one thread, so reproducible), plus
frequent words. There are two ways to score them:

- mixed: ln(mixture) + the piece's own log-probability, as if that share of the text were in the new
  language;
- strict: the total score of its old pieces, plus an epsilon per piece saved. In known text the old
  pieces remain the most probable and are only joined: the Unigram analogue of continued BPE. Pieces
  with unknown characters get the mixed score.

A score of 0, as in published scripts, beats all other segmentations.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Set
from pathlib import Path
from typing import NamedTuple

from specialize.vocab.marks import MARK
from specialize.vocab.unigram.model import Unigram

Words = Mapping[str, int]
_LONGEST = 100_000  # bytes of a training word
_EPSILON = 1e-4  # nats per saved piece: above rounding, below real differences


class Candidates(NamedTuple):
    """Candidate pieces, unordered except that characters come first."""

    letters: list[str]  # unknown min_count times, most frequent first
    saves: dict[str, int]  # old pieces that each replaces, less one
    mixed: dict[str, float]
    strict: dict[str, float]
    all_there: bool  # whether the words yield no more


def candidates(
    vocabulary: Unigram, words: Words, size: int, *, min_count: int, mixture: float
) -> Candidates:
    """Return the new pieces of a Unigram of ``size``, frequent words and unknown characters."""
    total = sum(len(word) * count for word, count in words.items())
    unknown = _missing(vocabulary, words, min_count)
    own = {c: math.log(n / total) for c, n in unknown.most_common()}
    trained = trained_unigram(words, size + len({c for word in words for c in word}))
    own |= {p: s for p, s in trained.items() if p not in vocabulary.ids}
    own |= _frequent(words, min_count, total, vocabulary.ids.keys() | trained.keys())
    saves: dict[str, int] = {}
    mixed: dict[str, float] = {}
    strict: dict[str, float] = {}
    for piece, score in own.items():
        found = vocabulary.segment(piece)
        known = vocabulary.unk not in found
        saves[piece] = (len(found) if known else len(piece.encode())) - 1
        mixed[piece] = strict[piece] = math.log(mixture) + score
        if known:
            strict[piece] = vocabulary.score(found) + _EPSILON * saves[piece]
    return Candidates([*unknown], saves, mixed, strict, len(trained) < size)


def _missing(vocabulary: Unigram, words: Words, min_count: int) -> Counter[str]:
    """Return the occurrences of each character without a piece in unknown words."""
    found: Counter[str] = Counter()
    for word, count in words.items():
        if vocabulary.unk in vocabulary.segment(word):
            for character in word:
                if character not in vocabulary.ids:
                    found[character] += count
    return Counter({c: n for c, n in found.most_common() if n >= min_count})


def trained_unigram(words: Words, size: int) -> dict[str, float]:
    """Return about ``size`` pieces of ``words`` with log-probabilities, the most probable first.

    Word-initial ``words`` begin with the mark. There are fewer if the words do not yield more.
    """
    import sentencepiece

    lines = [f"{w.removeprefix(MARK)}\t{n}\n" for w, n in words.items() if _is_plain(w)]
    if not lines:
        return {}  # sentencepiece would fail
    made = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "words.tsv"
        file.write_text("".join(lines), "utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(file),
            input_format="tsv",
            model_writer=made,
            model_type="unigram",
            vocab_size=size,
            hard_vocab_limit=False,
            normalization_rule_name="identity",
            num_threads=1,  # more add up in a different order each time
            minloglevel=2,
            max_sentence_length=_LONGEST,
        )
    model = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    listed = ((model.id_to_piece(i), model.get_score(i)) for i in range(len(model)))
    ordinary = (not (model.is_control(i) or model.is_unknown(i)) for i in range(len(model)))
    return {piece: score for (piece, score), use in zip(listed, ordinary, strict=True) if use}


def _is_plain(word: str) -> bool:
    core = word.removeprefix(MARK)
    if not core or len(core.encode()) >= _LONGEST:
        return False
    return MARK not in core and not any(c.isspace() for c in core)


def _frequent(words: Words, min_count: int, total: int, there: Set[str]) -> dict[str, float]:
    """Return frequent words that are not ``there``, with log-probabilities.

    sentencepiece considers only substrings shared by two types of words, so frequent words may be
    missing; their probability is estimated at two characters per piece.
    """
    often = (w for w, n in words.items() if n >= min_count and len(w) > 1 and _is_plain(w))
    return {w: math.log(2 * words[w] / total) for w in often if w not in there}
