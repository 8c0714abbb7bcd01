"""Files that commands write, and results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specialize.errors import SpecializeError, UsageError


@contextmanager
def output_file(path: Path, *, inputs: Iterable[str | Path]) -> Iterator[None]:
    """Check before the work that ``path`` can be written, and be its only writer meanwhile.

    UsageError where it is no regular file or one of the ``inputs``, which may be folders.
    """
    from specialize.atomic import check_file, only_writer
    from specialize.corpus.files import expand

    check_file(path)
    for name in inputs if path.exists() else ():
        try:
            files = expand([str(name)])
        except SpecializeError:  # a model of the hub; a missing file is reported where it is read
            continue
        if any(file.samefile(path) for file in files):
            raise UsageError(f"{path} is an input; name another file to write")
    with only_writer(path):
        yield


def write_stdout(data: bytes) -> None:
    """Write a file's content to stdout, whatever the encoding of the terminal is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def print_json(value: Any) -> None:
    """Print ``value`` as one line of JSON, in ASCII where stdout is not UTF-8."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(value, ensure_ascii=not utf8, allow_nan=False))
