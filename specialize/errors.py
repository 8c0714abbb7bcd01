"""What can go wrong that is not a bug, each with the command line's exit code (see README)."""


class SpecializeError(ValueError):
    """A fault of the input or the machine, said in one line: what, where, what to do."""

    exit_code = 1


class UsageError(SpecializeError):
    """The words of the command or of a recipe are off."""

    exit_code = 2


class DataError(SpecializeError):
    """A file says something it may not; the message starts with ``file:line`` if there is one."""

    exit_code = 3


class MissingError(SpecializeError):
    """A model, a file, an optional package or disk space is not there."""

    exit_code = 4


class SpecializeWarning(UserWarning):
    """Something works, but not as well as it could; said once."""
