"""Every error of a corpus: what is wrong, where, and what to do."""

import bz2
import gzip
import lzma
import random
import sys

import pytest
from corpora import CONLLU, opened, write

from specialize.corpus import CorpusFiles
from specialize.errors import DataError, MissingError, UsageError


def refused(error: type[Exception], message: str, *files: str, **options) -> None:
    with pytest.raises(error) as caught:
        list(opened(*files, **options))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path):
    refused(MissingError, "none.txt: no such file", str(tmp_path / "none.txt"))
    refused(MissingError, "set the variable", "$NO_SUCH_VARIABLE_HERE/a.txt")
    path = write(tmp_path / "a.txt", "a")
    refused(
        MissingError, "none.conllu: no such file", path, remove=(str(tmp_path / "none.conllu"),)
    )


def test_a_file_gone_after_opening_is_missing(tmp_path):
    corpus = opened(write(tmp_path / "a.txt", "a"))
    (tmp_path / "a.txt").unlink()
    with pytest.raises(MissingError, match=r"a\.txt: cannot be read: No such file"):
        list(corpus)


def test_empty_corpora_are_refused(tmp_path):
    refused(DataError, "a.txt:1: no line of text in the corpus", write(tmp_path / "a.txt", " \n\n"))
    (tmp_path / "d").mkdir()
    refused(DataError, "d:1: the directory holds no file", str(tmp_path / "d"))
    path = write(tmp_path / "b.txt", "all of it\n")
    refused(DataError, "once the evaluation sentences are removed", path, remove=(path,))


def test_an_empty_evaluation_file_is_refused(tmp_path):
    path = write(tmp_path / "a.txt", "a")
    empty = write(tmp_path / "test.txt", "\n")
    refused(DataError, "test.txt:1: no sentence to remove", path, remove=(empty,))


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        (b"good\nba\xe9 d\n", "a.txt:2: not UTF-8 (byte 0xe9 at column 3)"),
        ("é\xe9".encode() + b"\xff", "a.txt:1: not UTF-8 (byte 0xff at column 3)"),
        (b"one\n\xc3", "a.txt:2: not UTF-8 (byte 0xc3 at column 1)"),
        (b"a\n\nb\0c", "a.txt:3: not UTF-8 (byte 0x00 at column 2)"),
        ("wide".encode("utf-16"), "a.txt:1: not UTF-8 (byte 0x00 at column 4)"),
    ],
)
def test_bytes_that_are_not_utf8_are_reported_with_their_position(tmp_path, raw, where):
    (tmp_path / "a.txt").write_bytes(raw)
    refused(DataError, f"{tmp_path}/{where}; convert it", str(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("suffix", "compress"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)]
)
def test_broken_archives_are_refused(tmp_path, suffix, compress):
    whole = compress(random.Random(1).randbytes(3000).hex().encode())
    path = tmp_path / f"a.txt.{suffix}"
    for raw in (whole[: len(whole) // 2], b"no archive at all"):
        path.write_bytes(raw)
        refused(DataError, f"a.txt.{suffix}:1: broken or truncated .{suffix}", str(path))


def test_broken_zst_is_refused(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    whole = zstandard.ZstdCompressor().compress(random.Random(1).randbytes(3000).hex().encode())
    path = tmp_path / "a.txt.zst"
    for raw in (whole[: len(whole) // 2], b"no archive at all", b""):
        path.write_bytes(raw)
        refused(DataError, "a.txt.zst:1: broken or truncated .zst", str(path))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"text": "b"', "a.jsonl:2: not JSON ("),
        ('["b"]', "a.jsonl:2: the row has no text"),
        ('{"content": "b"}', "a.jsonl:2: the row has no text"),
        ('{"text": null}', "a.jsonl:2: the row has no text"),
        ('{"text": "\\ud800"}', "a.jsonl:2: half a surrogate pair at character 1"),
    ],
)
def test_errors_of_json_are_reported_with_their_line(tmp_path, row, message):
    refused(DataError, message, write(tmp_path / "a.jsonl", '{"text": "a"}\n' + row))


def test_bad_parquet_is_refused(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    path.write_bytes(b"no parquet at all")
    refused(DataError, "a.parquet:1: broken parquet file", str(path))
    parquet.write_table(pyarrow.table({"body": ["x"], "id": [1]}), path)
    refused(DataError, "a.parquet:1: no column 'text'; it has: body, id", str(path))
    parquet.write_table(pyarrow.table({"text": ["x", None]}), path)
    refused(DataError, "a.parquet:2: the row has no text", str(path))
    path.rename(tmp_path / "a.parquet.gz")
    refused(DataError, "compressed .parquet", str(tmp_path / "a.parquet.gz"))


@pytest.mark.parametrize(
    ("suffix", "hidden", "extra"),
    [(".parquet", ("pyarrow",), "parquet"), (".txt.zst", ("zstandard", "compression"), "zst")],
)
def test_missing_packages_are_named(tmp_path, monkeypatch, suffix, hidden, extra):
    for name in hidden:
        monkeypatch.setitem(sys.modules, name, None)
    path = write(tmp_path / f"a{suffix}", "x")
    refused(MissingError, f"pip install specialize[{extra}]", path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2 b _ _ _ _ _ _ _ _", "a.conllu:11: the columns are separated by spaces"),
        ("x\tb" + 8 * "\t_", "a.conllu:11: expected an id such as 8, 8-9 or 8.1, got 'x'"),
    ],
)
def test_errors_of_conllu_are_reported_with_their_line(tmp_path, row, message):
    refused(DataError, message, write(tmp_path / "a.conllu", CONLLU + row))


def test_errors_of_columns_are_reported_with_their_line(tmp_path):
    columns = write(tmp_path / "test.txt", "a O\nb O\n\nc B-LOC\nd\n")
    path = write(tmp_path / "a.txt", "text")
    refused(DataError, "test.txt:5: expected a token and a tag", path, remove=(columns,))


def test_other_xml_is_refused(tmp_path):
    refused(DataError, "run WikiExtractor", write(tmp_path / "a.xml", "<tmx><body/></tmx>"))
    cut = "<mediawiki>\n<page><ns>0</ns><revision><text>A.</text></revision></page>\n<page><ti"
    refused(DataError, "a.xml:3: truncated or malformed XML dump", write(tmp_path / "a.xml", cut))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"files": ()}, "corpus.files is empty"),
        ({"files": "a.txt"}, "corpus.files is a list of paths; write ['a.txt']"),
        ({"remove": "a.txt"}, "corpus.remove is a list of paths"),
        ({"unicode": "nfc"}, "unknown corpus.unicode 'nfc'; known: keep, NFC, NFKC"),
        ({"punctuation": "split"}, "unknown corpus.punctuation 'split'; known: keep, spaced"),
        ({"dev": 1.0}, "corpus.dev is a share from 0 to below 1, not 1.0"),
        ({"lines": -1}, "corpus.lines is a number of lines, 0 for all, not -1"),
    ],
)
def test_meaningless_options_are_refused(options, message):
    with pytest.raises(UsageError) as caught:
        CorpusFiles(**{"files": ("a.txt",), **options})
    assert message in str(caught.value)
