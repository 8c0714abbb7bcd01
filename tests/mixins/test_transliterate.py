"""The engine: rules by hand, then the fast way against the definition on every scheme."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.mixins._rules_as_regex import as_regex
from specialize.mixins._table import Rule, Table, read_table, scheme_file, schemes
from specialize.mixins._transliterate import (
    by_definition,
    cased,
    expanded,
    reverse,
    transliterator,
)


def rewritten(text: str, *rules: Rule, **settings: str) -> str:
    """Return ``text`` rewritten; both ways of doing so must agree."""
    table = Table("t", rules=rules, **settings)  # type: ignore[arg-type]
    made = cased(expanded(table), table.case)
    definition = by_definition(made)
    assert as_regex(made, definition)(text) == definition(text)
    return transliterator(table)(text)


def test_the_longest_key_is_replaced_first_and_the_rest_passes() -> None:
    rules = [Rule("a", "1"), Rule("ab", "2"), Rule("abc", "3"), Rule("b", "4")]
    assert rewritten("abcabaabd", *rules) == "3212d"
    assert rewritten("abx", Rule("ab", "2")) == "2x"


def test_outputs_are_not_rewritten_again() -> None:
    assert rewritten("aabb", Rule("a", "b"), Rule("b", "a"), Rule("bb", "ab")) == "bbab"


def test_places_in_a_word() -> None:
    rules = [Rule("a", place, place=place) for place in ("alone", "initial", "final", "medial")]
    assert rewritten("a", *rules) == "alone"
    assert rewritten("aa", *rules) == "initialfinal"
    assert rewritten("aaa a-a", *rules) == "initialmedialfinal alone-alone"
    assert rewritten("a\u0301", *rules, before="none") == "initial\u0301"  # a mark is in the word
    assert rewritten("a\u200c", *rules) == "initial\u200c"  # a joiner too
    assert rewritten("a1", *rules) == "alone1"


def test_neighbours() -> None:
    rules = [Rule("u", "1", after="a"), Rule("u", "2", before="a"), Rule("u", "3")]
    assert rewritten("auaua uu", *rules) == "a1a1a 33"
    assert rewritten("ua", *rules) == "2a"
    assert rewritten("aub", Rule("u", "1", after="a", before="b")) == "a1b"
    assert rewritten("aua", Rule("u", "1", after="a", before="b")) == "aua"


def test_a_longer_key_whose_conditions_fail_leaves_place_to_a_shorter() -> None:
    assert rewritten("abab", Rule("ab", "1", place="final"), Rule("a", "2")) == "2b1"


def test_a_letter_anywhere_in_the_word() -> None:
    rules = [Rule("a", "1", within="ek"), Rule("a", "2")]
    assert rewritten("aba abe kab-aba", *rules) == "2b2 1be k1b-2b2"
    assert rewritten("a-a", Rule("a", "1", within="-")) == "a-a"  # not in the word
    assert rewritten("xay", Rule("xay", "1", within="a")) == "1"


def test_capitals_follow_from_small_letters() -> None:
    shch, a = Rule("щ", "shch"), Rule("а", "a")
    assert rewritten("щ Щ Ща ЩА АЩ аЩ", shch, a, case="word") == "shch Shch Shcha SHCHA ASHCH aShch"
    assert rewritten("щ Щ Ща ЩА", shch, a, case="letter") == "shch Shch Shcha ShchA"
    assert rewritten("щЩ", shch, case="exact") == "shchЩ"
    two = Rule("зг", "zgh")
    assert rewritten("зг Зг ЗГ", two, case="word") == "zgh Zgh ZGH"
    assert rewritten("И и", Rule("И", "İ"), Rule("и", "i"), case="word") == "İ i"
    assert rewritten("Ь", Rule("ь", "'"), case="word") == "'"


def test_conditions_hold_beside_capitals_too() -> None:
    rules = [Rule("е", "ye", after="а"), Rule("е", "e"), Rule("а", "a")]
    assert rewritten("ае АЕ Ае бе", *rules, case="word") == "aye AYE Aye бe"
    digits = [Rule("е", "ye", after="12"), Rule("е", "e")]
    assert rewritten("1Е АЕ", *digits, case="word") == "1Ye АE"


def test_consonants_have_a_vowel_unless_a_sign_says_otherwise() -> None:
    rules = [
        Rule("क", "k", role="consonant"),
        Rule("ा", "ā", role="sign"),
        Rule("्", "", role="sign"),
        Rule("इ", "i"),
    ]
    assert rewritten("क का क् कइ ा", *rules, inherent="a") == "ka kā k kai ā"


def test_normal_forms_before_and_after() -> None:
    accent = "\u0301"
    assert rewritten("ά", Rule("α", "a"), before="NFD", after="NFC") == "á"
    assert rewritten("α" + accent, Rule("α", "a"), before="none") == "a" + accent


def test_the_way_back() -> None:
    rules = (
        Rule("ئا", "a", place="initial"),
        Rule("ا", "a"),
        Rule("ئا", "a"),
        Rule("ش", "sh"),
        Rule("س", "s"),
        Rule("ء", ""),
    )
    back = transliterator(reverse(Table("t", rules=rules)))
    assert back("asha sa") == "ئاشا سا"
    indic = read_table(scheme_file("devanagari"))
    assert transliterator(reverse(indic))("hindī bhāṣā kṣatriya") == "हिन्दी भाषा क्षत्रिय"
    russian = transliterator(reverse(read_table(scheme_file("russian"))))
    assert russian("Shchuka SHCHUKA") == "Щука ЩУКА"


# The fast way equals the definition


def alphabet(name: str) -> st.SearchStrategy[str]:
    rules = cased(expanded(table := read_table(scheme_file(name))), table.case)
    keys = [rule.key for rule in rules]
    letters = sorted({c for rule in rules for c in rule.before + rule.after + rule.within})
    return st.lists(st.sampled_from([*keys, *letters, *" -.aZ1'\n", "\u200c", "\u0301"])).map(
        "".join
    )


@pytest.mark.parametrize("name", schemes())
@settings(max_examples=60)
@given(st.data())
def test_the_fast_way_equals_the_definition(name: str, data: st.DataObject) -> None:
    table = read_table(scheme_file(name))
    for of in (table, reverse(table)):
        rules = cased(expanded(of), of.case)
        definition = by_definition(rules)
        text = data.draw(alphabet(name) | st.text())
        assert as_regex(rules, definition)(text) == definition(text)


def test_private_use_characters_of_a_text_are_kept() -> None:
    text = "a\U000f0000\U000f0001\U0010fffdab"
    assert rewritten(text, Rule("ab", "1"), Rule("a", "2")) == "2\U000f0000\U000f0001\U0010fffd1"
