"""Mix-ins by optional packages: their results, and what is said where a package is missing."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from specialize.errors import DataError, MissingError, UsageError
from specialize.mixins import (
    anyascii,
    icu,
    punctuation,
    table,
    transliterate,
    unidecode,
    uroman,
)


@pytest.mark.parametrize(
    ("mix", "module", "extra"),
    [
        (lambda: icu.mix("а", id="Any-Latin"), "icu", "icu"),
        (lambda: uroman.mix("а"), "uroman", "uroman"),
        (lambda: unidecode.mix("а"), "unidecode", "unidecode"),
        (lambda: anyascii.mix("а"), "anyascii", "anyascii"),
        (lambda: transliterate.mix("а", language="ru"), "transliterate", "transliterate"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    mix, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if not installed
    uroman._uroman.cache_clear()
    icu._transform.cache_clear()
    message = rf"mixin '{extra}' needs the package '{module}': pip install 'specialize\[{extra}\]'"
    with pytest.raises(MissingError, match=message):
        mix()


def test_packages_are_called_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("unidecode", "anyascii"):
        module = ModuleType(name)
        setattr(module, name, str.upper)
        monkeypatch.setitem(sys.modules, name, module)
    assert (unidecode.mix("ab"), anyascii.mix("ab")) == ("AB", "AB")


def test_icu_transforms_by_id_and_by_rules(tmp_path: Path) -> None:
    pytest.importorskip("icu", reason="PyICU is not installed")
    assert icu.mix("ქართული", id="Any-Latin; NFC") == "kartuli"
    with pytest.raises(UsageError, match="no transform 'Nope-Nope'"):
        icu.mix("a", id="Nope-Nope")
    (tmp_path / "rules.txt").write_text("a > b ;", "utf-8")
    assert icu.mix("abc", rules=tmp_path / "rules.txt") == "bbc"
    (tmp_path / "faulty.txt").write_text("a b", "utf-8")
    with pytest.raises(DataError, match=r"faulty\.txt:1: not rules of ICU"):
        icu.mix("a", rules=tmp_path / "faulty.txt")


def test_icu_needs_an_id_or_rules() -> None:
    with pytest.raises(UsageError, match=r'id = "Any-Latin" or rules = "FILE", got neither'):
        icu.mix("a")


def test_uroman_has_rules_of_languages() -> None:
    pytest.importorskip("uroman", reason="uroman is not installed")
    assert uroman.mix("Київ", language="ukr") == "Kyiv"


def test_the_table_mari_russian_equals_the_package_it_stands_for() -> None:
    pytest.importorskip("transliterate", reason="transliterate is not installed")
    text = "Марий Эл пӱртӱс, США, подъезд, ЩИ, Ёлка"
    assert transliterate.mix(text, language="ru") == table.mix(text, scheme="mari_russian")
    with pytest.raises(UsageError, match="unknown language 'xx'; known: "):
        transliterate.mix("a", language="xx")


def test_punctuation_becomes_words() -> None:
    assert punctuation.mix("Ja, ta'.") == "Ja , ta ' ."
