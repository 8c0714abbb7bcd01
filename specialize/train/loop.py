"""The one training loop: epochs of steps, a score after each, the best kept, resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from specialize.errors import DataError
from specialize.progress import Log
from specialize.train.distributed import add_up, agree, of_first, own_seed, world
from specialize.train.interrupts import noted
from specialize.train.schedules import Schedule
from specialize.train.sharding import load_whole, local
from specialize.train.state import Epoch as Epoch
from specialize.train.state import Parts, State
from specialize.train.state import Plan as Plan
from specialize.train.state import best_epoch as best_epoch

LossAt = Callable[[int, int], Tensor | Iterable[Tensor]]  # epoch, step -> its loss, or the parts

_COST = 20  # times as long as writing a checkpoint takes lie between two at least
_WAIT = 50  # steps between two looks at the loss on a GPU, which each has to wait for


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
    parts: Parts | None = None,
) -> list[Epoch]:
    """Train ``module``, leave it at its best epoch (or the last) and return the history.

    ``loss_at(epoch, step)`` returns the loss of one step (both from 0), or its parts, each made
    once the gradient of the part before is known; it depends on nothing but its arguments;
    randomness of a step (dropout) is seeded by (seed, step). ``evaluate(epoch)`` returns the score
    after that epoch; epoch 0 is the start. So a run that is killed and resumed from ``checkpoint``
    equals an uninterrupted one, on one machine with as many threads. A damaged checkpoint is
    reported, and training begins again. DataError where the loss or a weight is no longer finite.

    SIGINT and SIGTERM act after the step or score in which they come, once a checkpoint is written.
    ``parts``: from which ``loss_at`` reads their number; doubled where a GPU's memory runs out, and
    the step repeated. Processes that train together (train.distributed) all call this; their losses
    are shares of one sum.
    """
    rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    state = State.load(checkpoint, module, optimizers, log, parts)
    module.zero_grad()  # an interrupted call may have left some
    wait = _WAIT if _devices(module) else 1
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    if state.history:
        log.say(f"resuming after {state.step:,} of {plan.epochs * plan.steps:,} steps")
    else:
        state.close_epoch(Epoch(0, 0, math.nan, of_first(evaluate(0)), 0.0), module, plan)
        _report_epoch(state.history[-1], plan, log)

    def one_step(epoch: int) -> None:
        share = schedule(state.step)
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * share
        loss = _step(module, optimizers, loss_at, epoch, state, plan, log)
        state.loss_sum = state.loss_sum + loss
        state.step += 1
        _report_step(state, loss, plan, log)

    checkpoints = _Checkpoints(checkpoint, module, optimizers, plan.checkpoint_seconds)
    with seeded(module, plan.seed), noted(alone=world() == 1) as interrupt:
        while not state.finished(plan):
            began, epoch = time.monotonic(), len(state.history) - 1
            module.train()
            while state.step < (epoch + 1) * plan.steps:
                one_step(epoch)
                due, number = agree(checkpoints.due(), interrupt.number)
                if due or number or state.step % wait == 0:
                    _check_loss(state, groups, plan)
                if due or number:
                    state.seconds += time.monotonic() - began
                    checkpoints.write(state)
                    began = time.monotonic()
                if number:
                    interrupt.act(number)
            _check_loss(state, groups, plan)
            _check_weights(module, state, groups, plan)
            score = of_first(evaluate(epoch + 1))
            record = state.epoch(score, state.seconds + time.monotonic() - began, plan)
            state.close_epoch(record, module, plan)
            due, number = agree(checkpoints.due(), interrupt.number)
            if due or number:
                checkpoints.write(state)
            _report_epoch(record, plan, log)
            if number:
                interrupt.act(number)
    if plan.keep_best:
        load_whole(module, state.best)
    return state.history


class _Checkpoints:
    """Checkpoints at intervals: so long that writing them takes a twentieth of the time at most."""

    def __init__(
        self,
        file: Path,
        module: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        seconds: float,
    ) -> None:
        self._file, self._module, self._optimizers = file, module, optimizers
        self._seconds, self._cost, self._written = seconds, 0.0, time.monotonic()

    def due(self) -> bool:
        """Return whether it is time for the next one."""
        wait = max(self._seconds, _COST * self._cost) if self._seconds else 0.0
        return time.monotonic() - self._written > wait

    def write(self, state: State) -> None:
        """Write one now."""
        began = time.monotonic()
        state.save(self._file, self._module, self._optimizers)
        self._written = time.monotonic()
        self._cost = self._written - began


def _check_loss(state: State, groups: Sequence[dict[str, Any]], plan: Plan) -> None:
    """Raise DataError if a loss of this epoch was not finite."""
    if not math.isfinite(total := float(state.loss_sum)):
        raise _diverged(f"the sum of the losses is {total}", state, groups, plan)


def _check_weights(
    module: nn.Module, state: State, groups: Sequence[dict[str, Any]], plan: Plan
) -> None:
    """Raise DataError if a weight is not finite."""
    named = dict(module.named_parameters())
    broken = torch.stack([~local(weights).isfinite().all() for weights in named.values()])
    found = agree(*broken.int().tolist())
    if any(found):
        name = list(named)[found.index(1)]
        raise _diverged(f"{name} has weights that are not finite", state, groups, plan)


def _diverged(what: str, state: State, groups: Sequence[dict[str, Any]], plan: Plan) -> DataError:
    rate = max(group["lr"] for group in groups)
    return DataError(
        f"training stopped at step {state.step:,} of {plan.epochs * plan.steps:,}, at learning "
        f"rate {rate:.3g}: {what}; lower {plan.rates}"
    )


def _report_step(state: State, loss: Tensor, plan: Plan, log: Log) -> None:
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
    state: State,
    plan: Plan,
    log: Log,
) -> Tensor:
    while (loss := _backward(module, loss_at, epoch, state, plan)) is None:
        module.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        log.say(f"out of memory: batches in {state.parts.number} parts from step {state.step:,} on")
    add_up(module.parameters(), loss)
    if math.isfinite(plan.clip):
        nn.utils.clip_grad_norm_(module.parameters(), plan.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return loss


def _backward(
    module: nn.Module, loss_at: LossAt, epoch: int, state: State, plan: Plan
) -> Tensor | None:
    """Return the loss of this process, its gradient added; None to be repeated in more parts."""
    torch.manual_seed(own_seed((plan.seed << 32) + state.step))
    device = next(module.parameters()).device
    total = torch.zeros((), device=device)
    try:
        for part in _parts(lambda: loss_at(epoch, state.step), device.type, plan.precision):
            part.backward()
            total += part.detach()
    except torch.OutOfMemoryError:
        if not state.parts.double():
            raise
        return None
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
