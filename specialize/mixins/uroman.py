"""Romanisation of any script by uroman (Hermjakob, May & Knight 2018; extra ``uroman``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from specialize.mixins._extras import package


def mix(line: str, *, language: str = "") -> str:
    """Return ``line`` in ASCII by uroman: ``"Київ"`` -> ``"Kyiv"`` with ``language = "ukr"``.

    ``language``: an ISO 639-3 code, for the rules of that language. Published work that uses uroman
    should acknowledge it.
    """
    return str(_uroman().romanize_string(line, lcode=language or None))


@cache
def _uroman() -> Any:
    return package("uroman", "uroman").Uroman()
