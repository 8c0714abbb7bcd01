"""SentencePiece models: read as the tokenizer.json of the tokenizers library, and written back.

The ids are the .model's own. (XLM-R and others of fairseq count theirs from 1 on, behind special
pieces that no .model holds: for these, ``vocab.open`` asks for their tokenizer.json.) A text has
the pieces that ``SentencePieceProcessor.encode`` finds, with exceptions that the library forces:

- Control pieces and the unknown are special tokens, and found where a text writes them out, as all
  of the library's are; SentencePiece takes ``<s>`` in a text for three characters. The byte pieces
  of a Unigram, ``<0x41>``, are found in this way too.
- Unigram: among segmentations that are equally probable, such as ``g gg`` and ``gg g``, roundings
  decide, of 32 bits in SentencePiece and of 64 in the library.
- BPE: of several pieces with one score, SentencePiece merges the first in the text, the library the
  first in the vocabulary. A piece with a character that is no piece is found by SentencePiece only.
- A map of characters (nmt_nfkc, ...) is looked up by the library for short grapheme clusters, else
  for single characters; by SentencePiece for the longest run. ``①`` with a combining acute loses
  the acute in the library, and a vowel sign of Malayalam in two parts stays in two.
- A text that begins with U+2581 itself gets no dummy prefix where extra spaces are removed, unless
  the map makes that mark a space (nmt_nfkc does); nor does one that is nothing but a user-defined
  symbol of a BPE.
- User-defined symbols that the map changes are cut out of the text before, as added tokens: what
  is on either side is a text of its own.
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

    It decodes as SentencePiece does, but the unknown to its own name where that has `` ⁇ ``.
    DataError where the file is damaged, or its model is one the library cannot follow.
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
    """Write ``source`` with ``pieces`` and their scores appended; all else stays as it is.

    DataError where a piece is there already, is empty, or has a score that is no number.
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
        raise DataError(f"{path}:1: no SentencePiece model, or damaged: {fault}; copy it again")
    return proto


def _damage(proto: Any) -> str:
    """Return what SentencePiece does not mind in a file; UnicodeDecodeError for a text of none."""
    if not proto.pieces or not proto.HasField("trainer_spec"):
        return f"{len(proto.pieces)} pieces and no settings behind them"
    if not all(isinstance(piece.piece, str) for piece in proto.pieces):
        return "a piece that is no UTF-8"  # it comes as bytes
    if not all(math.isfinite(piece.score) for piece in proto.pieces):
        return "a score that is no number"
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

    Only normal pieces keep their scores: the lowest of all is what the unknown's is reckoned from.
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


# What is done to a text before --------------------------------------------------------------------


def _steps(proto: Any) -> Json:
    """Return the normaliser but for the dummy prefix and the marks."""
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

    XLM-R's where spaces are removed and a prefix is put: the pre-tokeniser turns a space before the
    text into the prefix. Else Llama 2's, whose normaliser does it all. ``symbols`` are found in the
    normalised text, so the prefix must leave a text alone that is one of them: the library
    normalises their names, too.
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
    """Whether marks are known, and stand nowhere but before a piece: words can be cut there."""
    return MARK in pieces and not any(MARK in piece[1:] for piece in pieces)


def _replace(pattern: str, content: str) -> Json:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


def _metaspace(scheme: str, split: bool) -> Json:
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


# Added tokens and the way back --------------------------------------------------------------------


def _fixed(proto: Any) -> dict[str, bool]:
    """Return user-defined symbol -> whether the normaliser leaves it as it is."""
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

    A Unigram finds symbols by their scores, as SentencePiece does. Symbols are looked for in the
    normalised text, which is then not cut before it is normalised; a changed one in the text.
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
