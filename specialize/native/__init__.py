"""The native extension: ``extension`` loads it, ``counts`` wraps the counts that it stores.

Every operator has a Python reference implementation in the package, the fallback if the extension
is missing.
"""

from specialize.native.counts import (
    Counts,
    TokenCounts,
    WordCounts,
    as_tokens,
    as_words,
    positioned,
)
from specialize.native.extension import INSTALL, INTERFACE, core, threads

__all__ = [
    "INSTALL",
    "INTERFACE",
    "Counts",
    "TokenCounts",
    "WordCounts",
    "as_tokens",
    "as_words",
    "core",
    "positioned",
    "threads",
]
