"""A run as plain text of 100 columns: the table, headlines, cautions, time and memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from specialize.progress import duration
from specialize.reports.headline import headlines, notes
from specialize.reports.numbers import (
    Facts,
    bits,
    decimal,
    label,
    memory,
    peak,
    percent,
    scores,
    seconds,
    spent,
    spread,
    stages_once,
    tasks,
    unknown,
    unseen_counts,
)
from specialize.reports.tables import wrapped


def summary(facts: Facts) -> str:
    """Return what a run found, – where nothing was measured."""
    found = headlines(facts)
    parts = [
        "\n".join([_table(facts), *_unseen(facts)]),
        wrapped(map(str, found)),
        wrapped(notes(found), hanging=""),
    ]
    if facts["cautions"]:
        parts.append(f"Cautions:\n{wrapped(f'- {caution}' for caution in facts['cautions'])}")
    return "\n\n".join(filter(None, [*parts, _stages(facts)]))


def _table(facts: Facts) -> str:
    names = tasks(facts)
    head = ["", "unknown pieces", "pieces/word", "bits/byte", *(label(facts, t) for t in names)]
    rows = [head, *(_cells(arm, names) for arm in facts["arms"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([" " + name.ljust(widths[0]), *padded]))
    return "\n".join(lines)


def _cells(arm: Facts, names: Iterable[str]) -> list[str]:
    """Return an arm's row: its first text, bits per byte, scores on test."""
    audit = next((audit["after"] for audit in arm["audit"].values()), None)
    length = audit["fertility"] if audit and audit["words"] else None
    return [
        arm["name"],
        percent(unknown(audit) if audit else None),
        decimal(length),
        spread(bits(arm), places=2),
        *(spread(scores(arm, task)) for task in names),
    ]


def _unseen(facts: Facts) -> Iterator[str]:
    """Yield the scores of each task on the test sentences that are not in train."""
    for task in tasks(facts):
        if counts := unseen_counts(facts, task):
            arms = [(arm["name"], scores(arm, task, "test_unseen")) for arm in facts["arms"]]
            found = ", ".join(f"{name} {spread(values)}" for name, values in arms if values)
            what = f"{label(facts, task)} on the {counts[0]:,} of {counts[1]:,} test sentences"
            yield wrapped([f"{what} not in train: {found or '–'}"])


def _stages(facts: Facts) -> str:
    """Return time and memory, a line an arm and one for all."""
    once = stages_once(facts)
    if not once:
        return ""
    lines = [
        f"  {arm['name']}: {', '.join(map(str, spent(arm)))}{_memory(arm['stages'])}"
        for arm in facts["arms"]
        if arm["stages"]
    ]
    shared = ", shared stages counted once" if len(once) < sum(map(_count, facts["arms"])) else ""
    total = f"  in all{shared}: {duration(seconds(once))}{_memory(once)}"
    return "\n".join(["Time and memory:", *lines, total])


def _count(arm: Facts) -> int:
    return len(arm["stages"])


def _memory(stages: Sequence[Facts]) -> str:
    size = peak(stages)
    return f"; peak memory {memory(size)}" if size else ""
