"""No mix-in: text as it is."""


def mix(line: str) -> str:
    """Return ``line`` unchanged."""
    return line
