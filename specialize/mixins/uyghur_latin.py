"""Uyghur in Arabic script -> a Turkish-like Latin script (Chau & Smith 2021; Muller et al. 2021).

The table is the one used for the paper's Uyghur runs: two-character keys first, unmapped characters
pass through. It drops word-internal hamza and ء and merges ھ with ح and ڭ with نگ, so it cannot be
inverted. ع -> kh looks like a mistake of its authors; it is kept for comparability.
"""

from __future__ import annotations

import re
import unicodedata

TABLE = {
    **{"ئا": "a", "ئە": "e", "ئو": "o", "ئۇ": "u", "ئۆ": "ö", "ئۈ": "ü", "ئې": "ë", "ئى": "i"},
    **{"ا": "a", "ە": "e", "ب": "b", "پ": "p", "ت": "t", "ج": "c", "چ": "ç", "خ": "x", "د": "d"},
    **{"ر": "r", "ز": "z", "ژ": "j", "س": "s", "ش": "ş", "غ": "ğ", "ف": "f", "ق": "q", "ك": "k"},
    **{"گ": "g", "ڭ": "ng", "ل": "l", "م": "m", "ن": "n", "ھ": "h", "ح": "h", "و": "o", "ۇ": "u"},
    **{"ۆ": "ö", "ۈ": "ü", "ۋ": "v", "ې": "ë", "ى": "i", "ي": "y", "ء": "", "ع": "kh"},
    **{"،": ",", "؛": ";", "؟": "?", "\u00a0": " "},
    **{chr(0x6F0 + digit): str(digit) for digit in range(10)},
}
_KEYS = re.compile("|".join(sorted(map(re.escape, TABLE), key=len, reverse=True)))


def mix(line: str) -> str:
    """Return ``line`` in Latin letters: ``"ئۇيغۇرلار"`` -> ``"uyğurlar"``.

    NFKC is applied first, as in the authors' code: it maps the presentation forms of old text.
    """
    return _KEYS.sub(lambda found: TABLE[found[0]], unicodedata.normalize("NFKC", line))
