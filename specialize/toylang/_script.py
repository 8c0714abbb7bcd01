"""The toy language's script: a one-to-one map of Latin to Tifinagh letters."""

# Same sound if Tifinagh has it (a is YA, ş is YASH), else any remaining letter.
LATIN = "abcçdefgğhıijklmnoöpqrsştuüvwxyz"
SCRIPT = "ⴰⴱⴵⵞⴷⴻⴼⴳⵖⵀⵄⵉⵊⴽⵍⵎⵏⵧⵦⵒⵇⵔⵙⵛⵜⵓⵈⵠⵡⵅⵢⵣ"

_TO_SCRIPT = str.maketrans(LATIN, SCRIPT)
_TO_LATIN = str.maketrans(SCRIPT, LATIN)


def to_script(latin: str) -> str:
    """Return ``latin`` with lower-case letters in the toy script, all else unchanged: ev. -> ⴻⵠ."""
    return latin.translate(_TO_SCRIPT)


def to_latin(text: str) -> str:
    """Return ``text`` with toy letters in Latin, the inverse of ``to_script``: ⴻⵠ. -> ev."""
    return text.translate(_TO_LATIN)
