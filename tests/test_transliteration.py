"""What a table does to a text: left-over characters, collisions, the way back, pieces."""

import json
from pathlib import Path

import pytest

from specialize.errors import UsageError
from specialize.mixins._table import read_table
from specialize.transliteration import check, check_text, listing, open_scheme

TABLE = "а\ta\nя\ta\nъ\t∅\nб\tb\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "my.tsv").write_text(TABLE, "utf-8")
    return tmp_path / "my.tsv"


def test_a_check_by_hand(table: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("баба, бабя ъ! баба\nжаб «о́да» ab é\n", "utf-8")
    found = check(read_table(table), [str(text)])
    assert (found.scheme, found.lines, found.words) == ("my", 2, 7)
    assert found.left_over == {"ж": 1, "о": 1, "д": 1}
    assert found.collisions == [["баба", "бабя"]]
    assert found.collided == 2
    assert found.emptied == {"ъ": 1}
    assert found.lost == {"бабя": "баба", "ъ": "", "ab": "аб"}
    assert found.restored == 4  # баба, жаб, о́да, é
    assert json.loads(json.dumps(found.to_json()))["collisions"] == [["баба", "бабя"]]
    assert check_text(found, most=1).splitlines() == [
        "my on 2 lines, 7 different words",
        "left over: ж (U+0436) 1 and 2 more",
        "collisions: 28.57% of the words; баба = бабя",
        "emptied: ъ",
        "invertible: 57.14% of the words; lost: бабя > баба and 2 more",
    ]


def test_punctuation_of_the_old_script_is_left_over(tmp_path: Path) -> None:
    (tmp_path / "my.tsv").write_text("ا\ta\n", "utf-8")
    (tmp_path / "text.txt").write_text("ا۔ «ا» 1 ۱\n", "utf-8")
    found = check(read_table(tmp_path / "my.tsv"), [str(tmp_path / "text.txt")])
    assert found.left_over == {"۔": 1, "۱": 1}


def test_pieces_before_and_after_are_those_of_the_audit(
    table: Path, tmp_path: Path, base_folder: Path
) -> None:
    (tmp_path / "text.txt").write_text("аба аба\n", "utf-8")
    found = check(read_table(table), [str(tmp_path / "text.txt")], [str(base_folder)])
    (pieces,) = found.pieces
    assert (pieces.before.unknown_words, pieces.after.unknown_words) == (2, 0)
    assert pieces.after.words == 2
    head, row = check_text(found).splitlines()[-2:]
    assert head.split() == ["pieces/word", "unknown", "pieces", "unknown", "words"]
    assert "100.00% > 0.00%" in row


def test_a_scheme_is_a_name_or_a_file(table: Path) -> None:
    assert open_scheme("mari").name == "mari"
    assert open_scheme(str(table)).name == "my"
    with pytest.raises(UsageError, match=r"none\.tsv: no such table; name a file or a scheme"):
        open_scheme("none.tsv")
    with pytest.raises(UsageError, match=r"unknown scheme 'mary'; known: .* did you mean 'mari'"):
        open_scheme("mary")


def test_the_listing_shows_every_sample_rewritten() -> None:
    found = {entry["name"]: entry for entry in listing()}
    assert found["ukrainian"]["script"] == "Cyrillic"
    assert found["ukrainian"]["result"].startswith("Zghorany")
    assert all(entry["sample"] != entry["result"] for entry in found.values())


def test_a_table_that_splits_words_is_said(tmp_path: Path, base_folder: Path) -> None:
    (tmp_path / "split.tsv").write_text("ь\t'\n", "utf-8")
    (tmp_path / "text.txt").write_text("аьа\n", "utf-8")
    table = read_table(tmp_path / "split.tsv")
    found = check(table, [str(tmp_path / "text.txt")], [str(base_folder)])
    (pieces,) = found.pieces
    assert (pieces.before.words, pieces.after.words, pieces.after.pieces) == (1, 3, 3)
    *_, row, missing, split = check_text(found).splitlines()
    assert row.split()[:4] == [base_folder.name, "1.00", ">", "3.00"]
    assert missing.split("; ")[0].strip() == "missing after: а (U+0430) 2, ' (U+0027) 1"
    assert split.split("; ")[0].strip() == "words are split: 1 > 3"
