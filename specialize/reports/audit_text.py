"""Findings as plain text of 100 columns: the table first, what was asked for, the verdicts last."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from specialize.inspection import Details, Finding
from specialize.reports.tables import WIDTH, columns, filled, short_name, table
from specialize.vocab.audit.compare import Differences
from specialize.vocab.audit.parity import Parity
from specialize.vocab.audit.unreachable import Unreachable

EXAMPLES = 20  # of changed characters and of unreachable pieces


def said(findings: Sequence[Finding]) -> str:
    """Return all that was found; what was not measured is left out, – where it has no value."""
    parts = [table([(f.tokenizer, f.text, f.audit) for f in findings])]
    parts += ["\n".join(part) for part in (_measures(findings), _parities(findings)) if part]
    for finding in findings:
        if finding.details:
            parts += ["\n".join(part) for part in _in_detail(finding, finding.details)]
    lost = {f.tokenizer: f.details.unreachable for f in findings if f.details}
    parts += ["\n".join(part) for name, of in lost.items() if (part := _unreachable(name, of))]
    if slowly := _by_line(findings):
        parts.append("\n".join(slowly))
    parts.append("\n".join(["Will new pieces pay?", *_verdicts(findings)]))
    return "\n\n".join(parts)


def percent(share: float | None) -> str:
    """Return a share from 0 to 1 in percent, – for none."""
    return "–" if share is None else f"{100 * share:.2f} %"


def decimal(value: float | None) -> str:
    """Return a number with two decimals, – for none."""
    return "–" if value is None else f"{value:.2f}"


def _by_line(findings: Sequence[Finding]) -> list[str]:
    """Return, of what was not counted by types, why it was not."""
    return [
        f"{short_name(f.tokenizer)} on {short_name(f.text)}: counted line by line, by the "
        f"tokenizers library ({f.audit.why_library})"
        for f in findings
        if f.audit.counted_by == "library"
    ]


def _measures(findings: Sequence[Finding]) -> list[str]:
    head = ("tokenizer", "text", "bytes/piece", "Rényi", "of those used", "pieces used", "of all")
    rows = [
        (
            *_names(finding),
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
        "of the other",
        "parity",
        "pieces/word",
        "unknown words",
    )
    found = {f.tokenizer: f.parity for f in findings if f.parity}
    if not found:
        return []
    rows = [_parity_row(short_name(name), parity) for name, parity in found.items()]
    return columns([head, *rows])


def _parity_row(name: str, parity: Parity) -> tuple[str, ...]:
    return (
        name,
        f"{short_name(parity.file)} ({parity.pairs:,})",
        f"{parity.pieces:,}",
        f"{parity.other_pieces:,}",
        decimal(parity.parity),
        f"{parity.fertility:.2f} / {parity.other_fertility:.2f}",
        f"{percent(parity.unknown_words)} / {percent(parity.other_unknown_words)}",
    )


def _in_detail(finding: Finding, details: Details) -> Iterator[list[str]]:
    where = " on ".join(_names(finding))
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
    sure = "" if found.exact else " (a test of each piece's own spelling only)"
    what = f"{len(found.pieces):,} of {found.tested:,} pieces, {reasons}{sure}"
    first = list(found.pieces)[:EXAMPLES]
    return [*_wrapped(f"{short_name(name)}, unreachable by any text: {what}:"), filled(first)]


def _differences(where: str, found: Differences) -> Iterator[str]:
    unit = f"{found.unit}s"
    part = "" if found.covered == 1 else f" (the most frequent, {percent(found.covered)} of all)"
    yield from _wrapped(
        f"{where}: {percent(found.share)} of the {unit} are cut otherwise than by the first "
        f"tokenizer, {found.changed:,} of {found.words:,}{part}, "
        f"{found.longer:,} into more pieces, {found.shorter:,} into fewer:",
    )
    for recut in found.examples:
        yield f"  {recut.word} {recut.count:,}: {' '.join(recut.before)} → {' '.join(recut.after)}"


def _verdicts(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        verdict = finding.verdict
        yield from _wrapped(f"{' on '.join(_names(finding))}: {verdict.pays}. {verdict.sentence}")


def _names(finding: Finding) -> tuple[str, str]:
    return short_name(finding.tokenizer), short_name(finding.text)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
