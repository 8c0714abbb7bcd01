"""Tiny random models of every shape, with tokenizers of a few pieces, written to folders."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tokenizers import pre_tokenizers

from specialize.vocab.framing import Framing, frame_pieces

Json = dict[str, Any]
WIDTH = 8
BERT = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
FAIRSEQ = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}


@dataclass(frozen=True)
class Shape:
    """A model class with its kind of tokenizer."""

    model: str  # as in BertConfig
    family: str
    names: Mapping[str, str]  # special pieces, in the order of their ids
    mask_last: bool = False
    config: Json = field(default_factory=dict)


_DISENTANGLED = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "type_vocab_size": 0}
_DISENTANGLED |= {"position_biased_input": False}
_DISENTANGLED_2 = {"position_buckets": 4, "share_att_key": True, "norm_rel_ebd": "layer_norm"}
_ALBERT = {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_MPNET = FAIRSEQ | {"unk": "[UNK]"}
_V2 = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}
SHAPES = {
    "bert": Shape("Bert", "WordPiece", BERT),
    "roberta": Shape("Roberta", "BPE", FAIRSEQ, mask_last=True),
    "xlm-r": Shape("XLMRoberta", "Unigram", FAIRSEQ, mask_last=True),
    "modernbert": Shape("ModernBert", "BPE", _V2),
    "deberta": Shape("Deberta", "BPE", _V2, mask_last=True, config=_DISENTANGLED),
    "deberta-own-head": Shape(
        "Deberta", "BPE", _V2, mask_last=True, config={"legacy": False} | _DISENTANGLED
    ),
    "deberta-v2": Shape("DebertaV2", "Unigram", _V2, config=_DISENTANGLED | _DISENTANGLED_2),
    "deberta-v2-own-head": Shape("DebertaV2", "Unigram", _V2, config={"legacy": False}),
    "camembert": Shape("Camembert", "Unigram", FAIRSEQ, mask_last=True),
    "mpnet": Shape("MPNet", "WordPiece", _MPNET, mask_last=True),
    "x-mod": Shape(
        "Xmod",
        "Unigram",
        FAIRSEQ,
        mask_last=True,
        config={"languages": ["en_XX", "de_DE"], "default_language": "de_DE"},
    ),
    "electra": Shape("Electra", "WordPiece", BERT, config={"embedding_size": 6}),
    "distilbert": Shape("DistilBert", "WordPiece", BERT),
    "albert": Shape("Albert", "Unigram", _ALBERT, config={"embedding_size": 6}),
}
NEW: dict[str, Any] = {  # pieces missing from the vocabularies
    "WordPiece": ["cab", "##ab", "zz"],
    "BPE": ["ab", "Ġcab"],
    "Unigram": {"▁cab": -2.0, "abc": -2.5, "▁z": -3.0},
}
FRESH_WORDS = {"WordPiece": "cab", "BPE": "cab", "Unigram": "cab"}  # a word that is one new piece


def change_of(vocabulary: Any, shape: Shape) -> Any:
    """Return the change that appends the new pieces of the shape's family."""
    return vocabulary.place(NEW[shape.family])


def write_model(
    name: str,
    folder: Path,
    *,
    tied: bool = True,
    padding: int = 0,
    positions: int = 20,
    **config: Any,
) -> Path:
    """Write a random model of the shape ``name``; ``padding``: rows beyond the pieces."""
    shape = SHAPES[name]
    described = write_tokenizer(shape, folder)
    ids = _ids(described)
    model = random_model(
        shape,
        vocab_size=len(ids) + padding,
        positions=positions,
        tied=tied,
        ids={role: ids[piece] for role, piece in shape.names.items()},
        **config,
    )
    model.save_pretrained(folder)
    if name.endswith("own-head") and tied:
        _skip_unless_transformers_loads(folder)
    return folder


def _skip_unless_transformers_loads(folder: Path) -> None:
    """Skip where this version cannot tie DeBERTa's own head, as 5.17 cannot."""
    try:
        transformers.AutoModelForMaskedLM.from_pretrained(folder)
    except AttributeError as error:
        pytest.skip(f"transformers {transformers.__version__} cannot load this head: {error}")


def random_model(
    shape: Shape,
    *,
    vocab_size: int,
    positions: int,
    tied: bool,
    ids: Mapping[str, int],
    **config: Any,
) -> Any:
    """Return a model with random weights, biases and norms included."""
    from_padding = shape.model in ("Roberta", "XLMRoberta", "Camembert", "MPNet", "Xmod")
    rows = positions + ids["pad"] + 1 if from_padding else positions
    settings = {
        "vocab_size": vocab_size,
        "hidden_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": rows,
        "tie_word_embeddings": tied,
        "pad_token_id": ids["pad"],
        "bos_token_id": ids["cls"],
        "cls_token_id": ids["cls"],
        "eos_token_id": ids["sep"],
        "sep_token_id": ids["sep"],
    }
    made = getattr(transformers, f"{shape.model}Config")(**settings | shape.config | config)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForMaskedLM.from_config(made)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.4)
    return model.eval()


def write_tokenizer(shape: Shape, folder: Path) -> Json:
    """Write tokenizer.json and tokenizer_config.json and return the former."""
    folder.mkdir(parents=True, exist_ok=True)
    described = _DESCRIBE[shape.family](shape)
    ids = _ids(described)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    described["added_tokens"] = sorted(
        ({"id": ids[n], "content": n, "special": True} | flags for n in shape.names.values()),
        key=lambda token: token["id"],
    )
    cls, sep = shape.names["cls"], shape.names["sep"]
    described["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [_special(cls), {"Sequence": {"id": "A", "type_id": 0}}, _special(sep)],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {n: {"id": n, "ids": [ids[n]], "tokens": [n]} for n in (cls, sep)},
    }
    common = {"version": "1.0", "truncation": None, "padding": None}
    (folder / "tokenizer.json").write_text(json.dumps(common | described), "utf-8")
    config = {f"{role}_token": piece for role, piece in shape.names.items()}
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return described


def framing_of(
    vocabulary: Any, names: Mapping[str, str] = BERT, *, positions: int = 512
) -> Framing:
    """Return the framing of a vocabulary whose special pieces have these names."""
    return frame_pieces(
        vocabulary,
        prefix=[names["cls"]],
        suffix=[names["sep"]],
        pad=names["pad"],
        mask=names["mask"],
        positions=positions,
    )


def _special(name: str) -> Json:
    return {"SpecialToken": {"id": name, "type_id": 0}}


def _pieces(shape: Shape, ordinary: Sequence[str]) -> list[str]:
    names = [n for role, n in shape.names.items() if not (shape.mask_last and role == "mask")]
    return [*names, *ordinary, *([shape.names["mask"]] if shape.mask_last else [])]


def _ids(described: Json) -> dict[str, int]:
    vocab = described["model"]["vocab"]
    return vocab if isinstance(vocab, dict) else {piece: i for i, (piece, _) in enumerate(vocab)}


def _wordpiece(shape: Shape) -> Json:
    ordinary = [*"abcdef", *(f"##{c}" for c in "abcdef"), "ab"]
    model = {"type": "WordPiece", "unk_token": shape.names["unk"], "max_input_chars_per_word": 100}
    model |= {"continuing_subword_prefix": "##"}
    model["vocab"] = {piece: i for i, piece in enumerate(_pieces(shape, ordinary))}
    rules = {"clean_text": True, "handle_chinese_chars": True, "strip_accents": False}
    return {
        "normalizer": {"type": "BertNormalizer", "lowercase": False} | rules,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": model,
    }


def _byte_level(shape: Shape) -> Json:
    merges = [["Ġ", "c"], ["b", "c"], ["a", "bc"]]
    merged = ["".join(pair) for pair in merges]
    pieces = _pieces(shape, [*sorted(pre_tokenizers.ByteLevel.alphabet()), *merged])
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    level |= {"use_regex": True}
    model = {"type": "BPE", "vocab": {piece: i for i, piece in enumerate(pieces)}}
    return {
        "normalizer": None,
        "pre_tokenizer": level,
        "decoder": level,
        "model": model | {"merges": merges},
    }


def _unigram(shape: Shape) -> Json:
    scores = {"▁": -2.0, "▁a": -3.0, "▁ab": -4.0, "ab": -5.0} | dict.fromkeys("abcdef", -6.0)
    pieces = _pieces(shape, list(scores))
    mark = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    vocab = [[piece, scores.get(piece, 0.0)] for piece in pieces]
    unk = pieces.index(shape.names["unk"])
    return {
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": mark,
        "decoder": mark,
        "model": {"type": "Unigram", "unk_id": unk, "vocab": vocab, "byte_fallback": False},
    }


_DESCRIBE = {"WordPiece": _wordpiece, "BPE": _byte_level, "Unigram": _unigram}
