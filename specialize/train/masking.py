"""Masks over packed sequences: which positions are predicted, and what the model sees there."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing

# shapes: B sequences a batch, L pieces a sequence, V pieces in the vocabulary


@dataclass(frozen=True)
class Masking:
    """How positions are chosen: at which rate, dynamically or fixed, by piece or by word."""

    rate: float = 0.15
    static: int = 0  # 0 = dynamic; k = each sequence has k fixed maskings, taken in turn by epoch
    words: bool = False


@dataclass(frozen=True)
class MaskPieces:
    """The pieces of a vocabulary as masking sees them."""

    mask: int
    pad: int
    maskable_V: Tensor  # bool: may be chosen
    drawn: Tensor  # ids of the random replacements
    continuing_V: Tensor  # bool: not the first piece of its word


def mask_piece(framing: Framing) -> int:
    """Return the id of the mask piece; UsageError where the tokenizer has none."""
    if framing.mask is None:
        raise UsageError(
            "expected a tokenizer with a mask piece, got one without; set lapt = false or name "
            "another base"
        )
    return framing.mask


def mask_pieces(vocabulary: Vocabulary, framing: Framing) -> MaskPieces:
    """Return which pieces are masked and drawn; UsageError where the tokenizer has no mask piece.

    Special pieces are neither masked nor drawn. An unknown piece is masked, as any word, but never
    drawn; nor are [unusedN] slots. The authors' code draws from the whole vocabulary, [CLS] and
    [unused1] included.
    """
    mask_id = mask_piece(framing)
    size, unknown = len(vocabulary.pieces), vocabulary.ids.get(vocabulary.unk, -1)
    frame = {*framing.prefix, *framing.suffix, framing.pad, mask_id}
    special = (framing.special | frame) - {unknown}
    slots = {i for i, piece in enumerate(vocabulary.pieces) if piece.startswith("[unused")}
    drawn = [i for i in range(size) if i not in special and i not in slots and i != unknown]
    return MaskPieces(
        mask_id,
        framing.pad,
        torch.tensor([i not in special for i in range(size)]),
        torch.tensor(drawn),
        torch.tensor([vocabulary.continues(i) for i in range(size)]),
    )


def mask(
    ids_BL: Tensor,
    pieces: MaskPieces,
    *,
    rate: float,
    generator: torch.Generator,
    words: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return inputs [B, L] and the chosen positions [B, L] (bool).

    Each maskable position is chosen with probability ``rate``, or with ``words`` each word with all
    its pieces; of the chosen positions, 80 % become the mask piece, 10 % a random piece, 10 % stay
    (Devlin et al. 2019, §3.1; whole words: their later release).
    """
    maskable = pieces.maskable_V[ids_BL]
    draw = torch.rand(ids_BL.shape, generator=generator)
    if words:
        first = torch.arange(ids_BL.shape[1]).masked_fill(pieces.continuing_V[ids_BL], 0)
        draw = draw.gather(1, first.cummax(1).values)
    chosen = maskable & (draw < rate)
    if not chosen.any():  # a tiny batch: without a position there is no loss
        chosen = maskable & (torch.cumsum(maskable.flatten(), 0).view_as(maskable) == 1)
    kind = torch.rand(ids_BL.shape, generator=generator)
    picks = torch.randint(len(pieces.drawn), ids_BL.shape, generator=generator)
    inputs = torch.where(chosen & (kind < 0.8), pieces.mask, ids_BL)
    return torch.where(chosen & (kind >= 0.9), pieces.drawn[picks], inputs), chosen
