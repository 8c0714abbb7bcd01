"""Pruning: a literal case, then Python and native code compared, then the messages."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize import cli
from specialize.corpus import TextCounts, count_lines, merge_counts, read_counts, token_counts
from specialize.corpus.count_files import count_texts, write_counts
from specialize.corpus.token_counts import Dropped, count_files, prune
from specialize.errors import DataError, UsageError
from specialize.native import core

THREADS = ["1", "2", "5"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_counts, "BLOCK", 8)
    monkeypatch.setattr(token_counts, "PRUNED_BLOCK", 8)


def engines() -> Iterator[str]:
    """Set each engine and number of threads in turn."""
    for native, threads in [("0", "1"), *(("1", n) for n in THREADS if core())]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SPECIALIZE_NATIVE", native)
            patch.setenv("SPECIALIZE_THREADS", threads)
            yield f"{native}, {threads} threads"


def facts(found: TextCounts) -> tuple[list[tuple[str, int]], int, int, Dropped]:
    return list(found.tokens.items()), found.characters, found.bytes, found.dropped


def test_the_rarest_types_are_dropped_down_to_half_the_bound() -> None:
    found = Counter({"a": 5, "b": 1, "c": 3, "d": 2, "e": 1})
    assert prune(found, 5) == prune(found, 0) == Dropped()
    assert prune(found, 4) == Dropped(
        types=3, tokens=1 + 2 + 1
    )  # two may stay: counts of 1 are dropped, then counts of 2
    assert list(found.items()) == [("a", 5), ("c", 3)]
    tied = Counter({"a": 2, "b": 2, "c": 2, "d": 9})
    assert prune(tied, 3) == Dropped(types=3, tokens=6)  # one may stay
    assert prune(Counter("abcd"), 3) == Dropped(types=4, tokens=4)  # ties go together


@pytest.mark.usefixtures("both_ways")
def test_a_text_is_pruned_after_each_block() -> None:
    """Lines of four characters, two per block; "c" is dropped, recounted from 1 and last."""
    lines = ["a ac", "a bc", "c ba", "a cd", "b a "]
    found = count_lines(lines, max_types=3)
    # a 2, ac 1, bc 1 | + c 1, ba 1, a 1, cd 1: a 3 stays | + b 1, a 1
    assert facts(found) == ([("a", 4), ("b", 1)], 20, 20, Dropped(5, 5))
    assert facts(count_lines(lines, max_types=9))[0] == list(count_lines(lines).tokens.items())


words = st.lists(st.sampled_from(["a", "b", "ş", "世", "ab", "aba", "b\u2028", "\u00a0", "c", "d"]))
lines_of_words = st.lists(words.map(" ".join), max_size=12)
bounds = st.integers(1, 7)


@given(lines_of_words, bounds)
def test_both_engines_prune_alike_whatever_the_threads(lines: list[str], most: int) -> None:
    found = {engine: facts(count_lines(lines, max_types=most)) for engine in engines()}
    assert all(result == found["0, 1 threads"] for result in found.values())
    tokens, *_, dropped = found["0, 1 threads"]
    exact = Counter(token for line in lines for token in line.split(" ") if token)
    assert len(tokens) <= most
    assert all(count <= exact[token] for token, count in tokens)
    assert sum(count for _, count in tokens) + dropped.tokens == exact.total()


@given(
    st.lists(st.tuples(lines_of_words, st.sampled_from(["\n", "\r\n", "\r", "\n\n "])), max_size=3),
    bounds,
    st.booleans(),
)
def test_files_are_pruned_alike(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[tuple[list[str], str]],
    most: int,
    packed: bool,
) -> None:
    folder = tmp_path_factory.mktemp("files")
    paths = []
    for i, (lines, end) in enumerate(texts):
        data = ("\ufeff" * (i == 1) + end.join(lines)).encode()
        paths.append(folder / f"{i}.txt{'.gz' * packed}")
        paths[-1].write_bytes(gzip.compress(data) if packed else data)
    for bound in (most, 0):
        found = [facts(count_files(paths, max_types=bound)) for _ in engines()]
        assert all(result == found[0] for result in found)


@given(st.lists(lines_of_words, max_size=4), bounds)
def test_sums_are_pruned_alike(parts: list[list[str]], most: int) -> None:
    def summed() -> Any:
        return facts(merge_counts((count_lines(p, max_types=5) for p in parts), max_types=most))

    found = [summed() for _ in engines()]
    assert all(result == found[0] for result in found)
    tokens, *_, dropped = found[0]
    exact = sum(len(line.split(" ")) for lines in parts for line in lines if line)
    assert sum(count for _, count in tokens) + dropped.tokens == exact


def test_many_types_in_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Several threads share blocks; the table grows and is rebuilt."""
    monkeypatch.setattr(token_counts, "PRUNED_BLOCK", 3 << 20)
    lines = [f"{i % 97} ئا{i % 1013} b{i}é\t{i % 7}" for i in range(250_000)]
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines), "utf-8")
    found = [facts(count_files([path], max_types=5_000)) for _ in engines()]
    assert found[0][3].types > 100_000
    assert all(result == found[0] for result in found)


# What is reported


@pytest.mark.usefixtures("both_ways")
def test_a_count_file_remembers_what_was_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.counts"
    write_counts(count_lines(["a a b", "a c c"], max_types=2), path)
    head = "# specialize counts 1\n# characters 10\n# bytes 10\n# types 1\n"
    assert path.read_text("utf-8") == f"{head}# dropped 3 tokens of 2 types\n3\ta\n"
    assert facts(read_counts(path)) == ([("a", 3)], 10, 10, Dropped(2, 3))
    assert merge_counts([read_counts(path)] * 2).dropped == Dropped(4, 6)
    write_counts(count_lines(["a a a b b c"]), path)
    assert facts(count_texts([str(path)], max_types=2)) == ([("a", 3)], 11, 11, Dropped(2, 3))


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize("line", ["# dropped 0 tokens of 0 types", "# dropped 1 tokens", "#"])
def test_a_damaged_dropped_line_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.counts"
    path.write_text(f"# specialize counts 1\n# characters 1\n# bytes 1\n# types 1\n{line}\n1\ta\n")
    with pytest.raises(DataError, match=r"a\.counts:5: not a count"):
        read_counts(path)


@pytest.mark.usefixtures("both_ways")
def test_texts_of_all_formats_and_count_files_are_pruned(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\na c\n", "utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "a d\\na e"}\n', "utf-8")
    (tmp_path / "c.txt").write_text("\n", "utf-8")
    write_counts(count_lines(["a f g h"]), tmp_path / "d.counts")
    found = count_texts([str(tmp_path)], max_types=2)
    assert facts(found) == ([("a", 5)], 6 + 6 + 7, 6 + 6 + 7, Dropped(7, 7))
    assert count_texts([str(tmp_path / "a.txt")], max_types=2).dropped == Dropped(2, 2)
    with pytest.raises(DataError, match=r"c\.txt:1: no line of text"):
        count_texts([str(tmp_path / "c.txt")], max_types=2)


@pytest.mark.usefixtures("both_ways")
def test_invalid_utf8_is_reported_before_its_token_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a a a a b\nc \xff d e\na a a a\n")
    with pytest.raises(DataError, match=r"a\.txt:2: not UTF-8 \(byte 0xff at column 3\)"):
        count_files([path], max_types=2)


@pytest.mark.usefixtures("both_ways")
@pytest.mark.parametrize(
    "count",
    [
        lambda: count_lines(["a"], max_types=-1),
        lambda: count_files([], max_types=-1),
        lambda: merge_counts([], max_types=-1),
    ],
)
def test_a_negative_bound_is_refused(count: Callable[[], TextCounts]) -> None:
    with pytest.raises(UsageError, match="0 for no bound, not -1"):
        count()


NOTE = "3 tokens of 2 rare types were dropped (--max-types): counts are lower bounds"


@pytest.mark.usefixtures("both_ways")
def test_the_commands_report_dropped_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)  # main sets it; restored after the test
    Path("a.txt").write_text("a a b\na c c\n", "utf-8")
    Path("vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n", "utf-8")

    def printed(line: str) -> str:
        assert cli.main(line.split()) == 0
        return capsys.readouterr().out

    facts = "3 tokens, 1 types, 10 characters, 10 bytes: a.counts"
    count = "count a.txt --max-types 2 --out a.counts"
    assert printed(count).splitlines() == [facts, NOTE]
    totals = json.loads(printed(f"{count} --json"))
    assert totals["dropped"] == {"types": 2, "tokens": 3}
    assert printed("count a.counts --out b.counts").splitlines()[1] == NOTE
    shown = printed("inspect vocab.txt --text a.txt a.counts").splitlines()
    assert shown[-1] == f"a.counts: {NOTE}"
    assert sum(NOTE in line for line in shown) == 1
    rows = printed("inspect vocab.txt --text a.txt a.counts --json").splitlines()
    assert [json.loads(row)["dropped"]["tokens"] for row in rows] == [0, 3]
    assert (
        printed("augment vocab.txt --text a.counts --method none --out n").splitlines()[-1] == NOTE
    )
    assert cli.main(["count", "a.txt", "--ray", "--max-types", "2", "--out", "a.counts"]) == 2
