"""Progress: a live line on a terminal, lines every ten seconds elsewhere, and ``metrics.jsonl``.

Work reports through a ``Log``; nothing else prints. A background thread writes the lines, so a
stage that reports nothing for a while still shows that it runs.
"""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

from specialize.memory import peak_gpu_memory, peak_memory, shown_size
from specialize.terminal import fitted, width

LIVE, LINE = 0.5, 10.0  # seconds between two updates: on a terminal, elsewhere
_READ, _RATE = ("tokens", "sentences"), "_per_second"


class Log(Protocol):
    """What work reports to."""

    left: float  # estimated seconds of the stages after the current one

    def say(self, text: str) -> None:
        """Print a line."""

    def step(self, done: int, total: int, **figures: Any) -> None:
        """Note that ``done`` of ``total`` steps are done.

        ``figures``: numbers, or anything ``float`` takes, such as a tensor on a GPU; they are read
        only when a line is printed. ``tokens`` and ``sentences`` are sums, shown as a rate.
        """

    def read(self, pieces: int, positions: int) -> None:
        """Note a batch of ``positions``, of which ``pieces`` hold text and the others padding."""

    def record(self, **figures: Any) -> None:
        """Append figures to ``metrics.jsonl``."""

    def stage(self, label: str) -> Any:
        """Return a context in which steps and lines belong to the stage ``label``."""


class Silent:
    """A log that drops everything."""

    left = 0.0

    def say(self, text: str) -> None:
        """Drop a line."""

    def step(self, done: int, total: int, **figures: Any) -> None:
        """Drop a step."""

    def read(self, pieces: int, positions: int) -> None:
        """Drop a batch."""

    def record(self, **figures: Any) -> None:
        """Drop figures."""

    @contextmanager
    def stage(self, label: str) -> Iterator[None]:
        """Do nothing around a stage."""
        yield


class Printer:
    """A log that prints to ``out``; ``terminal_log`` makes one and stops it."""

    def __init__(self, out: TextIO, metrics: Path | None, *, live: bool = True) -> None:
        """Print to ``out`` and append figures to the file ``metrics``."""
        self.live = live and out.isatty() and os.environ.get("TERM") != "dumb"
        self.left = 0.0  # estimated seconds of the stages after the current one
        self._out, self._metrics = out, metrics
        self._began = self._printed = self._recorded = time.monotonic()
        self._label, self._stage_began = "", self._began
        self._step: tuple[int, int, Mapping[str, Any]] | None = None
        self._first: tuple[float, int, Mapping[str, Any]] | None = None  # of this process and stage
        self._pieces = self._positions = 0  # read since the last row of metrics
        self._padding: float | None = None  # its share, once anything was read
        self._shown = 0  # characters of the live line
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        with self._lock:
            self._clear()
            seconds = time.monotonic() - self._began
            if not text.startswith(self._label):
                text = f"{self._label}: {text}"
            self._write(f"{seconds:6.0f}s  {text}\n")
            self._printed = time.monotonic()

    def step(self, done: int, total: int, **figures: Any) -> None:
        """Note a step; see `Log.step`."""
        self._step = (done, total, figures)
        if self._first is None:
            self._first = (time.monotonic(), done, dict(figures))

    def read(self, pieces: int, positions: int) -> None:
        """Note a batch; see `Log.read`."""
        with self._lock:
            self._pieces += pieces
            self._positions += positions

    def record(self, **figures: Any) -> None:
        """Append figures to ``metrics.jsonl``."""
        if self._metrics is None:
            return
        row = {"time": round(time.time(), 1), "stage": self._label, **_finite(figures)}
        self._metrics.parent.mkdir(parents=True, exist_ok=True)
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    @contextmanager
    def stage(self, label: str) -> Iterator[None]:
        """Print begin and end of a stage; steps and records in between carry its label."""
        outer = (self._label, self._stage_began)
        self._enter(label, time.monotonic())
        try:
            yield
            seconds = time.monotonic() - self._stage_began
            with self._lock:
                self._record_step()
            self.record(seconds=round(seconds, 3))
            self.say(f"{label}: done in {duration(seconds)}")
        finally:
            self._enter(*outer)

    def stop(self) -> None:
        """End the background thread and remove the live line."""
        self._stopped.set()
        self._thread.join()
        with self._lock:
            self._clear()

    def _enter(self, label: str, began: float) -> None:
        with self._lock:
            self._clear()
            self._label, self._stage_began = label, began
            self._step = self._first = self._padding = None
            self._pieces = self._positions = 0
            self._recorded = time.monotonic()

    def _beat(self) -> None:
        while not self._stopped.wait(LIVE):
            with self._lock:
                now = time.monotonic()
                if self._label and self.live:
                    self._redraw()
                elif self._label and now - self._printed >= LINE:
                    self.say(", ".join(self._parts()))
                if self._label and now - self._recorded >= LINE:
                    self._record_step()

    def _record_step(self) -> None:
        if self._step:
            done, total, figures = self._step
            read = {name: float(figures[name]) for name in _READ if name in figures}
            self.record(step=done, steps=total, **read, **self._measured())
            self._pieces = self._positions = 0
        self._recorded = time.monotonic()

    def _redraw(self) -> None:
        line = fitted(self._parts(), width(self._out))
        self._write(f"\r{line:<{self._shown}}")
        self._shown = len(line)

    def _clear(self) -> None:
        if self._shown:
            self._write(f"\r{'':<{self._shown}}\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads progress any more: the work goes on
            self._out.write(text)
            self._out.flush()

    def _measured(self) -> dict[str, float]:
        """Return the figures of the last step by their names in ``metrics.jsonl``."""
        if not self._step or not self._first:
            return {}
        began, _, before = self._first
        elapsed = time.monotonic() - began
        found: dict[str, float] = {}
        for name, value in self._step[2].items():
            if name in _READ:
                rate = (float(value) - float(before.get(name, 0))) / elapsed if elapsed else 0.0
                found[name + _RATE] = round(rate, 1)
            else:
                found[name.replace("/", "_per_").replace(" ", "_")] = float(value)
        if self._positions:
            self._padding = 1 - self._pieces / self._positions
        if self._padding is not None:
            found["padding"] = round(self._padding, 4)
        memory = {"peak_memory": peak_memory(), "peak_gpu_memory": peak_gpu_memory()}
        return found | {name: count for name, count in memory.items() if count}

    def _parts(self) -> list[str]:
        """Return what a line says, the most important first."""
        found = self._measured()
        if not self._step or not self._first:
            spent = duration(time.monotonic() - self._stage_began)
            return [f"{self._label}: {spent}", *_left("run", self.left)]
        done, total, _ = self._step
        began, first, _ = self._first
        elapsed = time.monotonic() - began
        rest = elapsed * (total - done) / (done - first) if done > first else 0.0
        run = self.left + rest if self.left else 0.0
        shown = {name: _shown(name, value) for name, value in found.items()}
        first_of = [name for name in shown if name == "loss" or name.endswith(_RATE)]
        return [
            f"{self._label}: step {done:,} of {total:,}",
            *(shown.pop(name) for name in first_of),
            *_left("stage", rest),
            *_left("run", run),
            *shown.values(),
        ]


def _finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures with None in place of nan and infinity, which JSON lacks."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def _shown(name: str, value: float) -> str:
    """Return a figure by its name in ``metrics.jsonl`` as a line shows it."""
    if name.endswith(_RATE):
        return f"{value:,.0f} {name.removesuffix(_RATE)}/s"
    if name == "padding":
        return f"padding {100 * value:.1f} %"
    if name.endswith("_memory"):
        return f"{'GPU ' if 'gpu' in name else ''}memory {shown_size(int(value))}"
    return f"{name.replace('_per_', '/').replace('_', ' ')} {value:.3f}"


def _left(what: str, seconds: float) -> list[str]:
    return [f"{what} {duration(seconds)} left"] if seconds >= 1 else []


def duration(seconds: float) -> str:
    """Return seconds for people: ``"4.2 s"``, ``"3 min 05 s"``, ``"2 h 10 min"``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"


@contextmanager
def terminal_log(folder: Path | None = None) -> Iterator[Printer]:
    """Give a log that prints to stderr, with ``metrics.jsonl`` in ``folder``."""
    printer = Printer(sys.stderr, folder / "metrics.jsonl" if folder else None)
    try:
        yield printer
    finally:
        printer.stop()
