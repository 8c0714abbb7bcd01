"""Tokenizers without models: audited on texts, and augmented for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from specialize import folders
from specialize.errors import UsageError
from specialize.methods import bind
from specialize.model.find import find_model
from specialize.vocab.audit import Audit, audit, audit_path
from specialize.vocab.base import VocabChange
from specialize.vocab.count import Text, count_words
from specialize.vocab.coverage import explain, write_pieces
from specialize.vocab.files import read_wordpiece, write_wordpiece
from specialize.vocab.wordpiece import WordPiece

__all__ = ["audit_path", "augment_tokenizer", "open_vocabulary", "table", "tokenizer_path"]


def tokenizer_path(name: str) -> Path:
    """Return where the tokenizer ``name`` lies: a path, the bundled model, or one of the hub."""
    path = Path(name).expanduser()
    return path if path.exists() else find_model(name)


def open_vocabulary(name: str | Path) -> WordPiece:
    """Return the vocabulary of a path, of the bundled model ("mini"), or of a model of the hub."""
    return read_wordpiece(tokenizer_path(str(name)))


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
            Path(tokenizer).name,
            Path(text).name,
            f"{a.words:,}",
            f"{a.fertility:.2f}",
            _share(a.unknown_pieces, a.pieces),
            _share(a.unknown_words, a.words),
            _share(a.continued_words, a.words),
        )
        for tokenizer, text, a in rows
    ]
    widths = [max(len(row[i]) for row in (head, *body)) for i in range(len(head))]
    lines = [_aligned(row, widths) for row in (head, *body)]
    for tokenizer, text, a in rows:
        for what, found in (("missing", a.missing), ("deleted by the normaliser", a.deleted)):
            if found:
                lines.append(
                    f"\n{Path(tokenizer).name} on {Path(text).name}, {what}: {_most(found)}"
                )
    return "\n".join(lines)


def augment_tokenizer(
    path: Path, corpus: Text, method: str, options: Mapping[str, Any], out: Path
) -> str:
    """Write the tokenizer of ``path`` with pieces for ``corpus`` to ``out``; return what changed.

    ``out`` gets tokenizer.json, tokenizer_config.json, vocab.txt, pieces.tsv and words_fixed.tsv,
    all or none; UsageError if it is a folder with something in it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; name another --out")
    change: VocabChange = bind("augment", method, options)(read_wordpiece(path), corpus)
    words = count_words(corpus, change.old.rules)
    facts = explain(change, words)
    before, after = audit(change.old, corpus), audit(change.new, corpus)
    with folders.whole_folder(out) as folder:
        write_wordpiece(change.new, folder, source=path)
        write_pieces([asdict(piece) for piece in facts], folder)
    added = f"{len(change.fresh)} pieces added by {method}: {' '.join(change.fresh_pieces[:20])}"
    shown = table([("before", "the text", before), ("after", "the text", after)])
    return f"{added}{' ...' if len(change.fresh) > 20 else ''}\n\n{shown}\n\n{out}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"


def _most(counts: Mapping[str, int], limit: int = 20) -> str:
    """Return the most frequent characters with code point and count."""
    ranked = sorted(counts, key=lambda c: (-counts[c], c))
    shown = "  ".join(
        f"{c if c.isprintable() else ''}(U+{ord(c):04X}) {counts[c]:,}" for c in ranked[:limit]
    )
    return shown + (f"  and {len(ranked) - limit} more" if len(ranked) > limit else "")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        c.ljust(w) if i < 2 else c.rjust(w)
        for i, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
