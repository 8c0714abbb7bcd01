"""Treebanks of a few sentences, and results of a study without training."""

import itertools
import random
from pathlib import Path
from typing import Any

from specialize.studies.sharing.sharing import GRID


def write_treebank(path: Path, *, seed: int, letters: str = "abcdef", sentences: int = 12) -> Path:
    """Write CoNLL-U in which every word depends on the one before it."""
    rng = random.Random(seed)
    lines = []
    for _ in range(sentences):
        words = [
            "".join(rng.choices(letters, k=rng.randint(1, 4))) for _ in range(rng.randint(2, 5))
        ]
        for number, word in enumerate(words, 1):
            relation = "root" if number == 1 else rng.choice(["obj", "nmod"])
            lines.append(f"{number}\t{word}\t_\tX\t_\t_\t{number - 1}\t{relation}\t_\t_")
        lines.append("")
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path


def write_recipe(folder: Path, *, top: str = "", training: str = "") -> Path:
    """Write two treebanks and a recipe with the pair of them."""
    text = (
        f'pairs = [["aa", "bb"]]\n{top}\n[training]\nsteps = 2\nepochs = 1\nbatch = 4\n{training}\n'
    )
    for number, (name, letters) in enumerate({"aa": "abcdef", "bb": "defghi"}.items()):
        text += f"\n[treebank.{name}]\n"
        for offset, part in enumerate(("train", "dev", "test")):
            file = folder / f"{name}-{part}.conllu"
            size = 12 if part == "train" else 4
            write_treebank(file, seed=10 * number + offset, letters=letters, sentences=size)
            text += f'{part} = "{file.name}"\n'
    path = folder / "study.toml"
    path.write_text(text, "utf-8")
    return path


def made_facts(
    pairs: tuple[tuple[str, str], ...] = (("aa", "bb"), ("cc", "dd")),
    seeds: tuple[int, ...] = (1, 2),
) -> dict[str, Any]:
    """Return a study's results in which hard scoring gains 2 points, give or take the seed."""
    names = sorted({name for pair in pairs for name in pair})
    rows = [_row([name], None, seed, 70.0) for name in names for seed in seeds]
    for pair, seed, cell in itertools.product(pairs, seeds, GRID):
        gain = (2.0 + 0.2 * seed) * (cell.score == "hard") - 1.0 * (cell.char == "hard")
        rows.append(_row([*pair], [*cell], seed, 70.0 + gain))
    study = {"title": "Made", "pairs": [[*p] for p in pairs], "seeds": [*seeds], "runs": rows}
    study |= {"training": {"steps": 2}, "host": ""}
    machine = {"processor": "none", "device": "cpu", "torch": "2"}
    facts = {"command": "specialize study <sharing>", "date": "2026-11-30", "machine": machine}
    return {**facts, "studies": [study], "cautions": ["few <pairs>"]}


def _row(names: list[str], sharing: list[str] | None, seed: int, las: float) -> dict[str, Any]:
    own = {"las": las, "uas": las + 5, "clas": las - 5}
    row = {"languages": names, "sharing": sharing, "seed": seed, "seconds": 1.0, "updates": 2}
    return row | {"scores": dict.fromkeys(names, own), "dev": [1.0, 50.0, 60.0]}
