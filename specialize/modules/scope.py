"""The language and the task that a forward pass is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from specialize.errors import UsageError

By = Literal["all", "language", "task", "pair"]


@dataclass(frozen=True)
class Scope:
    """A language and a task; "" is none, which is an error where a source needs one."""

    language: str = ""
    task: str = ""

    def key(self, by: By) -> str:
        """Return the key of a parameter set that belongs to ``by``.

        >>> Scope("ug", "pos").key("pair"), Scope("ug").key("all")
        ('ug+pos', 'all')
        """
        if by == "all":
            return "all"
        if by == "pair":
            return f"{self.key('language')}+{self.key('task')}"
        if not (key := self.language if by == "language" else self.task):
            raise UsageError(f"expected a scope with a {by}, got {self}")
        return key


def check_by(by: str) -> None:
    """Raise UsageError if nothing can belong to ``by``."""
    if by not in get_args(By):
        raise UsageError(f"expected one of {', '.join(get_args(By))}, got {by!r}")
