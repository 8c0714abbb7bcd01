"""Where stages run: one after the other in this process, or several at once in processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from specialize.errors import DataError, SpecializeError
from specialize.progress import Log, Printer
from specialize.store import Stage, Store


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


def run_all(stages: Sequence[Stage], store: Store, log: Log, *, jobs: int = 1) -> None:
    """Finish ``stages`` and all that they need; ``jobs``: how many at once.

    Results are the same either way where processes have as many threads (``environment``).
    """
    todo = [stage for stage in unique(stages, store) if not store.done(stage)]
    if jobs > 1 and len(todo) > 1:
        _run_in_processes(todo, store, log, jobs)
        return
    for number, stage in enumerate(todo):
        log.left = sum(later.work for later in todo[number + 1 :])
        store.run(stage, log)


def _run_in_processes(todo: Sequence[Stage], store: Store, log: Log, jobs: int) -> None:
    waiting = list(todo)
    running: dict[Future[None], Stage] = {}
    context = multiprocessing.get_context("spawn")
    metrics = store.root.parent / "metrics.jsonl"
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(metrics,))
    try:
        while waiting or running:
            ready = [s for s in waiting if all(map(store.done, s.needs))]
            if not ready and not running:
                raise DataError("an input changed while stages ran; run the same command again")
            for stage in ready[: jobs - len(running)]:
                waiting.remove(stage)
                running[pool.submit(_run_one, store.root.parent, stage, store.key(stage))] = stage
            finished, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            for future in finished:
                stage = running.pop(future)
                future.result()
    except BrokenProcessPool:
        labels = ", ".join(stage.label for stage in running.values())
        raise SpecializeError(
            f"a process ended while it worked on {labels}; out of memory? lower --jobs and run the "
            "same command again to resume"
        ) from None
    finally:
        for child in multiprocessing.active_children():
            child.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


_printer: Printer | None = None  # of a worker process


def _begin(metrics: Path) -> None:
    global _printer
    _printer = Printer(sys.stderr, metrics, live=False)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _run_one(root: Path, stage: Stage, key: str) -> None:
    assert _printer is not None
    store = Store(root)
    if store.key(stage) != key:
        raise DataError(f"{stage.label}: an input has changed; run the same command again")
    store.run(stage, _printer)
