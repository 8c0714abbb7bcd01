"""Stages as jobs of a cluster: SLURM through submitit, or Ray.

All machines must see the run's folder, the inputs and this package at the same paths.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from specialize.environment import threads
from specialize.errors import MissingError
from specialize.executors import Executor, Job, Start, run_one
from specialize.store import Stage, Store

_MINUTES = 24 * 60  # of a SLURM job, where SBATCH_TIMELIMIT sets no other


@contextmanager
def slurm(store: Store, jobs: int, *, cluster: str = "slurm") -> Iterator[Start]:
    """Yield what submits stages to SLURM; jobs that still run at the end are cancelled.

    sbatch reads partition, time, memory and GPUs of the jobs from the variables SBATCH_PARTITION,
    SBATCH_TIMELIMIT, SBATCH_MEM_PER_NODE, SBATCH_GPUS, ... ``cluster="local"``: processes of this
    machine. Output of the jobs is in ``stages/.jobs``.
    """
    try:
        import submitit
    except ImportError:
        raise MissingError(
            "--executor slurm needs submitit: pip install specialize[slurm]"
        ) from None
    if cluster == "slurm" and not shutil.which("sbatch"):
        raise MissingError(
            "--executor slurm: there is no sbatch here; run it where SLURM jobs are submitted, or "
            "use --jobs N on this machine"
        )
    executor = submitit.AutoExecutor(folder=store.root / ".jobs" / "%j", cluster=cluster)
    executor.update_parameters(name="specialize", timeout_min=_MINUTES, cpus_per_task=threads())
    started: list[Any] = []

    def start(store: Store, stage: Stage) -> Job:
        root = store.root.parent.absolute()
        job = executor.submit(run_one, root, stage, store.key(stage), threads())
        started.append(job)
        return job  # type: ignore[no-any-return]

    try:
        yield start
    finally:
        for job in started:
            if not job.done():
                job.cancel()


@contextmanager
def ray(store: Store, jobs: int) -> Iterator[Start]:
    """Yield what starts stages as Ray tasks, of as many CPUs as there are threads, and a GPU.

    Unless the program has connected to a cluster, Ray starts one here or uses the one that
    RAY_ADDRESS names. A GPU is asked for where the cluster has any.
    """
    try:
        import ray as engine
    except ImportError:
        raise MissingError("--executor ray needs Ray: pip install specialize[ray]") from None
    if not engine.is_initialized():
        engine.init(log_to_driver=True, logging_level=logging.WARNING, include_dashboard=False)
    gpus = 1 if engine.cluster_resources().get("GPU") else 0
    task = engine.remote(num_cpus=threads(), num_gpus=gpus, max_retries=0)(run_one)
    started: list[Any] = []

    def start(store: Store, stage: Stage) -> Job:
        root = store.root.parent.absolute()
        reference = task.remote(root, stage, store.key(stage), threads())
        started.append(reference)
        return reference.future()  # type: ignore[no-any-return]

    try:
        yield start
    finally:
        for reference in started:
            engine.cancel(reference, force=True)


def executor(name: str) -> Executor:
    """Return the executor of a cluster by its name, "slurm" or "ray"."""
    return {"slurm": slurm, "ray": ray}[name]
