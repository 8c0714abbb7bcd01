"""Folders of runs opened: reports, recipes, and the hashes of what they read."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from specialize.comparison.shape import (
    GRID_SHAPE,
    PROVENANCE_SHAPE,
    RECIPE_SHAPE,
    REPORT_SHAPE,
    Shape,
    misfits,
)
from specialize.comparison.values import Run
from specialize.errors import DataError, UsageError

REPORT, RECIPE, PROVENANCE = "report.json", "recipe.toml", "provenance.json"
GRID = "grid.json"  # the points of the recipe that was last run in a folder
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
    """Return the runs in ``folders``, and which are not finished or left out.

    A folder is a run's, or holds those of several; of a grid's, results of points that its recipe
    no longer names are left out. UsageError for a folder without runs, DataError for a damaged run.
    """
    opened: dict[Path, Opened] = {}
    missing = []
    for folder in folders:
        finished = []
        candidates, left_out = _named_now(folder, _candidates(folder))
        missing += left_out
        for found in candidates:
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
    """Yield the files of runs that a comparison of ``folders`` may not be written over."""
    for folder in folders:
        for pattern in (REPORT, RECIPE, PROVENANCE, GRID, "scores.json", "metrics.jsonl"):
            yield from (*folder.glob(pattern), *folder.glob(f"*/{pattern}"))


def _candidates(folder: Path) -> list[Path]:
    """Return the folder if it is a run, and the runs in it, finished or not."""
    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        raise UsageError(f"{folder}: {what}; name the --out of a run, or a folder of several")
    inside = sorted(path for path in folder.iterdir() if _is_run(path) or _is_begun(path))
    if _is_run(folder):  # with a grid in it, where axes were added to its recipe
        return [folder, *inside]
    if inside:
        return inside
    if _is_begun(folder) or (folder / REPORT).is_file():
        return [folder]
    raise UsageError(
        f"{folder}: no run in it: expected {REPORT}, or folders with one; name the --out of "
        "`specialize run`"
    )


def _named_now(folder: Path, found: Sequence[Path]) -> tuple[Sequence[Path], list[str]]:
    """Return those of a grid's runs that its recipe names, finished or not, and what is left out.

    As ``specialize run`` compares them, so that its page and ``specialize compare`` agree.
    """
    if not (file := folder / GRID).is_file():
        return found, []
    points = _shaped(file, _json(file), GRID_SHAPE)["points"]
    own = sorted(folder / point for point in points)
    older = [path for path in found if path not in own]
    lines = [
        f"{path.name}: older results, left out, as the recipe last run in {folder} has no such "
        f"point; give {path} as well to compare them"
        for path in older
        if path != folder
    ]
    if folder in older:
        lines.append(f"{folder.name}: older results without axes, left out: {folder / REPORT}")
    return own, lines


def _is_run(folder: Path) -> bool:
    return (folder / REPORT).is_file() and "arms" in _json(folder / REPORT)


def _is_begun(folder: Path) -> bool:
    return (folder / "stages").is_dir()


def _open(folder: Path) -> Opened:
    facts = _shaped(folder / REPORT, _json(folder / REPORT), REPORT_SHAPE)
    _check(folder / REPORT, facts)
    run = Run(folder, facts["language"] or folder.name, facts["title"], facts["base"], facts)
    recipe = _shaped(folder / RECIPE, _toml(folder / RECIPE), RECIPE_SHAPE)
    return Opened(run, recipe, _hashes(folder / PROVENANCE))


def _shaped(file: Path, table: Table, shape: Shape) -> Table:
    for misfit in misfits(table, shape):
        raise DataError(f"{file}: not as a run of this version writes it: {misfit}; {AGAIN}")
    return table


def _check(file: Path, facts: Table) -> None:
    """Refuse scores that do not belong to a task, or not to seeds."""
    for arm in facts["arms"]:
        for task, scores in arm["scores"].items():
            where = f"{file}: arm {arm['name']}"
            if task not in facts["tasks"]:
                raise DataError(f"{where} has scores of {task!r}, which is no task; {AGAIN}")
            if not len(scores["seeds"]) == len(scores["test"]) == len(scores["dev"]):
                raise DataError(
                    f"{where}, {task}: expected scores on test and dev of every seed, got "
                    f"{len(scores['test'])} and {len(scores['dev'])} of {len(scores['seeds'])}; "
                    f"{AGAIN}"
                )


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
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
    found: Mapping[str, str] = _shaped(file, _json(file), PROVENANCE_SHAPE).get("inputs", {})
    return found
