"""No modules: the model itself trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specialize.modules.systems._system import System


def system(host: Any) -> System:
    """Return no modules: the model itself trains."""
    from specialize.modules.systems._system import System

    return System({}, {})
