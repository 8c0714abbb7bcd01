"""The report of a run: its facts as JSON, and one HTML page that opens without network."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import jinja2

from specialize.atomic import write_json, write_text
from specialize.progress import duration
from specialize.reports import numbers
from specialize.reports.charts import STYLES, Dumbbell, Series, curves, dumbbells, strips
from specialize.reports.compare_charts import bits_by_epoch, curves_of, dev_by_epoch
from specialize.reports.headline import headlines, notes
from specialize.reports.numbers import Facts, decimal, percent
from specialize.reports.page import environment


def write_report(facts: Facts, folder: Path) -> None:
    """Write ``report.json`` and ``report.html`` into ``folder``, each whole or not at all."""
    write_facts(facts, folder)
    write_html(facts, folder / "report.html")


def write_facts(facts: Facts, folder: Path) -> None:
    """Write ``report.json`` into ``folder``, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "report.json", facts)


def write_html(facts: Facts, path: Path) -> None:
    """Write the page of a run."""
    found = headlines(facts)
    page = _page().render(
        facts=facts,
        headlines=found,
        notes=notes(found),
        result=numbers.result(facts),
        reference=numbers.reference(facts),
        styles={arm["name"]: number % STYLES for number, arm in enumerate(facts["arms"])},
        seeds=sorted(
            {seed for arm in facts["arms"] for s in arm["scores"].values() for seed in s["seeds"]}
        ),
        charts=_charts(facts),
    )
    write_text(path, page)


def _page() -> jinja2.Template:
    page = environment()
    page.filters.update(percent=percent, decimal=decimal, duration=duration, spread=numbers.spread)
    page.filters.update(memory=numbers.memory, unknown=numbers.unknown, mean=numbers.average)
    page.globals.update(STYLES=STYLES, numbers=numbers, whole="{:,}".format)
    return page.get_template("run.html.j2")


def _charts(facts: Facts) -> dict[str, Any]:
    """Return the charts with something to show, by name; ``scores`` has (title, chart) a task."""
    styles = [(arm["name"], number % STYLES, arm) for number, arm in enumerate(facts["arms"])]
    losses = [_bits(arm, style) for _, style, arm in styles]
    coverage = [Series(name, style, arm["coverage"]) for name, style, arm in styles]
    charts: dict[str, Any] = {**_texts(facts), "scores": [], "learning": []}
    colours = {name: style for name, style, _ in styles}
    for task in numbers.tasks(facts):
        rows = [Series(name, style, numbers.seeded(arm, task)) for name, style, arm in styles]
        title = numbers.label(facts, task)
        if rows := _filled(rows):
            charts["scores"].append((title, strips(title, rows)))
        if rows := curves_of(facts["arms"], partial(dev_by_epoch, task), colours):
            chart = curves(title, rows, x_name="epoch", show="{:.1f}".format)
            charts["learning"].append((title, chart))
    if rows := _filled(losses):
        charts["losses"] = curves("Bits per byte", rows, x_name="epoch", show=decimal)
    if rows := _filled(coverage):
        title = "Unknown pieces by number of pieces added"
        charts["coverage"] = curves(title, rows, x_name="pieces added", show=percent)
    return charts


def _bits(arm: Facts, style: int) -> Series:
    """Return bits per byte by epoch: mean and seeds of a repeated LAPT, a ring of a single one."""
    found = curves_of([arm], bits_by_epoch, {arm["name"]: style})
    if found and found[0].seeds:
        return found[0]
    return Series(arm["name"], style, numbers.bits_by_epoch(arm), arm["best_epoch"])


def _filled(rows: list[Series]) -> list[Series]:
    return [row for row in rows if row.points]


def _texts(facts: Facts) -> dict[str, Any]:
    """Return the charts of each text before and after the mix-ins and pieces of each arm."""
    arms = numbers.changed_arms(facts)
    rates, lengths = [], []
    for shown, text in numbers.texts(facts).items():
        for arm in arms:
            for change in numbers.changes(facts, arm):
                old, new = change.before, change.after
                if change.text != text or not old["pieces"] or not new["pieces"]:
                    continue
                name = shown if len(arms) == 1 else f"{shown} · {arm['name']}"
                pair = numbers.unknown(old) or 0.0, numbers.unknown(new) or 0.0
                rates.append(Dumbbell(name, *pair))
                lengths.append(Dumbbell(name, old["fertility"], new["fertility"]))
    if not rates:
        return {}
    return {
        "unknown": dumbbells("Unknown pieces", rates, floor=0, show=percent),
        "fertility": dumbbells("Pieces per word", lengths, floor=1, show=decimal),
    }
