"""The one training loop: epochs of steps, a score after each, the best kept, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from specialize import atomic
from specialize.errors import DataError
from specialize.progress import Log
from specialize.train.checkpoints import read_checkpoint
from specialize.train.schedules import Schedule

LossAt = Callable[[int, int], Tensor | Iterable[Tensor]]  # epoch, step -> its loss, or the parts

_WAIT = 50  # steps between two looks at the loss on a GPU, which each has to wait for


@dataclass(frozen=True)
class Plan:
    """How long a stage trains and which epoch is its best."""

    epochs: int
    steps: int  # of an epoch
    seed: int
    clip: float = 1.0  # bound on the gradient's global norm
    patience: int = 0  # epochs without a better score after which to stop; 0 = never
    lower_is_better: bool = True
    keep_best: bool = True  # else the module is left at the last epoch
    checkpoint_seconds: float = 60.0
    precision: str = "float32"  # or "bfloat16": autocast
    metric: str = "score"  # the score's name in messages
    unit: str = ""  # what progress counts beside steps: "tokens" or "sentences"
    per_step: int = 0  # how many of them a step reads
    rates: str = "the learning rate"  # the keys that set it, for messages
    print_epochs: bool = True  # a line for each epoch; metrics.jsonl has them in any case


@dataclass(frozen=True)
class Epoch:
    """Result of an epoch; epoch 0 is the state before training."""

    epoch: int
    steps: int
    train_loss: float  # mean over its steps, nats; nan for epoch 0
    score: float
    seconds: float

    def to_json(self) -> dict[str, float | None]:
        """Return the fields, a loss of nan as None."""
        fields = asdict(self)
        return {name: value if math.isfinite(value) else None for name, value in fields.items()}


def run(
    module: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    schedule: Schedule,
    loss_at: LossAt,
    evaluate: Callable[[int], float],
    plan: Plan,
    *,
    checkpoint: Path,
    log: Log,
) -> list[Epoch]:
    """Train ``module``, leave it at its best epoch (or the last) and return the history.

    ``loss_at(epoch, step)`` returns the loss of one step (both from 0), or its parts, each made
    once the gradient of the part before is known; it depends on nothing but its arguments;
    randomness of a step (dropout) is seeded by (seed, step). ``evaluate(epoch)`` returns the score
    after that epoch; epoch 0 is the start. So a run that is killed and resumed from ``checkpoint``
    equals an uninterrupted one, on one machine with as many threads. A damaged checkpoint is
    reported, and training begins again. DataError where the loss or a weight is no longer finite.
    """
    rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    state = _State.load(checkpoint, module, optimizers, log)
    wait = _WAIT if _devices(module) else 1
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    if state.history:
        log.say(f"resuming after {state.step:,} of {plan.epochs * plan.steps:,} steps")
    else:
        state.close_epoch(Epoch(0, 0, math.nan, evaluate(0), 0.0), module, plan)
        _report_epoch(state.history[-1], plan, log)

    def one_step(epoch: int) -> None:
        share = schedule(state.step)
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * share
        loss = _step(module, optimizers, loss_at, epoch, state.step, plan)
        state.loss_sum = state.loss_sum + loss
        state.step += 1
        _report_step(state, loss, plan, log)

    saved = time.monotonic()
    with seeded(module, plan.seed):
        while not state.finished(plan):
            began, epoch = time.monotonic(), len(state.history) - 1
            module.train()
            while state.step < (epoch + 1) * plan.steps:
                one_step(epoch)
                due = time.monotonic() - saved > plan.checkpoint_seconds
                if due or state.step % wait == 0:
                    _check_loss(state, groups, plan)
                if due:
                    state.seconds += time.monotonic() - began
                    state.save(checkpoint, module, optimizers)
                    began = saved = time.monotonic()
            _check_loss(state, groups, plan)
            _check_weights(module, state, groups, plan)
            score = evaluate(epoch + 1)
            record = state.epoch(score, state.seconds + time.monotonic() - began, plan)
            state.close_epoch(record, module, plan)
            if time.monotonic() - saved > plan.checkpoint_seconds:
                state.save(checkpoint, module, optimizers)
                saved = time.monotonic()
            _report_epoch(record, plan, log)
    if plan.keep_best:
        module.load_state_dict(state.best)
    return state.history


def best_epoch(history: list[Epoch], *, lower_is_better: bool) -> Epoch:
    """Return the epoch with the best score, the first of equals."""
    scores = [e.score if lower_is_better else -e.score for e in history]
    return history[scores.index(min(scores))]


def _check_loss(state: _State, groups: Sequence[dict[str, Any]], plan: Plan) -> None:
    """Raise DataError if a loss of this epoch was not finite."""
    if not math.isfinite(total := float(state.loss_sum)):
        raise _diverged(f"the sum of the losses is {total}", state, groups, plan)


def _check_weights(
    module: nn.Module, state: _State, groups: Sequence[dict[str, Any]], plan: Plan
) -> None:
    """Raise DataError if a weight is not finite."""
    named = dict(module.named_parameters())
    finite = torch.stack([parameter.isfinite().all() for parameter in named.values()]).cpu()
    if not finite.all():
        name = list(named)[int(finite.int().argmin())]
        raise _diverged(f"{name} has weights that are not finite", state, groups, plan)


def _diverged(what: str, state: _State, groups: Sequence[dict[str, Any]], plan: Plan) -> DataError:
    rate = max(group["lr"] for group in groups)
    return DataError(
        f"training stopped at step {state.step:,} of {plan.epochs * plan.steps:,}, at learning "
        f"rate {rate:.3g}: {what}; lower {plan.rates}"
    )


def _report_step(state: _State, loss: Tensor, plan: Plan, log: Log) -> None:
    """Report a step with the last epoch's score; the loss is a tensor, read when it is shown."""
    figures: dict[str, float] = {plan.metric: state.history[-1].score}
    if plan.unit:
        figures[plan.unit] = state.step * plan.per_step
    log.step(state.step, plan.epochs * plan.steps, loss=loss, **figures)


def _report_epoch(record: Epoch, plan: Plan, log: Log) -> None:
    if plan.print_epochs:
        loss = "" if record.epoch == 0 else f"loss {record.train_loss:.3f}, "
        log.say(f"epoch {record.epoch} of {plan.epochs}: {loss}{plan.metric} {record.score:.4f}")
    log.record(**record.to_json())


def _step(
    module: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    loss_at: LossAt,
    epoch: int,
    step: int,
    plan: Plan,
) -> Tensor:
    torch.manual_seed((plan.seed << 32) + step)
    device = next(module.parameters()).device
    total = torch.zeros((), device=device)
    for part in _parts(lambda: loss_at(epoch, step), device.type, plan.precision):
        part.backward()
        total += part.detach()
    nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return total


def _parts(
    loss: Callable[[], Tensor | Iterable[Tensor]], device: str, precision: str
) -> Iterator[Tensor]:
    """Yield the parts of a loss, made under autocast, which backward passes are not."""
    autocast = partial(torch.autocast, device, torch.bfloat16, precision == "bfloat16")
    with autocast():
        found = loss()
    parts = iter([found] if isinstance(found, Tensor) else found)
    while True:
        with autocast():
            part = next(parts, None)
        if part is None:
            return
        yield part


@contextmanager
def seeded(module: nn.Module, seed: int) -> Iterator[None]:
    """Seed torch's default generators of the module's devices, and restore them afterwards."""
    with torch.random.fork_rng(devices=_devices(module)):
        torch.manual_seed(seed)
        yield


def _devices(module: nn.Module) -> list[torch.device]:
    return [d for d in {p.device for p in module.parameters()} if d.type == "cuda"]


class _State:
    """Where the loop stands: what a checkpoint holds."""

    def __init__(self) -> None:
        self.step = 0
        self.loss_sum: Tensor | float = 0.0
        self.seconds = 0.0
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}

    @classmethod
    def load(
        cls,
        path: Path,
        module: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        log: Log,
    ) -> _State:
        state = cls()
        if not path.exists():
            return state
        try:
            saved = read_checkpoint(path, module)
        except DataError as error:
            log.say(f"{error}; training begins again")
            path.unlink()
            return state
        module.load_state_dict(saved["module"])
        for optimizer, part in zip(optimizers, saved["optimizers"], strict=True):
            optimizer.load_state_dict(part)
        state.step, state.loss_sum = saved["step"], saved["loss_sum"]
        state.seconds, state.best = saved["seconds"], saved["best"]
        state.history = [Epoch(**epoch) for epoch in saved["history"]]
        return state

    def save(
        self, path: Path, module: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
    ) -> None:
        saved = {
            "module": module.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "step": self.step,
            "loss_sum": float(self.loss_sum),
            "seconds": self.seconds,
            "history": [asdict(epoch) for epoch in self.history],
            "best": self.best,
        }
        with atomic.whole_file(path) as partial:
            torch.save(saved, partial)

    def epoch(self, score: float, seconds: float, plan: Plan) -> Epoch:
        """Return the result of the epoch whose steps are done."""
        return Epoch(
            len(self.history), plan.steps, float(self.loss_sum) / plan.steps, score, seconds
        )

    def close_epoch(self, epoch: Epoch, module: nn.Module, plan: Plan) -> None:
        self.history.append(epoch)
        self.loss_sum, self.seconds = 0.0, 0.0
        if best_epoch(self.history, lower_is_better=plan.lower_is_better) is epoch:
            self.best = {k: v.detach().clone().cpu() for k, v in module.state_dict().items()}

    def finished(self, plan: Plan) -> bool:
        best = best_epoch(self.history, lower_is_better=plan.lower_is_better)
        epoch = self.history[-1].epoch
        return epoch >= plan.epochs or 0 < plan.patience <= epoch - best.epoch
