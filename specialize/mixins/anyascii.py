"""ASCII by AnyAscii (extra ``anyascii``)."""

from specialize.mixins._extras import package


def mix(line: str) -> str:
    """Return ``line`` in ASCII, character by character, by AnyAscii: ``"Київ"`` -> ``"Kiiv"``."""
    return str(package("anyascii", "anyascii").anyascii(line))
