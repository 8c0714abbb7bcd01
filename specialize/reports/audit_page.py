"""Inspection results as one HTML page: opens without network, light and dark, any direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import jinja2
from markupsafe import Markup

from specialize.atomic import write_text
from specialize.coverage_curves import STEPS, Curve
from specialize.inspection import Finding
from specialize.reports import charts
from specialize.reports.audit_text import grouped, with_short_names
from specialize.reports.charts import STYLES, Dumbbell, Series, dumbbells
from specialize.reports.numbers import decimal, percent, share
from specialize.reports.page import environment

SHOWN = 24  # characters and pieces of each list


def write_page(
    findings: Sequence[Finding], path: Path, *, curves: Sequence[Curve] = (), command: str = ""
) -> None:
    """Write the page of ``findings`` to ``path``; ``command`` is the command line behind them."""
    write_text(path, page(findings, curves=curves, command=command))


def page(findings: Sequence[Finding], *, curves: Sequence[Curve] = (), command: str = "") -> str:
    """Return the page of ``findings`` and of coverage curves as HTML."""
    findings = with_short_names(findings)
    return _template().render(
        findings=findings,
        names=list(dict.fromkeys(f.tokenizer for f in findings)),
        texts=list(dict.fromkeys(f.text for f in findings)),
        charts={**_coverage(findings), **_first_and_second(findings)},
        coverage=_by_method(curves),
        command=command,
    )


def _template() -> jinja2.Template:
    jinja = environment()
    jinja.filters.update(percent=partial(percent, places=2), decimal=decimal)
    jinja.filters.update(whole="{:,}".format, most=_most_frequent)
    jinja.globals.update(STYLES=STYLES, SHOWN=SHOWN, share=share, code=_code_point)
    return jinja.get_template("audit.html.j2")


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _most_frequent(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]


# Charts -------------------------------------------------------------------------------------------


def _coverage(findings: Sequence[Finding]) -> dict[str, Markup]:
    """Return the chart of unknown pieces left by the number of one-character pieces added."""
    found = [(f, f.details.curve) for f in findings if f.details and f.details.curve]
    if not found:
        return {}
    tokenizers, texts = {f.tokenizer for f, _ in found}, {f.text for f, _ in found}
    last = max(k for _, curve in found for k, _ in curve)
    rows = []
    for style, (finding, curve) in enumerate(found[:STYLES], 1):
        ours, on = finding.tokenizer, finding.text
        label = ours if len(texts) == 1 else on if len(tokenizers) == 1 else f"{ours}, {on}"
        points = list(curve)
        if points[-1][0] < last:  # all pieces it needs are added
            points.append((last, points[-1][1]))
        rows.append(Series(_short(label), style % STYLES, points))
    title = "Unknown pieces by number of one-character pieces added"
    return {"curve": charts.curves(title, rows, x_name="pieces added", show=percent)}


def _by_method(found: Sequence[Curve]) -> list[tuple[str, Markup, Markup]]:
    """Return what is measured, unknown pieces and pieces per word by the number of pieces."""
    return [
        (
            f"{tokenizer} on {text}",
            _drawn("Unknown pieces", "unknown_pieces", own, percent),
            _drawn("Pieces per word", "pieces_per_word", own, decimal),
        )
        for (tokenizer, text), own in grouped(found).items()
    ]


def _drawn(title: str, key: str, own: Sequence[Curve], show: charts.Format) -> Markup:
    steps = [step for step in STEPS if step <= max(c.points[-1].pieces for c in own)]
    rows = [_series(style, curve, key, steps[-1]) for style, curve in enumerate(own)]
    rows = [row for row in rows if row.points]
    if not rows or len(steps) < 2:
        return Markup("")
    named = f"{title} by number of new pieces"
    return charts.curves(named, rows, x_name="new pieces", show=show, steps=steps)


def _series(style: int, curve: Curve, key: str, last: int) -> Series:
    """Return a curve, level from where the method has no more pieces up to ``last``."""
    values = [(point.pieces, getattr(point, key)) for point in curve.points]
    points = [(pieces, value) for pieces, value in values if value is not None]
    if points and points[-1][0] < last:
        points.append((last, points[-1][1]))
    return Series(curve.method, style, points)


def _first_and_second(findings: Sequence[Finding]) -> dict[str, Markup]:
    """Return charts of the texts under the first and the second of two tokenizers."""
    names = list(dict.fromkeys(f.tokenizer for f in findings))
    if len(names) != 2:
        return {}
    before, after = ({f.text: f.audit for f in findings if f.tokenizer == n} for n in names)
    unknown, length = [], []
    for text in before:
        pair = before[text], after[text]
        if all(audit.words for audit in pair):
            unknown.append(Dumbbell(text, *(audit.unknown_words / audit.words for audit in pair)))
            length.append(Dumbbell(text, *(audit.bytes / audit.pieces for audit in pair)))
    if not unknown:
        return {}
    return {
        "unknown": dumbbells("Unknown words", unknown, floor=0, show=percent),
        "bytes": dumbbells("Bytes per piece", length, floor=0, show=decimal),
    }


def _short(label: str, limit: int = 40) -> str:
    return label if len(label) <= limit else f"{label[: limit - 1]}…"
