"""Framings of small vocabularies with well-known layouts."""

from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing, frame_pieces


def bert(vocabulary: Vocabulary, positions: int = 512) -> Framing:
    frame = {"prefix": ["[CLS]"], "suffix": ["[SEP]"], "pad": "[PAD]", "mask": "[MASK]"}
    return frame_pieces(vocabulary, **frame, positions=positions)


def xlmr(vocabulary: Vocabulary, positions: int = 512) -> Framing:
    frame = {"prefix": ["<s>"], "suffix": ["</s>"], "pad": "<pad>", "mask": "<mask>"}
    return frame_pieces(vocabulary, **frame, positions=positions)
