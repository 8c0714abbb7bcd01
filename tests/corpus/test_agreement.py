"""Systematic differences between a corpus and a task's text, and what must not be reported."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.corpus.agreement import SAMPLE, Use, characters_unseen, mismatch

COPTIC = "ⲡⲣⲱⲙⲉ ⲛⲁϥ ⲁⲩⲱ ⲙⲡⲉϥⲥⲱⲧⲙ ⲉⲣⲟⲟⲩ "
FRENCH = "l'été où l'élève a mangé à côté de l'âne "
UYGHUR = "ئۇ ناھايىتى چوڭ شەھەر "
HEBREW = "שלום עולם ספר ילדה "
POINTED = "שָׁלוֹם עוֹלָם סֵפֶר יַלְדָּה "


def both(corpus: str, task: str) -> list[str]:
    return mismatch([corpus] * 30, (task * 30).split())


@pytest.mark.parametrize(
    ("corpus", "task", "sentence"),
    [
        (
            COPTIC.upper(),
            COPTIC,
            "100 % of the letters of the corpus are capitals, of the task's text 0 %: add the "
            "mix-in lower",
        ),
        (
            UYGHUR,
            "u nahayiti chong sheher ",
            "100 % of the letters of the corpus are Arabic, 100 % of the task's text Latin: bring "
            "both into one script with a mix-in",
        ),
        (
            unicodedata.normalize("NFD", FRENCH),
            FRENCH,
            "letters with marks are letters followed by marks (NFD) in the corpus and single "
            'characters (NFC) in the task\'s text: add the mix-in unicode with form = "NFC"',
        ),
        (
            FRENCH,
            unicodedata.normalize("NFD", FRENCH),
            "letters with marks are single characters (NFC) in the corpus and letters followed by "
            'marks (NFD) in the task\'s text: add the mix-in unicode with form = "NFC"',
        ),
        (
            "ﺋﯘ ﻧﺎﮬﺎﻳﯩﺘﻰ ﭼﻮﯓ ﺷﻪﮬﻪﺭ ",
            UYGHUR,
            "100 % of the letters of the corpus are presentation forms or other compatibility "
            'characters, of the task\'s text 0 %: add the mix-in unicode with form = "NFKC"',
        ),
        (
            HEBREW,
            POINTED,
            "the corpus has 0 % combining marks (vowel points, tones) a letter, the task's text "
            "73 %: drop them from both with a mix-in",
        ),
        (
            "sana ١٩٨٦ ٣ ",
            "sana 1986 3 ",
            "digits are U+0660 ARABIC-INDIC DIGIT ZERO (٠...) in the corpus and U+0030 DIGIT ZERO "
            "(0...) in the task's text: write one kind of digits in both with a mix-in",
        ),
        (
            FRENCH.replace("'", "’"),
            FRENCH,
            "apostrophes inside words are U+2019 RIGHT SINGLE QUOTATION MARK in the corpus and "
            "U+0027 APOSTROPHE in the task's text: write one kind of apostrophe in both with a "
            "mix-in",
        ),
        (
            "ali geldi ve gitti ",
            "ali geldi ve gitti ŋŋ ",
            "letters of the task's text that the corpus lacks: ŋ (U+014B LATIN SMALL LETTER ENG), "
            "12 % of the letters",
        ),
    ],
)
def test_a_difference_is_named_with_what_to_do(corpus: str, task: str, sentence: str) -> None:
    assert both(corpus, task) == [sentence]


def test_several_differences_are_listed() -> None:
    found = both(FRENCH.upper().replace("'", "’"), FRENCH)
    assert [sentence.partition(":")[2] for sentence in found] == [
        " add the mix-in lower",
        " write one kind of apostrophe in both with a mix-in",
    ]


@pytest.mark.parametrize("text", [COPTIC, FRENCH, UYGHUR, POINTED, "नमस्ते दुनिया १२ ", "ไทย ภาษา "])
def test_consistently_written_texts_agree(text: str) -> None:
    assert both(text, text) == []
    assert mismatch([text] * 30, [text.title()] + [text] * 30) == []


@given(st.text(), st.text())
def test_short_texts_show_no_systematic_difference(corpus: str, task: str) -> None:
    found = mismatch([corpus[:15]], [task[:15]])
    assert all(s.startswith("letters of the task's text that the corpus lacks") for s in found)


def test_only_the_beginning_is_read() -> None:
    def endless() -> object:
        while True:
            yield COPTIC

    assert mismatch(endless(), endless()) == []  # type: ignore[arg-type]
    assert mismatch([COPTIC * SAMPLE], [COPTIC]) == []


def test_letters_that_the_corpus_lacks_are_listed_with_their_shares() -> None:
    found = characters_unseen(["abc 1!"], ["abxx", "y2?" + "a" * 95])
    assert [(unseen.letter, unseen.share) for unseen in found] == [("x", 0.02), ("y", 0.01)]
    assert characters_unseen(["abc"], ["abxx" + "a" * 96], least=0.05) == []


def test_the_use_of_new_pieces_is_counted() -> None:
    use = Use.of([[1, 7, 8], [2, 7]], fresh={7, 8, 9})
    assert use == Use(pieces=5, fresh=3, kinds=2)
    assert use.share == 0.6
    assert Use.of([], fresh={7}).share == 0
