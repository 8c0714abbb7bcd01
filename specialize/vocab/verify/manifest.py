"""The parts of manifest.json: a tokenizer's inputs, the outcome, and the checks.

It has no dates or folders: the same inputs give the same manifest.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from specialize.corpus.files import expand
from specialize.pipes import regular
from specialize.vocab.audit.audit import Audit
from specialize.vocab.base import VocabChange
from specialize.vocab.formats.detect import other_file
from specialize.vocab.formats.tokenizer_json import vocabulary_file
from specialize.vocab.verify.claims import Check

_COUNTS = ("words", "pieces", "unknown_words", "unknown_pieces", "continued_words")
_BESIDE = ("tokenizer_config.json", "config.json")
_SETTINGS = ("special_tokens_map.json", "added_tokens.json", "generation_config.json", "*.jinja")


def tool() -> str:
    """Return this package's name and version."""
    try:
        return f"specialize {importlib.metadata.version('specialize')}"
    except importlib.metadata.PackageNotFoundError:
        return "specialize, not installed"


def outcome(
    change: VocabChange[Any], checks: Sequence[Check], before: Audit, after: Audit
) -> dict[str, Any]:
    """Return the outcome and the checks; ``before``, ``after``: audits of the text."""
    old, new = len(change.old.pieces), len(change.new.pieces)
    return {
        "pieces": {
            "before": old,
            "after": new,
            "added": len(change.fresh),
            "in slots": sum(i < old for i in change.fresh) if change.extends else 0,
        },
        "text": {"before": _counts(before), "after": _counts(after)},
        "dropped": {
            "made known words unknown": list(change.dropped),
            "changed guarded words": list(change.refused),
        },
        "verified": [asdict(check) for check in checks],
        "rows needed": new,
    }


def fingerprints(**kinds: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Return name and SHA-256 of the input files of each kind, named as on the command line."""
    return {
        kind: [{"file": path.name, "sha256": _sha256(path)} for path in expand(names)]
        for kind, names in kinds.items()
    }


def tokenizer_files(path: Path) -> list[str]:
    """Return the files read from the tokenizer at ``path``, including config.json."""
    file = other_file(path) or vocabulary_file(path)
    beside = ("vocab.json", *_BESIDE) if file.name == "merges.txt" else _BESIDE
    patterns = (*beside, *_SETTINGS, "additional_chat_templates/*.jinja")
    found = (each for pattern in patterns for each in sorted(file.parent.glob(pattern)))
    return [str(each) for each in (file, *found) if each.is_file()]


def _sha256(path: Path) -> str:
    with regular(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _counts(audit: Audit) -> dict[str, Any]:
    found = audit.to_json()
    return {name: found[name] for name in _COUNTS}
