"""The training loop: best epoch, patience, and a killed run that equals an unbroken one."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from specialize.train import loop


class Killed(Exception):
    pass


def make(seed: int = 0) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    return module, torch.optim.AdamW(module.parameters(), lr=0.01)


def train(
    path: Path, *, kill_at: int = -1, epochs: int = 3, patience: int = 0
) -> tuple[nn.Module, list[loop.Epoch]]:
    module, optimizer = make()

    def loss_at(epoch: int, step: int) -> torch.Tensor:
        if step == kill_at:
            raise Killed
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(step))
        return (module(x) - x.sum(1, keepdim=True)).square().mean()

    def evaluate() -> float:
        module.eval()
        with torch.no_grad():
            return float((module(torch.ones(1, 4)) - 4).square())

    plan = loop.Plan(epochs, 10, seed=1, patience=patience, checkpoint_seconds=0)
    history = loop.run(
        module, [optimizer], loop.linear(2, 30), loss_at, evaluate, plan, checkpoint=path
    )
    return module, history


def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, history = train(tmp_path / "a.pt")
    with pytest.raises(Killed):
        train(tmp_path / "b.pt", kill_at=17)
    torch.manual_seed(99)  # the global generator must not matter
    resumed, again = train(tmp_path / "b.pt")
    assert [(e.train_loss, e.score) for e in history[1:]] == [
        (e.train_loss, e.score) for e in again[1:]
    ]
    for left, right in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(left, right)


def test_the_global_generator_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    module, optimizer = make()
    torch.manual_seed(7)
    loop.run(
        module,
        [optimizer],
        loop.constant(),
        lambda epoch, step: module(torch.ones(2, 4)).sum(),
        lambda: 0.0,
        loop.Plan(1, 3, seed=1),
        checkpoint=tmp_path / "a.pt",
    )
    assert torch.equal(torch.rand(3), expected)


def test_the_best_epoch_is_the_one_left_in_the_module(tmp_path: Path) -> None:
    module, history = train(tmp_path / "a.pt", epochs=6)
    best = loop.best_epoch(history, lower_is_better=True)
    module.eval()
    with torch.no_grad():
        assert float((module(torch.ones(1, 4)) - 4).square()) == best.score


def test_patience_ends_training() -> None:
    state = loop._State()
    plan = loop.Plan(100, 1, 0, patience=2)
    for number, score in enumerate([3.0, 1.0, 2.0]):
        state.history.append(loop.Epoch(number, 1, math.nan, score, 0))
    assert not state.finished(plan)
    state.history.append(loop.Epoch(3, 1, math.nan, 1.5, 0))
    assert state.finished(plan)


def test_schedules_have_the_values_of_their_formulas() -> None:
    share = loop.linear(10, 110)
    assert [share(s) for s in (0, 9, 60, 110)] == [0.1, 1.0, 0.5, 0.0]
    udify = loop.inverse_sqrt(50)  # steps from 1: batch 51 -> .005, 150 -> .5, 500 -> .2357
    assert [round(udify(s - 1), 4) for s in (50, 51, 150, 500)] == [1.0, 0.005, 0.5, 0.2357]
