"""Seconds for one (transfer language, target, steps) of a study of transfer, against reloading.

"reloaded": for each number of steps train again and save, then for each target load model and
adapter from disk, encode its sentences, and score it with the base and with the trained model.
"as the authors": the same with all test sentences, in batches of 8 in the order of the file
(Faisal & Anastasopoulos 2024, appendix E); here 100 of each target are drawn, batched by length.
Scores of the first two ways are equal, which is checked. CPU seconds of one thread; other work on
the machine raises them too, though less than wall time.

    python benchmarks/transfer.py recipes/transfer_mini.toml --targets 3
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from specialize.executors import run_all
from specialize.model.load import Checkpoint, load_checkpoint, save_model
from specialize.progress import Silent
from specialize.store import Store
from specialize.studies.transfer.cells import (
    Right,
    Setting,
    cells,
    derived,
    open_bench,
    read_text,
    setting_of,
)
from specialize.studies.transfer.recipe import Study, read_study
from specialize.studies.transfer.trajectory import putting_back, restore, snapshot, trajectory
from specialize.train.masking import MaskPieces, mask_pieces


def main() -> None:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--targets", type=int, default=3, help="targets of the reloading way")
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = ["adapter.epochs=1", "adapter.sentences=16"]  # quality of adapters does not matter
    study = read_study(options.recipe, changes)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        found = cells(study)
        name = next(iter(study.transfer))
        run_all([*found.adapters.values(), found.texts[name]], store, Silent())
        case = Case(
            study,
            Path(found.base.arguments["base"]),
            {task: store.folder(stage) for task, stage in found.adapters.items()},
            read_text(store.folder(found.texts[name])),
            derived(study.seed, name, 0),
        )
        here, rights = _here(case)
        reloaded, full = _from_disk(case, rights, Path(folder) / "trained", options.targets)
    print("seconds for one (task, transfer language, target, steps):")
    for way, seconds in (("here", here), ("reloaded", reloaded), ("as the authors", full)):
        print(f"  {way:<14}  {seconds:6.3f}  {seconds / here:5.1f} x")


@dataclass(frozen=True)
class Case:
    """One transfer language of a study, ready to be trained on and scored."""

    study: Study
    base: Path
    adapters: dict[str, Path]  # by task
    text: np.ndarray
    seed: int

    @property
    def count(self) -> int:
        """How many (task, target, steps) there are."""
        targets = sum(len(self.study.of_task(task)[1]) for task in self.study.tasks)
        return len(self.study.steps) * targets


def _here(case: Case) -> tuple[float, dict[str, Right]]:
    """Return the seconds of our way, and the scores on the targets after the last step."""
    study = case.study
    began = time.process_time()
    bench = open_bench(case.base, case.adapters, setting_of(study))
    model, pieces = bench.checkpoint.model, _pieces(bench.checkpoint)
    opened = time.process_time() - began
    began, training = time.process_time(), 0.0
    with putting_back(model):
        for _ in trajectory(model, case.text, pieces, study.mlm, study.steps, seed=case.seed):
            training += time.process_time() - began
            reached = snapshot(model)
            began = time.process_time()
            rights = bench.scores()
            scoring = time.process_time() - began
            restore(model, reached)
            began = time.process_time()
    print(f"opening {opened:.2f} s, {study.steps[-1]} steps {training:.2f} s, ", end="")
    print(f"scoring all targets once {scoring:.2f} s")
    controlled = opened + training + scoring * (2 * len(study.steps) + 1)
    print(f"one cell with its controls: {controlled:.1f} s")
    return (opened + training + scoring * len(study.steps)) / case.count, rights


def _from_disk(
    case: Case, rights: dict[str, Right], trained: Path, most: int
) -> tuple[float, float]:
    """Return the seconds of reloading for ``most`` targets: drawn sentences, all sentences."""
    study = case.study
    rest = (_retrained(case) + _saved(case, trained) * len(study.steps)) / case.count
    pairs = [(task, target) for task in study.tasks for target in study.of_task(task)[1]]
    chosen = pairs[:: max(1, len(pairs) // most)][:most]
    drawn = full = 0.0
    for task, target in chosen:
        adapters = {task: case.adapters[task]}
        setting = replace(setting_of(study), targets={task: [target]})
        began = time.process_time()
        for start in (case.base, trained):
            right = open_bench(start, adapters, setting).scores()[task][target.name]
        drawn += (time.process_time() - began) / len(chosen)
        assert right == rights[task][target.name], f"{task} {target.name} differs"
        began = time.process_time()
        for start in (case.base, trained):
            _in_eights(start, adapters, replace(setting, sentences=0), task)
        full += (time.process_time() - began) / len(chosen)
    return drawn + rest, full + rest


def _saved(case: Case, folder: Path) -> float:
    """Save the model after the last step; return the seconds of saving."""
    checkpoint, last = load_checkpoint(case.base), case.study.steps[-1]
    model, pieces = checkpoint.model, _pieces(checkpoint)
    for _ in trajectory(model, case.text, pieces, case.study.mlm, [last], seed=case.seed):
        began = time.process_time()
        save_model(model, checkpoint.vocabulary, folder, source=case.base)
        seconds = time.process_time() - began
    return seconds


def _retrained(case: Case) -> float:
    """Return the seconds of training anew for each number of steps, from the first ten."""
    checkpoint = load_checkpoint(case.base)
    model, pieces = checkpoint.model, _pieces(checkpoint)
    began = time.process_time()
    for _ in trajectory(model, case.text, pieces, case.study.mlm, [10], seed=case.seed):
        per_step = (time.process_time() - began) / 10
    return per_step * sum(case.study.steps)


def _in_eights(start: Path, adapters: dict[str, Path], setting: Setting, task: str) -> None:
    bench = open_bench(start, adapters, setting)
    test = bench.tests[task]
    places = range(len(test.sentences))
    parts = [list(places[i : i + 8]) for i in places[::8]]
    device = next(bench.checkpoint.model.parameters()).device
    batches = [(p, bench.words.batch([test.sentences[i].words for i in p], device)) for p in parts]
    replace(bench, tests={task: replace(test, batches=batches)}).scores()


def _pieces(checkpoint: Checkpoint) -> MaskPieces:
    return mask_pieces(checkpoint.vocabulary, checkpoint.framing)


if __name__ == "__main__":
    main()
