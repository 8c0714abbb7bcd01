"""The stages of transfer: text, adapters, scores of the base, trajectories, the screen."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specialize import atomic
from specialize.corpus import CorpusFiles, open_corpus
from specialize.errors import DataError
from specialize.model.find import find_model
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.progress import Log
from specialize.store import Stage
from specialize.studies.transfer.adapters import TaskAdapter, open_adapter, train_adapter
from specialize.studies.transfer.evaluation import Right, TestSet, evaluate, test_set
from specialize.studies.transfer.recipe import AdapterPlan, Mlm, Study, Treebank
from specialize.studies.transfer.trajectory import (
    perturb,
    putting_back,
    restore,
    snapshot,
    trajectory,
)
from specialize.train.masking import mask_pieces
from specialize.train.optim import device
from specialize.train.packing import PADDING, pack

RESULT = "scores.json"
_PACKED = "packed.npy"
_EVALUATION = 0.004  # seconds of a sentence, one thread of a CPU
_STEP = 0.3  # seconds of a step of MLM


@dataclass(frozen=True)
class Setting:
    """What every evaluation needs, in the key of its stage."""

    targets: Mapping[str, Sequence[Treebank]]  # by task
    sentences: int
    plan: AdapterPlan


@dataclass(frozen=True)
class Cells:
    """The stages of a study."""

    texts: dict[str, Stage]  # by transfer language
    adapters: dict[str, Stage]  # by task
    base: Stage
    trajectories: dict[tuple[str, int], Stage]  # by transfer language and repeat
    screen: Stage

    @property
    def all(self) -> list[Stage]:
        """All stages."""
        return [self.base, *self.trajectories.values(), self.screen]


def derived(*parts: object) -> int:
    """Return a seed below 2^31 of a generator of its own, the same in every process."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") >> 1


def text_stages(study: Study, base: Path) -> dict[str, Stage]:
    """Return the stages that pack the text of each transfer language."""
    tests = sorted({t.files["test"] for t in study.targets})
    options = {"length": study.mlm.length, "lines": study.mlm.lines, "seed": study.seed}
    return {
        name: Stage(
            "transfer-text",
            f"{name}: text",
            pack_text,
            {"base": base, "files": list(files), "remove": tests, **options},
            work=2.0,
        )
        for name, files in study.transfer.items()
    }


def adapter_stages(study: Study, base: Path) -> dict[str, Stage]:
    """Return the stages that train the task adapters."""
    found = {}
    for task in study.tasks:
        train, _ = study.of_task(task)
        work = len(train) * (study.adapter.sentences or 1000) * study.adapter.epochs * 0.01
        arguments = {"base": base, "task": task, "treebanks": train, "plan": study.adapter}
        found[task] = Stage(
            "transfer-adapter",
            f"{task} adapter",
            train_adapter,
            {**arguments, "seed": study.seed},
            work=work,
        )
    return found


def setting_of(study: Study) -> Setting:
    """Return what evaluations of a study need."""
    targets = {task: study.of_task(task)[1] for task in study.tasks}
    return Setting(targets, study.sentences, study.adapter)


def cells(study: Study) -> Cells:
    """Return the stages of a study."""
    from specialize.studies.transfer.screen import write_screen

    base = find_model(study.base)
    texts, adapters = text_stages(study, base), adapter_stages(study, base)
    common = {"base": base, "adapters": adapters, "setting": setting_of(study)}
    once = evaluation_seconds(study)
    trained = {
        (name, repeat): Stage(
            "transfer",
            f"{name}, repeat {repeat + 1}",
            write_trajectory,
            {
                **common,
                "text": texts[name],
                "mlm": study.mlm,
                "steps": list(study.steps),
                "seed": derived(study.seed, name, repeat),
            },
            work=_STEP * study.steps[-1] + once * (1 + 2 * len(study.steps)),
        )
        for repeat in range(study.repeats)
        for name in study.transfer
    }
    base_stage = Stage("transfer-base", "base scores", write_base, common, work=once)
    seeds = {name: [derived(study.seed, name, r) for r in range(study.repeats)] for name in texts}
    screen = Stage(
        "transfer-screen",
        "first-order screen",
        write_screen,
        {**common, "texts": texts, "mlm": study.mlm, "seeds": seeds},
        work=4 * once,
    )
    return Cells(texts, adapters, base_stage, trained, screen)


def evaluation_seconds(study: Study) -> float:
    """Return about how long it takes to score all targets once."""
    sentences = sum(len(study.of_task(t)[1]) for t in study.tasks) * (study.sentences or 500)
    return _EVALUATION * sentences


def pack_text(
    folder: Path,
    *,
    log: Log,
    base: Path,
    files: Sequence[Path],
    remove: Sequence[Path],
    length: int,
    lines: int,
    seed: int,
) -> None:
    """Write the text as packed sequences, without the sentences of the test files."""
    checkpoint = load_checkpoint(base)
    removed = tuple(map(str, remove))
    wanted = CorpusFiles(tuple(map(str, files)), remove=removed, dev=0.0, lines=lines, seed=seed)
    documents = open_corpus(wanted).documents()
    packed = pack(checkpoint.vocabulary, checkpoint.framing, documents, length)
    if not len(packed):
        raise DataError(f"{files[0]}:1: expected text, got no line with a piece")
    packed[packed == PADDING] = checkpoint.framing.pad
    with atomic.whole_file(folder / _PACKED) as partial, partial.open("wb") as stream:
        np.save(stream, packed)


def read_text(folder: Path) -> np.ndarray:
    """Return the packed sequences [N, L]."""
    found: np.ndarray = np.load(folder / _PACKED)
    return found


@dataclass(frozen=True)
class Bench:
    """A model with its task adapters and test sets, loaded once for a stage."""

    checkpoint: Checkpoint
    words: WordEncoder
    adapters: dict[str, TaskAdapter]
    tests: dict[str, TestSet]

    def scores(self) -> dict[str, Right]:
        """Return the right words of each sentence, by task and target."""
        found = {}
        for task, adapter in self.adapters.items():
            with adapter.on(self.checkpoint.model) as scope, scope():
                found[task] = evaluate(adapter, self.tests[task])
        return found


def open_bench(base: Path, adapters: Mapping[str, Path], setting: Setting) -> Bench:
    """Return the base with all adapters and test sets."""
    checkpoint = load_checkpoint(base)
    model = checkpoint.model.to(device())
    words = WordEncoder(checkpoint.vocabulary, checkpoint.framing, length=setting.plan.length)
    opened = {task: open_adapter(f, model, task, setting.plan) for task, f in adapters.items()}
    tests = {
        task: test_set(task, targets, setting.sentences, words, device())
        for task, targets in setting.targets.items()
    }
    return Bench(checkpoint, words, opened, tests)


def write_base(
    folder: Path, *, log: Log, base: Path, adapters: Mapping[str, Path], setting: Setting
) -> None:
    """Write the scores of all targets before any step."""
    bench = open_bench(base, adapters, setting)
    words = {task: test.words() for task, test in bench.tests.items()}
    atomic.write_json(folder / RESULT, {"right": bench.scores(), "words": words})


def write_trajectory(
    folder: Path,
    *,
    log: Log,
    base: Path,
    adapters: Mapping[str, Path],
    setting: Setting,
    text: Path,
    mlm: Mlm,
    steps: Sequence[int],
    seed: int,
) -> None:
    """Train on a language and write the scores of all targets after each number of steps.

    With two controls: noise of equal norm in place of each change, and, with the base's weights
    put back at the end, 0 steps. Neither weights nor annotations are kept.
    """
    bench = open_bench(base, adapters, setting)
    model = bench.checkpoint.model
    pieces = mask_pieces(bench.checkpoint.vocabulary, bench.checkpoint.framing)
    after, noise, norms, seconds = {}, {}, {}, {"training": 0.0, "evaluation": 0.0}
    began = time.perf_counter()

    def scores() -> dict[str, Right]:
        nonlocal began
        began = time.perf_counter()
        found = bench.scores()
        seconds["evaluation"] += time.perf_counter() - began
        return found

    with putting_back(model) as start:
        for done in trajectory(model, read_text(text), pieces, mlm, steps, seed=seed):
            seconds["training"] += time.perf_counter() - began
            reached = snapshot(model)
            after[str(done)] = scores()
            norms[str(done)] = perturb(model, start, reached, seed=derived(seed, done))
            noise[str(done)] = scores()
            restore(model, reached)
            log.step(done, max(steps))
            began = time.perf_counter()
    after["0"] = scores()
    facts: dict[str, Any] = {"after": after, "noise": noise, "norms": norms}
    atomic.write_json(folder / RESULT, facts)
    log.record(**seconds, evaluations=2 * len(steps) + 1)
