"""Is a small base model useful? A linear UPOS probe on frozen states, in seen languages.

    SPECIALIZE_DATA=../shared/data python benchmarks/probe_mini.py [MODEL_DIRECTORY [TREEBANK...]]

Compared on dev, mean of three probe seeds, with (a) the same architecture with random weights and
(b) linear classifiers over character 1- to 4-grams of the word, alone and with those of its two
neighbours; trained on 100 sentences, which shows what the states encode, and on all sentences.
Prints a Markdown table.
"""

from __future__ import annotations

import sys
import time
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from specialize.environment import machine_facts
from specialize.model.find import find_model
from specialize.model.language_model import layers
from specialize.model.load import load_checkpoint, new_modernbert
from specialize.model.word_encoder import WordEncoder
from specialize.recipe.table import locate
from specialize.tasks import pos

TREEBANKS = (
    "Belarusian-HSE",
    "Greek-GDT",
    "Irish-IDT",
    "Tamil-TTB",
    "Turkish-IMST",
    "Vietnamese-VTB",
)
BUCKETS = 2**18
SEEDS = (1, 2, 3)
SIZES = {100: 30, 1_000_000: 8}  # training sentences -> epochs


def states(model: nn.Module, words: WordEncoder, sentences: list) -> Tensor:
    """Return first, last and mean piece of each word in all layers [W, 3 * layers * width].

    The last piece holds the ending, which says more about the word class than the mean.
    """
    found = []
    with torch.no_grad():
        for start in range(0, len(sentences), 64):
            batch = words.batch(
                [s.words for s in sentences[start : start + 64]], torch.device("cpu")
            )
            every_RLD = torch.cat(layers(model, batch.ids_RL, batch.real_RL), dim=-1)
            inside = batch.mean_RKL > 0
            place = torch.arange(inside.shape[-1])
            first_RK = torch.where(inside, place, len(place) - 1).amin(-1)
            last_RK = torch.where(inside, place, 0).amax(-1)
            row = torch.arange(len(every_RLD))[:, None]
            parts = (every_RLD[row, first_RK], every_RLD[row, last_RK], batch.mean_RKL @ every_RLD)
            per_word = torch.cat(parts, dim=-1).flatten(0, 1)[batch.place_BW]
            found.append(per_word[batch.mask_BW])
    return torch.cat(found)


def ngrams(sentences: list, *, context: bool) -> list[list[int]]:
    """Return hashed character 1- to 4-grams of every word, optionally of its neighbours too."""
    rows = []
    for sentence in sentences:
        own = [_grams(word) for word in sentence.words]
        for i, grams in enumerate(own):
            row = [f"0{g}" for g in grams]
            if context:
                row += [f"-{g}" for g in own[i - 1]] if i else ["-^"]
                row += [f"+{g}" for g in own[i + 1]] if i + 1 < len(own) else ["+$"]
            rows.append([zlib.crc32(g.encode()) % BUCKETS for g in row])
    return rows


def _grams(word: str) -> list[str]:
    framed = f"<{word}>"
    return [framed[i : i + n] for n in range(1, 5) for i in range(len(framed) - n + 1)]


def probe_states(
    train: Tensor, gold: Tensor, dev: Tensor, dev_gold: Tensor, seed: int, epochs: int
) -> float:
    """Return the dev accuracy of a linear classifier on (standardised) states."""
    mean, std = train.mean(0), train.std(0) + 1e-6
    train, dev = (train - mean) / std, (dev - mean) / std
    torch.manual_seed(seed)
    linear = nn.Linear(train.shape[1], int(gold.max()) + 1)
    fit(lambda items: linear(train[items]), linear, gold, seed, rate=1e-3, epochs=epochs)
    with torch.no_grad():
        return 100 * float((linear(dev).argmax(1) == dev_gold).float().mean())


def probe_ngrams(
    train: list, gold: Tensor, dev: list, dev_gold: Tensor, seed: int, epochs: int
) -> float:
    """Return the dev accuracy of a linear classifier on n-grams."""
    torch.manual_seed(seed)
    bag = nn.EmbeddingBag(BUCKETS, int(gold.max()) + 1, mode="sum")
    nn.init.zeros_(bag.weight)

    def scores(rows: list) -> Tensor:
        offsets = np.cumsum([0, *map(len, rows[:-1])])
        return bag(torch.tensor([g for row in rows for g in row]), torch.from_numpy(offsets))

    def picked(items: Tensor) -> Tensor:
        return scores([train[i] for i in items.tolist()])

    fit(picked, bag, gold, seed, rate=5e-3, epochs=epochs)
    with torch.no_grad():
        return 100 * float((scores(dev).argmax(1) == dev_gold).float().mean())


def fit(scores, module: nn.Module, gold: Tensor, seed: int, *, rate: float, epochs: int) -> None:
    """Train with Adam; the rate falls to 0."""
    optimizer = torch.optim.Adam(module.parameters(), lr=rate)
    size = 128
    total, step = epochs * -(-len(gold) // size), 0
    for epoch in range(epochs):
        order = torch.from_numpy(np.random.default_rng((seed, epoch)).permutation(len(gold)))
        for items in order.split(size):
            optimizer.param_groups[0]["lr"] = rate * (1 - step / total)
            loss = nn.functional.cross_entropy(scores(items), gold[items])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else find_model("mini")
    base = load_checkpoint(folder)
    c = base.model.config
    untrained = new_modernbert(
        base.vocabulary,
        base.framing,
        seed=1,
        hidden_size=c.hidden_size,
        num_hidden_layers=c.num_hidden_layers,
        num_attention_heads=c.num_attention_heads,
        intermediate_size=c.intermediate_size,
    ).eval()
    words = WordEncoder(base.vocabulary, base.framing, length=256)
    task = pos.task(column="upos")
    facts = machine_facts()
    print(
        f"UPOS accuracy on dev, mean of {len(SEEDS)} probe seeds; {time.strftime('%Y-%m-%d')}, "
        f"{facts['processor']}, {facts['cores']} cores, torch {facts['torch']}.\n"
    )
    print(
        "| treebank | sentences | words | mini, frozen | random weights | n-grams | "
        "n-grams, neighbours |\n|---|---|---|---|---|---|---|"
    )
    for name in sys.argv[2:] or TREEBANKS:
        whole, dev = (task.read(_file(name, part)) for part in ("train", "dev"))
        tags = {t: i for i, t in enumerate(task.labels([*whole, *dev])["tags"])}
        for size, epochs in SIZES.items():
            train = whole[:size]
            gold, dev_gold = (
                torch.tensor([tags[t] for s in part for t in s.gold]) for part in (train, dev)
            )
            cells = []
            for model in (base.model, untrained):
                seen, held = states(model, words, train), states(model, words, dev)
                found = [probe_states(seen, gold, held, dev_gold, s, epochs) for s in SEEDS]
                cells.append(np.mean(found))
            for context in (False, True):
                seen, held = ngrams(train, context=context), ngrams(dev, context=context)
                found = [probe_ngrams(seen, gold, held, dev_gold, s, epochs) for s in SEEDS]
                cells.append(np.mean(found))
            shown = " | ".join(f"{cell:.1f}" for cell in cells)
            print(f"| {name} | {len(train):,} | {len(gold):,} | {shown} |", flush=True)


def _file(treebank: str, part: str) -> Path:
    return locate(f"$SPECIALIZE_DATA/ud/UD_{treebank}/{part}.conllu.xz", Path())


if __name__ == "__main__":
    main()
