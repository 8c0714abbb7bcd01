"""Dependency parsing: a biaffine head over word states (Chau & Smith 2021, section 3.2)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from specialize.corpus.conllu import DEPREL, FORM, HEAD, UPOS
from specialize.errors import DataError, UsageError
from specialize.tasks._base import Sentence, Tree, annotated, check_dropout, paired, percent
from specialize.tasks._batch import label_ids, mean_cross_entropy, padded
from specialize.tasks._biaffine import BiaffineHead, ParserScores
from specialize.tasks._conllu import read_treebank, read_words, tree, write_blocks
from specialize.tasks._mst import single_root_trees
from specialize.tasks._pretokenize import Style
from specialize.tasks._udeval import CONTENT

_SKIPPED = {"PUNCT", "SYM"}  # the UPOS tags that AllenNLP's LAS leaves out


def task(
    *,
    dropout: float = 0.3,
    width: int = 100,
    copied_layers: bool = False,
    probability_sum: bool = False,
    skip_punctuation: bool = False,
) -> "DepTask":
    """Return the parsing task over CoNLL-U files; ``width`` is that of its representations.

    As in the authors' code (docs/paper.md): ``copied_layers``: the layers of dependents start as
    copies of those of heads; ``probability_sum``: trees have the greatest sum of probabilities
    instead of their product, and edges from the root score 0; ``skip_punctuation``: the best epoch
    is that of the best LAS on dev without punctuation, subtypes of relations included.
    """
    if width < 1:
        raise UsageError(f"width {width} is out of range; it is at least 1", key="width")
    return DepTask(check_dropout(dropout), width, copied_layers, probability_sum, skip_punctuation)


@dataclass(frozen=True)
class DepTask:
    """One tree a sentence; see `specialize.tasks._base.Task`."""

    dropout: float
    width: int
    copied_layers: bool = False
    probability_sum: bool = False
    skip_punctuation: bool = False

    name: ClassVar[str] = "dep"
    metric: ClassVar[str] = "las"
    format: ClassVar[str] = "CoNLL-U"

    def read(self, path: Path) -> list[Sentence[Tree]]:
        """Return the sentences of a CoNLL-U file, each a tree with one root."""
        return [
            Sentence(block.column(FORM), Tree(tree(block), block.column(DEPREL)), block)
            for block in read_treebank(path)
        ]

    def words(self, path: Path, *, pretokenize: Style = "spaces") -> list[Sentence[Tree]]:
        """Return the sentences of a CoNLL-U file or of plain text, without trees."""
        return [
            Sentence(block.column(FORM), Tree((), ()), block)
            for block in read_words(path, pretokenize)
        ]

    def labels(self, sentences: Iterable[Sentence[Tree]]) -> dict[str, list[str]]:
        """Return the relations that occur, subtypes included."""
        return {"deprels": sorted({name for s in sentences for name in s.gold.deprels})}

    def check(self, sentences: Sequence[Sentence[Tree]], labels: dict[str, list[str]]) -> int:
        """Return how many words have a relation that is not among ``labels``."""
        if not labels["deprels"]:
            raise DataError("no relation to learn: the training data has no sentence")
        known = set(labels["deprels"])
        return sum(name not in known for sentence in sentences for name in sentence.gold.deprels)

    def head(self, width: int, labels: dict[str, list[str]]) -> BiaffineHead:
        """Return a fresh head for word states of ``width``."""
        return BiaffineHead(
            width,
            len(labels["deprels"]),
            width=self.width,
            dropout=self.dropout,
            copies=self.copied_layers,
        )

    def loss(
        self,
        head: BiaffineHead,
        scores: ParserScores,
        sentences: Sequence[Sentence[Tree]],
        labels: dict[str, list[str]],
        mask_BW: Tensor,
    ) -> Tensor:
        """Return the loss of heads plus that of relations at the gold heads, each a word's mean."""
        heads_BW = padded((s.gold.heads for s in sentences), mask_BW, fill=0)
        arcs_N = scores.arcs_BWH.gather(-1, heads_BW.unsqueeze(-1)).squeeze(-1)[mask_BW]
        rows_B1 = torch.arange(len(heads_BW), device=heads_BW.device).unsqueeze(1)
        heads_NK = scores.heads_BHK[rows_B1, heads_BW][mask_BW]
        relations_NL = head.relations(scores.words_BWK[mask_BW], heads_NK)
        ids_BW = label_ids((s.gold.deprels for s in sentences), labels["deprels"], mask_BW)
        return mean_cross_entropy(relations_NL, ids_BW[mask_BW]) - arcs_N.mean()

    @torch.no_grad()
    def decode(
        self,
        head: BiaffineHead,
        scores: ParserScores,
        labels: dict[str, list[str]],
        mask_BW: Tensor,
    ) -> list[Tree]:
        """Return the best single-root tree of every sentence.

        An edge scores log P(head) + max log P(relation), so a tree is the likeliest of all.
        """
        lengths: list[int] = mask_BW.sum(1).tolist()
        size = mask_BW.shape[1] + 1
        edges_BHH = np.zeros((len(lengths), size, size))
        relations = []
        for b, length in enumerate(lengths):
            arcs_WH = scores.arcs_BWH[b, :length, : length + 1]
            relations_WHL = head.all_relations(
                scores.words_BWK[b, :length], scores.heads_BHK[b, : length + 1]
            )
            best_WH, which_WH = relations_WHL.float().log_softmax(-1).max(-1)
            edges_WH = self._edges(arcs_WH + best_WH)
            edges_BHH[b, 1 : length + 1, : length + 1] = edges_WH.cpu().numpy()
            relations.append(which_WH.cpu().numpy())
        trees = single_root_trees(edges_BHH, lengths)
        return [
            Tree(tuple(heads), tuple(labels["deprels"][i] for i in which_WH[range(length), heads]))
            for heads, which_WH, length in zip(trees, relations, lengths, strict=True)
        ]

    def _edges(self, likely_WH: Tensor) -> Tensor:
        """Return the scores of edges whose sum a tree maximises, given their log-probabilities.

        With ``probability_sum``, which word depends on the root does not depend on the probability.
        """
        if not self.probability_sum:
            return likely_WH
        chances_WH = likely_WH.exp()
        chances_WH[:, 0] = 0
        return chances_WH

    def predicted(self, sentence: Sentence[Tree], annotation: Tree) -> Sentence[Tree]:
        """Return the sentence with this tree."""
        return annotated(sentence, annotation)

    def write(self, sentences: Iterable[Sentence[Tree]], path: Path) -> None:
        """Write CoNLL-U with the sentences' heads and relations."""
        write_blocks(
            (
                s.source.filled({HEAD: list(map(str, s.gold.heads)), DEPREL: s.gold.deprels})
                for s in sentences
            ),
            path,
        )

    def score(
        self, gold: Sequence[Sentence[Tree]], predicted: Sequence[Sentence[Tree]]
    ) -> dict[str, float]:
        """Return ``uas``, ``las``, ``clas`` and ``las_full`` in percent.

        The first three are the shared task's (`_udeval`), for words given: punctuation counts
        (not in CLAS, which is over content words), subtypes of relations do not. They do in
        ``las_full``.
        """
        count: Counter[str] = Counter()
        for ours, theirs in paired(gold, predicted):
            for head, other, full, label in zip(
                ours.heads, theirs.heads, ours.deprels, theirs.deprels, strict=True
            ):
                name, predicted_name = (text.partition(":")[0] for text in (full, label))
                right = head == other and name == predicted_name
                count["uas"] += head == other
                count["las"] += right
                count["las_full"] += head == other and full == label
                count["clas"] += 2 * (right and name in CONTENT)
                count["content"] += (name in CONTENT) + (predicted_name in CONTENT)
                count["words"] += 1
        sizes = {"uas": "words", "las": "words", "clas": "content", "las_full": "words"}
        return {metric: percent(count[metric], count[size]) for metric, size in sizes.items()}

    def dev_score(
        self, gold: Sequence[Sentence[Tree]], predicted: Sequence[Sentence[Tree]]
    ) -> float:
        """Return what chooses the best epoch: LAS, by default the shared task's, in percent."""
        if not self.skip_punctuation:
            return self.score(gold, predicted)[self.metric]
        words = right = 0
        for sentence, (ours, theirs) in zip(gold, paired(gold, predicted), strict=True):
            pairs = zip(ours.heads, ours.deprels, strict=True)
            others = zip(theirs.heads, theirs.deprels, strict=True)
            for tag, own, other in zip(sentence.source.column(UPOS), pairs, others, strict=True):
                words += tag not in _SKIPPED
                right += tag not in _SKIPPED and own == other
        return percent(right, words)
