"""JSON objects of a tokenizer's folder: damage is named with file and line."""

from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.vocab.formats.json_files import load_json


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":\n', r"x\.json:2: not JSON"),
        ("[]", r"x\.json:1: expected a JSON object, got list"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", r"x\.json:1: brackets are nested too"),
        ('{"a": 1' + "0" * 5000 + "}", r"x\.json:1: Exceeds the limit"),
        ('{"a":\n"x\\ud800"}', r"x\.json:2: half a surrogate pair, \\ud800; remove it"),
    ],
)
def test_damage_is_named_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        load_json(tmp_path / "x.json")


def test_whole_surrogate_pairs_are_characters(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": "\\ud83d\\ude00\\uD83D\\uDE00"}', "utf-8")
    assert load_json(tmp_path / "x.json") == {"a": "\U0001f600" * 2}
