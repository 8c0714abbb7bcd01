"""The native extension, loaded on first use and without torch.

``SPECIALIZE_NATIVE=0`` disables the extension, ``1`` requires it; ``SPECIALIZE_THREADS`` sets the
number of threads, which never changes results.
"""

from __future__ import annotations

import os
import warnings
from functools import cache
from typing import Any

from specialize.errors import MissingError, SpecializeWarning, UsageError

INSTALL = "pip install ./cpp_ext"
MOST_CHARACTERS = 2**32 - 1  # of a word, as the extension counts them
MOST_THREADS = 256  # each has tables of its own
INTERFACE = 12  # must equal the number in cpp_ext/src/core.cpp


def core() -> Any:
    """Return the extension's module, or None to use the reference implementations in Python."""
    wanted = os.environ.get("SPECIALIZE_NATIVE", "")
    if wanted not in ("", "0", "1"):
        raise UsageError(f"expected SPECIALIZE_NATIVE=0 or 1, got {wanted!r}")
    return None if wanted == "0" else _load(required=wanted == "1")


@cache
def _load(*, required: bool) -> Any:
    try:
        from specialize_native import _core
    except ImportError as error:
        state, detail = "not installed", f" ({error})"
    else:
        if getattr(_core, "INTERFACE", 1) == INTERFACE:
            return _core
        state, detail = "of a different version than this package", ""
    if required:
        raise MissingError(
            f"SPECIALIZE_NATIVE=1, but the native extension is {state}{detail}; run: {INSTALL}"
        )
    warnings.warn(
        f"the native extension is {state}; counting and parsing fall back to slow Python; "
        f"run: {INSTALL}",
        SpecializeWarning,
        stacklevel=3,
    )
    return None


def threads() -> int:
    """Return the threads of native code: $SPECIALIZE_THREADS, by default one per core."""
    wanted = os.environ.get("SPECIALIZE_THREADS", "")
    if wanted:
        if not wanted.isdecimal() or int(wanted) < 1:
            raise UsageError(f"expected SPECIALIZE_THREADS of 1 or more, got {wanted!r}")
        return min(int(wanted), MOST_THREADS)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
