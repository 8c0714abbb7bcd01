"""Languages added to an X-MOD, beside the same from the start, and beside LAPT with TVA on mini.

    SPECIALIZE_DATA=../shared/data python benchmarks/added_languages.py \\
        recipes/pretrain_curse.toml --out runs/added [--seeds 1 2] [--languages ug mt wo]

For each seed: an X-MOD of the recipe's first eight languages, to which each language is added
("added", `modules add`); one of the eight and these ("start"), with one tokenizer for all; and LAPT
with 99 pieces on mini ("mini"), which was pretrained on far more text ("unadapted": without
LAPT). The text of a language is the same everywhere, as are its steps and their pieces. Printed:
bits per byte of 300 lines that none has seen, and the accuracy of XPOS taggers fine-tuned on each
(UD test files), mean ± deviation over seeds. What is finished is not done again.
"""

from __future__ import annotations

import argparse
import os
import random
from itertools import islice
from pathlib import Path
from typing import Any

from specialize import CorpusFiles, atomic, open_corpus, pipeline
from specialize.model.find import find_model
from specialize.model.load import load_checkpoint
from specialize.modules.packs import PACK, opened_at
from specialize.modules.scope import Scope
from specialize.pipeline.add_language import add
from specialize.pipeline.pretrain import pretrain
from specialize.progress import Log, terminal_log
from specialize.recipe.addition import read_addition
from specialize.recipe.read import read_pretrain, recipe_of
from specialize.reports.numbers import spread
from specialize.train.bits_per_byte import HeldOut, bits_per_byte, held_out

DATA = Path(os.environ.get("SPECIALIZE_DATA", "../shared/data")).resolve()
TREEBANKS = {"ug": "UD_Uyghur-UDT", "mt": "UD_Maltese-MUDT", "wo": "UD_Wolof-WTB"}
HELD_OUT, SAMPLE = 300, 5_000  # lines


def main() -> None:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--languages", nargs="+", choices=TREEBANKS, default=list(TREEBANKS))
    parser.add_argument("--rate", default="3e-3", help="of LAPT")
    options = parser.parse_args()
    out, names = options.out.resolve(), options.languages
    out.mkdir(parents=True, exist_ok=True)
    most = read_pretrain(options.recipe).bytes_per_language  # type: ignore[union-attr]
    for name in names:
        split(name, out, most)
    rows: dict[str, list[dict[str, float]]] = {}
    with terminal_log(out) as log:
        for seed in options.seeds:
            for way, name, found in results(options.recipe, out, seed, names, options.rate, log):
                rows.setdefault(f"{name} | {way}", []).append(found)
    print("| language | | bits per byte | XPOS accuracy |", "|---|---|---|---|", sep="\n")
    for title in sorted(rows, key=lambda row: names.index(row[:2])):
        bits, tags = ([row[key] for row in rows[title]] for key in ("bits", "pos"))
        print(f"| {title} | {spread(bits, places=3)} | {spread(tags, places=2)} |")


def split(name: str, out: Path, most: int) -> None:
    """Write the text of a language: ``most`` bytes to train on, and lines to measure on."""
    if dev_of(out, name).exists():
        return
    banks = tuple(str(file) for file in sorted((DATA / "ud" / TREEBANKS[name]).glob("*.xz")))
    files = (str(DATA / "raw" / "wikipedia" / f"{name}.txt.xz"),)
    lines = list(dict.fromkeys(open_corpus(CorpusFiles(files, remove=banks, dev=0.0)).train()))
    random.Random(name).shuffle(lines)
    dev, rest, size = lines[:HELD_OUT], [], 0
    for line in lines[HELD_OUT:]:
        size += len(line.encode()) + 1
        if size > most:
            break
        rest.append(line)
    train_of(out, name).write_text("\n".join([*rest, ""]), "utf-8")
    with atomic.whole_file(dev_of(out, name)) as file:
        file.write_text("\n".join([*dev, ""]), "utf-8")


def train_of(out: Path, name: str) -> Path:
    return out / f"{name}.train.txt"


def dev_of(out: Path, name: str) -> Path:
    return out / f"{name}.dev.txt"


def results(
    file: Path, out: Path, seed: int, names: list[str], rate: str, log: Log
) -> list[tuple[str, str, dict[str, float]]]:
    """Return (way, language, figures) of a seed."""
    log.say(f"seed {seed}: eight languages")
    plain: Any = read_pretrain(file)
    codes = list(plain.languages)[:8]
    eight, eleven = out / f"eight-{seed}", out / f"eleven-{seed}"
    recipe: Any = read_pretrain(file, xmod(codes, seed, plain.per_language))
    pretrain(recipe, eight, log=log)
    log.say(f"seed {seed}: eight languages and {len(names)} more")
    more = [f'languages.{name}=["{train_of(out, name)}"]' for name in names]
    more += xmod([*codes, *names], seed, plain.per_language)
    pretrain(read_pretrain(file, more), eleven, log=log)
    found = []
    for name in names:
        log.say(f"seed {seed}: {name}")
        added = out / f"{name}-{seed}"
        lapt = {"steps": recipe.per_language, "epochs": recipe.epochs}
        lapt |= {"batch": recipe.batch, "length": recipe.length}
        own = [f"lapt.{key}={value}" for key, value in lapt.items()]
        own += [f"lapt.rate={rate}", "corpus.dev=0.02", f"seeds=[{seed}]", "augment.method=extend"]
        text = [str(train_of(out, name))]
        change = read_addition(str(eight / "model"), name, text, [*own, "augment.pieces=1000"])
        add(change, eight / PACK, name, added, log=log)
        hosts = {"added": added, "start": eleven}
        accuracy = tagged(out, name, seed, hosts, lapt, log)
        for way, bits in measured(out, name, seed, hosts).items():
            found.append((way, name, {"bits": bits, "pos": accuracy[way]}))
    return found


def xmod(codes: list[str], seed: int, per_language: int) -> list[str]:
    """Return the changes that make a recipe an X-MOD of ``codes``; warm-up as in curse.py."""
    chosen = ", ".join(f'"{code}"' for code in codes)
    warmup = per_language * len(codes) // 10
    return ['modules="xmod"', f"seed={seed}", f"train_on=[{chosen}]", f"warmup={warmup}"]


def tagged(
    out: Path, name: str, seed: int, hosts: dict[str, Path], lapt: dict[str, int], log: Log
) -> dict[str, float]:
    """Return the accuracy of the tagger of each way, from one run of all."""
    bank = DATA / "ud" / TREEBANKS[name]
    task = {part: str(bank / f"{part}.conllu.xz") for part in ("train", "dev", "test")}
    frozen: dict[str, Any] = {"lapt": False}
    arms: dict[str, Any] = {"unadapted": frozen, "mini": {"augment": "tva"}}
    for way, folder in hosts.items():
        modules = {"method": "xmod", "pack": str(folder / PACK)}
        arms[way] = {**frozen, "base": str(folder / "model"), "modules": modules}
    recipe = recipe_of(
        {
            "base": "mini",
            "language": name,
            "seeds": [seed],
            "corpus": {"files": [str(train_of(out, name))], "dev": 0.02},
            "lapt": {**lapt, "rate": 1e-3, "fresh_rate": 3.0},
            "finetune": {"epochs": 5, "patience": 0, "batch": 16, "freeze": 0, "rate": 1e-3,
                         "head_rate": 2e-3, "schedule": "linear"},
            "task": {"pos": {"column": "xpos", **task}},
            "arm": arms,
        },
        folder=out,
    )  # fmt: skip
    pipeline.specialize(recipe, out / f"tagged-{name}-{seed}", log=log)
    scores = atomic.read_json(out / f"tagged-{name}-{seed}" / "scores.json")
    return {way: scores[way]["pos"]["test"][0]["accuracy"] for way in arms}


def measured(out: Path, name: str, seed: int, hosts: dict[str, Path]) -> dict[str, float]:
    """Return the bits per byte of each way."""
    dev = dev_of(out, name).read_text("utf-8").splitlines()
    train = train_of(out, name).read_text("utf-8").splitlines()
    text = held_out(dev, islice(train, SAMPLE), seed=1)
    run = out / f"tagged-{name}-{seed}" / "arms" / "mini" / "model"
    found = {"unadapted": bits_of(find_model("mini"), text), "mini": bits_of(run, text)}
    for way, folder in hosts.items():
        with opened_at(folder / "model", [folder / PACK], Scope(name)) as base:
            found[way] = bits_per_byte(base.model, base.vocabulary, base.framing, text, length=64)
    return found


def bits_of(folder: Path, text: HeldOut) -> float:
    base = load_checkpoint(folder)
    return bits_per_byte(base.model, base.vocabulary, base.framing, text, length=64)


if __name__ == "__main__":
    main()
