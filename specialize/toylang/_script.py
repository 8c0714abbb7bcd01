"""The toy language's script: each Latin letter is one Tifinagh letter, and back."""

# Sound follows sound where Tifinagh has it (a is YA, ş is YASH); the rest are letters left over.
LATIN = "abcçdefgğhıijklmnoöpqrsştuüvwxyz"
SCRIPT = "ⴰⴱⴵⵞⴷⴻⴼⴳⵖⵀⵄⵉⵊⴽⵍⵎⵏⵧⵦⵒⵇⵔⵙⵛⵜⵓⵈⵠⵡⵅⵢⵣ"

_TO_SCRIPT = str.maketrans(LATIN, SCRIPT)
_TO_LATIN = str.maketrans(SCRIPT, LATIN)


def to_script(latin: str) -> str:
    """Return ``latin`` with its lower-case letters in the toy script; all else stays: ev. -> ⴻⵠ."""
    return latin.translate(_TO_SCRIPT)


def to_latin(text: str) -> str:
    """Return ``text`` with its toy letters in Latin, the inverse of ``to_script``: ⴻⵠ. -> ev."""
    return text.translate(_TO_LATIN)
