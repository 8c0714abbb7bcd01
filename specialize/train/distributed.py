"""Training in several processes of torchrun: each reads its share of every batch.

The first process does all the work of a run. The others wait for what it does ``together``: they
compute the gradient of other sequences of the same batch, write nothing and print nothing.

Gradients are summed once per step, after the backward passes, by plain ``all_reduce`` and not by
DistributedDataParallel: losses are made by parts of a model (head at masked places only) rather
than by its ``forward``, they are sums and not means, a batch may go through in several parts, and a
process that has run out of memory can repeat its share in smaller parts while the others wait.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NoReturn

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from specialize.environment import Place, place
from specialize.errors import SpecializeError, UsageError
from specialize.progress import Log, Silent

_WAIT = timedelta(days=7)  # the others wait as long as the first process works alone
_CPU = torch.device("cpu")


class _Group:
    """The processes that have joined, as one of them sees it."""

    def __init__(self) -> None:
        self.place = Place()
        self.store: Any = None
        self.waiting = False  # whether the others wait for work
        self.together = False  # whether all work at the same


_group = _Group()


def world() -> int:
    """Return how many processes share each batch now; 1 in work that one does alone."""
    return _group.place.world if _group.together else 1


def rank() -> int:
    """Return the number of this process among these, from 0."""
    return _group.place.rank if _group.together else 0


# Joining ------------------------------------------------------------------------------------------


@contextmanager
def joined() -> Iterator[bool]:
    """Connect the processes that torchrun started; give whether this is the first.

    When the first leaves, the others may. An error of one ends all: it passes on its error, and the
    others end without a word (SystemExit). UsageError where there are too few GPUs.
    """
    _connect(place())
    try:
        yield _group.place.rank == 0
    except BaseException as error:
        _fail(error)
    dismiss()


def _connect(found: Place) -> None:
    gpus = torch.cuda.device_count()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if gpus and here > gpus:
        if found.local_rank:
            raise SystemExit(UsageError.exit_code)  # the first of the machine says why
        raise UsageError(
            f"expected a GPU for each of {here} processes, got {gpus}; use torchrun "
            f"--nproc-per-node {gpus}, or CUDA_VISIBLE_DEVICES= to train on CPUs"
        )
    if gpus:
        torch.cuda.set_device(found.local_rank)
    store, _, _ = next(dist.rendezvous("env://"))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if gpus else "gloo",
        store=dist.PrefixStore("group", store),
        rank=found.rank,
        world_size=found.world,
        timeout=_WAIT,
    )
    _group.place, _group.store = found, dist.PrefixStore("failed", store)
    _group.waiting = True
    dist.all_reduce(counted := torch.ones(1))
    if int(counted) != found.world:
        raise SpecializeError(f"expected {found.world} processes, got {int(counted)}")


def _fail(error: BaseException) -> NoReturn:
    """Pass on ``error`` if it is the first of all processes, else end without a word."""
    number = _group.place.rank
    if number and isinstance(error, KeyboardInterrupt | SystemExit):  # the first process says so
        raise SystemExit(130 if isinstance(error, KeyboardInterrupt) else error.code) from None
    first = str(number)
    with suppress(RuntimeError):  # the store is gone with torchrun
        first = _group.store.compare_set("process", "", first).decode()
    if not _group.together:
        with suppress(RuntimeError):
            dismiss()
    if first != str(number):
        raise SystemExit(1) from None
    if isinstance(error, RuntimeError) and "gloo" in str(error):
        error = SpecializeError("another process has ended; run the same command again to resume")
    elif number and isinstance(error, SpecializeError):
        error.args = (f"process {number}: {error}",)
    elif number:
        error.add_note(f"in process {number}")
    raise error


def first_of_several() -> bool:
    """Return whether other processes wait for this one."""
    return _group.waiting


def dismiss() -> None:
    """Let the other processes leave, if they wait."""
    if _group.waiting:
        _group.waiting = False
        if _group.place.rank == 0:
            _tell(None)
        dist.destroy_process_group()


def follow() -> None:
    """Do what the first process does together with this one, until it dismisses all."""
    warnings.simplefilter("ignore")  # the first process warns
    while (told := _tell(None)) is not None:
        work, given = told
        _together(work, Silent(), given)


def together(work: Callable[..., Any], *, log: Log, **given: Any) -> Any:
    """Return ``work(log=log, **given)``, which all processes do at once if others wait.

    ``work`` and what is given can be pickled. The others have a silent log.
    """
    if not _group.waiting:
        return work(log=log, **given)
    log.say(f"{_group.place.world} processes share each batch ({_backend()})")
    _tell((work, given))
    return _together(work, log, given)


def _together(work: Callable[..., Any], log: Log, given: dict[str, Any]) -> Any:
    _group.together = True
    found = work(log=log, **given)
    _group.together = False  # after an error, they are not where they could be told to leave
    return found


def _tell(message: Any) -> Any:
    """Return the message of the first process; the others wait for it."""
    box = [message]
    dist.broadcast_object_list(box, 0, device=_CPU)
    return box[0]


def _backend() -> str:
    return "nccl" if torch.cuda.is_available() else "gloo"


# Working together ---------------------------------------------------------------------------------


def share(count: int) -> Tensor:
    """Return which rows of a batch of ``count`` this process reads, -1 in place of none.

    All processes read equally many, one at least, so that all have the same parameters' gradients.
    """
    each = max(1, math.ceil(count / world()))
    rows = torch.arange(rank() * each, (rank() + 1) * each)
    return rows.masked_fill(rows >= count, -1)


def own_seed(seed: int) -> int:
    """Return a seed of this process for what each draws apart; the first has ``seed`` itself."""
    if rank() == 0:
        return seed
    return int(np.random.SeedSequence((seed, rank())).generate_state(1, np.uint64)[0] >> 1)


def agree(*numbers: int) -> list[int]:
    """Return the greatest of each number in any process."""
    if world() == 1:
        return list(numbers)
    found = torch.tensor(numbers)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return found.tolist()  # type: ignore[no-any-return]


def of_first(number: float) -> float:
    """Return the number of the first process, where others' devices may round otherwise."""
    if world() > 1:
        dist.broadcast(found := torch.tensor([number], dtype=torch.float64), 0)
        number = float(found)
    return number


def sharded(value: Any) -> bool:
    """Return whether ``value`` is a tensor split over processes (train.sharding)."""
    return hasattr(value, "full_tensor")


def start_equal(module: nn.Module) -> None:
    """Give ``module`` the weights it has in the first process."""
    if world() > 1:
        for parameter in module.parameters():
            dist.broadcast(parameter.detach(), 0)


def add_up(parameters: Iterable[nn.Parameter], loss: Tensor) -> None:
    """Add up the gradients and the loss of all processes; what is sharded has been already."""
    if world() == 1:
        return
    grads = (p.grad for p in parameters if p.grad is not None)
    tensors = [loss, *(grad for grad in grads if not sharded(grad))]
    for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
        work.wait()
