"""Results of a zero-shot study as tables, text and CSV: systems by languages, as in the papers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from specialize.modules.scope import Scope
from specialize.progress import duration
from specialize.studies.transfer.charts import counted, signed
from specialize.studies.transfer.tables import aligned, written
from specialize.studies.zeroshot.measures import (
    GROUPS,
    Comparison,
    Mean,
    Row,
    Scores,
    over_seeds,
)
from specialize.studies.zeroshot.partition import models_of

Facts = Mapping[str, Any]
Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Block:
    """The scores of a task on pairs that were seen, or not: a row a system."""

    task: str
    metric: str
    seen: bool
    languages: dict[str, str]  # with the models that are trained on them: "a", "b" or "ab"
    groups: list[str]
    rows: dict[str, list[Mean]]  # by system: languages, then averages

    @property
    def columns(self) -> list[str]:
        """The heads of the columns."""
        return [*self.languages, *(group.upper() for group in self.groups)]

    @property
    def best(self) -> list[float]:
        """The largest mean of each column."""
        return [max(m.value for m in column) for column in zip(*self.rows.values(), strict=True)]


def scores_of(facts: Facts, *, few: int = 0) -> Scores:
    """Return the scores of results, zero-shot or after ``few`` sentences of each pair."""
    names = [field.name for field in fields(Row)]
    rows = [
        Row(**{name: row[name] for name in names}) for row in facts["rows"] if row["few"] == few
    ]
    return Scores(rows, both=facts["both"], known=facts["known"])


def blocks(facts: Facts) -> list[Block]:
    """Return a table for unseen and one for seen pairs of each task."""
    scores = scores_of(facts)
    return [
        _block(facts, scores, task, seen=seen) for task in facts["tasks"] for seen in (False, True)
    ]


def few_blocks(facts: Facts) -> list[Block]:
    """Return a table for each task, a row a system and number of sentences; none without any."""
    found = []
    for task in facts["tasks"] if facts["few"] else []:
        parts = {
            few: _block(facts, scores_of(facts, few=few), task, seen=False)
            for few in (0, *facts["few"])
        }
        rows = {
            f"{system}, {few}": part.rows[system]
            for system in facts["systems"]
            for few, part in parts.items()
        }
        found.append(replace(parts[0], rows=rows))
    return found


def _block(facts: Facts, scores: Scores, task: str, *, seen: bool) -> Block:
    found = scores.languages(task, seen=seen)
    first, second = map(tuple, facts["halves"])
    languages = {
        name: models_of(Scope(name, task), (first, second), facts["both"], [*facts["tasks"]])
        for name in facts["languages"]
        if name in found
    }
    groups = [group for group in GROUPS if scores.group(task, group)]
    rows = {}
    for system in facts["systems"]:
        own = [over_seeds(scores.by_seed(system, Scope(n, task), seen=seen)) for n in languages]
        averages = (scores.average(system, task, group, seen=seen) for group in groups)
        rows[system] = [*own, *(mean for mean in averages if mean)]
    return Block(task, facts["tasks"][task], seen, languages, groups, rows)


def comparisons(facts: Facts, task: str, *, seen: bool) -> list[Comparison]:
    """Return each system less the first, paired by language and seed."""
    reference, *others = facts["systems"]
    scores = scores_of(facts)
    return [scores.compared(system, reference, task, seen=seen) for system in others]


_LEGEND = """\
KNOWN, NEW: means of languages on which the base was trained, and of others; languages that both
  models train on are in no mean. ±: deviation over seeds. Intervals: 95 %, Student's t."""


def text(facts: Facts) -> str:
    """Return all tables as text."""
    found = []
    for block in blocks(facts):
        head = [f"{block.task} ({block.metric}), {name_of(block.seen)}", *block.columns]
        rows = [[system, *map(shown, own)] for system, own in block.rows.items()]
        found.append(aligned([head, *rows]))
        found += compared_text(facts, block)
    for block in few_blocks(facts):
        head = [f"{block.task} ({block.metric}), after n sentences", *block.columns]
        found.append(aligned([head, *([s, *map(shown, own)] for s, own in block.rows.items())]))
    head = ["system", "parameters", "time of a model"]
    rows = [
        [name, f"{own['parameters']:,}", cost_of(own)] for name, own in facts["systems"].items()
    ]
    return "\n\n".join([*found, aligned([head, *rows]), _LEGEND])


def compared_text(facts: Facts, block: Block) -> list[str]:
    """Return the paired differences below a table, as one text; none for one system."""
    found = comparisons(facts, block.task, seen=block.seen)
    reference = next(iter(facts["systems"]))
    rows = [
        [
            f"{own.system} less {reference}",
            signed(own.difference.value),
            between(own.difference.seeds),
            between(own.difference.pairs),
            f"{own.better}/{own.worse}",
        ]
        for own in found
    ]
    head = ["difference", "points", "over seeds", "over languages", "better/worse"]
    return [aligned([head, *rows])] if rows else []


def csv_text(facts: Facts) -> str:
    """Return a row for each system, seed, model and pair."""
    columns = ["system", "seed", "model", "task", "metric", "language", "known", "seen"]
    columns += ["few", "score"]
    rows: list[list[Any]] = [columns]
    for row in facts["rows"]:
        own = {**row, "metric": facts["tasks"][row["task"]]}
        own["known"] = row["language"] in facts["known"]
        rows.append([own[name] for name in columns])
    return written(rows)


def name_of(seen: bool) -> str:
    """Return "seen pairs" or "unseen pairs"."""
    return f"{'seen' if seen else 'unseen'} pairs"


def shown(found: Mean) -> str:
    """Return "61.2 ± 0.4"; without a deviation, "61.2"."""
    value = f"{found.value:.1f}"
    return value if found.deviation is None else f"{value} ± {found.deviation:.1f}"


def between(interval: Interval) -> str:
    """Return "+0.1 to +0.7", or "–"."""
    return " to ".join(map(signed, interval)) if interval else "–"


def cost_of(system: Facts) -> str:
    """Return the time of a model, and that of all language adapters before it."""
    before = system["language_seconds"]
    own = duration(system["seconds"])
    return f"{own}, after {duration(before)} for languages" if before else own


def findings(facts: Facts) -> list[str]:
    """Return what the tables say of each task's unseen pairs, as far as intervals show it."""
    scores, found = scores_of(facts), []
    reference = next(iter(facts["systems"]))
    for task, metric in facts["tasks"].items():
        means = {
            name: (
                scores.average(name, task, "all", seen=False),
                scores.average(name, task, "all", seen=True),
            )
            for name in facts["systems"]
        }
        parts = [
            f"{name} {unseen.value:.1f} unseen, {seen.value:.1f} seen"
            for name, (unseen, seen) in means.items()
            if unseen and seen
        ]
        found.append(f"{task}, {metric}, averages: {'; '.join(parts)}.")
        found += [_told(own, reference) for own in comparisons(facts, task, seen=False)]
    return found


def _told(found: Comparison, reference: str) -> str:
    """Return whether a system's difference on unseen pairs is shown for other languages too."""
    value, span = found.difference.value, found.difference.pairs
    text = f"{found.system} against {reference} on unseen pairs: {signed(value)} points"
    counts = f"better on {counted(found.better, 'language')}, worse on {found.worse}"
    if span is None or span[0] <= 0 <= span[1]:
        return f"{text} ({between(span)} over languages), which shows no difference; {counts}."
    return f"{text} ({between(span)} over languages); {counts}."
