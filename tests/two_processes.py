"""Two processes that work together as torchrun starts them, forked so that nothing is imported."""

import multiprocessing
import os
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

SECONDS = 120  # after which they are thought to hang


class Ended(NamedTuple):
    """How a process ended, and what it printed."""

    code: int | None
    out: str
    err: str


def in_two(work: Callable[[], object], folder: Path) -> list[Ended]:
    """Run ``work`` in two processes with torchrun's variables; what it returns is the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context = multiprocessing.get_context("fork")
    given = [(work, rank, port, folder / str(rank)) for rank in (0, 1)]
    children = [context.Process(target=_child, args=each) for each in given]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks where threads run
        for child in children:
            child.start()
    for child in children:
        child.join(SECONDS)
        if child.is_alive():
            child.kill()
            child.join()
    texts = [[Path(f"{each[3]}.{kind}").read_text() for kind in ("out", "err")] for each in given]
    return [Ended(c.exitcode, *text) for c, text in zip(children, texts, strict=True)]


def _child(work: Callable[[], object], rank: int, port: int, file: Path) -> None:
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2}
    names |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in names.items()}
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs may ignore it
    torch.set_num_threads(1)
    torch.cuda.is_available = lambda: False  # not after a fork
    torch.cuda.device_count = lambda: 0
    code: object = 1
    with Path(f"{file}.out").open("w", 1) as out, Path(f"{file}.err").open("w", 1) as err:
        sys.stdout, sys.stderr = out, err
        os.dup2(err.fileno(), 2)
        try:
            code = work()
        except SystemExit as stop:
            code = stop.code
        except BaseException:
            traceback.print_exc()
    os._exit(code if isinstance(code, int) else 0)
