"""Official scores of a file: CoNLL-U by the CoNLL 2018 evaluator, NER columns by conlleval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize.corpus.conllu import is_conllu
from specialize.errors import DataError, UsageError
from specialize.tasks._base import paired
from specialize.tasks._columns import as_iob2, is_iob1, read_columns, warn_of_iob1
from specialize.tasks._nereval import evaluate_ner
from specialize.tasks._udeval import evaluate_conllu


def evaluate_files(gold: Path, system: Path, *, column: int = 0) -> dict[str, Any]:
    """Return the scores of ``system`` against ``gold``: CoNLL-U by name or content, else NER.

    ``column``: that of entity tags, counted from 1; 0 finds it. If a file has tags but no heads,
    tree metrics are left out with a SpecializeWarning.
    """
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
    wanted, found = read_columns(gold, column), read_columns(system, column)
    if is_iob1(wanted):
        warn_of_iob1(gold)
        wanted, found = ([as_iob2(s) for s in sentences] for sentences in (wanted, found))
    if len(wanted) != len(found):
        raise DataError(
            f"{system}:1: expected {len(wanted)} sentences as in {gold}, got {len(found)}; "
            "score predictions of the same file"
        )
    pairs = list(paired(wanted, found))
    return evaluate_ner([list(tags) for tags, _ in pairs], [list(tags) for _, tags in pairs])


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
