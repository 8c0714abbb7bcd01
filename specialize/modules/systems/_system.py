"""What a system is made of."""

from __future__ import annotations

from typing import NamedTuple

from specialize.modules.attach import Table


class System(NamedTuple):
    """Sources by site, without languages and tasks yet; those of a task act on a language's."""

    languages: Table
    tasks: Table
