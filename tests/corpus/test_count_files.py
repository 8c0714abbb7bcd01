"""Count files: a literal one, then properties, in Python and natively, then every fault."""

import gzip
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocab_oracle import ODD, hard_text

from specialize.augment import char_first, greedy, none, tva
from specialize.corpus import (
    Corpus,
    TextCounts,
    count_lines,
    merge_counts,
    open_corpus,
    open_text,
    read_counts,
    write_counts,
)
from specialize.errors import DataError, MissingError, UsageError
from specialize.vocab.audit.audit import audit, audit_library
from specialize.vocab.audit.inspected import audit_path
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import count_tokens, count_words
from specialize.vocab.library import read_tokenizer
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

pytestmark = pytest.mark.usefixtures("both_ways")

SUFFIXES = ["", ".gz", ".xz", ".zst", ".bz2"]
FILE = "# specialize counts 1\n# characters 10\n# bytes 14\n# types 3\n2\tb\n2\taş\n1\t\u2028\x0b\n"


def facts(counts: TextCounts) -> tuple[list[tuple[str, int]], int, int]:
    return list(counts.tokens.items()), counts.characters, counts.bytes


def test_a_count_file_can_be_read_by_eye(tmp_path: Path) -> None:
    path = tmp_path / "a.counts"
    write_counts(count_lines(["b\taş aş", "\u2028\x0b", "b"]), path)
    assert path.read_bytes() == FILE.encode()
    assert facts(read_counts(path)) == ([("b", 2), ("aş", 2), ("\u2028\x0b", 1)], 10, 14)


def test_a_count_file_of_many_types_is_read_back(tmp_path: Path) -> None:
    counts = count_lines(f"{i} ئا{i:06}" for i in range(70_000))
    tokens = write_counts(counts, tmp_path / "a.counts")
    assert (tmp_path / "a.counts").stat().st_size > 1 << 20  # is written at once
    assert tokens == 140_000
    assert facts(read_counts(tmp_path / "a.counts")) == facts(counts)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_suffix_chooses_the_compression(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.counts{suffix}"
    write_counts(count_lines(["a b", "a"]), path)
    assert facts(read_counts(path)) == ([("a", 2), ("b", 1)], 4, 4)
    assert path.read_bytes().startswith(b"# specialize") == (suffix == "")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


# Properties

texts = st.lists(hard_text() | st.text("a \t" + ODD), max_size=5)
RULES = [BertRules(), BertRules(strip_accents=True, lowercase=True), BertRules(clean=False)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("counts") / "a.counts"


@given(texts)
def test_a_written_count_file_is_read_back(path: Path, lines: list[str]) -> None:
    counts = count_lines(lines)
    write_counts(counts, path)
    assert facts(read_counts(path)) == facts(counts)


@given(st.lists(texts, max_size=4))
def test_counts_of_parts_merge_to_those_of_the_whole(parts: list[list[str]]) -> None:
    whole = count_lines(line for lines in parts for line in lines)
    assert facts(merge_counts(map(count_lines, parts))) == facts(whole)
    nested = [merge_counts(map(count_lines, half)) for half in (parts[:2], parts[2:])]
    assert facts(merge_counts(nested)) == facts(whole)


@given(texts, st.sampled_from(RULES))
def test_words_of_a_count_file_are_those_of_the_text(
    path: Path, lines: list[str], rules: BertRules
) -> None:
    write_counts(count_lines(lines), path)
    for count in (count_words, count_tokens):
        of_text, of_file = count(lines, rules), count(read_counts(path), rules)
        assert list(of_file.items()) == list(of_text.items())


LINES = ["şa ab ḥab.", "abc şa \u200bca ḥ", "ab ab şab [MASK] a\u2028b"] * 7
VOCABULARY = WordPiece([*SPECIAL, *"abc.", "##a", "##b", "##c"])


@pytest.mark.parametrize("method", [tva.change, char_first.change, greedy.change, none.change])
def test_methods_and_audits_take_count_files(
    path: Path, method: Callable[[WordPiece, Any], VocabChange]
) -> None:
    write_counts(count_lines(LINES), path)
    changes = [method(VOCABULARY, text) for text in (LINES, read_counts(path))]
    assert bool(changes[0].fresh) == (method is not none.change)
    assert changes[0].new.pieces == changes[1].new.pieces
    assert audit(changes[0].new, LINES) == audit(changes[1].new, read_counts(path))


# Texts and counts side by side


def test_count_files_and_texts_are_opened_alike(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("c b\n", "utf-8")
    write_counts(count_lines(["b a", "z"]), tmp_path / "b.counts.xz")
    (tmp_path / "c.jsonl").write_text('{"text": "a\\u0000 d"}\n', "utf-8")
    (tmp_path / "d.txt").write_text("\n", "utf-8")
    found = open_text([str(tmp_path)])
    assert isinstance(found, TextCounts)
    expected = [("c", 1), ("b", 2), ("a", 1), ("z", 1), ("a\0", 1), ("d", 1)]
    assert facts(found) == (expected, 3 + 4 + 4, 3 + 4 + 4)
    assert isinstance(open_text([str(tmp_path / "a.txt")]), Corpus)
    one = open_text([str(tmp_path / "b.counts.xz")])
    assert facts(one) == ([("b", 1), ("a", 1), ("z", 1)], 4, 4)


def test_counts_are_refused_where_lines_are_needed(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models

    path = tmp_path / "a.counts"
    write_counts(count_lines(LINES), path)
    counts = read_counts(path)
    with pytest.raises(UsageError, match="counts have no lines"):
        list(counts)
    with pytest.raises(DataError, match=r"a\.counts:1: counts have no lines"):
        open_corpus(str(path))
    file = tmp_path / "tokenizer.json"
    Tokenizer(models.BPE({"a": 0}, [])).save(str(file))
    refusal = r"tokenizer\.json: expected a text, got counts, .* name the text"
    with pytest.raises(UsageError, match=refusal):
        audit_path(file, counts)
    with pytest.raises(UsageError, match=refusal):
        audit_library(read_tokenizer(file), counts, str(file))


# Faults

DAMAGED = [
    ("", r":1: not '# specialize counts 1'"),
    ("2\tb\n", r":1: not '# specialize counts 1'"),
    (FILE.replace("counts 1", "counts 2"), r":1: not '# specialize counts 1'; count the text with"),
    (FILE.replace("\n", "\r\n"), ":1: not '# specialize counts 1'"),
    (FILE.replace("# bytes 14\n", ""), ":3: not '# bytes NUMBER'; count the text again"),
    (FILE.replace("types 3", "types x"), ":4: not '# types NUMBER'"),
    (FILE[:40], ":3: the last line has no end"),
    (FILE[: FILE.index("2\tb")], ":4: 0 types follow, not 3; count the text again"),
    (FILE[: FILE.index("1\t\u2028")], ":4: 2 types follow, not 3"),
    (FILE + "1\tx\n", ":4: 4 types follow, not 3"),
    (FILE[:-1], ":7: the last line has no end"),
    (FILE.replace("2\tb", "2 b"), ":5: not a count, a tab and a token; count the text again"),
    (FILE.replace("2\tb", "0\tb"), ":5: not a count"),
    (FILE.replace("2\tb", "-1\tb"), ":5: not a count"),
    (FILE.replace("2\tb", f"{2**64}\tb"), ":5: not a count"),
    (FILE.replace("2\tb", "2\t"), ":5: not a count"),
    (FILE.replace("2\tb", "2\tb b"), ":5: not a count"),
    (FILE.replace("2\tb", ""), ":5: not a count"),
    (FILE + FILE, ":8: not a count"),
    (FILE.encode().replace("ş".encode(), b"\xff"), r":6: not UTF-8 \(byte 0xff at column 4\)"),
]


@pytest.mark.parametrize(("text", "message"), DAMAGED)
def test_a_damaged_count_file_is_refused_with_its_line(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    path = tmp_path / "a.counts"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=rf"^\S*a\.counts{message}"):
        read_counts(path)


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.counts.xz"
    path.write_bytes(lzma.compress(FILE.encode())[:-20])
    with pytest.raises(DataError, match="broken or truncated"):
        read_counts(path)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.counts.gz"
    path.write_bytes(gzip.compress(b"old"))
    with pytest.raises(UnicodeEncodeError):
        write_counts(TextCounts({"a": 1, "\ud800": 1}, 1, 1), path)
    assert gzip.decompress(path.read_bytes()) == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.txt", "a.counts.txt", "counts", "a.xz"])
def test_a_count_file_with_an_unrecognised_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a count file is named FILE"):
        write_counts(count_lines(["a"]), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compression", None)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingError, match=r"pip install specialize\[zst\]"):
        write_counts(count_lines(["a"]), tmp_path / "a.counts.zst")
