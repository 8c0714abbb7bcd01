"""Inflected words: endings with vowel harmony, and their tags.

Endings are patterns: ``A`` is a or e, ``I`` is ı or i, depending on the stem's last vowel; a letter
in brackets is used only between two vowels or two consonants: ev + (y)A -> eve, su + (y)A -> suya.
"""

from dataclasses import dataclass
from functools import lru_cache

_BACK = "aıou"
_VOWELS = "aıoueiöü"

CASES = {
    "NOM": "",
    "ACC": "(y)I",
    "DAT": "(y)A",
    "LOC": "dA",
    "GEN": "(n)In",
    "ABL": "dAn",
}
# After a possessive ending: kitab-ı-n-ı. Its nominative looks like a plain accusative.
_CASES_POSSESSED = {"NOM": "", "ACC": "nI", "DAT": "nA", "LOC": "ndA", "GEN": "nIn", "ABL": "ndAn"}
_TENSES = {
    "PAST": ("dI", {"Mood": "Ind", "Tense": "Past"}),
    "PRES": ("(A)r", {"Mood": "Ind", "Tense": "Pres"}),
    "FUT": ("(y)AcAk", {"Mood": "Ind", "Tense": "Fut"}),
    "COND": ("sA", {"Mood": "Cnd"}),
    "IMP": ("", {"Mood": "Imp"}),
}
_PERSONS = {"1SG": "mIn", "2SG": "sIn", "3SG": "", "1PL": "mIz", "2PL": "sIz", "3PL": "lAr"}
_NONFINITE = {
    "CVB": ("(y)Ip", {"VerbForm": "Conv"}),
    "PTCP": ("(y)An", {"Tense": "Pres", "VerbForm": "Part"}),
    "PTCP.OBJ": ("dIk(s)I", {"Tense": "Past", "VerbForm": "Part"}),
}


@dataclass(frozen=True)
class Word:
    """An inflected word in Latin letters: columns 2 to 6 of CoNLL-U."""

    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str = "_"


def inflect(stem: str, *endings: str) -> str:
    """Return ``stem`` with ``endings`` in harmony: inflect("göl", "lAr", "(y)I") -> gölleri."""
    for ending in endings:
        back = next((c in _BACK for c in reversed(stem) if c in _VOWELS), True)
        filled = ending.replace("A", "a" if back else "e").replace("I", "ı" if back else "i")
        stem += _linked(stem, filled)
    return stem


def _linked(stem: str, ending: str) -> str:
    """Return ``ending``; bracketed letters stay only between two vowels or two consonants."""
    while "(" in ending:
        at = ending.index("(")
        before = (stem + ending[:at])[-1]
        link = ending[at + 1]
        keep = (before in _VOWELS) != (link in _VOWELS)
        ending = ending[:at] + (link if keep else "") + ending[at + 3 :]
    return ending


def _feats(values: dict[str, str]) -> str:
    return "|".join(f"{name}={values[name]}" for name in sorted(values, key=str.lower)) or "_"


@lru_cache(maxsize=1 << 15)
def nominal(
    root: str,
    upos: str = "NOUN",
    *,
    case: str = "NOM",
    plural: bool = False,
    possessed: bool = False,
    attribute: bool = False,
) -> Word:
    """Return a noun or name in its case; ``attribute`` adds -ki, which makes it a modifier."""
    table = _CASES_POSSESSED if possessed else CASES
    endings = ["lAr"] * plural + ["(s)I"] * possessed + [table[case]] + ["ki"] * attribute
    feats = {"Case": case.capitalize(), "Number": "Plur" if plural else "Sing"}
    if possessed:
        feats |= {"Number[psor]": "Sing", "Person[psor]": "3"}
    xpos = [upos, *["PL"] * plural, *["POSS"] * possessed, case, *["KI"] * attribute]
    return Word(inflect(root, *endings), root, upos, ".".join(xpos), _feats(feats))


@lru_cache(maxsize=1 << 8)
def pronoun(root: str, person: str = "3SG", *, case: str = "NOM") -> Word:
    """Return a pronoun in its case: pronoun("ben", "1SG", case="DAT") -> bene."""
    pointing = "Dem" if root in ("bu", "şu") else "Prs"
    feats = {"Case": case.capitalize(), **_agreement(person), "PronType": pointing}
    return Word(inflect(root, CASES[case]), root, "PRON", f"PRON.{person}.{case}", _feats(feats))


@lru_cache(maxsize=1 << 15)
def finite(root: str, tense: str, person: str = "3SG", *, negative: bool = False) -> Word:
    """Return a finite verb; the second person of the imperative is the bare stem."""
    ending, feats = _TENSES[tense]
    agreement = "" if tense == "IMP" else _PERSONS[person]
    form = inflect(root, "mA" if negative else "", ending, agreement)
    xpos = ["VERB", *["NEG"] * negative, tense, person]
    feats = {**feats, **_agreement(person), **_polarity(negative), "VerbForm": "Fin"}
    return Word(form, root, "VERB", ".".join(xpos), _feats(feats))


@lru_cache(maxsize=1 << 13)
def nonfinite(root: str, form: str, *, negative: bool = False) -> Word:
    """Return a converb (CVB) or a participle of the subject (PTCP) or object (PTCP.OBJ)."""
    ending, feats = _NONFINITE[form]
    xpos = ["VERB", *["NEG"] * negative, form]
    stem = inflect(root, "mA" if negative else "", ending)
    return Word(stem, root, "VERB", ".".join(xpos), _feats({**feats, **_polarity(negative)}))


@lru_cache(maxsize=1 << 12)
def predicate(root: str, *, past: bool = False) -> Word:
    """Return a predicative adjective, with the past ending of verbs if ``past``."""
    if not past:
        return Word(root, root, "ADJ", "ADJ")
    return Word(inflect(root, "dI"), root, "ADJ", "ADJ.PAST", "Tense=Past")


@lru_cache(maxsize=1 << 12)
def bare(root: str, upos: str) -> Word:
    """Return a word without endings, such as an adverb, determiner or postposition."""
    return Word(root, root, upos, upos)


def _agreement(person: str) -> dict[str, str]:
    return {"Person": person[0], "Number": "Sing" if person.endswith("SG") else "Plur"}


def _polarity(negative: bool) -> dict[str, str]:
    return {"Polarity": "Neg" if negative else "Pos"}
