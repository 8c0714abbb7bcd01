"""Folders of runs opened: reports, recipes, and the hashes of what they read."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from specialize.comparison.values import Run
from specialize.errors import DataError, UsageError

REPORT, RECIPE, PROVENANCE = "report.json", "recipe.toml", "provenance.json"
AGAIN = "run its recipe again with the same --out"
Table = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Opened:
    """A run with the settings it ran with; empty where its folder lacks them."""

    run: Run
    recipe: Table  # recipe.toml
    hashes: Mapping[str, str]  # of each input file, by its path at the time

    @property
    def unfinished(self) -> bool:
        """Whether stages of the run are missing, so that ``arms`` may lack what has a score."""
        return bool(self.run.facts.get("missing"))

    def arm(self, name: str) -> Table:
        """Return the settings of an arm, those that scores may be merged over left out."""
        table: Table = self.recipe.get("arm", {}).get(name, {})
        return {key: value for key, value in table.items() if key not in ("seeds", "tasks")}

    def task(self, name: str) -> Table:
        """Return the settings of a task."""
        table: Table = self.recipe.get("task", {}).get(name, {})
        return table


def open_runs(folders: Sequence[Path]) -> tuple[list[Opened], list[str]]:
    """Return the runs in ``folders``, and which are not finished.

    A folder is a run's, or holds those of several. UsageError for a folder without runs, DataError
    for a damaged run.
    """
    opened: dict[Path, Opened] = {}
    missing = []
    for folder in folders:
        finished = []
        for found in _candidates(folder):
            if (found / REPORT).is_file():
                finished.append(_open(found))
            else:
                missing.append(f"{found.name}: not finished, no {REPORT} in {found}")
        for one in _told_apart(finished):
            opened.setdefault(one.run.folder.resolve(), one)
    if not opened:
        raise UsageError(f"no finished run: {'; '.join(missing)}; {AGAIN}")
    return list(opened.values()), missing


def _told_apart(opened: Sequence[Opened]) -> list[Opened]:
    """Return the runs of a folder; those of one language, as of a grid over text, by their folder.

    So ``ug-lines_500`` and ``ug-lines_1000`` are compared side by side, not merged.
    """
    count = Counter(one.run.language for one in opened)
    return [
        replace(one, run=replace(one.run, language=one.run.folder.name))
        if count[one.run.language] > 1
        else one
        for one in opened
    ]


def files_of(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that a comparison of ``folders`` reads directly in those of runs."""
    for folder in folders:
        for pattern in (REPORT, RECIPE, PROVENANCE):
            yield from (*folder.glob(pattern), *folder.glob(f"*/{pattern}"))


def _candidates(folder: Path) -> list[Path]:
    """Return the folder if it is a run, or else the runs in it, finished or not."""
    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; name the --out of a run, or a folder of several")
    if _is_run(folder):
        return [folder]
    inside = sorted(path for path in folder.iterdir() if _is_run(path) or _is_begun(path))
    if inside:
        return inside
    if _is_begun(folder) or (folder / REPORT).is_file():
        return [folder]
    raise UsageError(
        f"{folder}: no run in it: expected {REPORT}, or folders with one; name the --out of "
        "`specialize run`"
    )


def _is_run(folder: Path) -> bool:
    return (folder / REPORT).is_file() and "arms" in _json(folder / REPORT)


def _is_begun(folder: Path) -> bool:
    return (folder / "stages").is_dir()


def _open(folder: Path) -> Opened:
    facts = _json(folder / REPORT)
    try:
        run = Run(
            folder, str(facts["language"] or folder.name), facts["title"], facts["base"], facts
        )
        _check(facts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError(
            f"{folder / REPORT}: expected the report of a run of this version "
            f"({type(error).__name__}: {error}); {AGAIN}"
        ) from None
    return Opened(run, _toml(folder / RECIPE), _hashes(folder / PROVENANCE))


def _check(facts: Table) -> None:
    """Touch everything that is read later."""
    dict(facts["tasks"])
    for arm in facts["arms"]:
        str(arm["name"])
        [float(value) for value in arm["bits_per_byte"] if value is not None]
        for scores in arm["scores"].values():
            for rows in (scores["test"], scores["dev"]):
                for _, row in zip(scores["seeds"], rows, strict=True):
                    float(row.get(scores["metric"]) or 0)


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{file}: damaged, no JSON ({error}); {AGAIN}") from None
    if not isinstance(found, dict):
        raise DataError(f"{file}: expected a JSON object; {AGAIN}")
    return found


def _toml(file: Path) -> Table:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{file}: damaged, no TOML ({error}); {AGAIN}") from None


def _hashes(file: Path) -> Mapping[str, str]:
    if not file.is_file():
        return {}
    found = _json(file).get("inputs", {})
    return found if isinstance(found, dict) else {}
