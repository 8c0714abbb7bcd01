"""The report of a run: its facts as JSON, one HTML page that fetches nothing, a table as text.

The facts are a plain dictionary; nothing here measures, it only shows. Read downwards: numbers,
sentences, charts, files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import jinja2

from specialize.atomic import write_text
from specialize.reports.charts import STYLES, Change, Series, curves, dumbbells, spread, strips

Facts = Mapping[str, Any]
TASKS = {"pos": "POS accuracy", "dep": "LAS", "ner": "NER F1"}


# Numbers


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _average(scores: Sequence[float]) -> str:
    return f"{mean(scores):.1f}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


def _seeded(arm: Facts, task: str, split: str = "test") -> list[tuple[int, float]]:
    """Return (seed, score) for the seeds that have a score."""
    facts = arm["scores"].get(task, {})
    pairs = zip(facts.get("seeds", []), facts.get(split) or [], strict=False)
    found = ((seed, scores.get(facts["metric"])) for seed, scores in pairs)
    return [(seed, score) for seed, score in found if score is not None and math.isfinite(score)]


def _scores(arm: Facts, task: str, split: str = "test") -> list[float]:
    return [score for _, score in _seeded(arm, task, split)]


def _bits(arm: Facts) -> list[tuple[int, float]]:
    """Return (epoch, bits per byte) where they were measured."""
    found = ((row["epoch"], row["bits_per_byte"]) for row in arm["losses"])
    return [(epoch, bits) for epoch, bits in found if bits is not None and math.isfinite(bits)]


def _kept_bits(arm: Facts) -> float | None:
    """Return the bits per byte of the epoch that was kept: the best one, else the last."""
    bits = _bits(arm)
    return dict(bits).get(arm.get("best_epoch", -1), bits[-1][1]) if bits else None


def _audit(arm: Facts) -> tuple[str, Facts, Facts] | None:
    """Return the arm's first text with its audits before and after: the one named in sentences."""
    return next(((text, a["before"], a["after"]) for text, a in arm["audit"].items()), None)


def _unknown(audit: Facts) -> float:
    return _share(audit["unknown_pieces"], audit["pieces"])


def _tasks(facts: Facts) -> list[str]:
    """Return the tasks scored in any arm, the known ones first."""
    found = dict.fromkeys(task for arm in facts["arms"] for task in arm["scores"])
    return [*(task for task in TASKS if task in found), *(t for t in found if t not in TASKS)]


def _result(facts: Facts) -> Facts:
    return next(arm for arm in facts["arms"] if arm["name"] == facts["result"])


def _changes(facts: Facts) -> list[tuple[str, Facts, Facts]]:
    """Return (label, before, after) for each text and each arm with new pieces, else the result."""
    arms = [arm for arm in facts["arms"] if arm["pieces_added"]] or [_result(facts)]
    return [
        (text if len(arms) == 1 else f"{text} · {arm['name']}", audit["before"], audit["after"])
        for text in dict.fromkeys(text for arm in arms for text in arm["audit"])
        for arm in arms
        if (audit := arm["audit"].get(text))
    ]


def _best(facts: Facts, task: str, split: str) -> float | None:
    """Return the highest mean over seeds among the arms, rounded as it is printed."""
    found = [_scores(arm, task, split) for arm in facts["arms"]]
    return max((round(mean(scores), 1) for scores in found if scores), default=None)


# Sentences


def verdict(facts: Facts) -> str:
    """Return the run in one sentence, which also says where another arm does as well or better."""
    clauses = [_pieces_clause(facts), _gain_clause(facts), *_rival_clauses(facts)]
    sentence = "; ".join(clause for clause in clauses if clause)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _pieces_clause(facts: Facts) -> str:
    added, audit = _result(facts)["pieces_added"], _audit(_result(facts))
    if not added:
        rate = _percent(_unknown(audit[2])) if audit else ""
        said = f": {rate} of all pieces are unknown ({audit[0]})" if audit else ""
        return f"no pieces were added{said}"
    doing = f"adding {added:,} piece{'s' if added > 1 else ''}"
    if not audit:
        return f"{doing} was not audited on any text"
    text, before, after = audit
    rates = f"from {_percent(_unknown(before))} to {_percent(_unknown(after))}"
    return f"{doing} takes unknown pieces {rates} ({text})"


def _gain_clause(facts: Facts) -> str:
    result, base = _result(facts), facts["arms"][0]
    bits = _bits(result)
    trained = any(row["steps"] for row in result["losses"])
    with_lapt = "with LAPT, " if trained else ""
    names = [task for task in _tasks(facts) if _scores(result, task)]
    if names:
        gains = _listed([_gain(base, result, task) for task in names])
        return f"{with_lapt}{gains} ({_seeds(result, names)})"
    if trained and bits:
        return f"LAPT takes bits per byte from {bits[0][1]:.2f} to {_decimal(_kept_bits(result))}"
    return ""


def _gain(base: Facts, result: Facts, task: str) -> str:
    name, old, new = TASKS.get(task, task), _scores(base, task), mean(_scores(result, task))
    if not old or base is result:
        return f"{name} is {new:.1f}"
    change = round(new, 1) - round(mean(old), 1)
    if not change:
        return f"{name} stays at {new:.1f}"
    return f"{name} {'rises' if change > 0 else 'falls'} from {mean(old):.1f} to {new:.1f}"


def _seeds(arm: Facts, names: Iterable[str]) -> str:
    counts = sorted({len(_scores(arm, task)) for task in names})
    if counts == [1]:
        return "1 seed"
    return f"mean of {'–'.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} seeds"


def _rival_clauses(facts: Facts) -> Iterator[str]:
    """Yield what tempers the claim: arms that beat the result, or are as good for all we know."""
    result, chosen = _result(facts), facts["result"]
    others = [arm for arm in facts["arms"] if arm is not result]
    for task in _tasks(facts):
        mine, name = _scores(result, task), TASKS.get(task, task)
        rivals = [(arm["name"], _scores(arm, task)) for arm in others if _scores(arm, task)]
        if not mine or not rivals:
            continue
        rival, theirs = max(rivals, key=lambda pair: mean(pair[1]))
        lead = mean(mine) - mean(theirs)
        noise = max(stdev(scores) if len(scores) > 1 else 0.0 for scores in (mine, theirs))
        if abs(lead) <= noise:
            yield f"on {name} the seeds do not tell {chosen} from {rival} ({mean(theirs):.1f})"
        elif lead < 0:
            yield f"on {name} {chosen} is not the best arm: {rival} has {mean(theirs):.1f}"


def _listed(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def summary(facts: Facts) -> str:
    """Return the arms as a table of plain text, – where nothing was measured, and the verdict."""
    tasks = _tasks(facts)
    head = ["", "unknown pieces", "pieces/word", "bits/byte", *(TASKS.get(t, t) for t in tasks)]
    rows = [head, *(_cells(arm, tasks) for arm in facts["arms"])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        padded = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([" " + name.ljust(widths[0]), *padded]))
    return "\n".join([*lines, "", verdict(facts)])


def _cells(arm: Facts, tasks: Iterable[str]) -> list[str]:
    audit = _audit(arm)
    rates = [_percent(_unknown(audit[2])), _decimal(audit[2]["fertility"])] if audit else ["–", "–"]
    return [
        arm["name"],
        *rates,
        _decimal(_kept_bits(arm)),
        *(spread(_scores(arm, t)) for t in tasks),
    ]


# Charts


def _charts(facts: Facts) -> dict[str, Any]:
    """Return the charts there is something to show in, by panel; ``scores`` has one a task."""
    arms = {arm["name"]: (number % STYLES, arm) for number, arm in enumerate(facts["arms"])}
    losses = [Series(a, s, _bits(arm), arm.get("best_epoch")) for a, (s, arm) in arms.items()]
    coverage = [Series(a, s, arm.get("coverage", [])) for a, (s, arm) in arms.items()]
    losses, coverage = ([row for row in rows if row.points] for rows in (losses, coverage))
    charts: dict[str, Any] = {"scores": []}
    if changes := _changes(facts):
        rates = [Change(label, _unknown(old), _unknown(new)) for label, old, new in changes]
        lengths = [Change(label, old["fertility"], new["fertility"]) for label, old, new in changes]
        charts["unknown"] = dumbbells("Unknown pieces", rates, floor=0, write=_percent)
        charts["fertility"] = dumbbells("Pieces per word", lengths, floor=1, write=_decimal)
    for task in _tasks(facts):
        rows = [Series(a, s, _seeded(arm, task)) for a, (s, arm) in arms.items()]
        if rows := [row for row in rows if row.points]:
            charts["scores"].append((TASKS.get(task, task), strips(TASKS.get(task, task), rows)))
    if losses:
        charts["losses"] = curves("Bits per byte", losses, x_name="epoch", write=_decimal)
    if coverage:
        title = "Unknown pieces after so many pieces added"
        charts["coverage"] = curves(title, coverage, x_name="pieces added", write=_percent)
    return charts


# Files


def _page() -> jinja2.Template:
    folder = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    page = jinja2.Environment(
        loader=folder,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters.update(percent=_percent, decimal=_decimal, spread=spread, average=_average)
    page.filters.update(duration=_duration, unknown=_unknown, kept_bits=_kept_bits)
    page.filters.update(result=_result, tasks=_tasks, changes=_changes)
    page.globals.update(TASKS=TASKS, STYLES=STYLES)
    page.globals.update(share=_share, scores=_scores, best=_best, bits=_bits)
    return page.get_template("run.html.j2")


def write_html(facts: Facts, path: Path) -> None:
    """Write the page of a run: one file without network, fonts or libraries."""
    write_text(path, _page().render(facts=facts, verdict=verdict(facts), charts=_charts(facts)))


def write_report(facts: Facts, folder: Path) -> None:
    """Write ``report.json`` and ``report.html`` into ``folder``, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "report.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    write_html(facts, folder / "report.html")
