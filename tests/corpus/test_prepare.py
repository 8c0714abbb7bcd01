"""A prepared corpus: literal files, then equality with its source corpus."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpora import opened, write
from hypothesis import given, settings
from hypothesis import strategies as st
from vocab_oracle import ODD

from specialize.corpus import CorpusFiles, TextCounts
from specialize.corpus.prepare import Prepared, PreparedFacts, Size, prepare
from specialize.errors import DataError, UsageError
from specialize.native import core
from specialize.vocab.counting.words import count_words

Mixin = Callable[[str], str]


@pytest.fixture(params=["0", "1"], ids=["python", "native"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count in Python, then with the extension."""
    if request.param == "1" and core() is None:
        pytest.skip("the native extension is not installed: pip install ./cpp_ext")
    monkeypatch.setenv("SPECIALIZE_NATIVE", request.param)


def quiet(text: str) -> None:
    """Take a line of the log."""


def prepared(folder: Path, files: CorpusFiles, *mixins: Mixin) -> Prepared:
    prepare(files, mixins, folder, quiet)
    return Prepared(folder)


def without_b(line: str) -> str:
    return line.replace("b", "")


def facts(counts: TextCounts) -> tuple[list[tuple[str, int]], int, int]:
    return list(counts.tokens.items()), counts.characters, counts.bytes


def test_the_files_can_be_read_by_eye(tmp_path: Path) -> None:
    text = "".join(f"{n}a\n  {n}b \n\n" for n in range(20))
    path = write(tmp_path / "a.txt", text)
    gone = write(tmp_path / "test.txt", "3a\n3b\n4a\n")
    files = CorpusFiles((path,), remove=(gone,), dev=0.05, seed=3)
    held_out = [lines[0][:-1] for lines in opened(path, dev=0.05, seed=3).dev().documents()]
    assert held_out == ["9", "12"]
    messages: list[str] = []
    found = prepare(
        files, (lambda line: line.replace("12b", " "),), tmp_path / "out", messages.append
    )
    out = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert out["dev.txt"] == "9a\n9b\n\n12a\n\n"
    assert out["dev_original.txt"] == "9a\n9b\n\n12a\n12b\n"
    kept = [n for n in range(20) if n not in (3, 4, 9, 12)]
    expected = [f"{n}a\n{n}b\n" for n in kept]
    expected.insert(3, "4b\n")
    assert out["train.txt"] == "\n".join(expected)
    assert found.train == Size(17, 33, len(out["train.txt"]) - 16)
    assert found.dev == Size(2, 3, 3 + 3 + 4)
    table = json.loads(out["facts.json"])
    assert (table["documents"], table["lines"], table["removed_lines"]) == (19, 36, 3)
    assert table["files"][0]["path"] == path
    assert PreparedFacts.from_json(table) == found == Prepared(tmp_path / "out").facts
    assert messages == [
        "corpus: 19 documents, 36 lines, 0.0 MB; 3 lines held out; 3 evaluation sentences removed"
    ]


def test_lines_that_a_mixin_empties_keep_their_place_in_the_held_out_pairs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "a\nb\nab\nc\nbb\na\n")
    corpus = prepared(tmp_path / "out", CorpusFiles((path,), dev=0.7), without_b)
    pairs = list(corpus.dev_pairs())
    assert [after for _, after in pairs] == [without_b(before) for before, _ in pairs]
    assert list(corpus.dev) == [after for _, after in pairs if after]
    assert len(pairs) == 4
    assert ("bb", "") in pairs


def test_a_held_out_document_is_not_cut_where_a_mixin_empties_a_line(tmp_path: Path) -> None:
    text = "".join(f"a{n}\nb\nc{n}\n\n" for n in range(30))
    path = write(tmp_path / "a.txt", text)
    corpus = prepared(tmp_path / "out", CorpusFiles((path,), dev=0.5), without_b)
    documents = list(corpus.dev.documents())
    assert len(documents) > 5
    assert {len(lines) for lines in documents} == {2}
    assert {len(lines) for lines in corpus.train.documents()} == {2}


@given(
    texts=st.lists(
        st.lists(st.lists(st.text(alphabet="ab é" + ODD, max_size=5), min_size=1, max_size=3)),
        min_size=1,
        max_size=3,
    ),
    unicode=st.sampled_from(["keep", "NFKC"]),
    mixin=st.sampled_from([None, without_b, str.upper]),
    share=st.sampled_from([0.0, 0.05, 0.5]),
    lines=st.sampled_from([0, 0, 3]),
)
@settings(max_examples=60)
@pytest.mark.parametrize("native", ["0", "1"])
def test_a_prepared_corpus_equals_the_corpus(
    tmp_path_factory: pytest.TempPathFactory,
    native: str,
    texts: list[list[list[str]]],
    unicode: str,
    mixin: Mixin | None,
    share: float,
    lines: int,
) -> None:
    if native == "1" and core() is None:
        pytest.skip("the native extension is not installed: pip install ./cpp_ext")
    folder = tmp_path_factory.getbasetemp()
    names = []
    for number, documents in enumerate(texts):
        rows = (json.dumps({"text": "\n".join(text)}) for text in [["x"], *documents])
        names.append(write(folder / f"{number}.jsonl", "\n".join(rows)))
    options: dict[str, Any] = {"unicode": unicode, "dev": share, "lines": lines}
    mixins = () if mixin is None else (mixin,)
    corpus = opened(*names, **options).mixed(*mixins)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_NATIVE", native)
        try:
            ours = prepared(folder / "prepared", CorpusFiles(tuple(names), **options), *mixins)
        except DataError:
            with pytest.raises(DataError):
                corpus.check_split()
            return
        for side, view in ((corpus.train(), ours.train), (corpus.dev(), ours.dev)):
            assert list(view.documents()) == list(side.documents())
            assert list(view) == list(side)
            assert facts(view.counts()) == facts(side.counts())
        whole = corpus.facts()
        assert ours.facts.corpus == whole
    assert [before for before, _ in ours.dev_pairs()] == list(opened(*names, **options).dev())
    assert [after for _, after in ours.dev_pairs() if after] == list(corpus.dev())


def test_words_are_counted_in_a_prepared_side(tmp_path: Path, engine: None) -> None:
    path = write(tmp_path / "a.txt", "ab, ab\ncd\n")
    corpus = prepared(tmp_path / "out", CorpusFiles((path,), dev=0.0))
    assert dict(count_words(corpus.train)) == {"ab": 2, ",": 1, "cd": 1}
    assert corpus.train.counts() is corpus.train.counts()


def test_nothing_is_written_if_no_line_can_be_held_out(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one line\n")
    with pytest.raises(DataError, match=r"a\.txt:1: no line is held out"):
        prepare(CorpusFiles((path,)), (), tmp_path / "out", quiet)
    assert list((tmp_path / "out").iterdir()) == []
    assert list(prepared(tmp_path / "out", CorpusFiles((path,), dev=0.0)).train) == ["one line"]


def test_a_mixin_that_breaks_lines_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo\n")
    with pytest.raises(UsageError, match="expected one line from a mix-in"):
        prepare(CorpusFiles((path,)), (lambda line: line.replace("n", "\n"),), tmp_path, quiet)


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo\n")
    prepare(CorpusFiles((path,)), (), tmp_path, quiet)
    names = {"a.txt", "train.txt", "dev.txt", "dev_original.txt", "facts.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
