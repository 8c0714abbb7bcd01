"""Verification of a written tokenizer before publication, in a separate process.

The written files are read by the tokenizers library and by this package's own reader
(``python -m specialize.vocab.verify.run SOURCE``, with the folder and the claims as JSON on stdin).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from specialize.errors import DataError, MissingError, SpecializeError
from specialize.vocab.auto.load import fresh_process, start
from specialize.vocab.verify.checks import CHECKS, check_auto
from specialize.vocab.verify.claims import Broken, Check, Claims
from specialize.vocab.verify.meanwhile import forked, later
from specialize.vocab.verify.written import Source, Written, read_source

Verify = Callable[[Path, Claims], list[Check]]


def verify(
    folder: Path, claims: Claims, source: Source | None = None, *, alone: bool = False
) -> list[Check]:
    """Return the checks, all passed by the tokenizer in ``folder``; DataError names a failed one.

    ``source``: the original tokenizer, if already read. ``alone``: this process does nothing else,
    and may be forked.
    """
    try:
        source = source or read_source(Path(claims.source))
        meanwhile = forked if alone and hasattr(os, "fork") else later
        with meanwhile(partial(check_auto, folder, claims, source)) as auto:
            written = Written(folder, claims, source)
            checks = [found for check in CHECKS if (found := check(written))]
            return [*checks, auto()]
    except Broken as broken:
        raise DataError(f"{claims.source}: not written: check {broken}") from None
    except (DataError, MissingError) as error:
        raise DataError(f"{claims.source}: not written: check 'files': {error}") from None


@contextmanager
def verifier(source: Path) -> Iterator[Verify]:
    """Yield ``verify`` (for one call) in a fresh process, which reads ``source`` meanwhile."""
    with fresh_process("specialize.vocab.verify.run", str(source)) as process:
        yield partial(_verify_by, process)


def _verify_by(process: subprocess.Popen[str], folder: Path, claims: Claims) -> list[Check]:
    answer, complaints = process.communicate(json.dumps([str(folder), vars(claims)]))
    if process.returncode == DataError.exit_code:
        raise DataError(json.loads(answer)["broken"])
    if process.returncode:
        last = (complaints.splitlines() or ["no message"])[-1]
        raise SpecializeError(f"verification ended with status {process.returncode}: {last}")
    return [Check(**check) for check in json.loads(answer)]


def _main() -> int:
    source = None
    start()
    with suppress(DataError, MissingError):  # verify raises them again
        source = read_source(Path(sys.argv[1]))
        source.vocabulary.words("\u00e9")  # builds the tables of its rules
    folder, claims = json.loads(sys.stdin.buffer.read())
    try:
        checks = verify(Path(folder), Claims(**claims), source, alone=True)
    except DataError as error:
        print(json.dumps({"broken": str(error)}))
        return error.exit_code
    print(json.dumps([asdict(check) for check in checks]))
    return 0


if __name__ == "__main__":
    status = _main()
    sys.stdout.flush()
    os._exit(status)  # at once: to free all that was read takes a tenth of a second
