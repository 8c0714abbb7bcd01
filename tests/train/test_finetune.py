"""Fine-tuning: runs of one loaded checkpoint are independent, and an interrupted one resumes."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from specialize.errors import UsageError
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.progress import Silent
from specialize.tasks import pos
from specialize.toylang import ToyFiles
from specialize.train import finetune as module
from specialize.train.finetune import Data, Finetune, Finetuned, finetune

PLAN = Finetune(epochs=3, patience=0, batch=8, rate=1e-3, length=64, precision="float32")


class Killed(Exception):
    """A simulated power cut."""


class Noted(Silent):
    """A log that keeps the sizes of batches."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []

    def read(self, pieces: int, positions: int) -> None:
        self.batches.append((pieces, positions))


@pytest.fixture(scope="module")
def data(toy: ToyFiles) -> Data:
    read = pos.task().read
    return Data(read(toy.train)[:20], read(toy.dev)[:10], read(toy.test)[:10])


def run(
    base: Checkpoint,
    data: Data,
    folder: Path,
    task: Any = None,
    seed: int = 1,
    log: Silent = Silent(),  # noqa: B008
) -> Finetuned:
    words = WordEncoder(base.vocabulary, base.framing, length=PLAN.length)
    return finetune(base, words, task or pos.task(), data, PLAN, seed=seed, folder=folder, log=log)


def weights(found: Finetuned) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in found.module.state_dict().items()}


def equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


def test_later_runs_of_a_loaded_checkpoint_equal_first_ones(
    base_folder: Path, data: Data, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    first = [weights(run(base, data, tmp_path / f"a{seed}", seed=seed)) for seed in (1, 2)]
    again = [
        weights(run(load_checkpoint(base_folder), data, tmp_path / f"b{seed}", seed=seed))
        for seed in (1, 2)
    ]
    assert equal(first[0], again[0])
    assert equal(first[1], again[1])
    assert not equal(first[0], first[1])


@pytest.mark.parametrize("given", [{"layer_dropout": 1.0}, {"layer_dropout": -0.1}, {"freeze": -1}])
def test_values_without_a_meaning_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=f"finetune.{next(iter(given))} "):
        Finetune(**given)


def test_the_encoder_is_trained_not_only_the_head(
    base_folder: Path, data: Data, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    before = {n: t.clone() for n, t in base.model.base_model.state_dict().items()}
    log = Noted()
    found = run(base, data, tmp_path, log=log)
    sizes = WordEncoder(base.vocabulary, base.framing, length=PLAN.length).sizes(
        s.words for s in data.train
    )
    assert sum(pieces for pieces, _ in log.batches) == PLAN.epochs * sum(sizes)
    assert all(pieces <= positions for pieces, positions in log.batches)
    assert not equal(before, found.module.encoder.state_dict())
    assert len(found.predicted) == len(data.test)
    assert found.history[-1].score > found.history[0].score


def test_a_killed_run_resumes_to_the_same_weights(
    base_folder: Path, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weights(run(load_checkpoint(base_folder), data, tmp_path / "whole"))
    task, calls = pos.task(), []
    loss = type(task).loss

    def killing(self: Any, *given: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) > 5:  # in the second epoch of three steps
            raise Killed
        return loss(self, *given)

    monkeypatch.setattr(type(task), "loss", killing)
    monkeypatch.setattr(module.loop, "Plan", partial(module.loop.Plan, checkpoint_seconds=0))
    with pytest.raises(Killed):
        run(load_checkpoint(base_folder), data, tmp_path / "cut", task)
    monkeypatch.undo()
    assert (tmp_path / "cut" / "checkpoint.pt").exists()
    assert equal(whole, weights(run(load_checkpoint(base_folder), data, tmp_path / "cut")))


def test_layers_left_out_in_evaluation_change_scores_of_tags_and_repeat(
    base_folder: Path, data: Data
) -> None:
    base = load_checkpoint(base_folder)
    words = WordEncoder(base.vocabulary, base.framing, length=PLAN.length)
    task, labels = pos.task(), pos.task().labels(data.dev)
    found: list[torch.Tensor] = []
    for always, seed in ((False, 0), (True, 1), (True, 2)):
        plan = replace(PLAN, layer_dropout=0.5, evaluation_dropout=always)
        made = module.word_model(base.model, task, labels, plan, 1)
        made.head.register_forward_hook(lambda _, given, scores: found.append(scores))
        torch.manual_seed(seed)  # what others draw must not matter
        module.predict(made, words, task, labels, data.dev[:2])
    assert torch.equal(found[1], found[2])
    assert not torch.equal(found[0], found[1])


def test_batches_are_sorted_once_an_epoch(
    base_folder: Path, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs, batches = [], module.batches_by_length

    def noting(*given: Any, **options: Any) -> Any:
        epochs.append(options["epoch"])
        return batches(*given, **options)

    monkeypatch.setattr(module, "batches_by_length", noting)
    run(load_checkpoint(base_folder), data, tmp_path)
    assert epochs == [0, 1, 2]
