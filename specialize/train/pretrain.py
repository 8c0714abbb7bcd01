"""Pretraining a small multilingual base from nothing: what each stage does.

The bundled "mini" comes from recipes/pretrain_mini.toml; any set of languages will do.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from specialize import atomic
from specialize.corpus import Corpus, CorpusFiles, open_corpus
from specialize.errors import DataError
from specialize.model.load import save_model
from specialize.model.mlm import MaskedModel
from specialize.model.new import new_model
from specialize.model.word_encoder import check_length
from specialize.progress import Log
from specialize.train import loop
from specialize.train.base_tokenizer import train_tokenizer, word_counter
from specialize.train.bits_per_byte import HeldOut, Row, encode, held_out, score
from specialize.train.distributed import start_equal, together
from specialize.train.masking import Masking, MaskPieces, mask_pieces
from specialize.train.mlm import Step, masked, train_language_model
from specialize.train.optim import at_least, device, muon, precision
from specialize.train.packing import pack
from specialize.train.sampling import mixed_order
from specialize.train.schedules import linear
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

VOCABULARY = "vocabulary"  # the tokenizer's folder within its stage
_PACKED, _DEV = "packed.npz", "dev.json"

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
    epochs: int = 10  # how often to measure and checkpoint within the steps
    rate: float = 2.5e-3  # of AdamW: embeddings, norms, biases
    hidden_rate: float = 0.004  # of Muon: all other matrices; at 0.02 the states lose their pieces
    warmup: int = 300  # steps of linear warm-up; then decay to 0
    decay: float = 0.1  # weight decay
    mask: float = 0.2  # share of the pieces to predict
    precision: str = "auto"  # float32 or bfloat16; auto: bfloat16 where it is fast
    seed: int = 1  # of weights, order and masks

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("", self, {"epochs": 1, "steps": self.epochs, "batch": 1, "length": 3})
        at_least("", self, {"rate": 0, "hidden_rate": 0, "warmup": 0, "decay": 0})
        precision(self.precision)


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
) -> None:
    """Write the packed text of every language, and held-out lines as input of the model."""
    corpora = open_languages(languages, remove, seed)
    vocabulary = read_vocabulary(tokenizer / VOCABULARY)
    framing = read_framing(vocabulary, tokenizer / VOCABULARY)
    check_length("length", length, framing)
    dev = {
        code: rows
        for code, corpus in corpora.items()
        if (rows := encode(_held_out(corpus, seed), vocabulary, framing, length=length))
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
    np.savez_compressed(folder / _PACKED, allow_pickle=False, **packed)
    held = {code: [asdict(row) for row in rows] for code, rows in dev.items()}
    atomic.write_text(folder / _DEV, json.dumps(held))


def write_base(
    folder: Path, *, log: Log, tokenizer: Path, text: Path, recipe: Pretrain, languages: list[str]
) -> None:
    """Write the trained model to ``folder/model``, and its history to ``training.json``."""
    source = tokenizer / VOCABULARY
    vocabulary = read_vocabulary(source)
    packed = _Packed.read(text, languages)
    given = {"folder": folder, "source": source, "text": text, "languages": languages}
    model, history = together(_trained, log=log, recipe=recipe, **given)
    save_model(model, vocabulary, folder / "model", source=source, dtype=torch.bfloat16)
    pad = read_framing(vocabulary, source).pad
    facts = {
        "history": [epoch.to_json() for epoch in history],
        "bits_per_byte": {code: score(model, rows, pad) for code, rows in packed.dev.items()},
        "sequences": packed.counts,
    }
    atomic.write_json(folder / "training.json", facts)
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def _trained(
    *, log: Log, folder: Path, source: Path, text: Path, recipe: Pretrain, languages: list[str]
) -> tuple[MaskedModel, list[loop.Epoch]]:
    """Return the trained model and its history."""
    vocabulary = read_vocabulary(source)
    framing = read_framing(vocabulary, source)
    model = new_model(
        recipe.shape,
        vocabulary,
        framing,
        seed=recipe.seed,
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.num_hidden_layers,
        num_attention_heads=recipe.num_attention_heads,
        intermediate_size=recipe.intermediate_size,
    ).to(device())
    start_equal(model)
    packed = _Packed.read(text, languages)
    pieces = mask_pieces(vocabulary, framing)
    return model, _train(recipe, model, pieces, packed, folder / "checkpoint.pt", log)


@dataclass(frozen=True)
class _Packed:
    """The text of every language, packed; and what its held-out lines are measured on."""

    sequences_NL: np.ndarray  # those of one language after those of another
    counts: list[int]  # sequences of each language
    dev: Mapping[str, Sequence[Row]]

    @classmethod
    def read(cls, folder: Path, languages: Sequence[str]) -> _Packed:
        """Return what `write_text` wrote."""
        with np.load(folder / _PACKED) as saved:
            parts = [saved[code] for code in languages]
        dev = {
            code: [Row(**row) for row in rows]
            for code, rows in atomic.read_json(folder / _DEV).items()
        }
        return cls(np.concatenate(parts), [len(part) for part in parts], dev)


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


def _held_out(corpus: Corpus, seed: int, lines: int = 15) -> HeldOut:
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


def _train(
    recipe: Pretrain,
    model: MaskedModel,
    pieces: MaskPieces,
    packed: _Packed,
    checkpoint: Path,
    log: Log,
) -> list[loop.Epoch]:
    steps = recipe.steps // recipe.epochs
    size = steps * recipe.batch
    total = recipe.steps * recipe.batch + len(packed.counts)
    items = mixed_order(packed.counts, total, alpha=recipe.alpha, seed=recipe.seed)

    def evaluate() -> float:
        found = [score(model, rows, pieces.pad) for rows in packed.dev.values()]
        return sum(found) / len(found)

    return train_language_model(
        model,
        masked(pieces, Masking(recipe.mask, words=True), recipe.seed),
        packed.sequences_NL,
        lambda epoch: items[epoch * size : (epoch + 1) * size],
        muon(model, rate=recipe.rate, hidden_rate=recipe.hidden_rate, decay=recipe.decay),
        linear(recipe.warmup, steps * recipe.epochs),
        evaluate,
        loop.Plan(
            recipe.epochs,
            steps,
            recipe.seed,
            keep_best=False,  # the rate falls to 0: the last is the best, whatever 15 lines say
            precision=precision(recipe.precision),
            checkpoint_seconds=120,
            metric="bits/byte",
            rates="rate or hidden_rate",
            unit="tokens",
            per_step=recipe.batch * recipe.length,
        ),
        Step(recipe.batch, pieces.pad),
        checkpoint=checkpoint,
        log=log,
    )
