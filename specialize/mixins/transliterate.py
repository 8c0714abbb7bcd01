"""Language packs of the package ``transliterate`` (under the GPL, extra ``transliterate``)."""

from __future__ import annotations

from specialize.errors import UsageError
from specialize.mixins._extras import package


def mix(line: str, *, language: str) -> str:
    """Return ``line`` in Latin letters by a language pack: ``"ru"``, ``"ka"``, ``"el"``, ...

    The tool of Muller et al. 2021 for these scripts; the table ``mari_russian`` equals ``"ru"``.
    """
    module = package("transliterate", "transliterate")
    known = module.get_available_language_codes()
    if language not in known:
        raise UsageError(
            f"mixin 'transliterate': unknown language {language!r}; known: {', '.join(known)}"
        )
    return str(module.translit(line, language, reversed=True))
