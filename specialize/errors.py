"""The errors users can cause, each with the command line's exit code (see README)."""


class SpecializeError(ValueError):
    """A fault of the input or the machine in one line: what, where, what to do.

    ``key``: the key of a recipe at fault (``lapt.epochs``), if any.
    """

    exit_code = 1

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class UsageError(SpecializeError):
    """Invalid arguments, or an invalid recipe."""

    exit_code = 2


class DataError(SpecializeError):
    """Malformed input; the message starts with ``file:line`` if there is one."""

    exit_code = 3


class MissingError(SpecializeError):
    """A model, a file, an optional package or disk space is missing."""

    exit_code = 4


class SpecializeWarning(UserWarning):
    """Something works, but not as well as it could; shown once."""
