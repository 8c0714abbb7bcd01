"""The command line: commands assembled, errors mapped to messages and exit codes.

Results go to stdout, progress to stderr. Exit codes: 0 ok, 1 bug, 2 usage, 3 bad data, 4 something
missing, 5 out of memory, 130 and 143 interrupted (run the same command again to resume).
"""

from __future__ import annotations

import argparse
import io
import os
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import NoReturn, TextIO, cast

from specialize.commands import (
    augment,
    compare,
    count,
    demo,
    doctor,
    evaluate,
    inspect,
    methods,
    modules,
    predict,
    pretrain,
    run,
    study,
    translit,
)
from specialize.environment import place
from specialize.errors import SpecializeError, SpecializeWarning, UsageError
from specialize.terminal import Escaped

COMMANDS = (
    demo,
    run,
    compare,
    inspect,
    augment,
    count,
    translit,
    pretrain,
    modules,
    study,
    predict,
    evaluate,
    methods,
    doctor,
)
RESUME = "run the same command again to resume"
NO_MEMORY = "out of memory; lower lapt.batch or finetune.batch"
ALONE = "torchrun: only run and pretrain share work among processes"
TERMINATED = 128 + signal.SIGTERM
EPILOG = """examples:
  specialize demo
  specialize inspect bert-base-multilingual-cased --text ug.txt.xz
  specialize augment bert-base-multilingual-cased --text ug.txt.xz --out ug-tokenizer
  specialize run recipes/uyghur.toml --out runs/ug

examples of a command: specialize COMMAND --help
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks some characters
    words = list(sys.argv[1:] if arguments is None else arguments)
    out, err = Escaped(sys.stdout), Escaped(sys.stderr)
    with redirect_stdout(cast(TextIO, out)), redirect_stderr(cast(TextIO, err)):
        return _run(words)


def _run(words: list[str]) -> int:
    options = _parsed(words)
    options.command_line = shlex.join(["specialize", *words])
    signal.signal(signal.SIGTERM, _terminate)
    interrupts = _noted_interrupts()
    warnings.showwarning = _warn
    first = place().rank == 0
    try:
        if place().world > 1 and not hasattr(options, "several"):
            return _fail(ALONE, UsageError.exit_code) if first else UsageError.exit_code
        options.run(options)
        sys.stdout.flush()
    except SpecializeError as error:
        return _fail(str(error), error.exit_code)
    except Terminated:
        return _fail(f"terminated; {RESUME}", TERMINATED) if first else TERMINATED
    except SystemExit as error:  # of another process that has said why, or a user's own method
        if error.code:
            raise
        return _fail(f"a function ended the program before its work was done; {RESUME}", 1)
    except KeyboardInterrupt:
        return _fail(f"interrupted; {RESUME}", 130) if first else 130
    except MemoryError:
        return _fail(NO_MEMORY, 5)
    except Exception as error:
        if interrupts:  # a library has made another error of it
            return _fail(f"interrupted; {RESUME}", 130) if first else 130
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    """Print what the system or a library lacks, and return the exit code; raise any other error."""
    if isinstance(error, OSError):
        return _system_failed(error)
    if isinstance(error, UnicodeEncodeError):
        return _not_utf8(error)
    if isinstance(error, RuntimeError | _safetensors_error()):
        return _library_failed(error)
    raise error


def _parsed(words: list[str]) -> argparse.Namespace:
    """Return the parsed command line; of several processes, the first prints help and faults."""
    if place().rank == 0:
        return _parser().parse_args(words)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        return _parser().parse_args(words)


def _system_failed(error: OSError) -> int:
    """Print which file or space is missing; an error without a number may be a bug."""
    try:
        sys.stdout.flush()
    except OSError:  # drop what is buffered, or Python fails again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # as in: specialize methods | head -1
        return 0
    if error.errno is not None:
        where = error.filename2 or error.filename or "writing"
        return _fail(f"{where}: {error.strerror}", 4)
    if re.fullmatch(r"\d+ requested and \d+ written", str(error)):  # numpy's message
        return _fail("writing: no space left on the disk", 4)
    raise error


def _not_utf8(error: UnicodeEncodeError) -> int:
    """Print which name is not UTF-8: libraries take no others as the names of files."""
    if not 0xDC80 <= ord(error.object[error.start]) <= 0xDCFF:  # no byte of a file name
        raise error
    return _fail(f"{error.object!r}: not UTF-8; rename the file or folder", 3)


def _library_failed(error: Exception) -> int:
    """Print what torch or safetensors ran out of; they raise one class for that and for bugs."""
    message = str(error)
    if "out of memory" in message or "can't allocate memory" in message:
        return _fail(NO_MEMORY, 5)
    if any(words in message for words in ("I/O error", "file write failed", "inline_container")):
        return _fail(f"cannot write; is the disk full? ({message.splitlines()[0]})", 4)
    raise error


def _safetensors_error() -> type[Exception]:
    from safetensors import SafetensorError  # imported only after a failure

    return SafetensorError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specialize",
        description="Specialize a multilingual language model to a language it serves badly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(parsers)
    return parser


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print our warnings as one line, others as Python does."""
    if issubclass(category, SpecializeWarning):
        text = f"specialize: warning: {message}\n"
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
    (file or sys.stderr).write(text)


def _fail(message: str, code: int) -> int:
    print(f"specialize: {message}", file=sys.stderr)
    return code


class Terminated(SystemExit):
    """SIGTERM has come."""


def _terminate(number: int, frame: object) -> NoReturn:
    raise Terminated(TERMINATED)


def _noted_interrupts() -> list[int]:
    """Return a list that SIGINT is added to from now on, unless the process ignores it."""
    came: list[int] = []

    def interrupt(number: int, frame: object) -> NoReturn:
        came.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) not in (None, signal.SIG_IGN):
        signal.signal(signal.SIGINT, interrupt)
    return came
