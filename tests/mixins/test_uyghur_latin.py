"""The Uyghur table by its golden cases, and against the published transliterator."""

import lzma
from pathlib import Path

import pytest

from specialize.mixins import uyghur_latin


@pytest.mark.parametrize(
    ("uyghur", "latin"),
    [
        ("ئۇيغۇرلار", "uyğurlar"),
        ("مەن مەكتەپكە بارىمەن", "men mektepke barimen"),
        ("سائەت", "saet"),
        ("تەئەججۈپ", "teeccüp"),
        ("شىنجاڭ", "şincang"),
        ("عەرەب", "khereb"),
        ("ئ", "ئ"),
        ("ء", ""),
        ("ﺋﺎ", "a"),  # presentation forms: NFKC first
        ("«بار؟» ۱۲، yes", "«bar?» 12, yes"),
    ],
)
def test_uyghur_words_become_latin(uyghur: str, latin: str) -> None:
    assert uyghur_latin.mix(uyghur) == latin


def test_the_published_transliteration_is_reproduced(data: Path) -> None:
    file = next((data / "translit" / "uyghur").glob("muller2021*words*.xz"))
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    pairs = [(row[0], row[2]) for row in rows[1:] if "&" not in row[0]]
    wrong = [(u, latin, uyghur_latin.mix(u)) for u, latin in pairs if uyghur_latin.mix(u) != latin]
    assert len(pairs) > 1000
    assert not wrong, wrong[:10]
