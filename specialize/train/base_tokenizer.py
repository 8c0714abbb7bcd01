"""The tokenizer of a new base: WordPiece, Unigram or byte-level BPE, trained on counted words.

Each is laid out as the best-known model of its family: mBERT's with [unusedN] slots, XLM-R's,
RoBERTa's. Special pieces, post-processor and configuration are those that plain transformers reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.space_units import MARK
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.json_files import CONFIG, write_json
from specialize.vocab.formats.tokenizer_json import write_wordpiece
from specialize.vocab.train.byte_pairs import most_frequent_letters, train_wordpiece
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

Words = Mapping[str, int]
Json = dict[str, Any]

TOKENIZERS = ("wordpiece", "unigram", "bpe")
_POSITIONS = 512  # the most pieces at once, special ones included
_MIN_COUNT = 5  # occurrences of a character or pair that becomes a piece
_FREQUENT = 2  # occurrences of a word that a Unigram is trained on: half of the types have one
_HEAD = ("<s>", "<pad>", "</s>", "<unk>")  # the first pieces of XLM-R and RoBERTa; ids 0 to 3
_MASK = "<mask>"  # the last


def word_counter(tokenizer: str) -> Callable[[Iterable[str]], Words]:
    """Return the function that counts the pre-tokenised words of lines for ``tokenizer``."""
    if tokenizer == "wordpiece":
        return count_words
    return _untrained(tokenizer).count_words


def train_tokenizer(
    tokenizer: str, words: Words, folder: Path, *, pieces: int, alphabet: int, slots: int
) -> None:
    """Write the tokenizer of at most ``pieces`` trained on ``words`` to ``folder``.

    ``alphabet``: only so many of the most frequent characters become pieces; byte-level BPE has all
    bytes. ``slots``: [unusedN] pieces of a WordPiece.
    """
    if tokenizer == "wordpiece":
        write_wordpiece(_wordpiece(words, pieces, alphabet, slots), folder)
        return
    if tokenizer == "unigram":
        letters = most_frequent_letters(words, alphabet)
        words = {w: n for w, n in words.items() if n >= _FREQUENT and letters.issuperset(w)}
    trained = _untrained(tokenizer).retrained(words, size=pieces - 1, min_count=_MIN_COUNT)
    described = _with_mask(trained.described)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "tokenizer.json", described, indent=None)
    write_json(folder / CONFIG, _CONFIG, indent=1)


def _wordpiece(words: Words, pieces: int, alphabet: int, slots: int) -> WordPiece:
    unused = [f"[unused{i}]" for i in range(1, slots + 1)]
    special = [SPECIAL[0], *unused, *SPECIAL[1:]]
    return WordPiece(
        train_wordpiece(words, size=pieces, special=special, alphabet=alphabet, closed=True)
    )


def _untrained(tokenizer: str) -> Unigram | BPE:
    """Return a vocabulary of special pieces with the rules of XLM-R or RoBERTa."""
    if tokenizer == "unigram":
        return Unigram(_described(_UNIGRAM_MODEL, _UNIGRAM_RULES), source=tokenizer)
    return BPE(_described(_BPE_MODEL, _BPE_RULES), source=tokenizer)


def _described(model: Json, rules: Json) -> Json:
    added = [_added(piece, i) for i, piece in enumerate(_HEAD)]
    frame = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    return frame | rules | {"model": model}


def _added(piece: str, id: int, *, lstrip: bool = False) -> Json:
    flags = {"single_word": False, "lstrip": lstrip, "rstrip": False, "normalized": False}
    return {"id": id, "content": piece, **flags, "special": True}


def _with_mask(described: Json) -> Json:
    """Return a tokenizer.json with the mask piece behind all others; it takes the space before."""
    model = described["model"]
    vocab, size = model["vocab"], len(model["vocab"])
    longer = [*vocab, [_MASK, 0.0]] if model["type"] == "Unigram" else {**vocab, _MASK: size}
    added = [*described["added_tokens"], _added(_MASK, size, lstrip=True)]
    return described | {"added_tokens": added, "model": model | {"vocab": longer}}


_PRECEDES = {"prepend_scheme": "always", "split": True}
_UNIGRAM_MODEL: Json = {
    "type": "Unigram",
    "unk_id": _HEAD.index("<unk>"),
    "vocab": [*([piece, 0.0] for piece in _HEAD), [MARK, -1.0]],
    "byte_fallback": False,
}
_UNIGRAM_RULES: Json = {  # XLM-R's, with NFKC instead of SentencePiece's map, which is close to it
    "normalizer": {
        "type": "Sequence",
        "normalizers": [
            {"type": "Nmt"},
            {"type": "NFKC"},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
        ],
    },
    "pre_tokenizer": {"type": "Metaspace", "replacement": MARK, **_PRECEDES},
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
        ],
        "pair": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 0}},
            {"SpecialToken": {"id": "</s>", "type_id": 0}},
        ],
        "special_tokens": {
            "<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
            "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
        },
    },
    "decoder": {"type": "Metaspace", "replacement": MARK, **_PRECEDES},
}
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_BPE_MODEL: Json = {
    "type": "BPE",
    "dropout": None,
    "unk_token": None,
    "continuing_subword_prefix": "",
    "end_of_word_suffix": "",
    "fuse_unk": False,
    "byte_fallback": False,
    "ignore_merges": False,
    "vocab": {piece: i for i, piece in enumerate(_HEAD)},
    "merges": [],
}
_BPE_RULES: Json = {
    "normalizer": None,
    "pre_tokenizer": _BYTES,
    "post_processor": {
        "type": "RobertaProcessing",
        "sep": ["</s>", 2],
        "cls": ["<s>", 0],
        "trim_offsets": True,
        "add_prefix_space": False,
    },
    "decoder": _BYTES,
}
_CONFIG: Json = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": _POSITIONS,
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": _MASK,
}
