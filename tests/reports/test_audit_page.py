"""specialize inspect --html: the page."""

import re
from pathlib import Path

import cli_calls
import inspected_files
from cli_calls import Call
from html_page import Page

call = cli_calls.call  # fixtures
files = inspected_files.files


def page(call: Call, files: Path, *words: object) -> str:
    out = call("inspect", *words, "--html", files / "new/page.html")
    assert (out.code, out.err) == (0, "")
    return (files / "new/page.html").read_text("utf-8")


def test_the_page_is_well_formed_and_fetches_nothing(call: Call, files: Path) -> None:
    both = [files / "wordpiece", files / "bytes.json"]
    text = page(call, files, *both, "--text", files / "ug.txt", "--parallel", files / "en.txt")
    parsed = Page(text)
    assert parsed.open == []
    assert not {"link", "img", "iframe", "object", "script"} & {tag for tag, _ in parsed.tags}
    assert not [attrs for _, attrs in parsed.tags if {"src", "href"} & attrs.keys()]
    assert not re.search(r"https?:|@import|url\(", text)
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"\b(nan|inf|None)\b", text)
    assert text.count("<svg") == 3  # unknown words, bytes per piece, effect of missing characters


def test_words_of_the_page_are_escaped_and_isolated(call: Call, files: Path) -> None:
    text = page(call, files, files / "wordpiece", files / "bytes.json", "--text", files / "ug.txt")
    assert '<bdi dir="auto" class="big">ۋb</bdi>' in text
    assert "a&lt;b&gt;ۋ" in text
    assert "a<b>ۋ" not in text


def test_the_page_says_if_nothing_is_missing(call: Call, files: Path) -> None:
    (files / "plain.txt").write_text("a ab\n", "utf-8")
    text = page(call, files, files / "wordpiece", "--text", files / "plain.txt")
    assert "The vocabulary covers every character" in text
    assert "<svg" not in text


def test_texts_of_the_same_name_are_distinguished_by_their_folders(call: Call, files: Path) -> None:
    for folder in ("ug", "en"):
        (files / folder).mkdir()
        (files / folder / "dev.txt").write_text("a ۋ\n", "utf-8")
    both = files / "ug/dev.txt", files / "en/dev.txt"
    text = page(call, files, files / "wordpiece", "--text", *both)
    assert "<title>wordpiece on ug/dev.txt, en/dev.txt</title>" in text
