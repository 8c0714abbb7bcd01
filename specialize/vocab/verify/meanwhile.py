"""A check made while others are: by a copy of the process, or after them."""

from __future__ import annotations

import io
import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TextIO

from specialize.errors import SpecializeError
from specialize.vocab.verify.claims import Broken, Check

Make = Callable[[TextIO], Check]  # prepares, then reads what to check
Ask = Callable[[str], Callable[[], Check]]


@contextmanager
def later(check: Make) -> Iterator[Ask]:
    """Yield a function that takes what to check, and returns one that calls ``check`` with it."""
    yield lambda request: partial(check, io.StringIO(request))


@contextmanager
def forked(check: Make) -> Iterator[Ask]:
    """Begin ``check`` in a fork of this process; yield a function that sends it what to check.

    That returns another, which waits for the outcome: the Check, or ``Broken``, or SpecializeError
    if the fork ended without an answer. For a process with one thread, on systems that can fork.
    """
    requests, request = os.pipe()
    answers, answer = os.pipe()
    child = os.fork()
    if not child:
        os.close(request)
        _answer(check, requests, answer)
    os.close(requests)
    os.close(answer)
    with (
        os.fdopen(answers, encoding="utf-8") as stream,
        os.fdopen(request, "w", encoding="utf-8") as to,
        ThreadPoolExecutor(1) as sender,
    ):

        def ask(what: str) -> Callable[[], Check]:
            sender.submit(_send, to, what)
            return lambda: _read(stream.read())

        try:
            yield ask
        finally:
            os.kill(child, signal.SIGKILL)  # a zombie until it is waited for, so never another
            os.waitpid(child, 0)


def _send(to: TextIO, what: str) -> None:
    with to:
        to.write(what)


def _answer(check: Make, requests: int, to: int) -> None:
    """Write the outcome of ``check`` as JSON, and end this process."""
    try:
        try:
            with os.fdopen(requests, encoding="utf-8") as stream:
                outcome = {"passed": asdict(check(stream))}
        except Broken as broken:
            outcome = {"broken": vars(broken)}
        with os.fdopen(to, "w", encoding="utf-8") as answer:
            json.dump(outcome, answer)
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
