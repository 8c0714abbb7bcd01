"""New pieces for a Unigram, with scores that fit those of the old ones.

Candidates come from a Unigram trained on the words (the sentencepiece library, one thread, so the
same every time). Two ways to score them, next to the old log-probabilities:

- mixture: ln(lambda) + the candidate's own log-probability, as if a share lambda of the text were
  in the new language;
- strict: the old score of the old pieces that spell it, and a hair more for each piece saved. Of a
  text that was known, the old pieces stay the most probable, and are only joined: the Unigram
  analogue of continued BPE. Characters without a piece are scored as in the mixture.

A score of 0, which published scripts give, outbids everything.
"""

from __future__ import annotations

import io
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from specialize.errors import UsageError
from specialize.vocab.guard import allowed_changes
from specialize.vocab.unigram import Unigram
from specialize.vocab.units import MARK
from specialize.vocab.utility import narrowed

Words = Mapping[str, int]
_LONGEST = 100_000  # bytes of a word that is trained on
_HAIR = 1e-4  # a piece saved, in nats: above rounding, below what tells segmentations apart


class Calibrated(NamedTuple):
    """New pieces with their scores, the most useful first, and those left out."""

    scores: dict[str, float]
    dropped: list[str]  # made known words unknown
    refused: list[str]  # changed guarded words


def calibrated(
    vocabulary: Unigram,
    words: Words,
    *,
    pieces: int,
    min_count: int = 5,
    mixture: float = 0.1,
    strict: bool = False,
    guard: Words | None = None,
    budget: float = 0.0,
) -> Calibrated:
    """Return at most ``pieces`` new pieces.

    ``words``, ``guard``: pre-tokenised word -> occurrences. First come the characters that are
    unknown ``min_count`` times, the most frequent first. The use of any other piece is what it
    saves: its occurrences times the old pieces that it takes the place of, less one. From twice as
    many candidates and more, the least useful go, round by round, while all the others are there.
    With a guard that allows nothing, old pieces are guarded too: a text that is one stays one.
    """
    if not 0 < mixture <= 1:
        raise UsageError(f"mixture is a share above 0, up to 1, not {mixture}")
    letters = dict(_missing(vocabulary, words, min_count).most_common(pieces))
    total = sum(len(word) * count for word, count in words.items())
    trained = _trained(words, 2 * pieces + 1000, min_count, total)
    saves, scores = _scored(vocabulary, trained, mixture, strict)
    scores = {c: math.log(mixture * n / total) for c, n in letters.items()} | scores
    own = dict.fromkeys(vocabulary.pieces if guard and not budget else (), 1)
    kept = [_Guarded(vocabulary, own, 0.0), _Guarded(vocabulary, guard or {}, budget)]
    dropped: dict[str, None] = {}

    def use(candidates: Sequence[str]) -> dict[str, int]:
        trial = {piece: scores[piece] for piece in (*letters, *candidates)}
        for guarded in kept:
            trial = guarded.admitted(trial)
        for character in letters.keys() - trial:
            del letters[character]
        used, faults = _used(vocabulary, trial, words)
        dropped.update(dict.fromkeys(piece for piece in trial if piece in faults))
        often = (p for p in candidates if p in trial and used[p] >= min_count)
        return {p: used[p] * saves[p] for p in often if p not in faults}

    longer = [piece for piece in scores if piece not in letters]
    chosen = narrowed(longer, pieces - len(letters), use)
    refused = dict.fromkeys(piece for guarded in kept for piece in guarded.refused)
    return Calibrated({p: scores[p] for p in (*letters, *chosen)}, list(dropped), list(refused))


def _missing(vocabulary: Unigram, words: Words, min_count: int) -> Counter[str]:
    """Return how often each character without a piece stands in an unknown word."""
    found: Counter[str] = Counter()
    for word, count in words.items():
        if vocabulary.unk in vocabulary.segment(word):
            for character in word:
                if character not in vocabulary.ids:
                    found[character] += count
    return Counter({c: n for c, n in found.items() if n >= min_count})


def trained_unigram(words: Words, size: int) -> dict[str, float]:
    """Return about ``size`` pieces of ``words`` with log-probabilities, the most probable first.

    ``words`` begin with the mark where they begin a word. Fewer where the words do not yield them.
    """
    import sentencepiece

    lines = [f"{w.removeprefix(MARK)}\t{n}\n" for w, n in words.items() if _is_plain(w)]
    if not lines:
        return {}  # for which sentencepiece has an error
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
            num_threads=1,  # more add up in another order each time
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


def _trained(words: Words, size: int, min_count: int, characters: int) -> dict[str, float]:
    """Return candidates with their own log-probabilities: of a Unigram, and frequent words.

    sentencepiece considers only what two types of words have in common, so that whole words may be
    missing, however frequent; their probability is reckoned at two characters a piece.
    """
    letters = {c for word in words for c in word}
    trained = trained_unigram(words, size + len(letters))
    whole = (w for w, n in words.items() if n >= min_count and len(w) > 1 and _is_plain(w))
    often = {w: math.log(2 * words[w] / characters) for w in whole if w not in trained}
    return trained | often


def _scored(
    vocabulary: Unigram, trained: Mapping[str, float], mixture: float, strict: bool
) -> tuple[dict[str, int], dict[str, float]]:
    """Return what each candidate saves where it stands, and its score."""
    saves: dict[str, int] = {}
    scores: dict[str, float] = {}
    for piece, score in trained.items():
        if piece in vocabulary.ids:
            continue
        found = vocabulary.segment(piece)
        known = vocabulary.unk not in found
        saves[piece] = (len(found) if known else len(piece.encode())) - 1
        own = math.log(mixture) + score
        scores[piece] = vocabulary.score(found) + _HAIR * saves[piece] if strict and known else own
    return saves, scores


def _used(
    vocabulary: Unigram, scores: Mapping[str, float], words: Words
) -> tuple[Counter[str], set[str]]:
    """Return how often each of ``scores`` stands in ``words`` while all of them are there.

    And those that stand in words which were known without them, and are unknown with them.
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


class _Guarded:
    """Words whose segmentation is to stay: pieces that stand in a changed one are refused."""

    def __init__(self, vocabulary: Unigram, guard: Words, budget: float) -> None:
        self._vocabulary, self._guard = vocabulary, guard
        before = {word: vocabulary.segment(word) for word in guard}
        self._before = {w: found for w, found in before.items() if vocabulary.unk not in found}
        self._allowed = allowed_changes(budget, sum(guard[word] for word in self._before))
        self.refused: dict[str, None] = {}

    def admitted(self, scores: dict[str, float]) -> dict[str, float]:
        """Return ``scores`` without the pieces that change more than is allowed.

        Pieces may change a word together that none changes alone, so it is looked at anew until
        nothing changes; of pieces that do, the dearest go first while a budget is there.
        """
        while self._before and scores:
            trial = self._vocabulary.place(scores).new
            cost: Counter[str] = Counter()
            now = {word: trial.segment(word) for word in self._before}
            # subtle: a word that these leave alone, fewer of them leave alone
            self._before = {w: found for w, found in self._before.items() if now[w] != found}
            for word in self._before:
                for piece in scores.keys() & now[word]:
                    cost[piece] += self._guard[word]
            changed = sum(self._guard[word] for word in self._before)
            if changed <= self._allowed:
                break
            gone = _dearest(cost, changed - self._allowed) if self._allowed else set(cost)
            self.refused |= dict.fromkeys(piece for piece in scores if piece in gone)
            scores = {piece: score for piece, score in scores.items() if piece not in gone}
        return scores


def _dearest(cost: Mapping[str, int], excess: int) -> set[str]:
    """Return the pieces that cost the most, until what they cost together is ``excess``."""
    gone: set[str] = set()
    for piece in sorted(cost, key=lambda p: (-cost[p], p)):
        if excess <= 0:
            break
        gone.add(piece)
        excess -= cost[piece]
    return gone
