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
from specialize.native.extension import INSTALL, INTERFACE, MOST_CHARACTERS, core, threads

__all__ = [
    "INSTALL",
    "INTERFACE",
    "MOST_CHARACTERS",
    "Counts",
    "TokenCounts",
    "WordCounts",
    "as_tokens",
    "as_words",
    "core",
    "positioned",
    "threads",
]
