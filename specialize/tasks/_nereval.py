"""Entity scores of tag sequences: those of conlleval (2004-01-26), and those of strict IOB2.

The two differ only for an I-X without a B-X or I-X before it: conlleval, like seqeval by default,
lets it start an entity; strict IOB2 ignores it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from specialize.errors import DataError
from specialize.tasks._base import percent

Span = tuple[int, int, str]  # first word, one past the last, type


def spans(tags: Sequence[str], *, strict: bool = False) -> set[Span]:
    """Return the entities of a sentence.

    >>> sorted(spans(["B-PER", "I-PER", "O", "I-LOC"]))
    [(0, 2, 'PER'), (3, 4, 'LOC')]
    >>> sorted(spans(["B-PER", "I-PER", "O", "I-LOC"], strict=True))
    [(0, 2, 'PER')]
    """
    found: set[Span] = set()
    start, kind = 0, ""  # of the open entity; "" where none is open
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, this = tag.partition("-")
        if prefix == "I" and this == kind:
            continue
        if kind:
            found.add((start, i, kind))
        opens = prefix == "B" or (prefix == "I" and not strict)
        start, kind = i, this if opens else ""
    return found


def evaluate_ner(gold: list[list[str]], predicted: list[list[str]]) -> dict[str, Any]:
    """Return the scores of predicted tags, in percent, and the counts behind them.

    ``tokens``, ``accuracy`` (of tags), and under ``conlleval`` (equal to seqeval's default) and
    ``strict`` (seqeval's strict IOB2): ``gold``, ``found``, ``correct``, ``precision``,
    ``recall``, ``f1`` over all entities; ``macro_f1``, the mean F1 of the types that occur; and
    ``types``, the same figures of each type.
    """
    if [len(tags) for tags in gold] != [len(tags) for tags in predicted]:
        raise DataError("gold and predicted tags differ in number; score the same sentences")
    tokens = sum(map(len, gold))
    same = sum(
        tag == other
        for tags, others in zip(gold, predicted, strict=True)
        for tag, other in zip(tags, others, strict=True)
    )
    return {
        "tokens": tokens,
        "accuracy": percent(same, tokens),
        "conlleval": _entity_scores(gold, predicted, strict=False),
        "strict": _entity_scores(gold, predicted, strict=True),
    }


def _entity_scores(
    gold: list[list[str]], predicted: list[list[str]], *, strict: bool
) -> dict[str, Any]:
    """Return the scores over all entities, and by type."""
    expected: Counter[str] = Counter()
    found: Counter[str] = Counter()
    correct: Counter[str] = Counter()
    for tags, others in zip(gold, predicted, strict=True):
        ours, theirs = spans(tags, strict=strict), spans(others, strict=strict)
        expected.update(kind for _, _, kind in ours)
        found.update(kind for _, _, kind in theirs)
        correct.update(kind for _, _, kind in ours & theirs)
    types = {
        kind: _scores(expected[kind], found[kind], correct[kind])
        for kind in sorted(expected.keys() | found.keys())
    }
    macro = sum(scores["f1"] for scores in types.values()) / len(types) if types else 0.0
    overall = _scores(expected.total(), found.total(), correct.total())
    return {**overall, "macro_f1": macro, "types": types}


def _scores(gold: int, found: int, correct: int) -> dict[str, float]:
    """Return counts with the precision, recall and F1 they make."""
    return {
        "gold": gold,
        "found": found,
        "correct": correct,
        "precision": percent(correct, found),
        "recall": percent(correct, gold),
        "f1": percent(2 * correct, gold + found),
    }
