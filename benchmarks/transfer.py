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
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from specialize.executors import run_all
from specialize.model.load import Checkpoint, load_checkpoint, save_model
from specialize.progress import Silent
from specialize.store import Store
from specialize.studies.transfer.cells import (
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
    """Print both figures and their ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--targets", type=int, default=3, help="targets of the reloading way")
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes = ["adapter.epochs=1", "adapter.sentences=16"]  # quality of adapters does not matter
    study = read_study(options.recipe, changes)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        found = cells(study, store)
        name = next(iter(study.transfer))
        run_all([*found.adapters.values(), found.texts[name]], store, Silent())
        adapters = {task: store.folder(stage) for task, stage in found.adapters.items()}
        text = read_text(store.folder(found.texts[name]))
        seed = derived(study.seed, name, 0)
        base = Path(found.base.arguments["base"])

        began = time.process_time()
        bench = open_bench(base, adapters, setting_of(study))
        model, pieces = bench.checkpoint.model, _pieces(bench.checkpoint)
        opened = time.process_time() - began
        began, training, rights = time.process_time(), 0.0, {}
        with putting_back(model):
            for k in trajectory(model, text, pieces, study.mlm, study.steps, seed=seed):
                training += time.process_time() - began
                reached = snapshot(model)
                began = time.process_time()
                rights[k] = bench.scores()
                scoring = time.process_time() - began
                restore(model, reached)
                began = time.process_time()
        count = len(study.steps) * sum(len(test.targets) for test in bench.tests.values())
        ours = (opened + training + scoring * len(study.steps)) / count
        whole = opened + training + scoring * (2 * len(study.steps) + 1)
        print(f"opening {opened:.2f} s, {study.steps[-1]} steps {training:.2f} s, ", end="")
        print(f"scoring all targets once {scoring:.2f} s")
        print(f"one cell with its controls: {whole:.1f} s")

        spent, theirs = _retrained(base, text, study, seed), 0.0
        full = 0.0
        trained = Path(folder) / "trained"
        checkpoint = load_checkpoint(base)
        last = study.steps[-1]
        for _ in trajectory(checkpoint.model, text, pieces, study.mlm, [last], seed=seed):
            began = time.process_time()
            save_model(checkpoint.model, checkpoint.vocabulary, trained, source=base)
            saving = time.process_time() - began
        pairs = [(task, t) for task in study.tasks for t in study.of_task(task)[1]]
        chosen = pairs[:: max(1, len(pairs) // options.targets)][: options.targets]
        for task, target in chosen:
            setting = replace(setting_of(study), targets={task: [target]})
            began = time.process_time()
            for start in (base, trained):
                right = _reloaded(start, {task: adapters[task]}, setting, task, target.name)
            theirs += (time.process_time() - began) / len(chosen)
            assert right == rights[last][task][target.name], f"{task} {target.name} differs"
            whole = replace(setting, sentences=0)
            began = time.process_time()
            for start in (base, trained):
                _in_eights(start, {task: adapters[task]}, whole, task)
            full += (time.process_time() - began) / len(chosen)
    rest = (spent + saving * len(study.steps)) / count
    print("seconds for one (task, transfer language, target, steps):")
    for way, seconds in (
        ("here", ours),
        ("reloaded", theirs + rest),
        ("as the authors", full + rest),
    ):
        print(f"  {way:<14}  {seconds:6.3f}  {seconds / ours:5.1f} x")


def _retrained(base: Path, text: np.ndarray, study: Study, seed: int) -> float:
    """Return the seconds of training anew for each number of steps, from the first ten."""
    checkpoint = load_checkpoint(base)
    model, pieces = checkpoint.model, _pieces(checkpoint)
    began = time.process_time()
    for _ in trajectory(model, text, pieces, study.mlm, [10], seed=seed):
        per_step = (time.process_time() - began) / 10
    return per_step * sum(study.steps)


def _reloaded(
    start: Path, adapters: dict[str, Path], setting: Setting, task: str, target: str
) -> list[int]:
    return open_bench(start, adapters, setting).scores()[task][target]


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
