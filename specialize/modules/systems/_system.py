"""What a system is made of."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from specialize.modules.attach import Table
from specialize.modules.packs import Pack


class System(NamedTuple):
    """Sources by site, without languages and tasks yet; those of a task act on a language's.

    With a ``pack``, of the system's option of that name, the languages are trained already: they
    stay, and the model trains around them.
    """

    languages: Table
    tasks: Table
    pack: Pack | None = None
    file: Path | None = None  # the pack's
