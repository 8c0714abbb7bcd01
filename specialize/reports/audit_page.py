"""Findings as one HTML page to send around: no network, light and dark, text of any direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from specialize.atomic import write_text
from specialize.inspection import Finding
from specialize.reports.audit_text import decimal, percent
from specialize.reports.charts import STYLES, Change, Series, curves, dumbbells
from specialize.reports.tables import short_name

SHOWN = 24  # characters and pieces of each list
CURVES = STYLES  # lines a chart can tell apart


def write_page(findings: Sequence[Finding], path: Path, *, command: str = "") -> None:
    """Write the page of ``findings``; ``command`` is what made them, as it was typed."""
    charts = {**_curve(findings), **_from_first_to_second(findings)}
    page = _page().render(
        findings=findings,
        names={f.tokenizer: short_name(f.tokenizer) for f in findings},
        texts={f.text: short_name(f.text) for f in findings},
        charts=charts,
        command=command,
    )
    write_text(path, page)


def _page() -> jinja2.Template:
    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters.update(percent=percent, decimal=decimal, whole="{:,}".format, most=_most)
    page.filters.update(name=short_name)
    page.globals.update(STYLES=STYLES, SHOWN=SHOWN, share=_share, code=_code)
    return page.get_template("audit.html.j2")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


# Charts -------------------------------------------------------------------------------------------


def _curve(findings: Sequence[Finding]) -> dict[str, Markup]:
    """Return the chart of what is left unknown after so many one-character pieces."""
    found = [f for f in findings if f.details and f.details.curve]
    tokenizers, texts = {f.tokenizer for f in found}, {f.text for f in found}
    last = max((k for f in found if f.details for k, _ in f.details.curve), default=0)
    rows = []
    for style, finding in enumerate(found[:CURVES], 1):
        ours, on = short_name(finding.tokenizer), short_name(finding.text)
        label = ours if len(texts) == 1 else on if len(tokenizers) == 1 else f"{ours}, {on}"
        points = list(finding.details.curve) if finding.details else []
        if points[-1][0] < last:  # no more pieces are needed
            points.append((last, points[-1][1]))
        rows.append(Series(_short(label), style % STYLES, points))
    if not rows:
        return {}
    title = "Unknown pieces after so many one-character pieces"
    return {"curve": curves(title, rows, x_name="pieces added", write=_tenths)}


def _from_first_to_second(findings: Sequence[Finding]) -> dict[str, Markup]:
    """Return what becomes of the texts from the first of two tokenizers to the second."""
    names = list(dict.fromkeys(f.tokenizer for f in findings))
    if len(names) != 2:
        return {}
    of: dict[str, dict[str, Any]] = {name: {} for name in names}
    for finding in findings:
        of[finding.tokenizer][finding.text] = finding.audit
    unknown, length = [], []
    for text, first in of[names[0]].items():
        second = of[names[1]][text]
        if first.words and second.words:
            shares = (audit.unknown_words / audit.words for audit in (first, second))
            unknown.append(Change(short_name(text), *shares))
            length.append(
                Change(short_name(text), first.bytes / first.pieces, second.bytes / second.pieces)
            )
    if not unknown:
        return {}
    return {
        "unknown": dumbbells("Unknown words", unknown, floor=0, write=_tenths),
        "bytes": dumbbells("Bytes per piece", length, floor=0, write=decimal),
    }


def _short(label: str, limit: int = 18) -> str:
    return label if len(label) <= limit else f"{label[: limit - 1]}…"


def _tenths(share: float) -> str:
    return f"{100 * share:.1f} %"
