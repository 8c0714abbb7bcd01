"""SIGINT and SIGTERM during training, which first writes a checkpoint."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Noted:
    """The signal that has come and waits for ``act``; a second SIGINT does not wait if alone."""

    def __init__(self, *, alone: bool) -> None:
        """Note nothing yet."""
        self.number = 0  # of the signal, 0 without one
        self._alone = alone
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """Note signals that are not ignored from now on; in the main thread only."""
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in _SIGNALS}
            self._before = {n: f for n, f in found.items() if f not in (None, signal.SIG_IGN)}
            for number in self._before:
                signal.signal(number, self._note)

    def end(self) -> None:
        """Handle signals as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def act(self, number: int) -> None:
        """Do what the signal does, which as a rule ends the program."""
        self.end()
        self.number = 0
        signal.raise_signal(number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number == self.number == signal.SIGINT and self._alone:
            self.act(number)
        self.number = max(self.number, number)  # SIGTERM is above SIGINT


@contextmanager
def noted(*, alone: bool = True) -> Iterator[Noted]:
    """Give the signal that comes within the context; one that nobody asked for acts at its end."""
    found = Noted(alone=alone)
    found.begin()
    try:
        yield found
    finally:
        found.end()
    if found.number:
        found.act(found.number)
