"""How fast is LAPT beside transformers' Trainer, and does it learn the same?

    python benchmarks/lapt_peers.py TEXT PEER_PYTHON [--base mini|wide] [--steps 40] [--rounds 2]
        [--precision float32 bfloat16] [--threads 2] [--seed 1]

One model is trained on one text in two ways, in turn, each in a process of its own:

- ours: packed sequences of 128 pieces, 32 a step (`specialize.train.lapt`);
- Trainer with DataCollatorForLanguageModeling, as in transformers' example run_mlm.py with
  --line_by_line: a line is a sequence, cut at 128 pieces, padded to the longest of its 32; as many
  batches are accumulated to a step as have about as many pieces of text as ours.

Equal are rate, warm-up (a tenth of the steps), decay, clipping, masked share and the pieces of
text of a step, not their order. PEER_PYTHON has torch, transformers and accelerate. ``wide``: BERT
of 4 layers of 256 with the vocabulary of multilingual BERT ($SPECIALIZE_DATA/vocab), random
weights. Prints a Markdown table: pieces of text a second (neither padding nor [CLS] and [SEP]),
peak memory, and the bits per byte of the first 200 lines, of which neither has seen any, before and
after: of chunks of a line, as Trainer has read, and of lines one after the other, as ours has.
"""

from __future__ import annotations

import argparse
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

LENGTH, BATCH, RATE, DECAY, MASK = 128, 32, 5e-4, 0.01, 0.15
LONG = 48  # words of a long sequence, of lines one after the other
MEASURED = 1  # seed of what is masked in the text to measure on, and of the base "wide"
DEV = 200  # lines
WAYS = ("Trainer", "ours")


def main() -> None:
    """Print the table, or train in one way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("python", type=Path)
    parser.add_argument("--base", choices=("mini", "wide"), default="mini")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", nargs="+", default=["float32"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of order and masks")
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, Path(options.text))
    else:
        with TemporaryDirectory() as scratch:
            compare(options, Path(scratch))


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Print the table."""
    from specialize.environment import machine_facts

    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, ", end="")
    print(f"{options.threads} threads;\ntorch {facts['torch']}; ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    base = base_folder(options.base, folder)
    text = Text(options.text, base, options.steps, folder)
    print("| base | precision | way | steps | pieces/s | peak memory | bits/byte | in long ones |")
    print("|---|---|---|---:|---:|---:|---|---|", flush=True)
    before = text.bits(base)
    for precision in options.precision:
        for _ in range(options.rounds):
            for way in WAYS:
                plan = {"base": str(base), "precision": precision, "steps": options.steps}
                plan |= {"accumulated": text.accumulated, "mean": text.mean}
                plan |= {"threads": options.threads, "seed": options.seed}
                (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
                cost = trained(way, folder, options.python if way == "Trainer" else sys.executable)
                print(f"| {options.base} | {precision} | {way} | {cost['steps']:.0f} | ", end="")
                print(f"{cost['pieces'] / cost['seconds']:,.0f} | ", end="")
                print(f"{cost['memory'] / 1e9:.2f} GB | ", end="")
                after = text.bits(folder / way)
                both = (f"{b:.3f} to {a:.3f}" for b, a in zip(before, after, strict=True))
                print(f"{' | '.join(both)} |", flush=True)


def base_folder(name: str, folder: Path) -> Path:
    """Return the directory of the model that is trained."""
    if name == "mini":
        from specialize.model.find import find_model

        return find_model("mini")
    import torch
    from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

    data = Path(os.environ.get("SPECIALIZE_DATA", "../shared/data"))
    file = data / "vocab" / "bert-base-multilingual-cased" / "vocab.txt"
    tokenizer = BertTokenizerFast(
        str(file), do_lower_case=False, strip_accents=False, model_max_length=512
    )
    torch.manual_seed(MEASURED)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=256,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=1024,
    )
    BertForMaskedLM(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    return folder / "base"


class Text:
    """Lines to train on, in a file, and lines to measure on."""

    def __init__(self, file: str, base: Path, steps: int, folder: Path) -> None:
        """Write as many lines as ``steps`` batches of ours need."""
        from specialize import open_corpus
        from specialize.model.load import load_checkpoint
        from specialize.train.bits_per_byte import held_out

        checkpoint = load_checkpoint(base)
        lines = iter(open_corpus(file))
        dev = list(islice(lines, DEV))
        train, whole, cut = [], 0, 0
        while whole < steps * BATCH * LENGTH:
            line = next(lines, None)
            if line is None:
                raise SystemExit(f"expected more text than {whole:,} pieces; give fewer --steps")
            pieces = len(checkpoint.vocabulary.encode(line))
            train.append(line)
            whole, cut = whole + pieces, cut + min(pieces, LENGTH - 2)
        (folder / "train.txt").write_text("".join(f"{line}\n" for line in train), "utf-8")
        self.measured = [
            held_out(dev, train, seed=MEASURED),
            held_out([" ".join(dev)], train, seed=MEASURED, tokens=LONG),
        ]
        self.mean = whole / len(train)  # pieces of a line
        # Batches of lines that have about as many pieces as one of ours.
        self.accumulated = max(1, round(LENGTH * len(train) / cut))

    def bits(self, folder: Path) -> list[float]:
        """Return the bits per byte of a model, of lines and of long sequences."""
        from specialize.model.load import load_checkpoint
        from specialize.train.bits_per_byte import bits_per_byte

        given = load_checkpoint(folder)
        return [
            bits_per_byte(given.model, given.vocabulary, given.framing, text, length=LENGTH)
            for text in self.measured
        ]


def trained(way: str, folder: Path, python: Path | str) -> dict[str, float]:
    """Train in a process; return what it cost. The model is in ``folder / way``."""
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    threads = {"OMP_NUM_THREADS": str(plan["threads"]), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [str(python), __file__, str(folder), "-", "--one", way],
        env=os.environ | threads,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return cost


def one(way: str, folder: Path) -> None:
    """Train in one way and print what it cost."""
    import torch

    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    torch.set_num_threads(plan["threads"])
    cost = {"ours": ours, "Trainer": trainer}[way](folder, plan)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(cost | {"memory": memory}))


def ours(folder: Path, plan: dict[str, Any]) -> dict[str, float]:
    """Train with specialize; seconds without those of the measuring between epochs."""
    from specialize.corpus.prepare import Prepared, prepare
    from specialize.corpus.source import CorpusFiles
    from specialize.model.load import load_checkpoint, save_model
    from specialize.train.lapt import Lapt, lapt
    from specialize.vocab.base import unchanged

    checkpoint = load_checkpoint(Path(plan["base"]))
    files = CorpusFiles((str(folder / "train.txt"),), dev=0.01)
    prepare(files, (), folder / "prepared", lambda message: None)
    settings = Lapt(
        epochs=1,
        steps=plan["steps"],
        batch=BATCH,
        length=LENGTH,
        rate=RATE,
        warmup=plan["steps"] // 10,
        decay=DECAY,
        mask=MASK,
        precision=plan["precision"],
        dev_lines=20,
    )
    history = lapt(
        checkpoint,
        unchanged(checkpoint.vocabulary),
        Prepared(folder / "prepared"),
        settings,
        seed=plan["seed"],
        folder=folder / "ours",
    )
    save_model(checkpoint.model, checkpoint.vocabulary, folder / "ours", source=Path(plan["base"]))
    prefix, suffix = len(checkpoint.framing.prefix), 1  # [SEP] ends a line, not a sequence
    pieces = plan["steps"] * BATCH * (LENGTH - prefix) * (1 - suffix / (suffix + plan["mean"]))
    return {"steps": plan["steps"], "seconds": history[-1].seconds, "pieces": pieces}


def trainer(folder: Path, plan: dict[str, Any]) -> dict[str, float]:
    """Train with transformers' Trainer; its own measure of seconds."""
    import torch
    from transformers import (
        AutoModelForMaskedLM,
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    tokenizer = AutoTokenizer.from_pretrained(
        plan["base"], trust_remote_code=False, local_files_only=True
    )
    model = AutoModelForMaskedLM.from_pretrained(
        plan["base"], trust_remote_code=False, local_files_only=True
    )
    lines = (folder / "train.txt").read_text("utf-8").splitlines()
    ids = tokenizer(lines, truncation=True, max_length=LENGTH)["input_ids"]
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(plan["seed"])).tolist()
    rows = [{"input_ids": ids[i]} for i in order[: plan["steps"] * plan["accumulated"] * BATCH]]
    set_seed(plan["seed"])
    done = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder / "trainer"),
            max_steps=plan["steps"],
            per_device_train_batch_size=BATCH,
            gradient_accumulation_steps=plan["accumulated"],
            learning_rate=RATE,
            warmup_steps=plan["steps"] // 10,
            weight_decay=DECAY,
            bf16=plan["precision"] == "bfloat16",
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=plan["seed"],
        ),
        train_dataset=rows,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASK),
    ).train()
    model.save_pretrained(folder / "Trainer")
    tokenizer.save_pretrained(folder / "Trainer")
    pieces = sum(len(row["input_ids"]) - 2 for row in rows)
    return {"steps": plan["steps"], "seconds": done.metrics["train_runtime"], "pieces": pieces}


if __name__ == "__main__":
    main()
