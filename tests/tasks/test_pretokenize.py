"""Splitting plain text: literal lines of many scripts, then properties, then treebanks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.corpus.conllu import FORM, read_blocks
from specialize.tasks._pretokenize import pretokenize, style_of


def split(line: str) -> str:
    return " ".join(word for token in pretokenize(line, "punctuation") for word in token)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ⲛⲁϥ, ⲁⲩⲱ.", "ⲛⲁϥ , ⲁⲩⲱ ."),
        ("Iva! «da» (no)? [1] {x}; “y”:", "Iva ! « da » ( no ) ? [ 1 ] { x } ; “ y ” :"),
        ("نېمە؟ ياخشى، رەھمەت۔", "نېمە ؟ ياخشى ، رەھمەت ۔"),
        ("ሰላም፡ለዓለም። እንዴት፣", "ሰላም ፡ ለዓለም ። እንዴት ፣"),
        ("नमस्ते। क्या?", "नमस्ते । क्या ?"),
        ("说，好。", "说 ， 好 。"),
        ("don't l'eau ta' il-kelb l·lar", "don't l'eau ta' il-kelb l·lar"),
        ('צה"ל בין־לאומי', 'צה"ל בין־לאומי'),
        ("Ի՞նչ pre- -ler -5 re-use's", "Ի՞նչ pre- -ler -5 re-use's"),
        ("'so it is', he 'said'.", "' so it is ' , he ' said ' ."),
        ("''yes'' ``no``", "'' yes '' `` no ``"),
        ("'tis said 'so'", "'tis said ' so '"),
        ("3,14 1.000,50 10:30 1/2 .5 ١٫٥", "3,14 1.000,50 10:30 1/2 .5 ١٫٥"),
        ("5% $5.50 €3", "5 % $ 5.50 € 3"),
        ("one,two;three yes!no x…y", "one , two ; three yes ! no x … y"),
        ("a—b 1990–1995", "a — b 1990 – 1995"),
        ("and/or EU:s AT&T @me #tag a@b.org", "and/or EU:s AT&T @me #tag a@b.org"),
        ("https://a.b/c?d=1,2.", "https://a.b/c?d=1,2 ."),
        ("end... what?! no!!! -- - …", "end ... what ? ! no !!! -- - …"),
        ("in the U.S. e.g. J. Smith word. g.j.", "in the U.S. e.g. J. Smith word . g.j."),
        ("ends in J.", "ends in J ."),
        ("word(s) f(x). (f(x)) ((a)) (s)he a)", "word(s) f(x) . ( f(x) ) (( a )) (s)he a )"),
        ("\u3000a\u00a0b\t,", "a b ,"),
        ("", ""),
    ],
)
def test_lines_are_split(line: str, words: str) -> None:
    assert split(line) == words


MARKS = "ab1 .,'’-()\"«»“`/:@#$%…–!?։።؟،؛۔।ⲛЖ٣_"


@given(st.text(MARKS) | st.text())
def test_no_character_is_lost_and_only_tokens_are_split(line: str) -> None:
    words = pretokenize(line, "punctuation")
    assert ["".join(token) for token in words] == line.split()
    assert all(word for token in words for word in token)
    assert pretokenize(line, "spaces") == [[token] for token in line.split()]


@given(st.text(st.characters(categories=["L", "M", "N"])))
def test_words_without_punctuation_stay(line: str) -> None:
    assert split(line) == " ".join(line.split())


@pytest.mark.parametrize(
    ("sentences", "style"),
    [
        ([("Yes", ",", "sir", "."), ("Mr.", "X", "!")], "punctuation"),
        ([("Yes,", "sir."), ("No", "!")], "spaces"),
        ([("ⲛⲁϥ", ",", "ⲁⲩⲱ")], "punctuation"),
        ([("ⲛⲁϥ,", "ⲁⲩⲱ")], "spaces"),
        ([("ta'", "il-", "kelb")], "punctuation"),  # no evidence
        ([("3.", "...", "Hà Nội")], "punctuation"),
    ],
)
def test_the_style_is_that_of_most_punctuation(
    sentences: list[tuple[str, ...]], style: str
) -> None:
    assert style_of(sentences) == style


@pytest.mark.parametrize(
    ("treebank", "least"),
    [
        ("Uyghur-UDT", 0.99),
        ("Wolof-WTB", 0.99),
        ("Turkish-IMST", 0.99),
        ("Urdu-UDTB", 0.99),
        ("Greek-GDT", 0.99),
        ("Belarusian-HSE", 0.98),
        ("Hebrew-HTB", 0.98),
        ("German-GSD", 0.98),
        ("Irish-IDT", 0.97),
    ],
)
def test_real_sentences_are_split_as_their_treebank_does(
    data: Path, treebank: str, least: float
) -> None:
    blocks = [b for b in read_blocks(data / "ud" / f"UD_{treebank}" / "dev.conllu.xz") if b.text]
    assert style_of(block.column(FORM) for block in blocks) == "punctuation"
    same = total = 0
    for block in blocks:
        gold, ours = spans(block.surface()), spans(split(block.text).split(" "))
        same += 2 * len(gold & ours)
        total += len(gold) + len(ours)
    assert same / total > least


def spans(words: tuple[str, ...] | list[str]) -> set[tuple[int, int]]:
    """Return where each word begins and ends in the text without white space."""
    found, end = set(), 0
    for word in words:
        begin, end = end, end + len("".join(word.split()))
        found.add((begin, end))
    return found
