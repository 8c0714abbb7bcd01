"""How fast are training and prediction of a task on words?

    python benchmarks/finetune.py TASK=FOLDER... [--train N] [--dev N] [--precision NAME]

FOLDER, of $SPECIALIZE_DATA/ud or ner: dep=UD_Irish-IDT pos=UD_Irish-IDT ner=wikiann/wo.

Fine-tunes the bundled base for one epoch on the first N training sentences, the encoder included,
and annotates the first N of dev. One thread, CPU seconds, so that other work on the machine
matters less; prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import torch

from specialize.environment import machine_facts
from specialize.model.find import find_model
from specialize.model.load import load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.recipe.methods import bind
from specialize.train.finetune import Data, Finetune, finetune, predict

DATA = Path(os.environ.get("SPECIALIZE_DATA", "../shared/data"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="+", metavar="TASK=FOLDER")
    parser.add_argument("--train", type=int, default=480)
    parser.add_argument("--dev", type=int, default=300)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    torch.set_num_threads(1)
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread; ")
    print(f"torch {facts['torch']}; load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    print("| task | data | precision | trained sentences/s | annotated sentences/s |")
    print("|---|---|---|---:|---:|")
    for pair in options.pairs:
        name, _, folder = pair.partition("=")
        print(f"| {name} | {folder} | {' | '.join(speeds(name, folder, options))} |", flush=True)


def speeds(name: str, folder: str, options: argparse.Namespace) -> tuple[str, str, str]:
    """Return precision, and sentences trained on and annotated per CPU second."""
    ner = name == "ner"
    place, ending = DATA / ("ner" if ner else "ud") / folder, "txt.xz" if ner else "conllu.xz"
    task = bind("task", name, {})()
    train = task.read(place / f"train.{ending}")[: options.train]
    dev = task.read(place / f"dev.{ending}")[: options.dev]
    base = load_checkpoint(find_model("mini"))
    words = WordEncoder(base.vocabulary, base.framing, length=Finetune.length)
    plan = Finetune(epochs=1, patience=0, freeze=0, precision=options.precision)
    with tempfile.TemporaryDirectory() as scratch:
        began = time.process_time()
        found = finetune(
            base, words, task, Data(train, train[:1], train[:1]), plan, seed=1, folder=Path(scratch)
        )
        trained = len(train) / (time.process_time() - began)
    began = time.process_time()
    predict(found.module, words, task, found.labels, dev)
    annotated = len(dev) / (time.process_time() - began)
    return found.module.precision, f"{trained:.0f}", f"{annotated:.0f}"


if __name__ == "__main__":
    main()
