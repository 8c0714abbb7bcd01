"""How long training goes on, where it stands, and the checkpoint from which it resumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from specialize import atomic
from specialize.errors import DataError
from specialize.progress import Log
from specialize.train.checkpoints import read_checkpoint
from specialize.train.distributed import agree, rank, world
from specialize.train.sharding import load_optimizer, load_whole, whole


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
    checkpoint_seconds: float = (
        15.0  # between two, or longer where writing one is slow; 0: each step
    )
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
    processes: int = 1  # how many shared each batch at its end

    def to_json(self) -> dict[str, float | None]:
        """Return the fields, a loss of nan as None; ``processes`` only of several."""
        fields = asdict(self)
        if self.processes == 1:
            del fields["processes"]
        return {name: value if math.isfinite(value) else None for name, value in fields.items()}


@dataclass
class Parts:
    """In how many parts a batch goes through the model: twice as many where memory runs out."""

    number: int = 1
    most: int = 1  # beyond which more would not help

    def double(self) -> bool:
        """Double the number up to the most; return False where it is reached."""
        if self.number >= self.most:
            return False
        self.number = min(2 * self.number, self.most)
        return True


def best_epoch(history: list[Epoch], *, lower_is_better: bool) -> Epoch:
    """Return the epoch with the best score, the first of equals."""
    scores = [e.score if lower_is_better else -e.score for e in history]
    return history[scores.index(min(scores))]


class State:
    """Where the loop stands: what a checkpoint holds."""

    def __init__(self, parts: Parts | None = None) -> None:
        """Begin at the first step."""
        self.step = 0
        self.loss_sum: Tensor | float = 0.0
        self.seconds = 0.0
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}  # weights
        self.parts = parts or Parts()

    @classmethod
    def load(
        cls,
        path: Path,
        module: nn.Module,
        optimizers: Sequence[torch.optim.Optimizer],
        log: Log,
        parts: Parts | None = None,
    ) -> State:
        """Return the state in ``path``, with ``module`` and ``optimizers`` as they were then.

        The state before training where there is no file, or a damaged one, which is removed.
        """
        state = cls(parts)
        saved = _saved(path, module, log)
        _check_equal(saved["step"] if saved else 0, path)
        if not saved:
            return state
        load_whole(module, saved["module"])
        for optimizer, part in zip(optimizers, saved["optimizers"], strict=True):
            load_optimizer(optimizer, part)
        state.step, state.loss_sum = saved["step"], saved["loss_sum"]
        state.seconds, state.best = saved["seconds"], saved["best"]
        state.history = [Epoch(**epoch) for epoch in saved["history"]]
        state.parts.number = max(state.parts.number, min(saved.get("parts", 1), state.parts.most))
        if (before := saved.get("processes", 1)) != world():
            log.say(
                f"begun by {_processes(before)}, continued by {_processes(world())}: batches stay "
                "the same, but last digits (sums of parts) and dropout differ"
            )
        return state

    def save(
        self, path: Path, module: nn.Module, optimizers: Sequence[torch.optim.Optimizer]
    ) -> None:
        """Write the checkpoint; of several processes, which all call this, the first writes."""
        saved = {
            "module": whole(module.state_dict()),
            "optimizers": [whole(optimizer.state_dict()) for optimizer in optimizers],
            "step": self.step,
            "loss_sum": float(self.loss_sum),
            "seconds": self.seconds,
            "history": [asdict(epoch) for epoch in self.history],
            "best": self.best,
            "parts": self.parts.number,
            "processes": world(),
        }
        if rank() == 0:
            with atomic.whole_file(path) as partial:
                torch.save(saved, partial)

    def epoch(self, score: float, seconds: float, plan: Plan) -> Epoch:
        """Return the result of the epoch whose steps are done."""
        loss = float(self.loss_sum) / plan.steps
        return Epoch(len(self.history), plan.steps, loss, score, seconds, world())

    def close_epoch(self, epoch: Epoch, module: nn.Module, plan: Plan) -> None:
        """Add an epoch to the history, and remember the weights if it is the best."""
        self.history.append(epoch)
        self.loss_sum, self.seconds = 0.0, 0.0
        if best_epoch(self.history, lower_is_better=plan.lower_is_better) is epoch:
            weights = whole(module.state_dict()).items()
            self.best = {name: tensor.detach().clone().cpu() for name, tensor in weights}

    def finished(self, plan: Plan) -> bool:
        """Return whether all epochs are done, or patience is at its end."""
        best = best_epoch(self.history, lower_is_better=plan.lower_is_better)
        epoch = self.history[-1].epoch
        return epoch >= plan.epochs or 0 < plan.patience <= epoch - best.epoch


def _saved(path: Path, module: nn.Module, log: Log) -> dict[str, Any] | None:
    """Return what a checkpoint holds, None without one; a damaged one is reported and removed."""
    if not path.exists():
        return None
    try:
        return read_checkpoint(path, module)
    except DataError as error:
        if rank() == 0:
            log.say(f"{error}; training begins again")
            path.unlink()
        return None


def _check_equal(step: int, path: Path) -> None:
    """Raise DataError unless all processes resume after the same step."""
    most, least = agree(step, -step)
    if most != -least:
        raise DataError(
            f"{path}: some processes see another checkpoint; all machines must see the run's folder"
        )


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
