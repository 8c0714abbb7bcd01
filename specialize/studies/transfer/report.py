"""The files of a study of transfer or interference: text, CSV and one page each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from specialize.atomic import write_text
from specialize.progress import duration
from specialize.reports.page import environment
from specialize.studies.transfer import charts, tables
from specialize.studies.transfer.charts import counted
from specialize.studies.transfer.scatter import scatter

Facts = Mapping[str, Any]


def write(facts: Facts, out: Path) -> str:
    """Write the page and CSV of transfer to ``out``; return the text to print."""
    write_text(out / "transfer.html", page(facts))
    write_text(out / "transfer.csv", tables.csv_text(facts))
    return _printed(tables.text(facts), facts, out, "transfer.html, transfer.csv, results.json")


def write_interference(facts: Facts, out: Path) -> str:
    """Write the page and CSV of interference to ``out``; return the text to print."""
    write_text(out / "interference.html", interference_page(facts))
    write_text(out / "interference.csv", tables.interference_csv(facts))
    names = "interference.html, interference.csv, interference.json"
    return _printed(tables.interference_text(facts), facts, out, names)


def page(facts: Facts) -> str:
    """Return the page of transfer as HTML."""
    own = [_task(facts, name, task) for name, task in facts["tasks"].items()]
    overlap = _overlap(facts) if len(own) > 1 else None
    return _template("transfer.html.j2").render(
        facts=facts, tasks=own, overlap=overlap, controls=tables.controls(facts)
    )


def interference_page(facts: Facts) -> str:
    """Return the page of interference as HTML."""
    found = [
        {**own, "chart": places(own, facts["seen"])}
        for own in facts["found"]
        if any(row["place"] for row in own["rows"])
    ]
    counts = [
        {**own, "gains": tables.mean_gains(facts, own), "clear": tables.clear_gains(facts, own)}
        for own in facts["found"]
    ]
    return _template("interference.html.j2").render(
        facts=facts, found=found, counts=counts, kinds=tables.SINGLE
    )


def places(found: Facts, seen: Sequence[str]) -> Markup:
    """Return the scatter of a task, size and fusion; with triples, coloured by the third axis."""
    points = [
        (
            row["language"],
            row["place"][0],
            row["place"][1],
            row["place"][2] > 0 if found["third"] else row["language"] in seen,
        )
        for row in found["rows"]
        if row["place"]
    ]
    return scatter(f"{found['task']}, fusion {found['fusion']}", points)


def _task(facts: Facts, name: str, task: Facts) -> dict[str, Any]:
    """Return the charts of a task, at the last step but for the progression."""
    k, seen = str(facts["steps"][-1]), facts["seen"]
    at = task["steps"][k]
    titles = f"{name}, {counted(k, 'step')}"
    donors, recipients = at["donors"], at["recipients"]
    values = [[v for v in row if v is not None] for row in at["ts"]]
    return {
        "name": name,
        "metric": task["metric"],
        "base": task["base"],
        "findings": findings(facts, name, task),
        "bars": charts.bars(
            f"Mean transfer score by donor: {titles}",
            [(d["language"], d["mean"], d["interval"], d["language"] in seen) for d in donors],
        ),
        "bubbles": charts.bubbles(
            f"Recipients: {titles}",
            [
                (r["target"], r["positive"] or 0.0, r["mean"], r["target"] in seen)
                for r in recipients
            ],
        ),
        "progressions": [_progression(facts, task, a) for a in range(len(facts["transfer"]))],
        "distributions": charts.distributions(
            f"Transfer scores over targets: {titles}",
            [
                (d["language"], own, d["variance"] or 0.0, d["language"] in seen)
                for d, own in zip(donors, values, strict=True)
            ],
        ),
        "matrix": _matrix(facts, task, at, titles),
        "groups": _groups(at, titles),
        "donors": sorted(donors, key=lambda d: -(d["variance"] or 0.0)),
        "ties": at["ties"],
        "unclear": at["targets_without_best"],
        "screen": at["screen"],
    }


def findings(facts: Facts, name: str, task: Facts) -> list[str]:
    """Return what the measures say of the paper's two findings, as far as intervals show it."""
    at = task["steps"][str(facts["steps"][-1])]
    found = [f"{name}: {universal(at['donors'])}"]
    for kind, seen in (("seen", True), ("unseen", False)):
        own = [
            r
            for r in at["recipients"]
            if (r["target"] in facts["seen"]) == seen and None not in r["interval"]
        ]
        if own:
            found.append(_averaged(kind, own))
    return found


def universal(donors: Sequence[Facts]) -> str:
    """Return whether a donor helps all targets, and if not which one helps most of them.

    >>> universal([{"language": name, "positive": 50.0} for name in ("en", "tr")])
    'no universal donor; none helps more than half of the targets: en and tr (equal) 50 %.'
    """
    top = max((d["positive"] or 0.0 for d in donors), default=0.0)
    names = [d["language"] for d in donors if d["positive"] == top]
    if not top:
        return "no donor helps any target."
    if top == 100:
        return f"{counted(len(names), 'universal donor')}, helping every target: {_and(names)}."
    equal = " (equal)" if len(names) > 1 else ""
    share = f"{_and(names)}{equal} {tables.percent(top)} %"
    if top > 50:
        return f"no universal donor; the largest share of targets helped: {share}."
    return f"no universal donor; none helps more than half of the targets: {share}."


def _averaged(kind: str, own: Sequence[Facts]) -> str:
    """Return how many of the targets gain and lose on average over donors."""
    gain = [r["target"] for r in own if r["interval"][0] > 0]
    lose = [r["target"] for r in own if r["interval"][1] < 0]
    what = f"On average over donors, of {counted(len(own), f'{kind} target')}"
    open_ = len(own) - len(gain) - len(lose)
    if open_ == len(own):
        return f"{what} none gains or loses: every 95 % interval includes 0."
    text = f"{what} {_verb(gain, 'gain')} and {_verb(lose, 'lose')}"
    if not open_:
        return f"{text}."
    if open_ == 1:
        return f"{text}; the 95 % interval of the other one includes 0."
    return f"{text}; the 95 % intervals of the other {open_} include 0."


def _verb(names: Sequence[str], verb: str) -> str:
    """Return "2 gain (ug, mt)", "1 gains (ug)", "none gains"."""
    if not names:
        return f"none {verb}s"
    return f"{len(names)} {verb}{'s' * (len(names) == 1)} ({', '.join(names)})"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _progression(facts: Facts, task: Facts, a: int) -> tuple[str, Markup, str]:
    steps = facts["steps"]
    rows = [task["steps"][str(k)] for k in steps]
    values = [[v for v in at["ts"][a] if v is not None] for at in rows]
    noise = [[v for v in at["noise"][a] if v is not None] for at in rows]
    means = [sum(own) / len(own) if own else 0.0 for own in noise]
    last = sorted(
        (v, t) for v, t in zip(rows[-1]["ts"][a], task["targets"], strict=True) if v is not None
    )
    up, down = sum(v > 0 for v, _ in last), sum(v < 0 for v, _ in last)
    ends = [f"{t} {charts.signed(v)}" for v, t in (*reversed(last[-2:]), *last[:2])]
    name = facts["transfer"][a]
    return name, charts.progression(name, steps, values, means), f"+{up} −{down}: {', '.join(ends)}"


def _matrix(facts: Facts, task: Facts, at: Facts, titles: str) -> Markup:
    """Return the heat map of all pairs, seen languages first."""
    rows, cut = _seen_first(facts["transfer"], facts["seen"])
    columns, side = _seen_first(task["targets"], facts["seen"])
    values = [[at["ts"][a][b] for b in columns] for a in rows]
    return charts.heat(
        f"Transfer scores: {titles}",
        [facts["transfer"][a] for a in rows],
        [task["targets"][b] for b in columns],
        values,
        cut=(cut, side),
    )


def _seen_first(names: Sequence[str], seen: Sequence[str]) -> tuple[list[int], int]:
    places = sorted(range(len(names)), key=lambda i: names[i] not in seen)
    count = sum(name in seen for name in names)
    return places, count if count < len(names) else 0


def _groups(at: Facts, titles: str) -> Markup:
    found = {(g["transfer"], g["target"]): g for g in at["by_seen"]}
    sides = (True, False)
    return charts.heat(
        f"Mean transfer score of seen and unseen languages: {titles}",
        ["from seen", "from unseen"],
        ["to seen", "to unseen"],
        [[found[a, b]["mean"] for b in sides] for a in sides],
        notes=[[counted(found[a, b]["pairs"], "pair") for b in sides] for a in sides],
        between=" ",
    )


def _overlap(facts: Facts) -> Markup:
    k = str(facts["steps"][-1])
    ranked = [
        (
            name,
            [
                d["language"]
                for d in sorted(task["steps"][k]["donors"], key=lambda d: -(d["mean"] or 0.0))
            ],
        )
        for name, task in facts["tasks"].items()
    ]
    return charts.ranks(
        f"Donors by mean transfer score, {counted(k, 'step')}", ranked, facts["seen"]
    )


def _printed(text: str, facts: Facts, out: Path, names: str) -> str:
    cautions = [f"caution: {caution}" for caution in facts["cautions"]]
    return "\n\n".join([text, *cautions, f"page, table and results: {out} ({names})"])


def _template(name: str) -> jinja2.Template:
    found = environment()
    own = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    assert found.loader
    found.loader = jinja2.ChoiceLoader([own, found.loader])
    found.filters.update(duration=duration, signed=charts.signed, percent=tables.percent)
    found.filters.update(number=tables.number, between=tables.between, rho=tables.rho)
    found.globals.update(STYLES=6, counted=counted, minus=charts.minus)
    return found.get_template(name)
