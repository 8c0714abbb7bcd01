"""Are our rows of new pieces as good as those of deepfocus, wechsel and transformers?

    python benchmarks/embed_peers.py TEXT PEERS_PYTHON [--base mini] [--pieces 99 1000]
        [--lines 8000] [--only NAME...]

TEXT is split: its first lines extend the base's tokenizer and train vectors, the next 200 are
measured in bits per byte, before any training. PEERS_PYTHON has PyPI's deepfocus and wechsel,
transformers and torch; both train fastText on the same lines with their own defaults (wechsel: one
model for both vocabularies, in place of one of each language and a dictionary). Rows of all methods
include the bias of the output layer, which peers are given as one more dimension. Each runs with
one thread in a process of its own; CPU seconds and peak memory include the training of vectors and
the libraries imported. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

OURS: dict[str, dict[str, Any]] = {
    "random": {},
    "mean": {},
    "subwords": {},
    "focus": {"limit": 10**9},
    "knn": {"limit": 10**9},
    "ridge": {"limit": 10**9},
    "omp": {"limit": 10**9},
}
PEERS = ("deepfocus", "wechsel")
DEV = 200  # lines


def main() -> None:
    """Print the table, or make the rows of one method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("python", type=Path)
    parser.add_argument("--base", default="mini")
    parser.add_argument("--pieces", type=int, nargs="+", default=[99, 1000])
    parser.add_argument("--lines", type=int, default=8000)
    parser.add_argument("--only", nargs="+", default=[*OURS, "mean_resizing", *PEERS])
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        torch.set_num_threads(1)
        one(options.one, Path(options.text))
    else:
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Print the table."""
    from specialize import open_corpus
    from specialize.environment import machine_facts

    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread; ")
    print(f"torch {facts['torch']}; load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    print(
        "| method | new pieces | bits/byte | CPU seconds | peak memory |\n|---|---:|---:|---:|---:|"
    )
    lines = list(islice(open_corpus(options.text), options.lines + DEV))
    for pieces in options.pieces:
        with TemporaryDirectory() as scratch:
            folder = Path(scratch)
            measured = Measured(folder, options.base, lines, pieces)
            print(f"| no new pieces | 0 | {measured.without():.3f} | | |", flush=True)
            for name in options.only:
                python = options.python if name in PEERS else sys.executable
                cost = made(name, folder, python)
                print(
                    f"| {name} | {pieces} | {measured.bits(folder / f'{name}.npz'):.3f} | ", end=""
                )
                print(f"{cost['cpu']:.0f} | {cost['memory'] / 1e9:.2f} GB |", flush=True)


def made(name: str, folder: Path, python: Path | str) -> dict[str, float]:
    """Make the rows of a method in a process; return what it cost."""
    words = [str(python), __file__, str(folder), "-", "--one", name]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    env = os.environ | threads | {"XDG_CACHE_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return cost


class Measured:
    """A base, a change of its vocabulary written to a folder, and text to measure on."""

    def __init__(self, folder: Path, base: str, lines: list[str], pieces: int) -> None:
        """Extend the tokenizer of ``base`` and write what the methods need."""
        from specialize import write_vocabulary
        from specialize.augment import extend
        from specialize.model.find import find_model
        from specialize.model.language_model import tables
        from specialize.model.load import load_checkpoint
        from specialize.train.bits_per_byte import held_out

        self.source = find_model(base)
        train, dev = lines[:-DEV], lines[-DEV:]
        self.checkpoint = load_checkpoint(self.source)
        self.change = extend.change(self.checkpoint.vocabulary, train, pieces=pieces, slots=False)
        self.text = held_out(dev, train, seed=1)
        write_vocabulary(self.change.new, folder / "new")
        write_vocabulary(self.change.old, folder / "old")
        (folder / "train.txt").write_text("\n".join([*train, ""]), "utf-8")
        found = tables(self.checkpoint.model)
        if found.output is not None:
            raise SystemExit("expected a base with tied tables")
        np.savez(folder / "base.npz", input=found.input.numpy(), bias=found.bias.numpy())
        facts = {"source": str(self.source), "pieces": pieces, "old": len(self.change.old.pieces)}
        (folder / "facts.json").write_text(json.dumps(facts), "utf-8")

    def without(self) -> float:
        """Return the bits per byte of the base as it is."""
        from specialize.train.bits_per_byte import bits_per_byte

        given = self.checkpoint
        return bits_per_byte(given.model, given.vocabulary, given.framing, self.text, length=128)

    def bits(self, file: Path) -> float:
        """Return the bits per byte with the fresh rows of ``file``."""
        from specialize.embed._rows import FreshRows
        from specialize.model.install import install
        from specialize.train.bits_per_byte import bits_per_byte
        from specialize.vocab.framing import moved

        with np.load(file) as found:
            rows = FreshRows(
                torch.from_numpy(found["input"]), None, torch.from_numpy(found["bias"])
            )
        model = copy.deepcopy(self.checkpoint.model)
        install(model, self.change, rows)
        framing = moved(self.checkpoint.framing, self.change)
        return bits_per_byte(model, self.change.new, framing, self.text, length=128)


def one(name: str, folder: Path) -> None:
    """Write the rows of new pieces, which have the last ids; print what it cost."""
    call = {"deepfocus": deepfocus, "wechsel": wechsel, "mean_resizing": resized}.get(name)
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    begun = time.process_time()
    table = call(folder) if call else ours(name, folder, facts)
    cpu = time.process_time() - begun
    fresh = np.asarray(table, np.float32)[facts["old"] :] if call else table
    np.savez(folder / f"{name}.npz", input=fresh[:, :-1], bias=fresh[:, -1])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"cpu": cpu, "memory": memory}))


def widened(folder: Path) -> np.ndarray:
    """Return the base's rows with the bias as one more dimension."""
    with np.load(folder / "base.npz") as found:
        return np.concatenate([found["input"], found["bias"][:, None]], axis=1)


def ours(name: str, folder: Path, facts: dict[str, Any]) -> np.ndarray:
    from specialize import open_corpus
    from specialize.embed._initialise import initialise
    from specialize.model.load import load_checkpoint
    from specialize.recipe.methods import bind
    from specialize.vocab.base import appended
    from specialize.vocab.open import read_vocabulary

    new = read_vocabulary(folder / "new")
    checkpoint = load_checkpoint(Path(facts["source"]))
    change = appended(checkpoint.vocabulary, new, new.pieces[facts["old"] :])
    method = bind("embed", name, OURS[name])
    rows = initialise(method, checkpoint, change, open_corpus(folder / "train.txt"), seed=1)
    return np.concatenate([rows.input.numpy(), rows.bias.numpy()[:, None]], axis=1)


def resized(folder: Path) -> np.ndarray:
    from transformers import AutoModelForMaskedLM

    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    model = AutoModelForMaskedLM.from_pretrained(
        facts["source"], local_files_only=True, trust_remote_code=False
    )
    torch.manual_seed(1)
    model.resize_token_embeddings(facts["old"] + facts["pieces"], mean_resizing=True)
    table, bias = model.get_input_embeddings().weight, model.get_output_embeddings().bias
    return torch.cat([table, bias[:, None]], dim=1).detach().float().numpy()


def tokenizers(folder: Path) -> list[Any]:
    from transformers import PreTrainedTokenizerFast

    files = [str(folder / name / "tokenizer.json") for name in ("old", "new")]
    return [PreTrainedTokenizerFast(tokenizer_file=file) for file in files]


def deepfocus(folder: Path) -> np.ndarray:
    from deepfocus import FOCUS

    old, new = tokenizers(folder)
    found: np.ndarray = FOCUS(
        target_tokenizer=new,
        source_tokenizer=old,
        source_embeddings=torch.from_numpy(widened(folder)),
        target_training_data_path=str(folder / "train.txt"),
        processes=1,
        verbosity="silent",
    ).numpy()
    return found


def wechsel(folder: Path) -> np.ndarray:
    import fasttext
    from wechsel import WECHSEL

    options = {"dim": 100, "neg": 10, "model": "cbow", "minn": 5, "maxn": 5, "epoch": 20}
    vectors = fasttext.train_unsupervised(str(folder / "train.txt"), thread=1, **options)
    old, new = tokenizers(folder)
    matched = WECHSEL(vectors, vectors, align_strategy=None)
    table: np.ndarray = matched.apply(old, new, widened(folder))[0]
    return table


if __name__ == "__main__":
    main()
