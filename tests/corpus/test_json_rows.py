"""JSON as text: told by its content, read row by row, refused with the place."""

import gzip
import json
import random
from pathlib import Path

import pytest
from corpora import opened, write

from specialize.corpus import count_texts, json_rows
from specialize.errors import DataError

ROWS = [{"text": "ab cd\nef"}, {"text": "gh"}]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
DOCUMENTS = [["ab cd", "ef"], ["gh"]]


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.txt", "a"])
@pytest.mark.parametrize(
    "text",
    [
        LINES,
        "\ufeff\n" + LINES,
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        json.dumps([row["text"] for row in ROWS], indent=1),
        LINES.replace('{"text', '{"index": {"_type": "_doc", "_id": "7"}}\n{"text'),
        LINES.replace('{"text', '{"id": ' + 5000 * "9" + ', "title": "x", "text'),
    ],
)
def test_rows_are_documents_whatever_the_name(tmp_path: Path, name: str, text: str) -> None:
    assert list(opened(write(tmp_path / name, text)).documents()) == DOCUMENTS


@pytest.mark.parametrize("text", ["{{Infobox}}\n", "[[a]] b\n", '["a"] b\n', "{a}\n", "[1] a\n"])
def test_text_that_begins_with_a_bracket_stays_text(tmp_path: Path, text: str) -> None:
    assert list(opened(write(tmp_path / "a.txt", text))) == [text.strip()]


def test_the_field_of_the_text_is_an_option(tmp_path: Path) -> None:
    path = write(tmp_path / "a", LINES.replace('"text"', '"body"'))
    assert list(opened(path, field="body").documents()) == DOCUMENTS
    assert dict(count_texts([path], field="body").tokens) == {"ab": 1, "cd": 1, "ef": 1, "gh": 1}
    assert dict(count_texts([path], field="body", max_types=9).tokens)["gh"] == 1
    with pytest.raises(DataError, match=r"a:1: .* field 'text' \(found: body\); .* corpus.field"):
        opened(path)


def test_the_column_of_a_parquet_file_is_an_option(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"body": ["ab", "cd"]}), tmp_path / "a.parquet")
    assert list(opened(str(tmp_path / "a.parquet"), field="body")) == ["ab", "cd"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n"text": "a"\n}\n', "a:1: not JSON"),
        ('{"text": "a"}\n{"text": "b\n', "a:2: not JSON"),
        ('{"text": "a", "n": ' + 100_000 * "[" + "\n", "a:1: JSON nested too deeply"),
        ('[{"text": "a"},\n{"text": "b"}', "a:2: malformed JSON array (expected ']')"),
        ('[{"text": "a"},\n{"text": "b', "a:2: malformed JSON array (Unterminated string"),
        ('[{"text": "a"},\n\n{"text" "b"}]' + 99 * " ", "a:3: malformed JSON array (Expecting ':'"),
        ('[{"text": "a"}]\nb', "a:2: malformed JSON array (text behind the array)"),
        ('[{"text": "a"},\n{"n": ' + 100_000 * "[" + "}]", "a:2: JSON nested too deeply"),
        ('[{"text": "a"},\n["b"]]', "a:2: the row has no text in the field 'text' (found: list)"),
        ('[{"text": "a"},\n{"text": "b\0"}]', "a:2: not UTF-8 (byte 0x00"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "a", text)
    with pytest.raises(DataError) as caught:
        list(opened(path))
    assert f"{tmp_path}/{message}" in str(caught.value)


def test_an_array_is_read_in_parts_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(1)
    rows = [{"text": f'é"\\{i} ' * draw.randrange(1, 40)} for i in range(100)]
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows, ensure_ascii=False, indent=1).encode()))
    expected = [[row["text"].strip()] for row in rows]
    for size in (1, 7, 100):
        monkeypatch.setattr(json_rows, "blocks", lambda path, n=size: json_parts(path, n))
        assert list(json_rows.read_rows(path, "text")) == expected


def json_parts(path: Path, size: int) -> list[bytes]:
    raw = gzip.decompress(path.read_bytes())
    return [raw[begin : begin + size] for begin in range(0, len(raw), size)]
