"""Official scores of a file: CoNLL-U by the CoNLL 2018 evaluator, NER columns by conlleval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize.corpus.conllu import is_conllu
from specialize.errors import DataError, UsageError
from specialize.tasks._base import Sentence, Tags, paired
from specialize.tasks._columns import read_columns
from specialize.tasks._nereval import evaluate_ner
from specialize.tasks._schemes import check_scheme, end_scheme, in_iob2, scheme_of, warn_of
from specialize.tasks._udeval import evaluate_conllu


def evaluate_files(
    gold: str | Path, system: str | Path, *, column: int = 0, scheme: str = ""
) -> dict[str, Any]:
    """Return the scores of ``system`` against ``gold``: CoNLL-U by name or content, else NER.

    ``column``: that of entity tags, counted from 1; 0 finds it. ``scheme`` of both files' tags:
    iob1, iob2, bioes or bilou; "" finds it. If a file has tags but no heads, tree metrics are left
    out with a SpecializeWarning.
    """
    gold, system = Path(gold), Path(system)
    check_scheme(scheme)
    if column < 0:
        raise UsageError(f"column {column} is out of range; columns are counted from 1")
    if is_conllu(gold) != is_conllu(system):
        other = system if is_conllu(gold) else gold
        raise DataError(
            f"{other}:1: expected CoNLL-U as in the other file; name files of one format"
        )
    if is_conllu(gold):
        scores = evaluate_conllu(gold, system)
        return {
            metric: {
                "precision": s.precision,
                "recall": s.recall,
                "f1": s.f1,
                "aligned_accuracy": s.aligned_accuracy,
            }
            for metric, s in scores.items()
        }
    wanted, found = _in_iob2(gold, system, column, scheme)
    if len(wanted) != len(found):
        raise DataError(
            f"{system}:1: expected {len(wanted)} sentences as in {gold}, got {len(found)}; "
            "score predictions of the same file"
        )
    pairs = list(paired(wanted, found))
    return evaluate_ner([list(tags) for tags, _ in pairs], [list(tags) for _, tags in pairs])


def _in_iob2(
    gold: Path, system: Path, column: int, scheme: str
) -> tuple[list[Sentence[Tags]], list[Sentence[Tags]]]:
    """Return the sentences of both files with their tags as IOB2.

    A system that is not of a scheme with ends of entities is taken for one of the gold's.
    """
    wanted, found = read_columns(gold, column), read_columns(system, column)
    if scheme:
        return in_iob2(wanted, scheme), in_iob2(found, scheme)
    ours, theirs = scheme_of(wanted), end_scheme(found)
    warn_of(ours, [gold])
    if theirs:
        warn_of(theirs, [system])
    return in_iob2(wanted, ours), in_iob2(found, theirs or ("iob1" if ours == "iob1" else "iob2"))


def scores_table(scores: dict[str, Any]) -> str:
    """Return the scores of `evaluate_files` as an aligned table."""
    if "conlleval" in scores:
        found, strict = scores["conlleval"], scores["strict"]
        rows = [("all", found), *sorted(found["types"].items()), ("all, strict IOB2", strict)]
        lines = [f"{'entities':18} precision   recall       F1"]
        for name, s in rows:
            lines.append(f"{name:18} {s['precision']:9.2f} {s['recall']:8.2f} {s['f1']:8.2f}")
        return "\n".join(lines)
    lines = [f"{'metric':11} precision   recall       F1  aligned"]
    for metric, s in scores.items():
        aligned = "–" if s["aligned_accuracy"] is None else f"{s['aligned_accuracy']:.2f}"
        lines.append(
            f"{metric:11} {s['precision']:9.2f} {s['recall']:8.2f} {s['f1']:8.2f} {aligned:>8}"
        )
    return "\n".join(lines)
