"""Rules of ICU, the Unicode project's library (package PyICU, extra ``icu``)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from specialize.errors import DataError, UsageError
from specialize.mixins._extras import package


def mix(line: str, *, id: str = "", rules: Path | None = None) -> str:
    """Return ``line`` rewritten by an ICU transform, or by ICU ``rules`` of your own in a file.

    ``id = "Any-Latin; NFC"``: ``"ქართული"`` -> ``"kartuli"``; compound ids and those of CLDR, such
    as ``"am-am_Latn/BGN"``, are known to ICU.
    """
    if bool(id) == (rules is not None):
        got = "both" if id else "neither"
        raise UsageError(f'mixin \'icu\': expected id = "Any-Latin" or rules = "FILE", got {got}')
    changed = rules.stat().st_mtime_ns if rules else 0
    return str(_transform(id, rules, changed).transliterate(line))


@lru_cache(maxsize=16)
def _transform(id: str, rules: Path | None, changed: int) -> Any:
    icu = package("icu", "icu")
    try:
        if rules:
            return icu.Transliterator.createFromRules("own", rules.read_text("utf-8"))
        return icu.Transliterator.createInstance(id)
    except icu.ICUError as error:
        if rules:
            reason = str(error).split("'")[1]
            raise DataError(f"{rules}:1: not rules of ICU ({reason})") from None
        raise UsageError(f"mixin 'icu': no transform {id!r} in this version of ICU") from None
