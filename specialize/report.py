"""The report of a run: its facts as JSON, one HTML page that fetches nothing, a table as text.

The facts are a plain dictionary; nothing here measures, it only shows. Read downwards: numbers,
sentences, charts (inline SVG, coloured by the page's style sheet), files.
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

Facts = Mapping[str, Any]
Scale = Callable[[float], float]  # from a number to its place in a chart
Write = Callable[[float], str]  # from a number to how a chart writes it
TASKS = {"pos": "POS accuracy", "dep": "LAS", "ner": "NER F1"}


# Numbers


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _decimal(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _spread(scores: Sequence[float]) -> str:
    """Return mean ± sample standard deviation over the seeds; one seed has no deviation."""
    if not scores:
        return "–"
    return f"{mean(scores):.1f}" + (f" ± {stdev(scores):.1f}" if len(scores) > 1 else "")


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
        *(_spread(_scores(arm, t)) for t in tasks),
    ]


# Charts: SVG whose classes the page colours; ``s0`` … ``s5`` are the styles of the arms

STYLES = 6
DOT = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="{}"><title>{}</title></circle>')
LINE = Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>')
TEXT = Markup('<text x="{:.1f}" y="{:.1f}" class="{}">{}</text>')
PATH = Markup('<polyline points="{}" class="{}"/>')
FIGURE = Markup(
    '<svg viewBox="0 0 {0} {1}" style="max-width:{0}px" role="img" aria-label="{2}">'
    "<title>{2}</title><desc>{3}</desc>{4}</svg>"
)


class Change(NamedTuple):
    """One line of a dumbbell chart."""

    label: str
    before: float
    after: float


class Series(NamedTuple):
    """What one arm has to show: points (x, y), the style 0 … 5, the x that is ringed."""

    label: str
    style: int
    points: Sequence[tuple[float, float]]
    ringed: float | None = None


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return at most ``count`` + 2 round numbers, evenly spaced, that enclose low and high."""
    span = max(high - low, 0.02 * abs(high), 1e-6)
    step = 10.0 ** math.floor(math.log10(span / count))
    step *= next(factor for factor in (1, 2, 5, 10) if step * factor * count >= span * 0.999)
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(step * tick, 9) for tick in range(first, max(last, first + 1) + 1)]


def _scale(ticks: Sequence[float], start: float, end: float) -> Scale:
    per = (end - start) / (ticks[-1] - ticks[0])
    return lambda value: start + (value - ticks[0]) * per


def _figure(
    width: int, height: int, title: str, says: Iterable[str], body: Iterable[Markup]
) -> Markup:
    return FIGURE.format(width, height, title, "; ".join(says), Markup("").join(body))


def _labels(ticks: Sequence[float], write: Write) -> list[str]:
    """Return the ticks as written, without decimals where all of them are zero."""
    written = [write(tick) for tick in ticks]
    short = [re.sub(r"\.0+(?!\d)", "", text) for text in written]
    return short if all(map(str.__ne__, short, written)) else written


def _upright(ticks: Sequence[float], at: Scale, bottom: int, write: Write) -> Iterator[Markup]:
    """Yield grid lines down to ``bottom`` and the numbers below them."""
    for tick, label in zip(ticks, _labels(ticks, write), strict=True):
        yield LINE.format(at(tick), 6, at(tick), bottom, "grid")
        yield TEXT.format(at(tick), bottom + 16, "tick middle", label)


def dumbbells(title: str, rows: Sequence[Change], *, floor: float, write: Write) -> Markup:
    """Return a chart of before and after, a line for each row, on a scale from ``floor``."""
    ticks = _ticks(min([floor, *(min(row[1:]) for row in rows)]), max(max(r[1:]) for r in rows), 4)
    at, bottom = _scale(ticks, 58, 372), 46 * len(rows) + 6
    body = [*_upright(ticks, at, bottom, write)]
    for y, (label, before, after) in zip(range(36, bottom, 46), rows, strict=True):
        low, high = sorted((before, after))
        body += [
            TEXT.format(0, y - 18, "label", label),
            LINE.format(at(before), y, at(after), y, "link"),
            DOT.format(at(before), y, 5, "before", f"before: {write(before)}"),
            DOT.format(at(after), y, 6, "after", f"after: {write(after)}"),
            TEXT.format(at(high) + 11, y + 4, "value", write(high)),
            TEXT.format(at(low) - 11, y + 4, "value end", write(low) if low < high else ""),
        ]
    says = (f"{row.label}: {write(row.before)} before, {write(row.after)} after" for row in rows)
    return _figure(430, bottom + 22, title, says, body)


def strips(title: str, rows: Sequence[Series]) -> Markup:
    """Return a chart with a dot for each seed (seed, score) and a bar at their mean."""
    scores = [[y for _, y in row.points] for row in rows]
    ticks = _ticks(min(map(min, scores)), max(map(max, scores)), 4)
    at, bottom = _scale(ticks, 14, 286), 42 * len(rows) + 6
    body = [*_upright(ticks, at, bottom, "{:g}".format)]
    for y, row, values in zip(range(32, bottom, 42), rows, scores, strict=True):
        middle = at(mean(values))
        body += [
            TEXT.format(0, y - 15, "label", row.label),
            TEXT.format(300, y - 15, "value end", _spread(values)),
            LINE.format(middle, y - 9, middle, y + 9, f"mean s{row.style}"),
        ]
        for seed, score in row.points:
            body.append(DOT.format(at(score), y, 4.5, f"s{row.style}", f"seed {seed}: {score:.1f}"))
    says = (f"{row.label}: {_spread(v)}" for row, v in zip(rows, scores, strict=True))
    return _figure(300, bottom + 22, title, says, body)


def curves(title: str, rows: Sequence[Series], *, x_name: str, write: Write) -> Markup:
    """Return a chart with a line for each row, its label at the end, above whole numbers x."""
    xs, ys = zip(*(point for row in rows for point in row.points), strict=True)
    x_ticks = [tick for tick in _ticks(0, max(1, *xs), 8) if tick == int(tick)]
    y_ticks = _ticks(min(ys), max(ys), 5)
    x_at, y_at = _scale(x_ticks, 58, 540), _scale(y_ticks, 260, 10)
    body = [LINE.format(58, y_at(tick), 540, y_at(tick), "grid") for tick in y_ticks]
    for tick, label in zip(y_ticks, _labels(y_ticks, write), strict=True):
        body.append(TEXT.format(48, y_at(tick) + 4, "tick end", label))
    body += [TEXT.format(x_at(tick), 280, "tick middle", f"{tick:,.0f}") for tick in x_ticks]
    body.append(TEXT.format(x_at(x_ticks[-1] / 2), 302, "tick middle", x_name))
    free = 0.0  # the height at which the next label may stand, from the top
    for row in sorted(rows, key=lambda row: y_at(row.points[-1][1])):
        body += _curve(row, x_at, y_at, write)
        (start, _), (end, level) = row.points[0], row.points[-1]
        end_x, end_y = x_at(end), y_at(level)
        if start == end:  # a single point is drawn as a level to compare with
            end_x = 540
            body.append(LINE.format(x_at(start), end_y, end_x, end_y, f"level s{row.style}"))
        body.append(TEXT.format(end_x + 14, max(end_y + 4, free), f"name s{row.style}", row.label))
        free = max(end_y + 4, free) + 16
    says = (f"{r.label}: {write(r.points[0][1])} to {write(r.points[-1][1])}" for r in rows)
    return _figure(680, 308, title, says, body)


def _curve(row: Series, x_at: Scale, y_at: Scale, write: Write) -> Iterator[Markup]:
    path = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y in row.points)
    yield PATH.format(path, f"curve s{row.style}")
    for x, y in row.points if len(row.points) <= 40 else row.points[-1:]:
        note = f"{row.label}, {x:g}: {write(y)}"
        yield DOT.format(x_at(x), y_at(y), 3.5, f"s{row.style}", note)
        if x == row.ringed:
            yield DOT.format(x_at(x), y_at(y), 8, f"ring s{row.style}", f"{note}, kept")


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
    folder = jinja2.FileSystemLoader(Path(__file__).parent)
    page = jinja2.Environment(
        loader=folder,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters.update(percent=_percent, decimal=_decimal, spread=_spread, average=_average)
    page.filters.update(duration=_duration, unknown=_unknown, kept_bits=_kept_bits)
    page.filters.update(result=_result, tasks=_tasks, changes=_changes)
    page.globals.update(TASKS=TASKS, STYLES=STYLES)
    page.globals.update(share=_share, scores=_scores, best=_best, bits=_bits)
    return page.get_template("report.html.j2")


def write_html(facts: Facts, path: Path) -> None:
    """Write the page of a run: one file without network, fonts or libraries."""
    _replace(path, _page().render(facts=facts, verdict=verdict(facts), charts=_charts(facts)))


def write_report(facts: Facts, folder: Path) -> None:
    """Write ``report.json`` and ``report.html`` into ``folder``, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "report.json", json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    write_html(facts, folder / "report.html")


def _replace(path: Path, text: str) -> None:
    """Write beside ``path``, then rename: a reader sees the old file or the new one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
