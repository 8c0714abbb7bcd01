"""Verification of a written tokenizer before publication, in a separate process.

The written files are read by the tokenizers library and by this package's own reader
(``python -m specialize.vocab.verify.run SOURCE``, with the folder and the claims as lines of JSON),
and by transformers, in a fork of that process.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

from specialize.errors import DataError, MissingError, SpecializeError
from specialize.vocab.auto.load import fresh_process, start
from specialize.vocab.verify.checks import CHECKS, check_auto
from specialize.vocab.verify.claims import Broken, Check, Claims
from specialize.vocab.verify.meanwhile import forked, later
from specialize.vocab.verify.written import Source, Written, read_files, read_source

Verify = Callable[[Path], Callable[[Claims], list[Check]]]


def verify(folder: Path, claims: Claims) -> list[Check]:
    """Return the checks that the tokenizer in ``folder`` passed; DataError names a failed one."""
    with _refusing(claims.source):
        source = read_source(Path(claims.source))
        written = Written(read_files(folder), claims, source)
        return [*_passed(written), check_auto(folder, claims, source)]


@contextmanager
def verifier(source: Path) -> Iterator[Verify]:
    """Yield a function for one folder, which returns one from its claims to its checks.

    As ``verify``, in a fresh process, which reads ``source``, then the folder meanwhile.
    """
    with fresh_process("specialize.vocab.verify.run", str(source)) as process:
        yield partial(_begin, process)


def _begin(process: subprocess.Popen[str], folder: Path) -> Callable[[Claims], list[Check]]:
    assert process.stdin
    with suppress(BrokenPipeError):  # it has ended: `_finish` reads why
        print(json.dumps(str(folder)), file=process.stdin, flush=True)
    return partial(_finish, process)


def _finish(process: subprocess.Popen[str], claims: Claims) -> list[Check]:
    answer, complaints = process.communicate(json.dumps(vars(claims)))
    if process.returncode == DataError.exit_code:
        raise DataError(json.loads(answer)["broken"])
    if process.returncode:
        last = (complaints.splitlines() or ["no message"])[-1]
        raise SpecializeError(f"verification ended with status {process.returncode}: {last}")
    return [Check(**check) for check in json.loads(answer)]


def _verify_stdin(path: Path) -> NoReturn:
    """End the process with the checks of what stdin names, a tokenizer made from ``path``."""
    with _refusing(str(path)):
        source = read_source(path)
        meanwhile = forked if hasattr(os, "fork") else later
        with meanwhile(partial(_check_auto, source)) as ask:
            source.vocabulary.words("\u00e9")  # builds the tables of its rules
            folder = Path(json.loads(sys.stdin.readline()))
            files, claims = read_files(folder), sys.stdin.read()
            auto = ask(f"{json.dumps(str(folder))}\n{claims}")
            written = Written(files, Claims(**json.loads(claims)), source)
            _end(0, [asdict(check) for check in (*_passed(written), auto())])


def _check_auto(source: Source, request: TextIO) -> Check:
    start()
    _ = source.opened  # kept, and opened before there is anything to check
    folder, claims = map(json.loads, request)
    return check_auto(Path(folder), Claims(**claims), source)


def _passed(written: Written) -> list[Check]:
    return [found for check in CHECKS if (found := check(written))]


@contextmanager
def _refusing(source: str) -> Iterator[None]:
    """Raise DataError, naming ``source``, for what is broken or damaged."""
    try:
        yield
    except Broken as broken:
        raise DataError(f"{source}: not written: check {broken}") from None
    except (DataError, MissingError) as error:
        raise DataError(f"{source}: not written: check 'files': {error}") from None


def _end(status: int, answer: Any) -> NoReturn:
    """Print ``answer`` and exit at once: to free all that was read takes a tenth of a second."""
    print(json.dumps(answer), flush=True)
    os._exit(status)


if __name__ == "__main__":
    gc.disable()  # a short life, much of it reading vocabularies
    try:
        _verify_stdin(Path(sys.argv[1]))
    except DataError as error:
        _end(error.exit_code, {"broken": str(error)})
