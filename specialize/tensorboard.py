"""The figures of ``metrics.jsonl`` as event files for TensorBoard, a folder for each stage.

Rows are read from the file, so those of other processes (``--jobs``, a cluster) are among them,
and those of an earlier command that wrote none.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.errors import MissingError
from specialize.progress import Log

FOLDER = "tensorboard"  # in a run's folder
_EVERY = 5.0  # seconds between two looks at the rows
_PLACE = {"time", "stage", "step", "steps", "epoch"}  # where a row belongs, not what it measures


@contextmanager
def event_files(run: Path, log: Log) -> Iterator[None]:
    """Write the figures of ``run/metrics.jsonl`` to ``run/tensorboard`` meanwhile and at the end.

    ``steps`` of training are the steps there; what belongs to none is named ``stage/…``.
    MissingError where TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise MissingError(
            "--tensorboard needs TensorBoard: pip install specialize[tensorboard]"
        ) from None
    events, stopped = _Events(run, SummaryWriter), threading.Event()

    def follow() -> None:
        going = True
        while going:
            going = not stopped.wait(_EVERY)
            try:
                events.update()
            except (OSError, ValueError) as error:  # as of a full disk: the work itself goes on
                log.say(f"no more files for TensorBoard: {error}")
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        events.close()


class _Events:
    """Event files, and how many bytes of the rows are in them."""

    def __init__(self, run: Path, writer: Any) -> None:
        self._run, self._writer = run, writer
        self._mark = run / FOLDER / "bytes_read.json"
        self._open: dict[str, Any] = {}  # by the stage

    def update(self) -> None:
        """Write what was added to the rows; nothing where the folder holds no run (yet)."""
        metrics = self._run / "metrics.jsonl"
        if not metrics.is_file() or not (self._run / "stages").is_dir():
            return
        begin = int(atomic.read_json(self._mark)) if self._mark.is_file() else 0
        with metrics.open("rb") as file:
            file.seek(begin if begin <= metrics.stat().st_size else 0)
            begin, lines = file.tell(), [line for line in file if line.endswith(b"\n")]
        for line in lines:
            self._add(line)
        for writer in self._open.values():
            writer.flush()
        if lines:
            atomic.write_json(self._mark, begin + sum(map(len, lines)))

    def close(self) -> None:
        """End the files."""
        while self._open:
            self._open.popitem()[1].close()

    def _add(self, line: bytes) -> None:
        try:
            row = json.loads(line)
        except ValueError:  # a row that was cut off when its process was killed
            return
        stage, at = row["stage"], row.get("step")
        if at is None and "epoch" in row:
            at = row["epoch"] * row["steps"]  # of an epoch
        ended = row.keys() == {"time", "stage", "seconds"}  # the stage
        if ended and stage not in self._open:  # without anything to watch
            return
        if stage not in self._open:
            folder = self._run / FOLDER / (stage.replace(": ", "/") or "run")
            self._open[stage] = self._writer(str(folder))
        for name, value in row.items():
            if name not in _PLACE and isinstance(value, int | float):
                tag = f"stage/{name}" if at is None else name
                self._open[stage].add_scalar(tag, value, at or 0, walltime=row["time"])
        if ended:
            self._open.pop(stage).close()
