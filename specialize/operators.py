"""The native algorithms as PyTorch operators: tensors in, tensors out.

``torch.ops.specialize.audit`` and ``.count_replacements`` take bytes, pieces and rules as tensors;
the functions here build these from a vocabulary. Use them for text in memory or memory-mapped
(``torch.from_file``); for files and lines, use specialize.vocab, which covers more cases.
``torch.ops.specialize.single_root_trees`` decodes dependency trees; specialize.tasks needs no
operator for that.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from specialize import native
from specialize.errors import DataError, MissingError, UsageError
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules, character_rules
from specialize.vocab.wordpiece.replacements import pieces_in_words

AUDIT = ("words", "pieces", "unknown_pieces", "continued_words", "characters", "bytes")


def audit(text: Tensor, vocabulary: WordPiece) -> dict[str, int]:
    """Return the totals of ``vocab.audit.audit`` for UTF-8 ``text`` [N], a uint8 tensor."""
    load()
    _check(text)
    sums = torch.ops.specialize.audit(
        text,
        _pieces(vocabulary),
        _special(vocabulary),
        _rules(vocabulary.rules),
        vocabulary.prefix,
        vocabulary.ids[vocabulary.unk],
        min(vocabulary.max_chars, native.MOST_CHARACTERS),
        native.threads(),
    )
    return dict(zip(AUDIT, _utf8(sums).tolist(), strict=True))


def count_replacements(text: Tensor, old: WordPiece, new: WordPiece) -> tuple[Tensor, Tensor]:
    """Return how often each piece of ``new`` replaces unknowns of ``old`` [V], and occurs [V].

    ``text`` [N]: UTF-8 as uint8; units are pre-tokenised words (Chau et al. 2020).
    """
    for name in ("rules", "special", "prefix", "max_chars"):
        if getattr(old, name) != getattr(new, name):
            raise UsageError(f"expected vocabularies that split alike, got different {name}")
    for piece in pieces_in_words(old):
        raise UsageError(
            f"the special piece {piece!r} can occur inside a word; "
            "use specialize.vocab.wordpiece.replacements"
        )
    load()
    _check(text)
    replaced, overall = torch.ops.specialize.count_replacements(
        text,
        _pieces(old),
        _pieces(new),
        _special(old),
        _special(new),
        _rules(old.rules),
        old.prefix,
        old.ids[old.unk],
        new.ids[new.unk],
        min(old.max_chars, native.MOST_CHARACTERS),
        native.threads(),
    )
    return _utf8(replaced), overall


def single_root_trees(scores_BHH: Tensor, lengths_B: Tensor) -> Tensor:
    """Return the heads [B, n] in the best trees; see ``tasks._mst.single_root_trees``.

    ``scores_BHH`` [B, n + 1, n + 1]: float64; ``lengths_B``: int64; heads of pads are 0.
    """
    load()
    if scores_BHH.dim() != 3 or len({*scores_BHH.shape[1:]}) != 1 or not scores_BHH.shape[1]:
        raise UsageError(f"expected scores [B, n + 1, n + 1], got {list(scores_BHH.shape)}")
    if lengths_B.shape != scores_BHH.shape[:1]:
        raise UsageError(f"expected {len(scores_BHH)} lengths, got {list(lengths_B.shape)}")
    words = scores_BHH.shape[1] - 1
    if ((lengths_B < 0) | (lengths_B > words)).any():
        raise UsageError(f"expected lengths from 0 to {words}, got {lengths_B.tolist()}")
    heads: Tensor = torch.ops.specialize.single_root_trees(
        scores_BHH.detach().to("cpu", torch.float64).contiguous(),
        lengths_B.to("cpu", torch.int64).contiguous(),
    )
    if heads.dim() != 2:
        raise DataError("the scores of a tree are not numbers (nan); has the training diverged?")
    return heads


def _check(text: Tensor) -> None:
    if text.dtype != torch.uint8 or not text.is_contiguous() or text.device.type != "cpu":
        raise UsageError(
            "expected text as a contiguous uint8 tensor on the CPU, "
            f"got {str(text.dtype).removeprefix('torch.')} on {text.device}"
        )


def _utf8(found: Tensor) -> Tensor:
    """Return ``found``; DataError if the operator returned nothing."""
    if not found.numel():
        raise DataError("expected UTF-8 text, got other bytes")
    return found


@cache
def load() -> None:
    """Load the operators into torch; MissingError if they are not built."""
    try:
        import specialize_native
        from specialize_native import _core
    except ImportError as error:
        raise MissingError(
            f"the native extension is not installed ({error}); run: {_INSTALL}"
        ) from None
    if getattr(_core, "INTERFACE", 1) != native.INTERFACE:
        raise MissingError(f"the native extension is of a different version; run: {_INSTALL}")
    folder = Path(specialize_native.__file__).parent
    libraries = sorted(folder.glob("_ops*"))
    if not libraries:
        raise MissingError(f"{folder}: built without torch operators; run: {_INSTALL}")
    torch.ops.load_library(libraries[0])


_INSTALL = "pip install --no-build-isolation ./cpp_ext"


def _pieces(vocabulary: WordPiece) -> Tensor:
    return _bytes("".join(piece + "\n" for piece in vocabulary.pieces))


def _special(vocabulary: WordPiece) -> Tensor:
    return torch.tensor([vocabulary.ids[piece] for piece in vocabulary.special], dtype=torch.int64)


def _bytes(text: str) -> Tensor:
    return torch.frombuffer(bytearray(text, "utf-8"), dtype=torch.uint8)


@cache
def _rules(rules: BertRules) -> Tensor:
    ranges, texts = character_rules(rules)
    if texts:
        raise UsageError(
            "expected a cased vocabulary, got one that maps characters; use specialize.vocab"
        )
    return torch.tensor(ranges, dtype=torch.int64)
