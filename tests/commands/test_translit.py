"""``specialize translit``: text line for line, both ways, checks and the list."""

import io
import json
import lzma
import sys
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call

call = cli_calls.call  # fixture


def stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_files_are_written_line_for_line(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Марий Эл\n\n  пӱртӱс ", "utf-8")
    (tmp_path / "b.txt.xz").write_bytes(lzma.compress("теҥгече\r\n".encode()))
    shown = call("translit", "mari", tmp_path / "a.txt", tmp_path / "b.txt.xz")
    assert (shown.code, shown.out) == (0, "Marij El\n\n  pürtüs \ntenggeche\n")


def test_stdin_is_read_without_a_file_and_reverse_leads_back(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "ئۇيغۇر تىلى\nسۆز\n"
    stdin(monkeypatch, text.encode())
    latin = call("translit", "uyghur_uly").out
    assert latin == "uyghur tili\nsöz\n"
    stdin(monkeypatch, latin.encode())
    assert call("translit", "uyghur_uly", "--reverse").out == text


def test_a_table_of_ones_own(call: Call, tmp_path: Path) -> None:
    (tmp_path / "my.tsv").write_text("а\tx\n", "utf-8")
    (tmp_path / "a.txt").write_text("а\n", "utf-8")
    assert call("translit", tmp_path / "my.tsv", tmp_path / "a.txt").out == "x\n"
    (tmp_path / "my.tsv").write_text("а x\n", "utf-8")
    refused = call("translit", tmp_path / "my.tsv", tmp_path / "a.txt")
    assert (refused.code, "my.tsv:1: expected FROM<TAB>TO" in refused.err) == (3, True)


def test_faults_are_reported(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "expected a scheme; list them" in call("translit").err
    unknown = call("translit", "marri")
    assert (unknown.code, "did you mean 'mari'?" in unknown.err) == (2, True)
    missing = call("translit", "mari", tmp_path / "none.txt")
    assert (missing.code, "none.txt: no such file" in missing.err) == (4, True)
    stdin(monkeypatch, b"ab\n\xff\n")
    damaged = call("translit", "mari")
    assert (damaged.code, damaged.out) == (3, "ab\n")
    assert "stdin:2: not UTF-8 (byte 0xff at column 1)" in damaged.err
    text = call("translit", "mari", "--check", "mini")
    assert (text.code, "name it before --check" in text.err) == (2, True)


def test_a_check_is_printed_instead_of_the_text(
    call: Call, tmp_path: Path, base_folder: Path
) -> None:
    (tmp_path / "a.txt").write_text("пӱртӱс ь ъ\n", "utf-8")
    shown = call("translit", "mari_russian", tmp_path / "a.txt", "--check")
    assert "left over: ӱ (U+04F1) 2\n" in shown.out
    assert "collisions: 66.67% of the words; ь = ъ\n" in shown.out
    found = call("translit", "mari", tmp_path / "a.txt", "--check", base_folder, "--json").out
    assert json.loads(found)["left_over"] == {}
    assert json.loads(found)["pieces"][0]["tokenizer"] == str(base_folder)


def test_schemes_are_listed_with_samples(call: Call) -> None:
    shown = call("translit", "--list").out
    assert "ukrainian (Cyrillic): Ukrainian\n    Згорани, Єнакієве" in shown
    assert {"mari", "tamil"} <= {
        e["name"] for e in json.loads(call("translit", "--list", "--json").out)
    }
