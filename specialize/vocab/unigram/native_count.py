"""Counting with Unigram tokenizers natively, with the same result as the tokenizers library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from specialize import native
from specialize.vocab.counting.space_units import CONTEXT, UnitAudit, UnitCounts, solid
from specialize.vocab.marks import MARK

Json = dict[str, Any]

_PENALTY = 10.0  # of an unknown character, below the lowest score of a piece
_TOGETHER = 64  # units per normalisation


@dataclass(frozen=True)
class Unigram:
    """A Unigram in the native extension."""

    handle: Any
    marks: tuple[bool, bool]  # whether the mark precedes later units, and first units
    special: tuple[str, ...]
    normalize: Callable[[str], str] | None

    def count(self, units: UnitCounts) -> UnitAudit:
        """Return the totals of ``units``; left over: normalised or multi-word units."""
        fallback = list(_normalized(units, self.normalize)) if self.normalize else []
        return UnitAudit(
            *units.core.unigram_count(
                units.handle, self.handle, self.marks, self.special, fallback, native.threads()
            )
        )


def unigram(described: Json, normalize: Callable[[str], str] | None) -> Unigram | None:
    """Return the Unigram of a tokenizer.json, if the extension can count it all."""
    model, marks = described["model"], _marks(described.get("pre_tokenizer") or {})
    if model["type"] != "Unigram" or model["unk_id"] is None or model.get("byte_fallback"):
        return None
    pieces = [(piece, score) for piece, score in model["vocab"]]
    names = {piece for piece, _ in pieces}
    if marks is None or MARK not in names or "" in names or len(names) < len(pieces):
        return None
    unknown = min(score for _, score in pieces) - _PENALTY
    special = tuple(token["content"] for token in described.get("added_tokens") or ())
    handle = native.core().unigram_new(pieces, unknown)
    return Unigram(handle, marks, special, normalize)


def _marks(pre: Json) -> tuple[bool, bool] | None:
    steps = pre.get("pretokenizers", [pre])
    types = [step.get("type") for step in steps]
    if types not in (["Metaspace"], ["WhitespaceSplit", "Metaspace"]):
        return None
    step = steps[-1]
    if step["replacement"] != MARK or not step["split"]:
        return None
    scheme = step["prepend_scheme"]
    kept = len(types) == 1  # the space of a later unit, which becomes the mark
    return kept or scheme == "always", scheme != "never"


def _normalized(units: UnitCounts, normalize: Callable[[str], str]) -> Iterator[str]:
    """Yield the units that ``normalize`` changes, and possibly a few others.

    Many are tried together, since a normaliser does not look across their boundaries.
    """
    plain = []
    for unit in units:
        if solid(unit[-1]) and (unit[0] == " " or solid(unit[0])):
            plain.append(unit if unit[0] == " " else " " + unit)
        else:
            yield unit
    for begin in range(0, len(plain), _TOGETHER):
        block = plain[begin : begin + _TOGETHER]
        text = CONTEXT + "".join(block)
        if normalize(text) != text:
            for unit in block:
                if normalize(CONTEXT + unit) != CONTEXT + unit:
                    yield from (unit, unit[1:])
