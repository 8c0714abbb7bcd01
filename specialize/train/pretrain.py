"""Pretraining a small multilingual base from nothing: its recipe, its tokenizer and its text.

The bundled "mini" comes from recipes/pretrain_mini.toml; any set of languages will do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from specialize import atomic
from specialize.corpus import Corpus, CorpusFiles, open_corpus
from specialize.errors import DataError, UsageError
from specialize.model.word_encoder import check_length
from specialize.progress import Log
from specialize.train.base_tokenizer import train_tokenizer, word_counter
from specialize.train.bits_per_byte import HeldOut, encode, held_out
from specialize.train.optim import at_least, in_equal_parts, precision
from specialize.train.packing import pack
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

VOCABULARY = "vocabulary"  # the tokenizer's folder within its stage
PACKED, DEV = "packed.npz", "dev.json"  # files of the text's stage

Languages = Sequence[tuple[str, Sequence[Path]]]  # code and files of each


@dataclass(frozen=True)
class Pretrain:
    """A recipe for a base model; sizes are in pieces, rates per step."""

    languages: Mapping[str, tuple[str, ...]]  # the table [languages]: code = [files]
    remove: tuple[str, ...] = ()  # evaluation files whose sentences are removed
    alpha: float = 0.7  # a language of n words has weight n^alpha
    bytes_per_language: int = 0  # bound on the text of one language; 0 = none
    tokenizer: Literal["wordpiece", "unigram", "bpe"] = "wordpiece"  # as mBERT, XLM-R, RoBERTa
    pieces: int = 20_480  # size of the vocabulary
    alphabet: int = 3_000  # the most frequent characters that become pieces; not of bpe
    slots: int = 99  # [unusedN] pieces of a wordpiece tokenizer
    shape: Literal["modernbert", "bert", "roberta", "xlm-roberta"] = "modernbert"
    # architecture; recipes with "bilstm" have other keys, below
    hidden_size: int = 256  # width of the states
    num_hidden_layers: int = 4  # layers
    num_attention_heads: int = 4  # attention heads of a layer
    intermediate_size: int = 384  # width of the feed-forward part
    length: int = 128  # pieces of a sequence
    batch: int = 32  # sequences of a step
    steps: int = 10_000  # of training
    epochs: int = 10  # how often to measure and checkpoint; divides the steps
    rate: float = 2.5e-3  # of AdamW: embeddings, norms, biases
    hidden_rate: float = 0.004  # of Muon: all other matrices; at 0.02 the states lose their pieces
    warmup: int = 300  # steps of linear warm-up; then decay to 0
    decay: float = 0.1  # weight decay
    mask: float = 0.2  # share of the pieces to predict
    precision: str = "auto"  # float32 or bfloat16; auto: bfloat16 where it is fast
    seed: int = 1  # of weights, order and masks
    modules: Literal["none", "xmod", "shared"] = "none"  # a bottleneck of half the width behind
    # each layer, written as modules.safetensors: one of each language (X-MOD), or one for all;
    # every batch is then of one language
    train_on: tuple[str, ...] = ()  # languages to train on; default: all; the tokenizer has all
    per_language: int = 0  # steps of each language, with batches of one language, in place of steps
    dev_lines: int = 15  # held-out lines of each language to measure on

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("", self, {"epochs": 1, "steps": self.epochs, "batch": 1, "length": 3})
        at_least("", self, {"rate": 0, "hidden_rate": 0, "warmup": 0, "decay": 0})
        at_least("", self, {"per_language": self.epochs if self.per_language else 0})
        at_least("", self, {"dev_lines": 1})
        if self.per_language and self.steps != Pretrain.steps:
            raise UsageError("steps and per_language exclude each other; name one of them")
        in_equal_parts("", self, "per_language" if self.per_language else "steps")
        precision(self.precision)
        self._check_languages()

    def _check_languages(self) -> None:
        """Refuse languages that there are not, and too few steps for batches of each."""
        for code in self.train_on:
            if code not in self.languages or self.train_on.count(code) > 1:
                raise UsageError(
                    f"expected in train_on each code once, of {', '.join(self.languages)}; got "
                    f"{', '.join(self.train_on)}"
                )
        least = len(self.codes)
        if self.one_language and not self.per_language and self.weighted_steps < least:
            raise UsageError(
                f"expected steps of at least {least}, a batch for each of "
                f"{', '.join(self.codes)}; got {self.weighted_steps}; raise steps, or name fewer "
                "languages in train_on"
            )

    @property
    def weighted_steps(self) -> int:
        """Return the steps of training, without per_language: as many in every epoch."""
        return self.steps // self.epochs * self.epochs

    @property
    def codes(self) -> list[str]:
        """Return the languages to train on."""
        return list(self.train_on or self.languages)

    @property
    def one_language(self) -> bool:
        """Whether each batch is of one language."""
        return self.modules != "none" or self.per_language > 0

    def key_parts(self) -> dict[str, Any]:
        """Return what the model depends on; of `_LATER` keys, those that are set.

        So what was trained before there were these is not trained again.
        """
        given = ((f, getattr(self, f.name)) for f in fields(self))
        return {f.name: v for f, v in given if f.name not in _LATER or v != f.default}


_LATER = ("modules", "train_on", "per_language", "dev_lines")


def write_tokenizer(
    folder: Path,
    *,
    log: Log,
    languages: Languages,
    remove: Sequence[Path],
    bytes_per_language: int,
    seed: int,
    alpha: float,
    tokenizer: str,
    pieces: int,
    alphabet: int,
    slots: int,
) -> None:
    """Write a tokenizer trained on the words of all languages to ``folder/vocabulary``."""
    corpora = open_languages(languages, remove, seed)
    counts, count = {}, word_counter(tokenizer)
    for code, corpus in corpora.items():
        documents = limited(corpus, bytes_per_language)
        counts[code] = count([line for document in documents for line in document])
        log.say(f"{code}: {sum(counts[code].values()):,} words, {len(counts[code]):,} types")
        log.step(len(counts), len(corpora))
    with atomic.whole_folder(folder / VOCABULARY) as partial:
        train_tokenizer(
            tokenizer,
            blend(counts, alpha),
            partial,
            pieces=pieces,
            alphabet=alphabet,
            slots=slots,
        )


def write_text(
    folder: Path,
    *,
    log: Log,
    tokenizer: Path,
    languages: Languages,
    remove: Sequence[Path],
    bytes_per_language: int,
    seed: int,
    length: int,
    dev_lines: int = 15,
) -> None:
    """Write the packed text of every language, and held-out lines as input of the model."""
    corpora = open_languages(languages, remove, seed)
    vocabulary = read_vocabulary(tokenizer / VOCABULARY)
    framing = read_framing(vocabulary, tokenizer / VOCABULARY)
    check_length("length", length, framing)
    dev = {
        code: rows
        for code, corpus in corpora.items()
        if (rows := encode(_held_out(corpus, seed, dev_lines), vocabulary, framing, length=length))
    }
    if not dev:
        raise DataError(
            "expected a language with held-out documents, got none; give text of a hundred or more"
        )
    packed = {}
    for code, corpus in corpora.items():
        documents = limited(corpus, bytes_per_language)
        packed[code] = pack(vocabulary, framing, documents, length)
        log.say(f"{code}: {len(packed[code]):,} sequences of {length} pieces")
        log.step(len(packed), len(corpora))
    np.savez_compressed(folder / PACKED, allow_pickle=False, **packed)
    held = {code: [asdict(row) for row in rows] for code, rows in dev.items()}
    atomic.write_text(folder / DEV, json.dumps(held))


def open_languages(
    languages: Languages, remove: Sequence[Path], seed: int, *, dev: float = 0.01
) -> dict[str, Corpus]:
    """Return the corpus of each language, by its code, without the evaluation files' sentences."""
    cleared = tuple(map(str, remove))
    return {
        code: open_corpus(CorpusFiles(tuple(map(str, files)), remove=cleared, dev=dev, seed=seed))
        for code, files in languages
    }


def limited(corpus: Corpus, limit: int) -> Iterator[list[str]]:
    """Yield the training documents until ``limit`` bytes (0 = all)."""
    size = 0
    for document in corpus.train().documents():
        yield document
        size += sum(len(line.encode()) for line in document)
        if limit and size > limit:
            return


def _held_out(corpus: Corpus, seed: int, lines: int) -> HeldOut:
    sample = (line for line, _ in zip(corpus, range(5_000), strict=False))
    return held_out(islice(corpus.dev(), lines), sample, seed=seed)


def blend(counts: Mapping[str, Mapping[str, int]], alpha: float) -> Counter[str]:
    """Return word counts of all languages together, each language's share n^alpha of the whole."""
    sizes = {code: sum(words.values()) for code, words in counts.items()}
    weight = sum(n**alpha for n in sizes.values())
    total = sum(sizes.values())
    blended: Counter[str] = Counter()
    for code, words in counts.items():
        factor = total * sizes[code] ** alpha / weight / sizes[code] if sizes[code] else 0.0
        for word, count in words.items():
            blended[word] += round(count * factor)
    return +blended
