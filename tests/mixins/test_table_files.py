"""The format of tables: what a line may be, and what is said of other lines."""

from pathlib import Path

import pytest

from specialize.errors import DataError, UsageError
from specialize.mixins import table
from specialize.mixins._table import Rule, read_table


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "my.tsv"
    file.write_text(text, "utf-8")
    return file


def test_a_table_by_hand(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "# a comment\n@title My script\n@before NFD\n@case word\n\n"
        "а\ta\nб\tb\tinitial before:ао\nб\tv\t\tbetween vowels too\n\\u0301\t∅\n",
    )
    found = read_table(file)
    assert (found.name, found.title, found.before, found.after) == (
        "my",
        "My script",
        "NFD",
        "none",
    )
    assert found.rules == (
        Rule("а", "a", 6),
        Rule("б", "b", 7, place="initial", before="ао"),
        Rule("б", "v", 8),
        Rule("\u0301", "", 9),
    )
    assert table.mix("Ба́ба", file=file) == "Bava"


def test_keys_are_in_the_normal_form_of_the_text(tmp_path: Path) -> None:
    file = written(tmp_path, "e\u0301\tx\n")
    assert read_table(file).rules == (Rule("é", "x", 1),)
    assert table.mix("é e\u0301 e", file=file) == "x x e"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("а\ta\nб b\n", r"my\.tsv:2: expected FROM<TAB>TO.* got 'б b'"),
        ("а\ta\tinitial\tr\tmore\n", r"my\.tsv:1: expected FROM<TAB>TO"),
        ("@title Nothing\n", r"my\.tsv:1: no rule in the table; expected lines FROM<TAB>TO"),
        ("\ta\n", r"my\.tsv:1: expected characters without spaces as FROM, got ''"),
        ("а б\ta\n", r"my\.tsv:1: expected characters without spaces as FROM, got 'а б'"),
        ("а\t\n", r"my\.tsv:1: no TO for 'а'; to delete it, write ∅"),
        ("а\ta\tfirst\n", r"my\.tsv:1: unknown condition 'first'; known: initial, medial"),
        ("а\ta\tafter:\n", r"my\.tsv:1: unknown condition 'after:'"),
        ("@befor NFC\n", r"my\.tsv:1: unknown setting @befor; known: title, script"),
        ("@before nfc\n", r"my\.tsv:1: @before nfc: expected one of none, NFC, NFD"),
        ("@case lower\n", r"my\.tsv:1: @case lower: expected one of exact, letter, word"),
        ("а\ta\nа\tb\n", r"my\.tsv:2: never applies: line 1 has a rule for 'а'"),
        ("а\ta\nа\tb\tinitial\n", r"my\.tsv:2: never applies: line 1"),
        ("а\ta\tfinal\nа\tb\tfinal\n", r"my\.tsv:2: never applies: line 1"),
        ("é\ta\ne\u0301\tb\n", r"my\.tsv:2: never applies: line 1"),
    ],
)
def test_faulty_lines_are_reported(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(written(tmp_path, text))


def test_a_scheme_or_a_file_is_needed(tmp_path: Path) -> None:
    file = written(tmp_path, "а\ta\n")
    with pytest.raises(UsageError, match=r'scheme = "NAME" or file = "my.tsv", got neither'):
        table.mix("а")
    with pytest.raises(UsageError, match="got both"):
        table.mix("а", scheme="mari", file=file)
    with pytest.raises(UsageError, match=r"unknown scheme 'marri'; known: .*; did you mean 'mari'"):
        table.mix("а", scheme="marri")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert table.mix("а", file=written(tmp_path, "а\ta\n")) == "a"
    assert table.mix("а", file=written(tmp_path, "а\tlonger\n")) == "longer"
