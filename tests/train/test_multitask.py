"""Tasks trained together on one encoder."""

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from specialize.errors import DataError, UsageError
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.tasks import dep, ner, pos
from specialize.toylang import ToyFiles
from specialize.train import loop
from specialize.train.finetune import Data, Finetune, Finetuned, finetune
from specialize.train.multitask import Multitask, Part, forget, groups_of, train_together
from specialize.train.sampling import mixed_batches

PLAN = Finetune(epochs=3, patience=0, batch=8, rate=1e-3, length=64, precision="float32", freeze=1)


class Killed(Exception):
    """A simulated power cut."""


@pytest.fixture(scope="module")
def parts(toy: ToyFiles) -> dict[str, Part]:
    found = {}
    for name, task, files in (
        ("pos", pos.task(), (toy.train, toy.dev, toy.test)),
        ("dep", dep.task(), (toy.train, toy.dev, toy.test)),
        ("ner", ner.task(), (toy.ner_train, toy.ner_dev, toy.ner_test)),
    ):
        read: Any = [task.read(file)[:n] for file, n in zip(files, (20, 8, 8), strict=True)]
        found[name] = Part(task, Data(*read), files[0])
    return found


def reader(base: Checkpoint) -> WordEncoder:
    return WordEncoder(base.vocabulary, base.framing, length=PLAN.length)


def run(
    folder: Path,
    base_folder: Path,
    parts: list[Part],
    how: Multitask,
    seed: int = 1,
    plan: Finetune = PLAN,
) -> list[tuple[Finetuned, dict[str, torch.Tensor]]]:
    """Return each result with a copy of its weights."""
    base = load_checkpoint(base_folder)
    folder.mkdir(exist_ok=True)
    found = train_together(base, reader(base), parts, plan, how, seed=seed, folder=folder)
    return [
        (one, {name: tensor.clone() for name, tensor in one.module.state_dict().items()})
        for one in found
    ]


def equal(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def test_a_setting_is_named_by_its_sampling_and_what_is_not_the_default() -> None:
    assert str(Multitask()) == "interleave"
    how = Multitask("temperature", temperature=5.0, joint=True, checkpoint="each")
    assert str(how) == "temperature (temperature 5.0, joint, checkpoint each)"


def test_tasks_with_one_training_file_are_a_group_if_joint() -> None:
    files = [Path("ud"), Path("ner"), Path("ud")]
    assert groups_of(files, joint=True) == [[0, 2], [1]]
    assert groups_of(files, joint=False) == [[0], [1], [2]]


@pytest.mark.parametrize("how", [Multitask(), Multitask(sampling="upsample", checkpoint="each")])
def test_one_task_is_trained_as_if_it_were_alone(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path, how: Multitask
) -> None:
    ((together, weights),) = run(tmp_path / "together", base_folder, [parts["pos"]], how)
    base = load_checkpoint(base_folder)
    part = parts["pos"]
    alone = finetune(base, reader(base), part.task, part.data, PLAN, seed=1, folder=tmp_path)
    assert equal(weights, alone.module.state_dict())
    assert [e.score for e in together.history] == [e.score for e in alone.history]
    assert together.test == alone.test


@pytest.mark.parametrize("joint", [False, True])
def test_all_tasks_share_the_encoder_and_learn(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path, joint: bool
) -> None:
    how = Multitask(joint=joint, sampling="upsample")
    found = run(tmp_path, base_folder, [*parts.values()], how)
    encoders = [
        {name: tensor for name, tensor in weights.items() if name.startswith("encoder.")}
        for _, weights in found
    ]
    assert equal(encoders[0], encoders[1])
    assert equal(encoders[0], encoders[2])
    mixes = [weights["mix.weights"] for _, weights in found]
    assert torch.equal(mixes[0], mixes[1]) == joint
    assert not torch.equal(mixes[0], mixes[2])
    for one, _ in found[:2]:  # entities take more than a few steps
        assert one.history[-1].score > one.history[0].score
    assert [len(one.predicted) for one, _ in found] == [8, 8, 8]
    forget(tmp_path)
    assert not [*tmp_path.glob("best-*"), *tmp_path.glob("*.json"), *tmp_path.glob("*.pt")]


def _scored(
    made: Iterator[float], score: Any, task: Any, gold: Any, predicted: Any
) -> dict[str, float]:
    value = next(made, None)
    return score(task, gold, predicted) if value is None else {task.metric: value}


def test_each_task_may_keep_its_own_best_epoch(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pos is made best after epoch 1, dep after epoch 3; the sum after epoch 2."""
    made = {"xpos": [0.0, 9.0, 8.0, 1.0], "las": [0.0, 1.0, 8.0, 9.0]}
    two = [parts["pos"], parts["dep"]]

    def scored(how: Multitask, folder: Path) -> list[tuple[Finetuned, dict[str, torch.Tensor]]]:
        left = {name: iter(values) for name, values in made.items()}
        with monkeypatch.context() as patch:
            for task in (part.task for part in two):
                score = type(task).score

                def fake(
                    self: Any,
                    gold: Any,
                    predicted: Any,
                    *,
                    name: str = task.metric,
                    score: Any = score,
                ) -> dict[str, float]:
                    value = next(left[name], None)
                    return score(self, gold, predicted) if value is None else {name: value}

                patch.setattr(type(task), "score", fake)
            return run(folder, base_folder, two, how)

    one = scored(Multitask(), tmp_path / "one")
    each = scored(Multitask(checkpoint="each"), tmp_path / "each")
    assert [e.score for e in each[0][0].history] == made["xpos"]
    assert [e.score for e in each[1][0].history] == made["las"]
    encoder = "encoder.embeddings"
    of_one = {n: t for n, t in one[0][1].items() if n.startswith(encoder)}
    assert equal(of_one, {n: t for n, t in one[1][1].items() if n.startswith(encoder)})
    differ = [{n: t for n, t in w.items() if n.startswith(encoder)} for _, w in each]
    assert not equal(differ[0], differ[1])
    assert not equal(differ[0], of_one)


def test_normalized_losses_are_one_at_the_start(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path
) -> None:
    plain = run(tmp_path / "a", base_folder, [*parts.values()], Multitask())
    scaled = run(tmp_path / "b", base_folder, [*parts.values()], Multitask(normalize=True))
    assert scaled[0][0].history[1].train_loss < 1.5
    assert plain[0][0].history[1].train_loss > 1.5


def test_losses_are_normalized_of_tasks_that_the_first_epoch_does_not_draw(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path
) -> None:
    data = parts["ner"].data
    small = Part(parts["ner"].task, Data(data.train[:1], data.dev, data.test), "ner")

    def drawn(seed: int, epoch: int) -> set[int]:
        lengths = [[1] * 20, [1]]
        found = mixed_batches(lengths, 8, "proportional", seed=seed, epoch=epoch)
        return {source for source, _ in found}

    seed = next(s for s in range(100) if drawn(s, 0) == {0} and drawn(s, 1) == {0, 1})
    how = Multitask(sampling="proportional", normalize=True)
    found = run(tmp_path, base_folder, [parts["pos"], small], how, seed=seed)
    assert all(math.isfinite(epoch.train_loss) for epoch in found[0][0].history[1:])


def test_a_loss_of_zero_is_not_normalized(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path
) -> None:
    """All words have one tag, so nothing is left to learn."""
    data = parts["pos"].data
    same = [
        [replace(s, gold=("N",) * len(s.words)) for s in part]
        for part in (data.train, data.dev, data.test)
    ]
    one = Part(parts["pos"].task, Data(*same), "one")
    how = Multitask(normalize=True)
    found = run(tmp_path, base_folder, [one, parts["ner"]], how)
    assert found[0][0].test["accuracy"] == 100
    assert math.isfinite(found[1][0].history[-1].train_loss)


def test_tasks_of_one_file_that_read_other_sentences_are_refused(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path
) -> None:
    data = parts["dep"].data
    fewer = Part(parts["dep"].task, Data(data.train[1:], data.dev, data.test), parts["pos"].source)
    both = [parts["pos"], fewer]
    with pytest.raises(DataError, match=r":\d+: expected the same training sentences of pos"):
        run(tmp_path, base_folder, both, Multitask(joint=True))
    assert len(run(tmp_path, base_folder, both, Multitask())) == 2


@pytest.mark.parametrize("how", [Multitask(), Multitask(checkpoint="each", normalize=True)])
def test_a_killed_run_resumes_to_the_same_weights(
    base_folder: Path,
    parts: dict[str, Part],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: Multitask,
) -> None:
    whole = run(tmp_path / "whole", base_folder, [*parts.values()], how)
    task = type(parts["dep"].task)
    loss, calls = task.loss, []

    def killing(self: Any, *given: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) > 5:
            raise Killed
        return loss(self, *given)

    monkeypatch.setattr(task, "loss", killing)
    monkeypatch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0))
    with pytest.raises(Killed):
        run(tmp_path / "cut", base_folder, [*parts.values()], how)
    monkeypatch.undo()
    assert (tmp_path / "cut" / "checkpoint.pt").exists()
    again = run(tmp_path / "cut", base_folder, [*parts.values()], how)
    for (first, weights), (second, others) in zip(whole, again, strict=True):
        assert equal(weights, others)
        assert first.test == second.test
        assert [e.score for e in first.history] == [e.score for e in second.history]


def test_a_run_killed_between_an_epoch_and_its_evaluation_resumes_to_the_same_scores(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, how = [parts["pos"], parts["dep"]], Multitask(checkpoint="each")
    whole = run(tmp_path / "whole", base_folder, both, how)
    task = type(parts["dep"].task)
    score, calls = task.score, []

    def killing(self: Any, *given: Any) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 3:  # after the start and epoch 1
            raise Killed
        return score(self, *given)

    monkeypatch.setattr(task, "score", killing)
    monkeypatch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0))
    with pytest.raises(Killed):
        run(tmp_path / "cut", base_folder, both, how)
    monkeypatch.undo()
    again = run(tmp_path / "cut", base_folder, both, how)
    for (first, weights), (second, others) in zip(whole, again, strict=True):
        assert equal(weights, others)
        assert [e.score for e in first.history] == [e.score for e in second.history]


def test_a_run_killed_before_its_files_are_removed_gives_its_results_again(
    base_folder: Path, parts: dict[str, Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0))
    how = Multitask(checkpoint="each")
    first = run(tmp_path, base_folder, [*parts.values()], how)
    again = run(tmp_path, base_folder, [*parts.values()], how)
    for (one, weights), (other, others) in zip(first, again, strict=True):
        assert equal(weights, others)
        assert one.test == other.test


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sampling": "rounds"},
            "unknown multitask.sampling 'rounds'; known: inter",
        ),
        ({"checkpoint": "last"}, "unknown multitask.checkpoint 'last'; known: one, each"),
        ({"temperature": -1.0}, "expected multitask.temperature of at least 0"),
        ({"temperature": 0.0}, "expected multitask.temperature above 0"),
        ({"temperature": 5.0}, "multitask.temperature has no effect on 'interleave'"),
    ],
)
def test_values_without_a_meaning_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Multitask(**options)
