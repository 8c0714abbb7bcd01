"""Where stages run: here one after the other, in several processes, or as jobs of a cluster."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from specialize.environment import set_threads, threads
from specialize.errors import DataError, SpecializeError
from specialize.progress import Log, Printer
from specialize.store import Stage, Store

_POLL = 0.1  # seconds between two looks at running jobs


class Job(Protocol):
    """A stage that runs elsewhere."""

    def done(self) -> bool:
        """Return whether it has ended, well or not."""

    def result(self) -> Exception | None:
        """Return the error of the stage, None without; raise what ended the job otherwise."""


Start = Callable[[Store, Stage], Job]
Executor = Callable[[Store, int], AbstractContextManager[Start]]  # for so many jobs at once


def unique(stages: Sequence[Stage], store: Store, *, needs: bool = True) -> list[Stage]:
    """Return the stages, with all that they need before them, each once."""
    found: dict[str, Stage] = {}

    def add(stage: Stage) -> None:
        if store.key(stage) not in found:
            for need in stage.needs if needs else ():
                add(need)
            found.setdefault(store.key(stage), stage)

    for stage in stages:
        add(stage)
    return list(found.values())


def run_all(
    stages: Sequence[Stage],
    store: Store,
    log: Log,
    *,
    jobs: int = 1,
    executor: Executor | None = None,
    after: Callable[[Stage], None] = lambda stage: None,
) -> None:
    """Finish ``stages`` and all that they need; ``jobs``: how many at once.

    ``executor``: of a cluster; default: this process, or several. ``after`` is called whenever a
    stage is finished. Results are the same either way where processes have as many threads
    (``environment``).
    """
    todo = [stage for stage in unique(stages, store) if not store.done(stage)]
    if executor or (jobs > 1 and len(todo) > 1):
        with (executor or processes)(store, jobs) as start:
            _run_elsewhere(todo, store, log, jobs, start, after)
        return
    for number, stage in enumerate(todo):
        log.left = store.seconds(todo[number + 1 :])
        store.run(stage, log)
        after(stage)


def _run_elsewhere(
    todo: Sequence[Stage],
    store: Store,
    log: Log,
    jobs: int,
    start: Start,
    after: Callable[[Stage], None],
) -> None:
    """Start every stage once all that it needs is finished, ``jobs`` at once."""
    waiting = list(todo)
    running: dict[str, tuple[Stage, Job]] = {}
    while waiting or running:
        ready = [s for s in waiting if all(map(store.done, s.needs))]
        if not ready and not running:
            raise DataError("an input changed while stages ran; run the same command again")
        for stage in ready[: jobs - len(running)]:
            waiting.remove(stage)
            running[store.key(stage)] = stage, start(store, stage)
        while not (ended := [key for key, (_, job) in running.items() if job.done()]):
            time.sleep(_POLL)
        ends = [(stage, _error(stage, job, log)) for stage, job in map(running.pop, ended)]
        for stage, error in ends:
            if error is None:
                after(stage)
        for _, error in ends:
            if error:
                raise error


def _error(stage: Stage, job: Job, log: Log) -> Exception | None:
    """Return the error of a job that has ended, None without."""
    try:
        return job.result()
    except Exception as fault:
        log.say(f"{stage.label}: {type(fault).__name__}: {fault}")
        return SpecializeError(
            f"the job of {stage.label} ended without a result; out of memory or time? lower --jobs "
            "or raise the job's limits, and run the same command again to resume"
        )


@contextmanager
def processes(store: Store, jobs: int) -> Iterator[Start]:
    """Yield what starts stages in ``jobs`` processes of this machine, which end with this one."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin)

    def start(store: Store, stage: Stage) -> Job:
        return pool.submit(run_one, store.root.parent, stage, store.key(stage), threads())

    try:
        yield start
    finally:
        for child in multiprocessing.active_children():
            child.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def run_one(root: Path, stage: Stage, key: str, threads: int) -> Exception | None:
    """Run a stage of the run in ``root`` in this process; return its error, None without."""
    set_threads(threads)
    log = Printer(sys.stderr, root / "metrics.jsonl", live=False)
    try:
        store = Store(root)
        if store.key(stage) != key:
            raise DataError(f"{stage.label}: an input has changed; run the same command again")
        store.run(stage, log)
    except SpecializeError as error:
        return error
    except Exception as error:
        error.add_note(traceback.format_exc())  # tracebacks do not travel between processes
        return error
    finally:
        log.stop()
    return None
