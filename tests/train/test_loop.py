"""The training loop: best epoch, patience, and a killed run that equals an unbroken one."""

import math
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from specialize.errors import DataError
from specialize.progress import Silent
from specialize.train import loop
from specialize.train.interrupts import noted
from specialize.train.schedules import constant, linear


class Killed(Exception):
    pass


def make(seed: int = 0) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
    return module, torch.optim.AdamW(module.parameters(), lr=0.01)


class Noted(Silent):
    """A log that records its calls."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[dict] = []
        self.figures: list[dict] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def step(self, done: int, total: int, **figures: object) -> None:
        self.steps.append({"done": done, "total": total, **figures})

    def record(self, **figures: object) -> None:
        self.figures.append(figures)


def train(
    path: Path,
    *,
    kill_at: int = -1,
    terminate_at: int = -1,
    epochs: int = 3,
    patience: int = 0,
    seconds: float = 0,
    log: Silent = Silent(),  # noqa: B008
) -> tuple[nn.Module, list[loop.Epoch]]:
    module, optimizer = make()

    def loss_at(epoch: int, step: int) -> torch.Tensor:
        if step == kill_at:
            raise Killed
        if step == terminate_at:
            signal.raise_signal(signal.SIGTERM)
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(step))
        return (module(x) - x.sum(1, keepdim=True)).square().mean()

    def evaluate(epoch: int) -> float:
        module.eval()
        with torch.no_grad():
            return float((module(torch.ones(1, 4)) - 4).square())

    plan = loop.Plan(
        epochs,
        10,
        seed=1,
        patience=patience,
        checkpoint_seconds=seconds,
        metric="error",
        unit="sentences",
        per_step=5,
    )
    history = loop.run(
        module, [optimizer], linear(2, 30), loss_at, evaluate, plan, checkpoint=path, log=log
    )
    return module, history


def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path: Path) -> None:
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


def equal(left: nn.Module, right: nn.Module) -> bool:
    pairs = zip(left.parameters(), right.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_the_global_generator_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    module, optimizer = make()
    torch.manual_seed(7)
    loop.run(
        module,
        [optimizer],
        constant(),
        lambda epoch, step: module(torch.ones(2, 4)).sum(),
        lambda epoch: 0.0,
        loop.Plan(1, 3, seed=1),
        checkpoint=tmp_path / "a.pt",
        log=Silent(),
    )
    assert torch.equal(torch.rand(3), expected)


def test_the_best_epoch_is_the_one_left_in_the_module(tmp_path: Path) -> None:
    module, history = train(tmp_path / "a.pt", epochs=6)
    best = loop.best_epoch(history, lower_is_better=True)
    module.eval()
    with torch.no_grad():
        assert float((module(torch.ones(1, 4)) - 4).square()) == best.score


def test_patience_ends_training() -> None:
    state = loop.State()
    plan = loop.Plan(100, 1, 0, patience=2)
    for number, score in enumerate([3.0, 1.0, 2.0]):
        state.history.append(loop.Epoch(number, 1, math.nan, score, 0))
    assert not state.finished(plan)
    state.history.append(loop.Epoch(3, 1, math.nan, 1.5, 0))
    assert state.finished(plan)


def test_every_step_and_epoch_is_reported(tmp_path: Path) -> None:
    log = Noted()
    _, history = train(tmp_path / "a.pt", epochs=2, log=log)
    assert [(s["done"], s["total"], s["sentences"]) for s in log.steps] == [
        (n, 20, 5 * n) for n in range(1, 21)
    ]
    assert all(torch.is_tensor(s["loss"]) for s in log.steps)  # read by the log when it prints
    first = float(sum(s["loss"] for s in log.steps[:10])) / 10
    assert first == pytest.approx(history[1].train_loss)
    assert log.figures == [epoch.to_json() for epoch in history]
    assert log.figures[0]["train_loss"] is None
    assert log.lines[0] == f"epoch 0 of 2: error {history[0].score:.4f}"
    assert log.lines[2].startswith("epoch 2 of 2: loss ")


def test_a_resumed_run_says_where_and_repeats_no_epoch(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(tmp_path / "a.pt", kill_at=17)
    log = Noted()
    train(tmp_path / "a.pt", log=log)
    assert log.lines[0] == "resuming after 17 of 30 steps"
    assert [f["epoch"] for f in log.figures] == [2, 3]


# Interrupted, out of memory


def test_a_signal_ends_training_behind_a_checkpoint(tmp_path: Path) -> None:
    class Stopped(BaseException):
        pass

    def stop(number: int, frame: object) -> None:
        raise Stopped

    whole, _ = train(tmp_path / "a.pt")
    before = signal.signal(signal.SIGTERM, stop)
    try:
        with pytest.raises(Stopped):
            train(tmp_path / "b.pt", terminate_at=17, seconds=3600)
        assert signal.getsignal(signal.SIGTERM) is stop
    finally:
        signal.signal(signal.SIGTERM, before)
    assert torch.load(tmp_path / "b.pt")["step"] == 18
    resumed, _ = train(tmp_path / "b.pt")
    assert equal(whole, resumed)


def interrupt_twice(*, alone: bool, reached: list[int]) -> None:
    with noted(alone=alone) as found:
        signal.raise_signal(signal.SIGINT)
        reached.append(found.number)
        signal.raise_signal(signal.SIGINT)
        reached.append(found.number)


def test_a_second_interrupt_acts_at_once_unless_others_wait() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        for alone in (True, False):
            reached: list[int] = []
            with pytest.raises(KeyboardInterrupt):
                interrupt_twice(alone=alone, reached=reached)
            assert reached == [signal.SIGINT] * (1 if alone else 2)
    finally:
        signal.signal(signal.SIGINT, before)


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with noted() as found:
            signal.raise_signal(signal.SIGINT)
            assert found.number == 0
    finally:
        signal.signal(signal.SIGINT, before)


# Damage


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def blank(path: Path) -> None:
    """Lose a block of the weights, which ``torch.load`` does not notice."""
    module, _ = make()
    weights = torch.load(path, weights_only=True)["module"]["0.weight"].numpy().tobytes()
    data = path.read_bytes()
    assert len(weights) == module[0].weight.numel() * 4
    path.write_bytes(data.replace(weights, bytes(len(weights))))
    torch.load(path, weights_only=True)


def swap(path: Path) -> None:
    saved = torch.load(path, weights_only=True)
    saved["module"]["0.weight"] = torch.zeros(3, 4)
    torch.save(saved, path)


def pickled(path: Path) -> None:
    """A pickle with code in it, which must not run."""
    code = b"cbuiltins\nopen\n(V%b\nVw\ntR." % str(path.with_name("ran")).encode()
    path.write_bytes(code)


@pytest.mark.parametrize("damage", [cut, blank, swap, pickled, Path.touch])
def test_a_damaged_checkpoint_is_reported_and_training_begins_again(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    whole, history = train(tmp_path / "a.pt")
    with pytest.raises(Killed):
        train(tmp_path / "b.pt", kill_at=17)
    if damage is Path.touch:
        (tmp_path / "b.pt").write_bytes(b"")
    damage(tmp_path / "b.pt")
    log = Noted()
    again, repeated = train(tmp_path / "b.pt", log=log)
    assert log.lines[0].startswith(f"{tmp_path / 'b.pt'}: not a whole checkpoint (")
    assert log.lines[0].endswith("); training begins again")
    assert [e.score for e in repeated] == [e.score for e in history]
    for left, right in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(left, right)
    assert not (tmp_path / "ran").exists()


def diverge(path: Path, losses: Callable[[int, nn.Module], torch.Tensor]) -> str:
    module, optimizer = make()
    with pytest.raises(DataError) as raised:
        loop.run(
            module,
            [optimizer],
            constant(),
            lambda epoch, step: losses(step, module),
            lambda epoch: 0.0,
            loop.Plan(2, 10, seed=1, checkpoint_seconds=0, rates="lapt.rate"),
            checkpoint=path,
            log=Silent(),
        )
    return str(raised.value)


def test_a_loss_that_is_not_finite_stops_training(tmp_path: Path) -> None:
    for number, (value, shown) in enumerate([(math.nan, "nan"), (math.inf, "inf")]):
        path = tmp_path / f"{number}.pt"
        message = diverge(path, lambda step, module, v=value: loss_of(module, step, v))
        assert message == (
            "training stopped at step 13 of 20, at learning rate 0.01: the sum of the losses is "
            f"{shown}; lower lapt.rate"
        )
        saved = torch.load(path, weights_only=True)
        assert saved["step"] == 12
        assert all(tensor.isfinite().all() for tensor in saved["module"].values())


def loss_of(module: nn.Module, step: int, value: float) -> torch.Tensor:
    loss = module(torch.ones(2, 4)).square().sum()
    return loss * value if step == 12 else loss


def test_weights_that_are_not_finite_stop_training_at_the_end_of_the_epoch(tmp_path: Path) -> None:
    def losses(step: int, module: nn.Module) -> torch.Tensor:
        if step == 9:
            module[2].weight.data[0, 3] = math.nan
            return module[0].weight.sum()
        return module(torch.ones(2, 4)).sum()

    message = diverge(tmp_path / "a.pt", losses)
    assert "at step 10 of 20" in message
    assert ": 2.weight has weights that are not finite; lower lapt.rate" in message


def test_checkpoints_take_a_twentieth_of_the_time_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(loop.time, "monotonic", lambda: now)

    class Slow:
        def save(self, *_: object) -> None:
            nonlocal now
            now += 3.0

    made = loop._Checkpoints(tmp_path / "a.pt", torch.nn.Linear(1, 1), [], 15.0)
    now = 16.0
    assert made.due()  # after 15 seconds, as long as nothing is known of the cost
    made.write(Slow())  # type: ignore[arg-type]
    now += 59.0
    assert not made.due()
    now += 2.0
    assert made.due()
    every = loop._Checkpoints(tmp_path / "b.pt", torch.nn.Linear(1, 1), [], 0.0)
    every.write(Slow())  # type: ignore[arg-type]
    now += 0.1
    assert every.due()
