"""Characters that leave no trace: a BPE without an unknown piece drops what it has no piece for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specialize.vocab.marks import BYTE, is_byte_level

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def drops_characters(described: dict[str, Any]) -> bool:
    """Whether the library silently drops characters without a piece."""
    model = described["model"]
    if model["type"] != "BPE" or model.get("unk_token") or is_byte_level(described):
        return False
    all_bytes = sum(bool(BYTE.fullmatch(piece)) for piece in model["vocab"]) == 256
    return not (model.get("byte_fallback") and all_bytes)


class Lost:
    """The characters that a tokenizer drops: ``character in lost``."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Inspect characters of ``tokenizer`` when they are asked for."""
        self._normalizer, self._pre = tokenizer.normalizer, tokenizer.pre_tokenizer
        self._model = tokenizer.model
        self._known: dict[str, bool] = {}

    def __contains__(self, character: str) -> bool:
        """Whether part of the character's normalised form has no piece."""
        if character not in self._known:
            self._known[character] = not character.isspace() and self._is_dropped(character)
        return self._known[character]

    def _is_dropped(self, character: str) -> bool:
        form = self._normalizer.normalize_str(character) if self._normalizer else character
        parts = [part for part, _ in self._pre.pre_tokenize_str(form)] if self._pre else [form]
        # subtle: twice, because the last character of a word may have another piece (c</w>)
        return any(not self._model.tokenize(c * 2) for c in "".join(parts) if not c.isspace())
