"""Progress: a live line on a terminal, a line every ten seconds elsewhere, and ``metrics.jsonl``.

Work reports through a ``Log``; nothing else prints. A background thread writes the lines, so a
stage that reports nothing for a while still shows that it runs.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TextIO

LIVE, LINE = 0.5, 10.0  # seconds between two updates: on a terminal, elsewhere


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
        self.live = live and out.isatty()
        self.left = 0.0  # estimated seconds of the stages after the current one
        self._out, self._metrics = out, metrics
        self._began = self._printed = time.monotonic()
        self._label, self._stage_began = "", self._began
        self._step: tuple[int, int, Mapping[str, Any]] | None = None
        self._first: tuple[float, int, Mapping[str, Any]] | None = None  # of this process and stage
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
            self._step = self._first = None

    def _beat(self) -> None:
        while not self._stopped.wait(LIVE):
            with self._lock:
                quiet = time.monotonic() - self._printed
                if self._label and self.live:
                    self._redraw()
                elif self._label and quiet >= LINE:
                    self.say(self._status())
                    self._record_step()

    def _record_step(self) -> None:
        if self._step:
            done, total, figures = self._step
            self.record(step=done, steps=total, **{k: float(v) for k, v in figures.items()})

    def _redraw(self) -> None:
        line = self._status()[:118]
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

    def _status(self) -> str:
        spent = time.monotonic() - self._stage_began
        if not self._step or not self._first:
            return f"{self._label}: {duration(spent)}{_left('run', self.left)}"
        done, total, figures = self._step
        began, first, before = self._first
        elapsed = time.monotonic() - began
        parts = [f"{self._label}: step {done:,} of {total:,}"]
        for name, value in figures.items():
            if name in ("tokens", "sentences"):
                rate = (float(value) - float(before.get(name, 0))) / elapsed if elapsed else 0.0
                parts.append(f"{rate:,.0f} {name}/s")
            else:
                parts.append(f"{name} {float(value):.3f}")
        rest = elapsed * (total - done) / (done - first) if done > first else 0.0
        run = self.left + rest if self.left else 0.0
        return ", ".join(parts) + _left("stage", rest) + _left("run", run)


def _finite(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return figures with None in place of nan and infinity, which JSON lacks."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def _left(what: str, seconds: float) -> str:
    return f", {what} {duration(seconds)} left" if seconds >= 1 else ""


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
