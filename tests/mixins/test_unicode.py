"""Normal forms as a mix-in, alone and after another."""

from pathlib import Path

import pytest
from corpora import opened, write

from specialize.errors import UsageError
from specialize.mixins import unicode
from specialize.recipe.methods import bind, describe, names


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("NFC", "é ﻟﺎ ﬁ"),
        ("NFD", "e\u0301 ﻟﺎ ﬁ"),
        ("NFKC", "é لا fi"),
        ("NFKD", "e\u0301 لا fi"),
    ],
)
def test_text_gets_the_requested_normal_form(form: str, line: str) -> None:
    assert unicode.mix("e\u0301 ﻟﺎ ﬁ", form=form) == line
    assert unicode.mix("é ﻟﺎ ﬁ", form=form) == line


def test_nfc_is_the_default() -> None:
    assert unicode.mix("e\u0301") == "é"


def test_other_forms_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown form 'nfc' of mixin 'unicode'; known: NFC"):
        unicode.mix("a", form="nfc")


def test_mix_ins_compose_in_order(tmp_path: Path) -> None:
    corpus = opened(write(tmp_path / "a.txt", "ｆｕｌｌ Ⓐ\n"), dev=0.0)
    wide, lower = bind("mixin", "unicode", {"form": "NFKC"}), bind("mixin", "lower", {})
    assert list(corpus.mixed(wide, lower)) == ["full a"]
    assert list(corpus.mixed(lower, wide)) == ["full a"]
    assert list(corpus.mixed(str.upper, wide)) == ["FULL A"]
    assert list(corpus.mixed(wide, lambda line: line.replace("f", "p"))) == ["pull A"]
    assert list(corpus.mixed(lambda line: line.replace("f", "p"), wide)) == ["full A"]


def test_mix_ins_are_listed_with_their_options() -> None:
    assert {"lower", "none", "unicode", "table"} <= set(names("mixin"))
    assert not describe("mixin", "lower").options
    assert describe("mixin", "unicode").options["form"].default == "NFC"
