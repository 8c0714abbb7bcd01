"""ASCII by Unidecode (package under the GPL, extra ``unidecode``)."""

from specialize.mixins._extras import package


def mix(line: str) -> str:
    """Return ``line`` in ASCII, character by character, by Unidecode: ``"Київ"`` -> ``"Kiyiv"``."""
    return str(package("unidecode", "unidecode").unidecode(line))
