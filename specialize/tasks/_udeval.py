"""The metrics of the CoNLL 2018 shared task on parsing raw text, for two CoNLL-U files.

Their definitions: https://universaldependencies.org/conll18/evaluation.html
"""

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from specialize.errors import SpecializeWarning
from specialize.tasks._base import percent
from specialize.tasks._conllu import has_heads, read_treebank
from specialize.tasks._udwords import ROOT, Document, Word, align, check_same_text, document_of

_TREES = ("UAS", "LAS", "CLAS", "MLAS", "BLEX")  # these need heads and relations
_WORDS = ("UPOS", "XPOS", "UFeats", "AllTags", "Lemmas", "UAS", "LAS")
_CONTENT_WORDS = ("CLAS", "MLAS", "BLEX")
# fmt: off
CONTENT = frozenset({
    "nsubj", "obj", "iobj", "csubj", "ccomp", "xcomp", "obl", "vocative", "expl",
    "dislocated", "advcl", "advmod", "discourse", "nmod", "appos", "nummod", "acl", "amod",
    "conj", "fixed", "flat", "compound", "list", "parataxis", "orphan", "goeswith",
    "reparandum", "root", "dep",
})
# fmt: on
_UNALIGNED = -2


@dataclass(frozen=True)
class Score:
    """The counts behind a metric, and the metric in percent."""

    correct: int
    gold: int
    system: int
    aligned: int | None = None  # words found in both files; None where alignment is what is scored

    @property
    def precision(self) -> float:
        """Correct among the system's."""
        return percent(self.correct, self.system)

    @property
    def recall(self) -> float:
        """Correct among the gold ones."""
        return percent(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return percent(2 * self.correct, self.gold + self.system)

    @property
    def aligned_accuracy(self) -> float | None:
        """Correct among the aligned words."""
        return None if self.aligned is None else percent(self.correct, self.aligned)


def evaluate_conllu(gold_path: Path | str, system_path: Path | str) -> dict[str, Score]:
    """Return the score of every metric of the shared task, Tokens to BLEX.

    Both files must hold trees over the same text, spaces aside. As in the shared task, subtypes
    of relations and language-specific features are ignored, and punctuation counts. Where a file
    has no head at all, "_" everywhere, the metrics of trees are left out with a SpecializeWarning.
    """
    blocks = {path: read_treebank(path) for path in (gold_path, system_path)}
    bare = next((path for path in blocks if not has_heads(blocks[path])), None)
    gold, system = (
        document_of(path, blocks[path], trees=bare is None) for path in (gold_path, system_path)
    )
    check_same_text(gold, system)
    scores = _scores(gold, system)
    if bare is None:
        return scores
    warnings.warn(
        f"{bare}: no word has a head (HEAD is _): {', '.join(_TREES)} are left out",
        SpecializeWarning,
        stacklevel=2,
    )
    return {metric: score for metric, score in scores.items() if metric not in _TREES}


def _scores(gold: Document, system: Document) -> dict[str, Score]:
    """Return the score of every metric."""
    pairs = list(align(gold.words, system.words))
    correct, aligned = _counts(gold, system, pairs)
    scores = {
        "Tokens": _overlap(gold.tokens, system.tokens),
        "Sentences": _overlap(gold.sentences, system.sentences),
        "Words": Score(len(pairs), len(gold.words), len(system.words)),
    }
    for metric in _WORDS:
        scores[metric] = Score(correct[metric], len(gold.words), len(system.words), len(pairs))
    sizes = [sum(w.deprel in CONTENT for w in file.words) for file in (gold, system)]
    for metric in _CONTENT_WORDS:
        scores[metric] = Score(correct[metric], sizes[0], sizes[1], aligned)
    return scores


def _overlap(gold: list[tuple[int, int]], system: list[tuple[int, int]]) -> Score:
    """Return the score of spans of text: correct if both ends agree."""
    return Score(len(set(gold) & set(system)), len(gold), len(system))


def _counts(
    gold: Document, system: Document, pairs: list[tuple[int, int]]
) -> tuple[Counter[str], int]:
    """Return the correct words of every metric, and the number of aligned content words."""
    gold_of = {s: g for g, s in pairs} | {ROOT: ROOT}
    correct: Counter[str] = Counter()
    content = 0
    for g, s in pairs:
        word, other = gold.words[g], system.words[s]
        upos, xpos = word.upos == other.upos, word.xpos == other.xpos
        feats, lemma = word.feats == other.feats, word.lemma in ("_", other.lemma)
        head = word.head == gold_of.get(other.head, _UNALIGNED)
        labelled = head and word.deprel == other.deprel
        right = (upos, xpos, feats, upos and xpos and feats, lemma, head, labelled)
        correct.update(compress(_WORDS, right))
        if word.deprel not in CONTENT:  # the gold relation decides
            continue
        content += 1
        if labelled:
            tagged = upos and feats and _helpers(gold, word) == _helpers(system, other, gold_of)
            correct.update(compress(_CONTENT_WORDS, (True, tagged, lemma)))
    return correct, content


def _helpers(
    document: Document, word: Word, gold_of: Mapping[int, int] | None = None
) -> list[tuple[object, ...]]:
    """Return what MLAS compares of a word's function words: which they are, relations, tags."""
    helpers = [(index, document.words[index]) for index in word.function]
    return [
        (gold_of.get(i, _UNALIGNED) if gold_of else i, w.deprel, w.upos, w.feats)
        for i, w in helpers
    ]
