"""Audits as tables of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from specialize.vocab.audit.audit import Audit

WIDTH = 100  # of what is printed, in characters


def table(rows: Sequence[tuple[str, str, Audit]]) -> str:
    """Return audits (tokenizer, text, audit) as text: shares first, then what is missing."""
    head = (
        "tokenizer",
        "text",
        "words",
        "pieces/word",
        "unknown pieces",
        "unknown words",
        "continued",
    )
    body = [
        (
            short_name(tokenizer),
            short_name(text),
            f"{a.words:,}",
            f"{a.fertility:.2f}" if a.words else "–",
            _share(a.unknown_pieces, a.pieces),
            _share(a.unknown_words, a.words),
            _share(a.continued_words, a.words),
        )
        for tokenizer, text, a in rows
    ]
    lines = columns([head, *body])
    for tokenizer, text, a in rows:
        for what, found in (("missing", a.missing), ("deleted by the normaliser", a.deleted)):
            if found:
                lines += ["", f"{short_name(tokenizer)} on {short_name(text)}, {what}:"]
                lines.append(most(found))
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"


def most(counts: Mapping[str, int], limit: int = 20, *, width: int = WIDTH) -> str:
    """Return the most frequent characters with code point and count, in lines of ``width``."""
    ranked = sorted(counts, key=lambda c: (-counts[c], c))
    shown = [
        f"{c if c.isprintable() else ''}(U+{ord(c):04X}) {counts[c]:,}" for c in ranked[:limit]
    ]
    return filled(shown + [f"and {len(ranked) - limit} more"] * (len(ranked) > limit), width=width)


def filled(items: Sequence[str], *, width: int = WIDTH) -> str:
    """Return ``items`` two spaces apart, in indented lines of at most ``width`` characters."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + 2 + len(item) > width:
            lines.append("")
        lines[-1] += f"  {item}"
    return "\n".join(lines)


def columns(rows: Sequence[Sequence[str]], *, width: int = WIDTH) -> list[str]:
    """Return ``rows`` as aligned lines: the first two columns to the left, numbers to the right.

    Where lines would be longer than ``width``, long names in the first two are shortened.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    while over > 0 and max(widths[:2]) > _NAME:
        widths[widths[0] < widths[1]] -= 1  # the longer of the two
        over -= 1
    names = (
        [_shortened(name, size) for name, size in zip(row, widths[:2], strict=False)]
        for row in rows
    )
    return [_aligned([*two, *row[2:]], widths) for two, row in zip(names, rows, strict=True)]


_NAME = 12  # characters of a name that are left at least


def _shortened(name: str, size: int) -> str:
    if len(name) <= size:
        return name
    return f"{name[: (size - 1) // 2]}…{name[len(name) - size // 2 :]}"


def short_name(name: str) -> str:
    """Return the end of a path that tells it from others: of vocab.txt and its like, the folder."""
    path = Path(name)
    return path.parent.name or path.name if path.name in _ALL_CALLED else path.name


_ALL_CALLED = ("vocab.txt", "tokenizer.json", "vocab.json", "merges.txt")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        c.ljust(w) if i < 2 else c.rjust(w)
        for i, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
