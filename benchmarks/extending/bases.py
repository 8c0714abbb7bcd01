"""Tokenizers to extend: trained here like XLM-R's, Llama 3's and Llama 2's, and real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from specialize.vocab.formats.sentencepiece import read_sentencepiece
from specialize.vocab.open import read_vocabulary
from specialize.vocab.write import write_vocabulary

SIZE = 32_000
FILE = "tokenizer.json"
MODEL = "spiece.model"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def make_base(name: str, data: Path, text: Callable[[], Path], folder: Path) -> Path:
    """Return the folder of the base ``name``, created unless it exists."""
    if not (folder / FILE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        if name in REAL:
            write_vocabulary(read_vocabulary(data / "vocab" / REAL[name]), folder)
        else:
            MADE[name](text(), folder)
    return folder


def xlmr_like(text: Path, folder: Path) -> None:
    """Train a Unigram with the normaliser, ids and special pieces of XLM-R."""
    file = train_sentencepiece(text, folder / "trained.model", "unigram", SIZE)
    described = read_sentencepiece(file)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trained = [(piece, score) for piece, score in described["model"]["vocab"][3:]]
    vocab = [*((piece, 0.0) for piece in special), *trained, ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocab, unk_id=3))
    charsmap = Tokenizer.from_str(json.dumps(described)).normalizer
    tokenizer.normalizer = normalizers.Sequence(
        [charsmap, normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([*special, "<mask>"])
    tokenizer.save(str(folder / FILE))


def llama3_like(text: Path, folder: Path) -> None:
    """Train a byte-level BPE with Llama 3's pattern, special tokens above its pieces."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    cut = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, to_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train([str(text)], byte_trainer(SIZE))
    reserved = [f"<|reserved_special_token_{i}|>" for i in range(8)]
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", *reserved])
    tokenizer.save(str(folder / FILE))


def llama2_like(text: Path, folder: Path) -> None:
    """Train a SentencePiece BPE with byte pieces, digits apart and no normalisation."""
    file = train_sentencepiece(text, folder / MODEL, "bpe", SIZE)
    write_described(read_sentencepiece(file), folder)


def train_sentencepiece(text: Path, file: Path, kind: str, size: int) -> Path:
    """Train a SentencePiece model with the settings of XLM-R (unigram) or Llama 2 (bpe)."""
    llama = kind == "bpe"
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(file.with_suffix("")),
        model_type=kind,
        vocab_size=size,
        character_coverage=0.9995,
        normalization_rule_name="identity" if llama else "nmt_nfkc",
        byte_fallback=llama,
        split_digits=llama,
        remove_extra_whitespaces=not llama,
        num_threads=1,
        minloglevel=2,
        max_sentence_length=100_000,
    )
    file.with_suffix(".vocab").unlink()
    return file


def byte_trainer(size: int) -> trainers.BpeTrainer:
    """Return the trainer of a byte-level BPE."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)


def write_described(described: dict[str, Any], folder: Path) -> None:
    """Write a tokenizer.json."""
    (folder / FILE).write_text(json.dumps(described), "utf-8")


MADE = {"xlmr-like": xlmr_like, "llama3-like": llama3_like, "llama2-like": llama2_like}
REAL = {
    "mbert": "bert-base-multilingual-cased",
    "bert-cased": "bert-base-cased",
    "gpt2": "gpt2",
    "t5": "t5",
}
BASES = (*MADE, *REAL)
SERVES = {  # languages a base serves, if not all
    "bert-cased": ("English-EWT",),
    "gpt2": ("English-EWT",),
    "t5": ("English-EWT", "French-GSD", "German-GSD"),
}
