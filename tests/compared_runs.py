"""Folders of invented runs, as `specialize run` leaves them, with predictions to score."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import run_facts
import tomli_w

MACHINE = {"specialize": "0.1.0", "torch": "2.13.0", "transformers": "5.24.0", "device": "cpu"}


def arm(name: str, *las: float, seeds: Sequence[int] = (), **changes: Any) -> dict[str, Any]:
    """Return an arm with LAS of seeds 1, 2, … on test."""
    scores = {"dep": run_facts.scored("dep", *las, seeds=seeds)} if las else {}
    return run_facts.arm(name, **{"scores": scores} | changes)


def write_run(
    folder: Path,
    *arms: Mapping[str, Any],
    recipe: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    **changes: Any,
) -> Path:
    """Write a run's folder with the reports of ``arms``; ``changes`` to its facts."""
    folder.mkdir(parents=True)
    facts = run_facts.run(*arms, **{"machine": MACHINE, "cautions": []} | changes)  # type: ignore[arg-type]
    (folder / "report.json").write_text(json.dumps(facts), "utf-8")
    settings = {"arm": {a["name"]: {"augment": a["augment"]} for a in arms}, "task": {}}
    (folder / "recipe.toml").write_text(tomli_w.dumps({**settings, **(recipe or {})}), "utf-8")
    (folder / "provenance.json").write_text(json.dumps({"inputs": hashes or {}}), "utf-8")
    return folder


def treebank(*relations: str) -> str:
    """Return sentences of two words each, the first with this relation to the second."""
    return "".join(
        f"1\ta\t_\tX\tX\t_\t2\t{relation}\t_\t_\n2\tb\t_\tX\tX\t_\t0\troot\t_\t_\n\n"
        for relation in relations
    )


def write_parsed(folder: Path, gold: Path, systems: Mapping[str, Sequence[str]]) -> Path:
    """Write a run whose arms parsed ``gold``; ``systems``: a treebank a seed by arm."""
    arms = []
    for name, texts in systems.items():
        scores = [_las(gold.read_text("utf-8"), text) for text in texts]
        arms.append(arm(name, *scores))
    task = {"method": "dep", "train": "train", "dev": "dev", "test": str(gold)}
    hashes = {str(gold): hashlib.sha256(gold.read_bytes()).hexdigest()}
    recipe = {"task": {"dep": task}}
    write_run(folder, *arms, recipe=recipe, hashes=hashes)
    for name, texts in systems.items():
        predictions = folder / "arms" / name / "predictions"
        predictions.mkdir(parents=True)
        for seed, text in enumerate(texts, 1):
            (predictions / f"dep-{seed}.conllu").write_text(text, "utf-8")
    return folder


def has(lines: Sequence[str], *parts: str) -> bool:
    """Return whether a line has all the parts."""
    return any(all(part in line for part in parts) for line in lines)


def _las(gold: str, system: str) -> float:
    pairs = [
        (row, other)
        for row, other in zip(gold.splitlines(), system.splitlines(), strict=True)
        if row
    ]
    return 100 * sum(row == other for row, other in pairs) / len(pairs)
