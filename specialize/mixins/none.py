"""No mix-in: text unchanged."""


def mix(line: str) -> str:
    """Return ``line`` unchanged."""
    return line
