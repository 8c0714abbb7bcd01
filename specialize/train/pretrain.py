"""Pretraining a small multilingual base from nothing: vocabulary, batches, model.

This is how the bundled "mini" is made (recipes/pretrain_mini.toml); any set of languages will do.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from specialize import atomic
from specialize.corpus import Corpus, CorpusFiles, open_corpus
from specialize.errors import DataError
from specialize.model.load import new_modernbert, save_model
from specialize.model.mlm import MaskedModel
from specialize.train import loop
from specialize.train.bits_per_byte import HeldOut, bits_per_byte, held_out
from specialize.train.mlm import Masking, train_masked
from specialize.train.optim import device, muon, precision
from specialize.train.packing import mixed_order, pack
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece
from specialize.vocab.framing import read_framing
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

Say = Callable[[str], None]


@dataclass(frozen=True)
class Pretrain:
    """A recipe for a base model; sizes are in pieces, rates per step."""

    languages: Mapping[str, tuple[str, ...]]  # code -> files
    remove: tuple[str, ...] = ()  # evaluation files whose sentences are taken out
    alpha: float = 0.7  # a language of n words has weight n^alpha
    bytes_per_language: int = 0  # bound on the text of one language; 0 = none
    pieces: int = 20_480
    alphabet: int = 3_000
    slots: int = 99
    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    intermediate_size: int = 384
    length: int = 128
    batch: int = 32
    steps: int = 10_000
    epochs: int = 10  # how often to measure and checkpoint within the steps
    rate: float = 2.5e-3  # of AdamW: embeddings, norms, biases
    hidden_rate: float = 0.004  # of Muon: all other matrices; at 0.02 the states lose their pieces
    warmup: int = 300
    decay: float = 0.1
    mask: float = 0.2
    precision: str = "auto"
    seed: int = 1


def pretrain(recipe: Pretrain, out: Path, *, say: Say) -> Path:
    """Train the base model of ``recipe`` and return its directory, ``out/model``.

    Resumes where it was stopped: vocabulary, packed text and training state are kept in ``out``.
    """
    out.mkdir(parents=True, exist_ok=True)
    corpora = {code: _open(recipe, files) for code, files in recipe.languages.items()}
    vocabulary = _vocabulary(recipe, corpora, out / "vocabulary", say)
    sequences, counts = _packed(recipe, corpora, vocabulary, out / "packed.npz", say)
    dev = {code: _held_out(corpus, recipe.seed) for code, corpus in corpora.items()}
    dev = {code: text for code, text in dev.items() if text.chunks}
    if not dev:
        raise DataError("no language has a document to hold out: give text of a hundred or more")
    model = new_modernbert(
        vocabulary,
        read_framing(vocabulary, out / "vocabulary"),
        seed=recipe.seed,
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.num_hidden_layers,
        num_attention_heads=recipe.num_attention_heads,
        intermediate_size=recipe.intermediate_size,
    ).to(device())
    history = _train(recipe, model, vocabulary, sequences, counts, dev, out, say)
    save_model(model, vocabulary, out / "model", dtype=torch.bfloat16)
    table = {
        code: bits_per_byte(model, vocabulary, t, length=recipe.length) for code, t in dev.items()
    }
    done = [asdict(e) for e in history]
    done[0]["train_loss"] = None  # JSON has no nan
    log = {"history": done, "bits_per_byte": table, "sequences": counts}
    atomic.write_json(out / "training.json", log)
    return out / "model"


def _open(recipe: Pretrain, files: tuple[str, ...]) -> Corpus:
    return open_corpus(CorpusFiles(files, remove=recipe.remove, dev=0.01, seed=recipe.seed))


def _limited(corpus: Corpus, limit: int) -> Iterator[list[str]]:
    """Yield documents until ``limit`` bytes (0 = all)."""
    size = 0
    for document in corpus.train().documents():
        yield document
        size += sum(len(line.encode()) for line in document)
        if limit and size > limit:
            return


def _vocabulary(
    recipe: Pretrain, corpora: Mapping[str, Corpus], folder: Path, say: Say
) -> WordPiece:
    if (folder / "vocab.txt").exists():
        return read_wordpiece(folder)
    counts = {}
    for code, corpus in corpora.items():
        lines = (
            line for document in _limited(corpus, recipe.bytes_per_language) for line in document
        )
        counts[code] = count_words(lines)
        say(f"{code}: {sum(counts[code].values()):,} words, {len(counts[code]):,} types")
    slots = [f"[unused{i}]" for i in range(1, recipe.slots + 1)]
    pieces = train_wordpiece(
        blend(counts, recipe.alpha),
        size=recipe.pieces,
        special=[SPECIAL[0], *slots, *SPECIAL[1:]],
        alphabet=recipe.alphabet,
        closed=True,
    )
    vocabulary = WordPiece(pieces)
    write_wordpiece(vocabulary, folder)
    return vocabulary


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


def _packed(
    recipe: Pretrain, corpora: Mapping[str, Corpus], vocabulary: WordPiece, file: Path, say: Say
) -> tuple[np.ndarray, list[int]]:
    if not file.exists():
        parts = {}
        for code, corpus in corpora.items():
            documents = _limited(corpus, recipe.bytes_per_language)
            parts[code] = pack(vocabulary, documents, recipe.length)
            say(f"{code}: {len(parts[code]):,} sequences of {recipe.length} pieces")
        partial = file.with_name("packing.npz")
        np.savez_compressed(partial, allow_pickle=False, **parts)
        partial.replace(file)
    with np.load(file) as saved:
        parts = {code: saved[code] for code in recipe.languages}
    return np.concatenate(list(parts.values())), [len(part) for part in parts.values()]


def _held_out(corpus: Corpus, seed: int, lines: int = 15) -> HeldOut:
    dev = [line for line, _ in zip(corpus.dev(), range(lines), strict=False)]
    sample = (line for line, _ in zip(corpus, range(5_000), strict=False))
    return held_out(dev, sample, seed=seed)


def _train(
    recipe: Pretrain,
    model: MaskedModel,
    vocabulary: WordPiece,
    sequences_NL: np.ndarray,
    counts: list[int],
    dev: Mapping[str, HeldOut],
    out: Path,
    say: Say,
) -> list[loop.Epoch]:
    optimizers = muon(model, rate=recipe.rate, hidden_rate=recipe.hidden_rate, decay=recipe.decay)
    whole = mixed_order(
        counts, recipe.steps * recipe.batch + len(counts), alpha=recipe.alpha, seed=recipe.seed
    )
    size = recipe.steps // recipe.epochs * recipe.batch
    steps = recipe.steps // recipe.epochs * recipe.epochs

    def evaluate() -> float:
        found = [bits_per_byte(model, vocabulary, t, length=recipe.length) for t in dev.values()]
        return sum(found) / len(found)

    def on_epoch(e: loop.Epoch) -> None:
        text = "" if math.isnan(e.train_loss) else f"training loss {e.train_loss:.3f} nats, "
        say(f"{e.epoch * e.steps:,} steps: {text}{e.score:.3f} bits/byte on held-out text")

    return train_masked(
        model,
        vocabulary,
        sequences_NL,
        lambda epoch: whole[epoch * size : (epoch + 1) * size],
        optimizers,
        loop.linear(recipe.warmup, steps),
        evaluate,
        loop.Plan(
            recipe.epochs,
            recipe.steps // recipe.epochs,
            recipe.seed,
            keep_best=False,  # the rate falls to 0: the last is the best, whatever 15 lines say
            precision=precision(recipe.precision),
            checkpoint_seconds=120,
        ),
        batch=recipe.batch,
        masking=Masking(recipe.mask, words=True),
        checkpoint=out / "checkpoints" / "pretrain.pt",
        on_epoch=on_epoch,
    )
