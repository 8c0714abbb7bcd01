"""Named entities: a linear layer and a CRF over word states (Chau & Smith 2021, section 3.2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from specialize.errors import DataError, UsageError
from specialize.tasks._base import Sentence, Tags, annotated, check_dropout, paired
from specialize.tasks._batch import label_ids
from specialize.tasks._columns import read_columns, read_words, write_columns
from specialize.tasks._crf import bio_constraints, negative_log_likelihood, viterbi
from specialize.tasks._nereval import evaluate_ner
from specialize.tasks._pretokenize import Style
from specialize.tasks._schemes import check_scheme, in_iob2, scheme_of, warn_of
from specialize.tasks._tagger import CrfHead, tag_names, unknown_tags

_FIGURES = ("f1", "precision", "recall", "macro_f1")
_PREFIXES = {"conlleval": "", "strict": "strict_"}


def task(
    *,
    dropout: float = 0.1,
    column: int = 0,
    scheme: str = "",
    dropout_twice: bool = False,
    sum_loss: bool = False,
) -> "NerTask":
    """Return the entity task over files of tokens and tags.

    ``column`` is the number of the tags' column, counted from 1; 0 finds the only one with tags
    of entities. ``scheme``: iob1, iob2, bioes or bilou, "" to find it for each file; what is not
    IOB2 is read as IOB2. As in the authors' code (docs/paper.md): ``dropout_twice``; ``sum_loss``:
    the loss is the sum over a batch's sentences instead of their mean, so it grows with the batch.
    """
    if column < 0:
        message = f"column {column} is out of range; columns are counted from 1, 0 = find"
        raise UsageError(message, key="column")
    return NerTask(check_dropout(dropout), column, check_scheme(scheme), dropout_twice, sum_loss)


@dataclass(frozen=True)
class NerTask:
    """One IOB2 tag a word; see `specialize.tasks._base.Task`."""

    dropout: float
    column: int = 0
    scheme: str = ""
    dropout_twice: bool = False
    sum_loss: bool = False

    name: ClassVar[str] = "ner"
    metric: ClassVar[str] = "f1"
    format: ClassVar[str] = "columns"

    def read(self, path: Path) -> list[Sentence[Tags]]:
        """Return the sentences of a file, tags found not to be IOB2 converted with a warning."""
        sentences = read_columns(path, self.column)
        scheme = self.scheme or scheme_of(sentences)
        if not self.scheme:
            warn_of(scheme, [path])
        return in_iob2(sentences, scheme)

    def words(self, path: Path, *, pretokenize: Style = "spaces") -> list[Sentence[Tags]]:
        """Return the sentences of a file of words, tagged or not, or of plain text, untagged."""
        return read_words(path, self.column, pretokenize)

    def labels(self, sentences: Iterable[Sentence[Tags]]) -> dict[str, list[str]]:
        """Return O, and B and I of every type that occurs."""
        seen = {tag for sentence in sentences for tag in sentence.gold}
        kinds = {tag[2:] for tag in seen if tag != "O"}
        return {"tags": sorted({"O"} | {f"{prefix}-{kind}" for kind in kinds for prefix in "BI"})}

    def check(self, sentences: Sequence[Sentence[Tags]], labels: dict[str, list[str]]) -> int:
        """Return how many words have a tag that is not among ``labels``."""
        if labels["tags"] == ["O"]:
            where = f"{sentences[0].where}: " if sentences else ""
            raise DataError(f"{where}no entity to learn: all tags of the training data are O")
        return unknown_tags(sentences, labels["tags"])

    def head(self, width: int, labels: dict[str, list[str]]) -> CrfHead:
        """Return a fresh head for word states of ``width``."""
        tags = len(labels["tags"])
        return CrfHead(width, tags, dropout=self.dropout, twice=self.dropout_twice)

    def loss(
        self,
        head: CrfHead,
        scores: Tensor,
        sentences: Sequence[Sentence[Tags]],
        labels: dict[str, list[str]],
        mask_BW: Tensor,
    ) -> Tensor:
        """Return the mean negative log-likelihood of a batch's sentences, or their sum.

        Which tag may follow which (`bio_constraints`) is no part of it, as in the authors' code.
        """
        ids_BW = label_ids((s.gold for s in sentences), labels["tags"], mask_BW)
        losses_B = negative_log_likelihood(scores, head.transitions_LL, ids_BW, mask_BW)
        return losses_B.sum() if self.sum_loss else losses_B.mean()

    @torch.no_grad()
    def decode(
        self, head: CrfHead, scores: Tensor, labels: dict[str, list[str]], mask_BW: Tensor
    ) -> list[Tags]:
        """Return the best tags of every sentence, well-formed IOB2."""
        tags = labels["tags"]
        start_L, legal_LL = (bonus.to(scores.device) for bonus in bio_constraints(tags))
        paths = viterbi(scores, head.transitions_LL + legal_LL, mask_BW, start_L=start_L)
        return tag_names(paths, tags)

    def predicted(self, sentence: Sentence[Tags], annotation: Tags) -> Sentence[Tags]:
        """Return the sentence with these tags."""
        return annotated(sentence, annotation)

    def write(self, sentences: Iterable[Sentence[Tags]], path: Path) -> None:
        """Write words and the sentences' tags, as they were read."""
        write_columns(sentences, path)

    def score(
        self, gold: Sequence[Sentence[Tags]], predicted: Sequence[Sentence[Tags]]
    ) -> dict[str, float]:
        """Return ``f1``, ``precision``, ``recall``, ``macro_f1``, and ``f1_TYPE`` of each type.

        They are those of conlleval, under ``strict_f1`` and so on those of strict IOB2. ``f1``
        counts all entities alike; it is what the authors' code computes under the paper's name of
        macro F1. ``macro_f1`` is the mean over the types in gold or predictions.
        """
        pairs = [(list(tags), list(others)) for tags, others in paired(gold, predicted)]
        scores = evaluate_ner([tags for tags, _ in pairs], [others for _, others in pairs])
        found: dict[str, float] = {}
        for mode, prefix in _PREFIXES.items():
            types = {f"f1_{kind}": own["f1"] for kind, own in scores[mode]["types"].items()}
            figures = {key: scores[mode][key] for key in _FIGURES} | types
            found |= {f"{prefix}{key}": value for key, value in figures.items()}
        return found
