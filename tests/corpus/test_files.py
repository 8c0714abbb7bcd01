"""Files as bytes and lines: compression by content, faults anywhere, memory bounded."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest
from corpora import opened, write

from specialize.corpus import count_texts, open_corpus
from specialize.corpus.files import BLOCK, blocks, compression, expand, read_lines
from specialize.corpus.token_counts import count_files
from specialize.errors import DataError, MissingError
from specialize.native import TokenCounts

LINE = b"a line of text\n"


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_a_compressed_file_is_told_by_its_content(tmp_path: Path, suffix, compress) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(compress(LINE))
    assert compression(path) == suffix
    assert list(opened(str(path))) == ["a line of text"]
    assert count_texts([str(path)]).bytes == len(LINE) - 1


def test_a_zst_is_told_by_its_content(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    (tmp_path / "a.txt").write_bytes(zstandard.ZstdCompressor().compress(LINE))
    assert compression(tmp_path / "a.txt") == ".zst"
    assert list(opened(str(tmp_path / "a.txt"))) == ["a line of text"]


def test_a_small_zst_of_much_text_is_read_in_small_blocks(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    compressor = zstandard.ZstdCompressor().compressobj()
    raw = b"".join(compressor.compress(LINE * 100_000) for _ in range(100)) + compressor.flush()
    (tmp_path / "a.zst").write_bytes(raw)
    assert len(raw) < 100_000
    sizes = [len(block) for block in blocks(tmp_path / "a.zst")]
    assert sum(sizes) == 100 * 100_000 * len(LINE)
    assert max(sizes) < 50 * BLOCK


@pytest.mark.parametrize("native", ["0", ""])
@pytest.mark.parametrize("max_types", [0, 9])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("odd", [b"\0", b"\xff"])
def test_bytes_that_are_no_text_are_found_anywhere(
    tmp_path: Path, odd, name, max_types, native, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECIALIZE_NATIVE", native)
    lines = 3 * BLOCK // len(LINE)
    raw = LINE * lines + b"ab" + odd + b"\n" + LINE
    (tmp_path / name).write_bytes(gzip.compress(raw, 1) if name.endswith("gz") else raw)
    expected = f"{name}:{lines + 1}: not UTF-8 (byte 0x{odd[0]:02x} at column 3)"
    for read in (lambda path: list(open_corpus(path)), lambda path: count(path, max_types)):
        with pytest.raises(DataError) as caught:
            read(str(tmp_path / name))
        assert expected in str(caught.value)


def count(path: str, max_types: int) -> None:
    count_texts([path], max_types=max_types)


def test_the_line_of_a_nul_is_counted_with_any_line_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "a\rb\r\nc\nd\0")
    with pytest.raises(DataError, match=r"a\.txt:4: not UTF-8 \(byte 0x00 at column 2\)"):
        list(read_lines(path))


def test_a_file_that_gets_shorter_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(LINE * (3 * BLOCK // len(LINE)))
    reading = blocks(path)
    next(reading)
    with path.open("r+b") as file:
        file.truncate(BLOCK)
    with pytest.raises(DataError, match=r"a\.txt:\d+: the file got shorter while it was read"):
        list(reading)


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("raw", [LINE * 9, b"\xef\xbb\xbf" + LINE * 9])
def test_a_file_that_gets_shorter_while_it_is_counted_is_refused(
    tmp_path: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)

    class Shortened(TokenCounts):
        def feed_file(self, file: int, *, size: int, block: int) -> bool:
            os.truncate(path, len(raw) - len(LINE))
            return super().feed_file(file, size=size, block=block)

    monkeypatch.setattr("specialize.native.TokenCounts", Shortened)
    with pytest.raises(DataError, match=r"a\.txt:9: the file got shorter while it was read"):
        count_files([path])


@pytest.mark.usefixtures("both_ways")
def test_a_file_that_cannot_be_opened_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"a\.txt: cannot be read: No such file"):
        count_files([tmp_path / "a.txt"])


@pytest.mark.parametrize("path", ["a.txt", b"a.txt", Path("a.txt")])
def test_one_path_is_no_list_of_paths(path: object) -> None:
    with pytest.raises(TypeError, match=r"expected a list of paths, got .*a\.txt"):
        expand(path)


@pytest.mark.parametrize("files", [["a.txt"], 3, None])
def test_other_objects_are_no_corpus(files: object) -> None:
    with pytest.raises(TypeError, match="expected a path or CorpusFiles, got"):
        open_corpus(files)
