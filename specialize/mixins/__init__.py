"""Methods that rewrite lines: ``mix(line, *, ...) -> str``; several apply in order."""

from collections.abc import Callable
from typing import Annotated

Mix = Annotated[Callable[[str], str], "mixin"]  # an option that names a method like these
