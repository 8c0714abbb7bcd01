"""A recipe of transfer between toy languages, on a tiny base."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from specialize.studies.transfer.interference import projected
from specialize.studies.transfer.recipe import Study
from specialize.studies.transfer.run import between, finite, of_task
from specialize.toylang import to_latin, write_language


class Ran(NamedTuple):
    """A study with its recipe, folder and results."""

    recipe: Path
    study: Study
    out: Path
    facts: dict[str, Any]


def write_recipe(folder: Path, base: Path, *, top: str = "") -> Path:
    """Write three toy languages and a recipe of transfer between two that takes seconds."""
    text = f"""\
base = "{base}"
train = ["aa"]
targets = ["aa", "bb"]
seen = ["aa"]
steps = [1, 2]
repeats = 2
sentences = 6
{top}
[mlm]
batch = 2
length = 16
rate = 5e-3
[adapter]
epochs = 1
batch = 8
[interference]
steps = 2
fusion_steps = 1
sizes = [2]
rate = 1e-2
[transfer]
"""
    banks = ""
    for seed, name in enumerate(("aa", "bb", "cc")):
        files = write_language(folder / name, seed=seed, documents=8, sentences=(16, 8, 8))
        for path in (files.corpus, files.train, files.dev, files.test):
            path.write_text(to_latin(path.read_text("utf-8")), "utf-8")
        if name != "cc":
            text += f'{name} = ["{files.corpus}"]\n'
        parts = (("train", files.train), ("dev", files.dev), ("test", files.test))
        banks += f"[treebank.{name}]\n" + "".join(f'{part} = "{path}"\n' for part, path in parts)
    path = folder / "transfer.toml"
    path.write_text(text + banks, "utf-8")
    return path


def invented_facts(*, least: float = 0.0) -> dict[str, Any]:
    """Return results of an invented matrix of scores: 6 donors, 8 targets, 3 numbers of steps."""
    rng = np.random.default_rng(5)
    donors, seen = ["en", "tr", "el", "ug", "mt", "wo"], ["en", "tr", "el", "ru"]
    targets = ["en", "tr", "el", "ru", "ug", "mt", "wo", "yo"]
    study: Any = SimpleNamespace(
        transfer=dict.fromkeys(donors),
        least=least,
        seen=seen,
        steps=(1, 10, 100),
        repeats=4,
        tasks=("pos", "dep"),
        of_task=lambda task: (
            [SimpleNamespace(name=name) for name in targets[:2]],
            [SimpleNamespace(name=name) for name in targets],
        ),
    )
    words = {t: {b: [10] * 30 for b in targets} for t in study.tasks}
    base = {t: {b: rng.integers(3, 8, 30).tolist() for b in targets} for t in study.tasks}
    trained = {
        (name, repeat): {
            kind: {
                str(k): {
                    task: {b: _moved(rng, right, name, b, k) for b, right in own.items()}
                    for task, own in base.items()
                }
                for k in study.steps
            }
            for kind in ("after", "noise")
        }
        | {"norms": {str(k): 0.1 * k for k in study.steps}}
        for name in donors
        for repeat in range(study.repeats)
    }
    products = {t: {a: {b: rng.normal() for b in targets} for a in donors} for t in study.tasks}
    found = {"right": base, "words": words}
    screen = {"dot": products, "sign": products}
    tasks = {task: of_task(study, task, found, trained, screen) for task in study.tasks}
    return finite(
        {
            "title": "Invented <scores>",
            "note": "Invented figures: they say nothing of any language.",
            "transfer": donors,
            "seen": seen,
            "steps": list(study.steps),
            "repeats": study.repeats,
            "settings": {"mlm": {"rate": 1e-4}},
            "tasks": tasks,
            "between_tasks": between(study, tasks),
            "seconds": {"cells": [1.0], "all": 60.0},
            "cautions": ["few <repeats>"],
            "command": "specialize study transfer <recipe>",
            "date": "2026-11-30",
            "machine": {"processor": "none", "device": "cpu", "torch": "2"},
        }
    )


def _moved(rng: Any, own: list[int], donor: str, target: str, k: int) -> list[int]:
    """Return counts that rise for unseen targets, more by more steps and unseen donors."""
    push = (0.3 if target in ("ug", "mt", "wo", "yo") else -0.2) * np.log10(10 * k) / 3
    wide = 0.6 if donor in ("ug", "mt", "wo") else 0.2
    moved = np.array(own) + np.round(rng.normal(push, wide, len(own)))
    found: list[int] = np.clip(moved, 0, 10).astype(int).tolist()
    return found


def invented_interference() -> dict[str, Any]:
    """Return results of interference between five languages, of invented scores."""
    rng = np.random.default_rng(6)
    names = ["en", "tr", "el", "ug", "mt"]
    alone = {task: {name: 50.0 for name in names} for task in ("pos", "dep")}
    runs = [
        {
            "members": list(members),
            "fusion": fusion,
            "scores": {
                task: {name: 50.0 + round(float(rng.normal(0, 1)), 1) for name in members}
                for task in alone
            },
            "intervals": {
                task: {name: [-1.0, 2.0] if name == "en" else [0.1, 2.0] for name in members}
                for task in alone
            },
        }
        for fusion in ("trained", "mean", "untrained")
        for size in (2, 3)
        for members in itertools.combinations(names, size)
    ]
    facts = {key: value for key, value in invented_facts().items() if key != "tasks"}
    single = {"base": 49.0, "alone": 50.0, "half": 50.5, "third": 50.2}
    facts |= {"single": {task: dict.fromkeys(names, single) for task in alone}}
    facts |= {"alone": alone, "combinations": runs}
    return facts | {"found": projected(names, alone, runs)}
