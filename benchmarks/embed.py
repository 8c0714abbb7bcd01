"""How long do methods take to initialise the rows of many new pieces, and how much memory?

    python benchmarks/embed.py TOKENIZER [--pieces 50000] [--width 768] [METHOD...]

New pieces are joined from two pieces of the tokenizer (a WordPiece) at random, a half of them
continuing, one in ten with a character that it lacks; rows are random, input and output untied.
Each method runs in a process of its own: seconds of the call alone, by the clock and of the CPU,
and the peak memory of the process, of which the tables and vocabularies are listed as "nothing".
Prints a Markdown table. ``mean_resizing`` is transformers', with a model of one layer.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any

import torch

from specialize.embed._rows import Tables
from specialize.environment import machine_facts
from specialize.recipe.methods import bind
from specialize.vocab.base import VocabChange
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import WordPiece, require_wordpiece

ABSENT = "\ua500"  # a letter of the Vai script
METHODS: Mapping[str, Mapping[str, Any]] = {
    "nothing": {},
    "random": {},
    "mean": {},
    "moments": {},
    "covariance": {},
    "script": {},
    "subwords": {},
    "subwords by length": {"weights": "length"},
    "subwords by position": {"weights": "position"},
    "overlap": {},
    "transliterated": {"mixin": {"method": "table", "scheme": "cyrillic"}},
    "alignment": {},
    "blend": {"of": ["subwords", "script"]},
    "focus": {},
    "knn": {},
    "ridge": {},
    "omp": {},
    "mean_resizing": {},
}
AUXILIARY = ("focus", "knn", "ridge", "omp")  # with a file of vectors, its reading included


def main() -> None:
    """Print the table, or measure one method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("methods", nargs="*", metavar="METHOD")
    parser.add_argument("--pieces", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(options.one, options)))
        return
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, torch ", end="")
    print(
        f"{torch.__version__}, {torch.get_num_threads()} threads; load {os.getloadavg()[0]:.1f}; "
    )
    print(f"{time.strftime('%Y-%m-%d')}\n\n| method | seconds | CPU seconds | peak memory |")
    print("|---|---:|---:|---:|")
    for name in options.methods or METHODS:
        words = [sys.executable, *sys.argv, "--one", name]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        memory = f"{found['memory'] / 1e9:.2f} GB"
        print(f"| {name} | {found['seconds']:.1f} | {found['cpu']:.1f} | {memory} |", flush=True)


def measured(name: str, options: argparse.Namespace) -> dict[str, float]:
    """Return seconds and peak memory of one method."""
    old = require_wordpiece(read_vocabulary(options.tokenizer))
    change = joined(old, options.pieces)
    call = peer(change, options.width) if name == "mean_resizing" else own(name, change, options)
    begun, cpu = time.perf_counter(), time.process_time()
    call()
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "cpu": cpu, "memory": memory}


def joined(old: WordPiece, count: int) -> VocabChange[WordPiece]:
    """Return the change that appends pieces joined from two old ones."""
    draw = Random(1)
    texts = [text for piece in old.pieces if (text := old.text(piece))]
    new: dict[str, None] = {}
    while len(new) < count:
        text = draw.choice(texts) + draw.choice(texts) + ABSENT * (draw.random() < 0.1)
        piece = "##" * (draw.random() < 0.5) + text
        if piece not in old.ids:
            new[piece] = None
    return old.place(new, slots=False)


def own(
    name: str, change: VocabChange[WordPiece], options: argparse.Namespace
) -> Callable[[], Any]:
    """Return a call of one of our methods."""
    size = len(change.old.pieces)
    tables = Tables(
        torch.randn(size, options.width), torch.randn(size, options.width), torch.randn(size)
    )
    if name == "nothing":
        return lambda: None
    given = METHODS[name]
    if name == "alignment":
        given = {"file": aligned(change)}
    if name in AUXILIARY:
        given = {**given, "vectors": vectors(change)}
    method = bind("embed", name.split()[0], given)
    return lambda: method(tables, change, [], seed=1)


def aligned(change: VocabChange[WordPiece]) -> str:
    """Return a file that aligns each new piece with ten old ones."""
    draw, pieces = Random(2), change.old.pieces
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv", delete=False) as file:
        for new in change.fresh_pieces:
            file.writelines(f"{new}\t{old}\t0.1\n" for old in draw.sample(pieces, 10))
    atexit.register(os.unlink, file.name)
    return file.name


def vectors(change: VocabChange[WordPiece]) -> str:
    """Return a file with a vector of 100 numbers for each piece."""
    draw = torch.Generator().manual_seed(3)
    with NamedTemporaryFile("w", encoding="utf-8", suffix=".vec", delete=False) as file:
        file.write(f"{len(change.new.pieces)} 100\n")
        for piece in change.new.pieces:
            numbers = torch.randn(100, generator=draw).tolist()
            file.write(f"{piece} {' '.join(f'{n:.4f}' for n in numbers)}\n")
    atexit.register(os.unlink, file.name)
    return file.name


def peer(change: VocabChange[WordPiece], width: int) -> Callable[[], Any]:
    """Return a call of transformers' resizing, whose new rows are drawn by the covariance."""
    from transformers import BertConfig, BertForMaskedLM

    heads = width // 64 or 1
    config = BertConfig(
        vocab_size=len(change.old.pieces),
        hidden_size=width,
        num_hidden_layers=1,
        num_attention_heads=heads,
        tie_word_embeddings=False,
    )
    model = BertForMaskedLM(config)
    return lambda: model.resize_token_embeddings(len(change.new.pieces), mean_resizing=True)


if __name__ == "__main__":
    main()
