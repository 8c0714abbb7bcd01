"""Seconds for one (transfer language, target, steps) of a study of transfer, against reloading.

"reloaded" is how the authors' code goes about it (Faisal & Anastasopoulos 2024): for each number of
steps train anew and save, then for each target load the model and the adapter from disk, encode
its sentences, and score it with both the base and the trained model. Scores of both ways are
compared first where they must agree: those after the largest number of steps. CPU seconds of one
thread, so that a busy machine says the same.

    python benchmarks/transfer.py recipes/transfer_mini.toml --targets 3
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from specialize.executors import run_all
from specialize.model.load import load_checkpoint, save_model
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
from specialize.studies.transfer.recipe import read_study
from specialize.studies.transfer.trajectory import putting_back, restore, snapshot, trajectory
from specialize.train.masking import mask_pieces


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
        per = theirs + (spent + saving * len(study.steps)) / count
    print(f"seconds for one (transfer language, target, steps): {ours:.3f}; reloaded: {per:.3f}")
    print(f"ratio: {per / ours:.1f}")


def _retrained(base: Path, text: object, study: object, seed: int) -> float:
    """Return the seconds of training anew for each number of steps."""
    from specialize.studies.transfer.recipe import Study

    assert isinstance(study, Study)
    checkpoint = load_checkpoint(base)
    pieces = _pieces(checkpoint)
    began = time.process_time()
    done = 0
    few = [k for k in study.steps if k <= 10]
    for k in few:
        with putting_back(checkpoint.model):
            for _ in trajectory(checkpoint.model, text, pieces, study.mlm, [k], seed=seed):  # type: ignore[arg-type]
                done += k
    per_step = (time.process_time() - began) / max(1, done)
    return per_step * sum(study.steps)


def _reloaded(
    start: Path, adapters: dict[str, Path], setting: Setting, task: str, target: str
) -> list[int]:
    return open_bench(start, adapters, setting).scores()[task][target]


def _pieces(checkpoint: object) -> object:
    from specialize.model.load import Checkpoint

    assert isinstance(checkpoint, Checkpoint)
    return mask_pieces(checkpoint.vocabulary, checkpoint.framing)


if __name__ == "__main__":
    main()
