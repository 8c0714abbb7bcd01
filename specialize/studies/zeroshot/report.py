"""The files of a zero-shot study: text, CSV and one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from specialize.atomic import write_text
from specialize.progress import duration
from specialize.reports.page import environment
from specialize.studies.transfer import charts
from specialize.studies.zeroshot import tables
from specialize.studies.zeroshot.tables import Block

Facts = Mapping[str, Any]


def write(facts: Facts, out: Path) -> str:
    """Write the page and CSV to ``out``; return the text to print."""
    write_text(out / "zeroshot.html", page(facts))
    write_text(out / "zeroshot.csv", tables.csv_text(facts))
    cautions = [f"caution: {caution}" for caution in facts["cautions"]]
    names = "zeroshot.html, zeroshot.csv, results.json"
    where = f"page, table and results: {out} ({names})"
    return "\n\n".join([tables.text(facts), *cautions, where])


def page(facts: Facts) -> str:
    """Return the page as HTML."""
    found = [
        {
            "block": block,
            "chart": _chart(facts, block),
            "comparisons": tables.comparisons(facts, block.task, seen=block.seen),
        }
        for block in tables.blocks(facts)
    ]
    return _template().render(
        facts=facts,
        blocks=found,
        few=tables.few_blocks(facts),
        findings=tables.findings(facts),
        reference=next(iter(facts["systems"])),
    )


def _chart(facts: Facts, block: Block) -> Markup | None:
    """Return the differences to the first system with intervals over languages; None for one."""
    found = tables.comparisons(facts, block.task, seen=block.seen)
    title = f"Difference to {next(iter(facts['systems']))}: {block.task}"
    rows = [(c.system, c.difference.value, c.difference.pairs or (None, None), True) for c in found]
    if not rows:
        return None
    left = min(200, 20 + 8 * max(len(c.system) for c in found))
    return charts.bars(f"{title}, {tables.name_of(block.seen)}", rows, left=left)


def _template() -> jinja2.Template:
    found = environment()
    folders = [Path(__file__).parent / "templates", Path(charts.__file__).parent / "templates"]
    own = [jinja2.FileSystemLoader(folder) for folder in folders]
    assert found.loader
    found.loader = jinja2.ChoiceLoader([*own, found.loader])
    found.filters.update(duration=duration, signed=charts.signed)
    found.filters.update(mean=tables.shown, between=tables.between, cost=tables.cost_of)
    found.globals.update(STYLES=6, name_of=tables.name_of)
    return found.get_template("zeroshot.html.j2")
