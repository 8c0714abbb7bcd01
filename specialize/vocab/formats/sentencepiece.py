"""SentencePiece models: read as a tokenizer.json of the tokenizers library, and written back.

The ids are those of the .model. (XLM-R and other fairseq models number pieces after special ones
that are not in the .model: for these, ``vocab.open`` requires their tokenizer.json.) A text gets
the pieces of ``SentencePieceProcessor.encode``, with exceptions forced by the library:

- Control pieces and the unknown piece are special tokens, so the library matches them in a text;
  SentencePiece reads ``<s>`` in a text as three characters. The byte pieces of a Unigram,
  ``<0x41>``, are matched in this way too.
- Unigram: among equally probable segmentations, such as ``g gg`` and ``gg g``, rounding decides: of
  32 bits in SentencePiece, of 64 in the library.
- BPE: of several pieces with the same score, SentencePiece merges the first in the text, the
  library the first in the vocabulary. Only SentencePiece finds a piece with a character that has no
  piece.
- The library applies a map of characters (nmt_nfkc, ...) to short grapheme clusters, else to single
  characters; SentencePiece to the longest match. ``①`` with a combining acute loses the acute in
  the library, and a two-part vowel sign of Malayalam stays in two parts.
- A text that begins with U+2581 itself gets no dummy prefix if extra spaces are removed, unless the
  map turns that mark into a space (nmt_nfkc does); nor does a text that is just a user-defined
  symbol of a BPE.
- User-defined symbols that the map changes are split off first, as added tokens: the text on either
  side is treated as a separate text.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specialize.errors import DataError, MissingError
from specialize.vocab.bpe.merges import merges_of
from specialize.vocab.marks import MARK

Json = dict[str, Any]

_UNIGRAM, _BPE = 1, 2  # TrainerSpec.ModelType of sentencepiece_model.proto
_NORMAL, _UNKNOWN, _CONTROL, _SYMBOL, _UNUSED = 1, 2, 3, 4, 5  # SentencePiece.Type


def read_sentencepiece(path: Path) -> Json:
    """Return the tokenizer.json of a Unigram's or BPE's .model, with the .model's ids.

    It decodes like SentencePiece, except the unknown piece: to its name instead of `` ⁇ ``.
    DataError if the file is damaged, or the library does not support its model.
    """
    proto = _read(path)
    _check(proto, path)
    bpe = proto.trainer_spec.model_type == _BPE
    fixed = _fixed(proto)
    normalizer, pre_tokenizer = _layout(proto, [s for s in fixed if fixed[s] and bpe])
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(proto, fixed),
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": _decoder(proto),
        "model": _bpe(proto) if bpe else _unigram(proto),
    }


def write_sentencepiece(source: Path, pieces: Sequence[tuple[str, float]], out: Path) -> None:
    """Write ``source`` with ``pieces`` and their scores appended; nothing else changes.

    DataError if a piece exists already, is empty, or has a score that is not a number.
    """
    proto = _read(source)
    known = {piece.piece for piece in proto.pieces}
    for name, score in pieces:
        if name in known:
            raise DataError(f"{source}:1: duplicate piece {name!r}; leave it out")
        if not name or "\0" in name or not math.isfinite(score):
            raise DataError(f"{source}:1: {name!r} with the score {score} is not a valid piece")
        known.add(name)
        proto.pieces.add(piece=name, score=score, type=_NORMAL)
    out.write_bytes(proto.SerializeToString())


def special_names(source: Path) -> Json:
    """Return the special pieces of a .model by their names in transformers, as the file has them.

    The unknown, first, last and padding piece; its mask piece is not marked.
    """
    proto = _read(source)
    special = {i: p.piece for i, p in enumerate(proto.pieces) if p.type in (_UNKNOWN, _CONTROL)}
    ids = {kind: getattr(proto.trainer_spec, f"{kind}_id") for kind in ("bos", "eos", "unk", "pad")}
    return {f"{kind}_token": special[i] for kind, i in ids.items() if i in special}


def lowest_score(source: Path) -> float:
    """Return the lowest score of a normal piece of a .model, 0.0 if there is none."""
    scores = (piece.score for piece in _read(source).pieces if piece.type == _NORMAL)
    return min(scores, default=0.0)


# The file -----------------------------------------------------------------------------------------


def _read(path: Path) -> Any:
    """Return the ModelProto of a file that SentencePiece itself can read."""
    from google.protobuf.message import DecodeError
    from sentencepiece import SentencePieceProcessor
    from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

    if not path.is_file():
        raise MissingError(f"{path}: no such file; correct the path")
    content, proto = path.read_bytes(), ModelProto()
    try:
        proto.ParseFromString(content)
        SentencePieceProcessor(model_proto=content)
        fault = _damage(proto)
    except (DecodeError, RuntimeError, UnicodeDecodeError) as error:
        fault = " ".join(str(error).split())
    if fault:
        raise DataError(f"{path}:1: not a SentencePiece model, or damaged: {fault}; copy it again")
    return proto


def _damage(proto: Any) -> str:
    """Return a fault of a file that SentencePiece accepts; UnicodeDecodeError for invalid text."""
    if not proto.pieces or not proto.HasField("trainer_spec"):
        return f"{len(proto.pieces)} pieces without settings"
    if not all(isinstance(piece.piece, str) for piece in proto.pieces):
        return "a piece that is not UTF-8"  # invalid UTF-8 arrives as bytes
    if not all(math.isfinite(piece.score) for piece in proto.pieces):
        return "a score that is not a number"
    charsmap = proto.normalizer_spec.precompiled_charsmap  # a size in bytes, a trie, texts
    size = int.from_bytes(charsmap[:4], "little")
    charsmap[4 + size :].decode()
    return "a map of characters cut short" if size % 4 or size > len(charsmap) - 4 > 0 else ""


def _check(proto: Any, path: Path) -> None:
    trained = proto.trainer_spec
    unused = next((p.piece for p in proto.pieces if p.type == _UNUSED), None)
    fault = ""
    if trained.model_type not in (_UNIGRAM, _BPE):
        fault = f"model type {trained.model_type} (3 is word, 4 is char)"
    elif trained.treat_whitespace_as_suffix:
        fault = "treat_whitespace_as_suffix, a mark behind words,"
    elif unused is not None:
        fault = f"piece {unused!r} of the type UNUSED"
    if fault:
        raise DataError(
            f"{path}:1: {fault} is not handled; name a Unigram or BPE with marks before words"
        )


def _pieces(proto: Any, *types: int) -> list[str]:
    return [piece.piece for piece in proto.pieces if piece.type in types]


# The model ----------------------------------------------------------------------------------------


def _unigram(proto: Any) -> Json:
    """Return the model of a Unigram.

    Only normal pieces keep their scores: the score of unknown text depends on the lowest of all.
    """
    scores = [piece.score for piece in proto.pieces if piece.type == _NORMAL]
    longer = max([0.0, *scores])  # SentencePiece's bonus for a byte of a user-defined symbol

    def score(piece: Any) -> float:
        if piece.type == _SYMBOL:
            return len(piece.piece.encode()) * longer - 0.1
        return float(piece.score) if piece.type == _NORMAL else 0.0

    return {
        "type": "Unigram",
        "unk_id": next(i for i, piece in enumerate(proto.pieces) if piece.type == _UNKNOWN),
        "vocab": [[piece.piece, score(piece)] for piece in proto.pieces],
        "byte_fallback": proto.trainer_spec.byte_fallback,
    }


def _bpe(proto: Any) -> Json:
    """Return the model of a BPE: all merges of each normal piece, the highest score first."""
    ids = {piece.piece: i for i, piece in enumerate(proto.pieces)}
    normal = [piece for piece in proto.pieces if piece.type == _NORMAL]
    ranked = [piece.piece for piece in sorted(normal, key=lambda piece: -piece.score)]
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": _pieces(proto, _UNKNOWN)[0],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": proto.trainer_spec.byte_fallback,
        "ignore_merges": False,
        "vocab": ids,
        "merges": merges_of({piece: ids[piece] for piece in ranked}, ranked),
    }


# Normalisation and pre-tokenisation ---------------------------------------------------------------


def _steps(proto: Any) -> Json:
    """Return the normaliser without the dummy prefix and the marks."""
    spec, mark = proto.normalizer_spec, _mark(proto)
    steps: list[Json] = []
    if spec.precompiled_charsmap:
        charsmap = base64.b64encode(spec.precompiled_charsmap).decode()
        steps.append({"type": "Precompiled", "precompiled_charsmap": charsmap})
    if spec.remove_extra_whitespaces:
        steps += [_replace(f"[ {mark}]+\\z", ""), _replace(" {2,}", " ")]
    return {"type": "Sequence", "normalizers": steps}


def _layout(proto: Any, symbols: list[str]) -> tuple[Json, Json | None]:
    """Return normaliser and pre-tokeniser.

    XLM-R's if spaces are removed and a prefix is added: the pre-tokeniser turns a space before the
    text into the prefix. Otherwise Llama 2's, whose normaliser does everything. ``symbols`` are
    matched in the normalised text, so a text equal to one must get no prefix, because the library
    normalises their names too.
    """
    spec, mark, normalizer = proto.normalizer_spec, _mark(proto), _steps(proto)
    steps: list[Json] = normalizer["normalizers"]
    split = _marks_begin(_pieces(proto, _NORMAL, _SYMBOL))
    if spec.remove_extra_whitespaces and spec.add_dummy_prefix and mark == MARK and not symbols:
        return normalizer, _metaspace("first", split)
    if spec.remove_extra_whitespaces:
        steps.append(_replace("\\A +", ""))
    if spec.add_dummy_prefix and symbols:
        steps.append(_replace(f"\\A(?!(?:{'|'.join(map(re.escape, symbols))})\\z)", mark))
    elif spec.add_dummy_prefix:
        steps.append({"type": "Prepend", "prepend": mark})
    if spec.escape_whitespaces:
        steps.append({"type": "Replace", "pattern": {"String": " "}, "content": MARK})
    if proto.trainer_spec.model_type == _UNIGRAM and split and mark == MARK:
        return normalizer, _metaspace("never", split)
    return normalizer, None


def _mark(proto: Any) -> str:
    return MARK if proto.normalizer_spec.escape_whitespaces else " "


def _marks_begin(pieces: list[str]) -> bool:
    """Whether marks have pieces and only begin pieces, so that words can be split at them."""
    return MARK in pieces and not any(MARK in piece[1:] for piece in pieces)


def _replace(pattern: str, content: str) -> Json:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def _metaspace(scheme: str, split: bool) -> Json:
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


# Added tokens and decoding ------------------------------------------------------------------------


def _fixed(proto: Any) -> dict[str, bool]:
    """Return user-defined symbol -> whether the normaliser leaves it unchanged."""
    from tokenizers import Tokenizer

    symbols = _pieces(proto, _SYMBOL)
    if not symbols:
        return {}
    model = {"type": "BPE", "vocab": {}, "merges": []}
    empty = {"version": "1.0", "normalizer": _steps(proto), "model": model}
    normalize = Tokenizer.from_str(json.dumps(empty)).normalizer.normalize_str
    return {symbol: normalize(symbol) == symbol for symbol in symbols}


def _added(proto: Any, fixed: dict[str, bool]) -> list[Json]:
    """Return the added tokens: special pieces, and symbols that the model cannot find itself.

    A Unigram finds symbols by their scores, like SentencePiece. Symbols are matched in the
    normalised text, so the text is not split before; symbols that it changes, in the raw text.
    """
    unigram = proto.trainer_spec.model_type == _UNIGRAM
    found = []
    for i, piece in enumerate(proto.pieces):
        special = piece.type in (_UNKNOWN, _CONTROL)
        stays = fixed.get(piece.piece, False)
        if special or (piece.type == _SYMBOL and not (unigram and stays)):
            flags = dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
            token = {"id": i, "content": piece.piece, **flags}
            found.append(token | {"normalized": not special and stays, "special": special})
    return found


def _decoder(proto: Any) -> Json:
    steps: list[Json] = [{"type": "Replace", "pattern": {"String": MARK}, "content": " "}]
    if proto.trainer_spec.byte_fallback:
        steps.append({"type": "ByteFallback"})
    steps.append({"type": "Fuse"})
    if proto.normalizer_spec.add_dummy_prefix:
        steps.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {"type": "Sequence", "decoders": steps}
