"""Part-of-speech tagging: a linear layer over word states (Chau & Smith 2021, section 3.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from specialize.corpus.conllu import FEATS, FORM, UPOS, XPOS
from specialize.errors import DataError, UsageError
from specialize.tasks._base import Sentence, Tags, annotated, check_dropout, paired, percent
from specialize.tasks._batch import label_ids, mean_cross_entropy, sentence_cross_entropy
from specialize.tasks._conllu import read_treebank, read_words, write_blocks
from specialize.tasks._pretokenize import Style
from specialize.tasks._tagger import TagHead, tag_names, unknown_tags
from specialize.tasks._udwords import universal_features

_COLUMNS = {"upos": UPOS, "xpos": XPOS, "feats": FEATS}
_GAPS = 0.02  # share of words without a tag, of which readers are told


def task(
    *,
    column: str = "xpos",
    dropout: float = 0.4,
    dropout_twice: bool = False,
    sentence_mean: bool = False,
) -> "PosTask":
    """Return the tagging task over CoNLL-U files.

    ``column`` is "xpos", as in the paper, "upos", as there for Belarusian, whose XPOS column has
    gaps, or "feats": morphology, a whole FEATS value as a tag. A gap, "_", in a column that has
    tags is a tag like any other, as in the official metric. As in the authors' code
    (docs/paper.md): ``dropout_twice``; ``sentence_mean``: the loss is the mean over a batch's
    sentences of each one's mean, so that words of short ones weigh more.
    """
    if column not in _COLUMNS:
        message = f"unknown column {column!r}; known: {', '.join(_COLUMNS)}"
        raise UsageError(message, key="column")
    return PosTask(column, check_dropout(dropout), dropout_twice, sentence_mean)


@dataclass(frozen=True)
class PosTask:
    """One tag a word; see `specialize.tasks._base.Task`."""

    column: str
    dropout: float
    dropout_twice: bool = False
    sentence_mean: bool = False

    name: ClassVar[str] = "pos"
    format: ClassVar[str] = "CoNLL-U"

    @property
    def metric(self) -> str:
        """The key of `score` that chooses the best epoch, an official metric."""
        return "ufeats" if self.column == "feats" else self.column

    def read(self, path: Path) -> list[Sentence[Tags]]:
        """Return the sentences of a CoNLL-U file, with the tags of the column."""
        return [
            Sentence(block.column(FORM), block.column(_COLUMNS[self.column]), block)
            for block in read_treebank(path)
        ]

    def gaps(self, sentences: Sequence[Sentence[Tags]]) -> list[str]:
        """Return a warning where words have no tag; DataError where none has."""
        tags = [tag for sentence in sentences for tag in sentence.gold]
        other = "xpos" if self.column == "upos" else "upos"
        empty, column = tags.count("_"), self.column.upper()
        if tags and empty == len(tags):
            raise DataError(
                f"{sentences[0].where}: the {column} column is empty in the whole file; "
                f'try column = "{other}"'
            )
        if self.column == "feats" or empty <= _GAPS * len(tags):
            return []
        return [
            f"{sentences[0].where}: {empty:,} of {len(tags):,} words have no {column}; the gap "
            f'"_" counts as a tag; try column = "{other}"'
        ]

    def words(self, path: Path, *, pretokenize: Style = "spaces") -> list[Sentence[Tags]]:
        """Return the sentences of a CoNLL-U file or of plain text, without tags."""
        return [Sentence(block.column(FORM), (), block) for block in read_words(path, pretokenize)]

    def labels(self, sentences: Iterable[Sentence[Tags]]) -> dict[str, list[str]]:
        """Return the tags that occur."""
        return {"tags": sorted({tag for sentence in sentences for tag in sentence.gold})}

    def check(self, sentences: Sequence[Sentence[Tags]], labels: dict[str, list[str]]) -> int:
        """Return how many words have a tag that is not among ``labels``."""
        if not labels["tags"]:
            raise DataError("no tag to learn: the training data has no sentence")
        return unknown_tags(sentences, labels["tags"])

    def head(self, width: int, labels: dict[str, list[str]]) -> TagHead:
        """Return a fresh head for word states of ``width``."""
        tags = len(labels["tags"])
        return TagHead(width, tags, dropout=self.dropout, twice=self.dropout_twice)

    def loss(
        self,
        head: TagHead,
        scores: Tensor,
        sentences: Sequence[Sentence[Tags]],
        labels: dict[str, list[str]],
        mask_BW: Tensor,
    ) -> Tensor:
        """Return the mean cross-entropy of a batch's words, or of its sentences' means."""
        ids_BW = label_ids((s.gold for s in sentences), labels["tags"], mask_BW)
        if self.sentence_mean:
            return sentence_cross_entropy(scores, ids_BW)
        return mean_cross_entropy(scores.flatten(0, 1), ids_BW.flatten())

    @torch.no_grad()
    def decode(
        self, head: TagHead, scores: Tensor, labels: dict[str, list[str]], mask_BW: Tensor
    ) -> list[Tags]:
        """Return the best tag of every word."""
        rows = zip(scores.argmax(-1).tolist(), mask_BW.sum(1).tolist(), strict=True)
        return tag_names((row[:length] for row, length in rows), labels["tags"])

    def predicted(self, sentence: Sentence[Tags], annotation: Tags) -> Sentence[Tags]:
        """Return the sentence with these tags."""
        return annotated(sentence, annotation)

    def write(self, sentences: Iterable[Sentence[Tags]], path: Path) -> None:
        """Write CoNLL-U with the sentences' tags in the column."""
        index = _COLUMNS[self.column]
        write_blocks((s.source.filled({index: s.gold}) for s in sentences), path)

    def score(
        self, gold: Sequence[Sentence[Tags]], predicted: Sequence[Sentence[Tags]]
    ) -> dict[str, float]:
        """Return the ``accuracy`` over words, and over whole ``sentences``, in percent.

        And the shared task's metric of the column, for words given: ``upos`` or ``xpos``, equal to
        the accuracy, or ``ufeats``, which ignores language-specific features.
        """
        pairs = list(paired(gold, predicted))
        words = [pair for tags, others in pairs for pair in zip(tags, others, strict=True)]
        right = sum(tag == other for tag, other in words)
        official, name = right, self.column
        if self.column == "feats":
            name = "ufeats"
            official = sum(universal_features(a) == universal_features(b) for a, b in words)
        return {
            "accuracy": percent(right, len(words)),
            name: percent(official, len(words)),
            "sentences": percent(sum(tags == others for tags, others in pairs), len(pairs)),
        }
