"""A check made while others are: by a copy of the process, or after them."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

from specialize.errors import SpecializeError
from specialize.vocab.verify.claims import Broken, Check

Make = Callable[[], Check]


@contextmanager
def later(check: Make) -> Iterator[Make]:
    """Yield ``check`` itself."""
    yield check


@contextmanager
def forked(check: Make) -> Iterator[Make]:
    """Yield a function that returns what ``check``, begun in a fork of this process, returns.

    Or raises its ``Broken``; SpecializeError if the fork ended without an answer. For a process
    with one thread, on systems that can fork.
    """
    answers, answer = os.pipe()
    child = os.fork()
    if not child:
        _answer(check, answer)
    os.close(answer)
    with os.fdopen(answers, encoding="utf-8") as stream:
        try:
            yield lambda: _read(stream.read())
        finally:
            os.kill(child, signal.SIGKILL)  # a zombie until it is waited for, so never another
            os.waitpid(child, 0)


def _answer(check: Make, to: int) -> None:
    """Write the outcome of ``check`` as JSON, and end this process."""
    try:
        try:
            outcome = {"passed": asdict(check())}
        except Broken as broken:
            outcome = {"broken": vars(broken)}
        with os.fdopen(to, "w", encoding="utf-8") as stream:
            json.dump(outcome, stream)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _read(answer: str) -> Check:
    if not answer:
        raise SpecializeError("verification by AutoTokenizer ended without an answer")
    outcome = json.loads(answer)
    if "broken" in outcome:
        raise Broken(**outcome["broken"])
    return Check(**outcome["passed"])
