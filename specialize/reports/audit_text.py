"""Inspection results as plain text of 100 columns: table, details, verdicts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from specialize.coverage_curves import STEPS, Curve
from specialize.inspection import Details, Finding
from specialize.reports.numbers import decimal, percent
from specialize.reports.tables import WIDTH, columns, filled, short_names, table
from specialize.vocab.audit.compare import Differences
from specialize.vocab.audit.parity import Parity
from specialize.vocab.audit.unreachable import Unreachable

EXAMPLES = 20  # changed characters and unreachable pieces shown


def text(findings: Sequence[Finding]) -> str:
    """Return the findings; – stands for undefined values, and nothing for parts not measured."""
    findings = with_short_names(findings)
    parts = [table([(f.tokenizer, f.text, f.audit) for f in findings])]
    parts += ["\n".join(part) for part in (_measures(findings), _parities(findings)) if part]
    for finding in findings:
        if finding.details:
            parts += ["\n".join(part) for part in _in_detail(finding, finding.details)]
    reachability = {f.tokenizer: f.details.unreachable for f in findings if f.details}
    unreachable = (_unreachable(name, found) for name, found in reachability.items())
    parts += ["\n".join(part) for part in unreachable if part]
    if by_line := _by_line(findings):
        parts.append("\n".join(by_line))
    parts.append("\n".join(["Will new pieces pay off?", *_verdicts(findings)]))
    return "\n\n".join(parts)


def _by_line(findings: Sequence[Finding]) -> list[str]:
    """Return why some texts were not counted by types."""
    return [
        f"{_where(f)}: counted line by line with the tokenizers library ({f.audit.why_library})"
        for f in findings
        if f.audit.counted_by == "library"
    ]


def _measures(findings: Sequence[Finding]) -> list[str]:
    head = (
        "tokenizer",
        "text",
        "bytes/piece",
        "Rényi",
        "Rényi (used)",
        "pieces used",
        "of all",
    )
    rows = [
        (
            finding.tokenizer,
            finding.text,
            decimal(finding.bytes_per_piece),
            decimal(details.renyi_efficiency),
            decimal(details.renyi_efficiency_used),
            f"{details.pieces_used:,}",
            f"{details.vocabulary_size:,}",
        )
        for finding in findings
        if (details := finding.details)
    ]
    return columns([head, *rows]) if rows else []


def _parities(findings: Sequence[Finding]) -> list[str]:
    head = (
        "tokenizer",
        "pairs",
        "pieces",
        "translation",
        "parity",
        "pieces/word",
        "unknown words",
    )
    found = {f.tokenizer: f.parity for f in findings if f.parity}
    if not found:
        return []
    rows = [_parity_row(name, parity) for name, parity in found.items()]
    return columns([head, *rows])


def _parity_row(name: str, parity: Parity) -> tuple[str, ...]:
    return (
        name,
        f"{Path(parity.file).name} ({parity.pairs:,})",
        f"{parity.pieces:,}",
        f"{parity.other_pieces:,}",
        decimal(parity.parity),
        f"{parity.fertility:.2f} / {parity.other_fertility:.2f}",
        " / ".join(_percent(s) for s in (parity.unknown_words, parity.other_unknown_words)),
    )


def _in_detail(finding: Finding, details: Details) -> Iterator[list[str]]:
    where = _where(finding)
    if changed := details.changed:
        items = [
            f"{c.character}→{c.becomes or '–'} (U+{ord(c.character):04X}) {c.count:,}"
            for c in changed[:EXAMPLES]
        ]
        more = [f"and {len(changed) - EXAMPLES} more"] * (len(changed) > EXAMPLES)
        yield [f"{where}, changed by the normaliser:", filled([*items, *more])]
    if details.differs:
        yield list(_differences(where, details.differs))


def _unreachable(name: str, found: Unreachable) -> list[str]:
    if not found.pieces:
        return []
    reasons = ", ".join(f"{count:,} {why}" for why, count in found.by_reason().items())
    limit = "" if found.exact else "; tested on each piece's own text only"
    count = f"{len(found.pieces):,} of {found.tested:,} ({reasons}{limit})"
    first = list(found.pieces)[:EXAMPLES]
    return [*_wrapped(f"{name}, unreachable pieces: {count}"), filled(first)]


def _differences(where: str, found: Differences) -> Iterator[str]:
    unit = f"{found.unit}s"
    coverage = _percent(found.covered)
    part = "" if found.covered == 1 else f" (the most frequent, {coverage} of all)"
    yield from _wrapped(
        f"{where}: {_percent(found.share)} of the {unit} are segmented differently by "
        f"the first tokenizer, {found.changed:,} of {found.words:,}{part}, "
        f"{found.longer:,} into more pieces, {found.shorter:,} into fewer:",
    )
    for word in found.examples:
        yield f"  {word.word} {word.count:,}: {' '.join(word.before)} → {' '.join(word.after)}"


def _verdicts(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        verdict = finding.verdict
        yield from _wrapped(f"{_where(finding)}: {verdict.pays}. {verdict.sentence}")


def curves_text(curves: Sequence[Curve]) -> str:
    """Return coverage curves as a table for each tokenizer and text."""
    parts = []
    for (tokenizer, text), own in grouped(curves).items():
        title = f"{tokenizer} on {text}, unknown pieces and pieces per word by new pieces:"
        rows = [["", *(curve.method for curve in own)]]
        last = max(point.pieces for curve in own for point in curve.points)
        for step in STEPS:
            if step <= last:
                rows.append([f"{step:,}", *(_at(curve, step) for curve in own)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.rjust, row, widths)) for row in rows)
        ends = (f"{c.method} has no more after {c.points[-1].pieces:,}" for c in own if c.ends)
        parts.append("\n".join([*_wrapped(title), *lines, *_wrapped("; ".join(ends))]))
    return "\n\n".join(parts)


def _at(curve: Curve, pieces: int) -> str:
    point = curve.at(pieces)
    return f"{_percent(point.unknown_pieces)} {decimal(point.pieces_per_word):>6}"


def grouped(curves: Iterable[Curve]) -> dict[tuple[str, str], list[Curve]]:
    """Return curves by tokenizer and text, under short names."""
    curves = list(curves)
    tokenizers = short_names(dict.fromkeys(curve.tokenizer for curve in curves))
    texts = short_names(dict.fromkeys(curve.text for curve in curves))
    found: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves:
        found.setdefault((tokenizers[curve.tokenizer], texts[curve.text]), []).append(curve)
    return found


def with_short_names(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with short names of tokenizers and texts for paths."""
    findings = list(findings)
    tokenizers = short_names(dict.fromkeys(f.tokenizer for f in findings))
    texts = short_names(dict.fromkeys(f.text for f in findings))
    return [replace(f, tokenizer=tokenizers[f.tokenizer], text=texts[f.text]) for f in findings]


def _where(finding: Finding) -> str:
    return f"{finding.tokenizer} on {finding.text}"


def _percent(share: float | None) -> str:
    return percent(share, places=2)


def _wrapped(paragraph: str) -> list[str]:
    return textwrap.wrap(
        paragraph, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
