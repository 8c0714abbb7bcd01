"""The corpus: literal files first, then what holds for all, then every fault, then real data."""

import bz2
import gzip
import json
import lzma
import os
import random
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.corpus import Corpus, CorpusFiles, open_corpus, read_lines
from specialize.corpus.dump import plain_lines
from specialize.corpus.files import HEAD
from specialize.corpus.removal import SHORTEST, sentence_key
from specialize.corpus.treatment import spaced
from specialize.errors import DataError, MissingError, UsageError

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[1].parent / "shared" / "data"))

# "vámonos al mar": two multiword tokens (ids 1-2 and 3-4) and an empty node
CONLLU = """\
# text = vámonos al mar.
1-2	vámonos	_	_	_	_	_	_	_	SpaceAfter=Yes
1	vamos	ir	VERB	_	_	0	root	_	_
2	nos	nosotros	PRON	_	_	1	obj	_	_
3-4	al	_	_	_	_	_	_	_	_
3	a	a	ADP	_	_	5	case	_	_
4	el	el	DET	_	_	5	det	_	_
4.1	(nada)	_	_	_	_	_	_	_	_
5	mar	mar	NOUN	_	_	1	obl	_	SpaceAfter=No
6	.	.	PUNCT	_	_	1	punct	_	_
"""


def write(path: Path, text: str) -> str:
    path.write_bytes(text.encode())
    return str(path)


def opened(*files: str, **options) -> Corpus:
    return open_corpus(CorpusFiles(files, **options))


def documents(*files: str, **options) -> list[list[str]]:
    return list(opened(*files, **options).documents())


# Formats ------------------------------------------------------------------------------------------


def test_a_blank_line_ends_a_document(tmp_path):
    path = write(tmp_path / "a.txt", "one\n  two \n\n \n\nthree\n")
    assert documents(path) == [["one", "two"], ["three"]]
    assert list(opened(path)) == ["one", "two", "three"]


@pytest.mark.parametrize("text", ["one\ntwo\nthree", "\none\ntwo\nthree\n\n"])
def test_without_a_blank_line_between_lines_each_line_is_a_document(tmp_path, text):
    assert documents(write(tmp_path / "a.txt", text)) == [["one"], ["two"], ["three"]]


def test_lines_end_three_ways_and_a_byte_order_mark_goes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\r\nb\rc\n\nd\u2028e".encode())
    assert list(read_lines(path)) == [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d\u2028e")]


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_compressed_files_read_like_plain_ones(tmp_path, suffix, compress):
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(compress(b"bir\n\n") + compress("ئىككى\n".encode()))
    assert documents(str(path)) == [["bir"], ["ئىككى"]]


def test_zst_is_read_over_several_frames(tmp_path):
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "a.jsonl.zst"
    rows = [b'{"text": "bir"}\n', b'{"text": "iki"}\n']
    path.write_bytes(b"".join(zstandard.ZstdCompressor().compress(row) for row in rows))
    assert documents(str(path)) == [["bir"], ["iki"]]


def test_wikiextractor_output_loses_title_escapes_and_left_over_tags(tmp_path):
    text = (
        '<doc id="1" url="https://wo.wikipedia.org/wiki?curid=1" title="Dakar">\nDakar\n\n'
        "Dakar &amp; Thies.\n\nA &lt; B &lt;br&gt;\n&lt;poem&gt;\n</doc>\n"
        '<doc id="2" url="u" title="Nothing">\nNothing\n\n\n</doc>\n'
        '<doc id="3" url="u" title="Yoff">\nYoff\n\nYoff\n</doc>\n'
    )
    expected = [["Dakar & Thies.", "A < B"], ["Yoff"]]
    assert documents(write(tmp_path / "wiki_00", text)) == expected
    assert documents(write(tmp_path / "wiki.xml", text)) == expected


def test_wikiextractor_rows_are_recognised_without_a_suffix(tmp_path):
    rows = [{"id": "1", "title": "Dakar", "text": "Dakar\nA town.\n\nBig."}, {"text": ""}]
    path = write(tmp_path / "wiki_00", "\n".join(json.dumps(row) for row in rows))
    assert documents(path) == [["A town.", "Big."]]


def test_a_row_of_json_is_a_document(tmp_path):
    path = write(
        tmp_path / "a.jsonl", '{"text": "one\\r\\ntwo\\n\\n"}\n\n{"id": 2, "text": "été"}\n'
    )
    assert documents(path) == [["one", "two"], ["été"]]


def test_a_row_of_parquet_is_a_document(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = {"id": [1, 2, 3], "text": ["one\ntwo", "", "three"]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    assert documents(str(tmp_path / "a.parquet")) == [["one", "two"], ["three"]]


def test_a_sentence_of_conllu_is_a_line_of_surface_tokens(tmp_path):
    assert documents(write(tmp_path / "a.conllu", CONLLU)) == [["vámonos al mar ."]]


def test_conllu_documents_begin_at_newdoc(tmp_path):
    row = "1\t{}\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    parts = [row.format("a"), row.format("b"), "# newdoc id = x\n", row.format("c")]
    text = "".join([*parts, row.format("d"), "# newdoc\n", row.format("e")])
    expected = [["a"], ["b"], ["c", "d"], ["e"]]
    assert documents(write(tmp_path / "a.conllu", text)) == expected


def test_a_dump_gives_its_articles_without_markup(tmp_path):
    page = "<page><title>T</title><ns>{}</ns>{}<revision><text>{}</text></revision></page>\n"
    wikitext = (
        "{{Box|a={{b}}}}'''Dakar''' is a [[city|town]] in [[Senegal]].&lt;ref&gt;x&lt;/ref&gt;\n"
        "== Heading ==\n[[Fichier:a.jpg|thumb|A [[view]]]]\n* [http://x.org A page]\n"
        "{|\n| cell\n|}\n[[en:Dakar]]\n&lt;!-- no --&gt;A &amp;lt; B."
    )
    text = (
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/"><siteinfo><namespaces>'
        '<namespace key="0" /><namespace key="6">Fichier</namespace></namespaces></siteinfo>\n'
        + page.format(0, "", wikitext)
        + page.format(0, '<redirect title="U" />', "#REDIRECT [[U]]")
        + page.format(10, "", "A template.")
        + "</mediawiki>\n"
    )
    expected = [["Dakar is a town in Senegal.", "A page", "A < B."]]
    assert documents(write(tmp_path / "wowiki.xml", text)) == expected


@pytest.mark.parametrize(
    ("wikitext", "lines"),
    [
        ("a {{b {{c}} d}} e", ["a  e"]),
        ("open {{never closed", ["open"]),
        ("lone }} one", ["lone  one"]),
        ("[[Plik:x.png|mały|Opis [1]]]end", ["end"]),
        ("[[:Category:A]] and [[w|x]]", ["Category:A and x"]),
    ],
)
def test_wikitext_is_stripped_lightly(wikitext, lines):
    assert plain_lines(wikitext, {"category"}) == lines


def test_a_directory_is_walked_in_order_and_the_given_order_is_kept(tmp_path, monkeypatch):
    (tmp_path / "d" / "e").mkdir(parents=True)
    for name in ("d/b.txt", "d/a.txt", "d/e/c.txt", "d/.hidden", "z.txt"):
        write(tmp_path / name, name)
    monkeypatch.setenv("CORPORA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert list(opened("~/z.txt", "$CORPORA/d")) == ["z.txt", "d/a.txt", "d/b.txt", "d/e/c.txt"]


# Treatment and mix-ins ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "treated"),
    [
        ("Yes, it is.", "Yes , it is ."),
        ("no final stop here", "no final stop here"),  # the original wrote "her e"
        ("ta' 3,5 and 10:30", "ta ' 3 , 5 and 10 : 30"),
        ("One. Two... v1.2", "One . Two ... v1.2"),
        ('He said «so.» and "go."', 'He said « so . » and " go . "'),
        ("نېمە؟ ياخشى، رەھمەت۔", "نېمە ؟ ياخشى ، رەھمەت ۔"),
        ("¿Qué? ¡Ya!—no", "¿ Qué ? ¡ Ya ! — no"),
        ("spaced already . ", "spaced already ."),
        ("0.'0", "0 . ' 0"),  # once is enough
    ],
)
def test_punctuation_is_spaced(line, treated):
    assert spaced(line) == treated


@given(st.text())
def test_spacing_keeps_all_but_white_space_and_is_done_once(line):
    assert "".join(spaced(line).split()) == "".join(line.split())
    assert spaced(spaced(line)) == spaced(line)


@pytest.mark.parametrize(
    ("form", "line"), [("keep", "ﻟﺎ e\u0301"), ("NFC", "ﻟﺎ é"), ("NFKC", "لا é")]
)
def test_unicode_is_normalised_as_asked(tmp_path, form, line):
    assert list(opened(write(tmp_path / "a.txt", "ﻟﺎ e\u0301"), unicode=form)) == [line]


def test_mixins_apply_in_order_after_the_treatment_and_empty_lines_go(tmp_path):
    corpus = opened(write(tmp_path / "a.txt", "a,b\n\nء\n"), punctuation="spaced")
    mixed = corpus.mixed(lambda line: line.replace("ء", " ")).mixed(str.upper, lambda s: s + "!")
    assert list(mixed.documents()) == [["A , B!"], ["!"]]
    assert list(corpus.mixed(lambda line: line.replace("ء", " "))) == ["a , b"]
    assert list(corpus) == ["a , b", "ء"]


def test_tokens_are_counted(tmp_path):
    corpus = opened(write(tmp_path / "a.txt", "a b a\nb\n\na  c\n"))
    counts = corpus.counts()
    assert list(counts.tokens.items()) == [("a", 3), ("b", 2), ("c", 1)]
    assert (counts.characters, counts.bytes) == (10, 10)


def test_facts_are_counted_by_file(tmp_path):
    one = write(tmp_path / "1.txt", "ab\né\n\nTake me out.\n\nTake me out.\nStay.\n")
    two = write(tmp_path / "2.txt", "x\n")
    facts = opened(one, two, remove=(write(tmp_path / "test.txt", "Take me out."),)).facts()
    first, second = facts.files
    assert (first.path, first.documents, first.lines, first.bytes) == (one, 2, 3, 3 + 3 + 6)
    assert (first.removed_lines, second.removed_lines) == (2, 0)
    assert (facts.documents, facts.lines, facts.bytes, facts.removed_lines) == (3, 4, 14, 2)


# Evaluation sentences -----------------------------------------------------------------------------


def test_a_multiword_token_is_found_as_text_as_tokens_and_as_words(tmp_path):
    corpus = "vámonos al mar.\nvámonos al mar .\nvamos nos a el mar .\nvamos al mar.\n"
    evaluation = tmp_path / "test.conllu.xz"
    evaluation.write_bytes(
        lzma.compress(CONLLU.replace("# text = vámonos", "# text = ¡Ea! vámonos").encode())
    )
    path = write(tmp_path / "a.txt", corpus + "¡Ea! vámonos al\u00a0mar.\n")
    assert list(opened(path, remove=(str(evaluation),))) == ["vamos al mar."]


@pytest.mark.parametrize(
    "columns",
    [
        "Dakar B-LOC\nla O\n.\tO\n",
        "wo:Dakar\tB-LOC\nwo:la\tO\nwo:.\tO\n",
        "# id = 1\n-DOCSTART- -X- O\n\nDakar NNP B-LOC I-ORG\nla X O O\n. . O O\n\n",
    ],
)
def test_tokens_of_ner_columns_are_joined(tmp_path, columns):
    path = write(tmp_path / "a.txt", "Dakar la.\nDakar la\n")
    assert list(opened(path, remove=(write(tmp_path / "test.txt", columns),))) == ["Dakar la"]


def test_a_long_sentence_is_cut_out_of_its_line_and_a_short_one_stays(tmp_path):
    evaluation = write(
        tmp_path / "test.txt", "This one is long enough.\nShort one.\nئۇ ناھايىتى چوڭ شەھەر؟"
    )
    lines = [
        "Before.  This one is long enough.  After it.",
        "Before. Short one. After.",
        "This one is long enough. This one is long enough.",
        "Short one.",
        "ياخشى۔ ئۇ ناھايىتى چوڭ شەھەر؟",
        "cafe\u0301 This one is long enough",
    ]
    corpus = opened(write(tmp_path / "a.txt", "\n".join(lines)), remove=(evaluation,))
    kept = ["Before. After it.", lines[1], "ياخشى۔", lines[5]]
    assert list(corpus) == kept
    assert (corpus.facts().removed_lines, corpus.facts().removed_sentences) == (2, 2)


def test_keys_ignore_white_space_and_composition():
    assert sentence_key(" Cafe\u0301 \u00a0 là .") == "Cafélà."


def test_removal_sees_the_text_before_its_treatment(tmp_path):
    path = write(tmp_path / "a.txt", "ab, cd.\nkeep")
    options = {"remove": (write(tmp_path / "test.txt", "ab, cd."),), "punctuation": "spaced"}
    assert list(opened(path, **options).mixed(str.upper)) == ["KEEP"]


# Split and sample ---------------------------------------------------------------------------------


def numbered(path: Path, count: int, lines: int = 1) -> str:
    return write(path, "".join(f"d{n}\n" * lines + "\n" for n in range(count)))


def test_the_split_parts_the_documents_and_depends_on_seed_alone(tmp_path):
    path = numbered(tmp_path / "a.txt", 400)
    corpus = opened(path, dev=0.25, seed=3)
    train, dev = list(corpus.train()), list(corpus.dev())
    assert sorted(train + dev) == sorted(corpus)
    assert 70 <= len(dev) <= 130
    random.seed(99)
    assert list(opened(path, dev=0.25, seed=3).dev()) == dev == list(corpus.dev())
    assert list(opened(path, dev=0.25, seed=4).dev()) != dev
    assert set(opened(path, dev=0.1, seed=3).dev()) < set(dev)


def test_the_split_is_the_same_whatever_is_sampled_or_removed(tmp_path):
    path = numbered(tmp_path / "a.txt", 200)
    dev = set(opened(path, dev=0.3).dev())
    evaluation = write(tmp_path / "test.txt", "d0\nd1\nd2")
    assert set(opened(path, dev=0.3, lines=90).dev()) == dev & set(opened(path, lines=90))
    assert set(opened(path, dev=0.3, remove=(evaluation,)).dev()) == dev - {"d0", "d1", "d2"}


def test_sides_of_a_side_meet(tmp_path):
    corpus = opened(numbered(tmp_path / "a.txt", 50), dev=0.5)
    assert list(corpus.train().dev()) == []
    assert list(corpus.dev().dev()) == list(corpus.dev())
    assert list(corpus.mixed(str.upper).dev()) == [line.upper() for line in corpus.dev()]


def test_nothing_is_held_out_at_share_zero(tmp_path):
    corpus = opened(numbered(tmp_path / "a.txt", 50), dev=0)
    assert list(corpus.dev()) == []
    assert list(corpus.train()) == list(corpus)
    assert corpus.dev().facts().lines == 0


@pytest.mark.parametrize(("wanted", "kept"), [(1, 3), (30, 30), (31, 33), (10_000, 300)])
def test_a_sample_has_just_enough_whole_documents(tmp_path, wanted, kept):
    path = numbered(tmp_path / "a.txt", 100, lines=3)
    sample = opened(path, lines=wanted)
    assert sample.facts().lines == kept
    assert all(len(document) == 3 for document in sample.documents())
    assert set(sample) <= set(opened(path, lines=wanted + 50))


def test_samples_follow_the_seed(tmp_path):
    path = numbered(tmp_path / "a.txt", 100)
    assert list(opened(path, lines=20)) == list(opened(path, lines=20))
    assert list(opened(path, lines=20)) != list(opened(path, lines=20, seed=1))


# Properties ---------------------------------------------------------------------------------------


@given(st.text(alphabet="ab \n\r\u0085é").filter(lambda text: "\0" not in text), st.integers(3, 9))
@settings(max_examples=200)
def test_blocks_do_not_show_in_the_lines(tmp_path_factory, text, block):
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes(text.encode())
    with mock.patch("specialize.corpus.files.BLOCK", block):
        lines = [line for _, line in read_lines(path)]
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    assert lines == unified.removesuffix("\n").split("\n") if unified else lines == []


@given(st.lists(st.lists(st.text(alphabet="ab. é", min_size=1), min_size=1), min_size=2))
def test_all_formats_tell_the_same_documents(tmp_path_factory, written):
    folder = tmp_path_factory.getbasetemp()
    expected = [[s for line in lines if (s := line.strip())] for lines in written]
    expected = [lines for lines in expected if lines]
    if len(expected) < 2:
        return
    text = write(folder / "same.txt", "\n\n".join("\n".join(lines) for lines in expected))
    rows = write(
        folder / "same.jsonl", "\n".join(json.dumps({"text": "\n".join(x)}) for x in written)
    )
    assert documents(text) == documents(rows) == expected


def test_importing_the_reader_imports_nothing_heavy():
    code = (
        "import sys, specialize.corpus; "
        "print(*{'torch', 'transformers', 'numpy', 'pyarrow', 'zstandard'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# Faults -------------------------------------------------------------------------------------------


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
def test_bytes_that_are_no_text_are_located(tmp_path, raw, where):
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
def test_bad_rows_of_json_are_located(tmp_path, row, message):
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
        ("2 b _ _ _ _ _ _ _ _", "a.conllu:11: a CoNLL-U row has 10 columns parted by tabs"),
        ("x\tb" + 8 * "\t_", "a.conllu:11: 'x' is no CoNLL-U id"),
    ],
)
def test_bad_conllu_is_located(tmp_path, row, message):
    refused(DataError, message, write(tmp_path / "a.conllu", CONLLU + row))


def test_a_bad_line_among_columns_is_located(tmp_path):
    columns = write(tmp_path / "test.txt", "a O\nb O\n\nc B-LOC\nd\n")
    path = write(tmp_path / "a.txt", "text")
    refused(DataError, "test.txt:5: not a token and a tag", path, remove=(columns,))


def test_other_xml_is_refused(tmp_path):
    refused(DataError, "run WikiExtractor", write(tmp_path / "a.xml", "<tmx><body/></tmx>"))
    cut = "<mediawiki>\n<page><ns>0</ns><revision><text>A.</text></revision></page>\n<page><ti"
    refused(DataError, "a.xml:3: not a whole XML dump", write(tmp_path / "a.xml", cut))


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
def test_options_that_mean_nothing_are_refused(options, message):
    with pytest.raises(UsageError) as caught:
        CorpusFiles(**{"files": ("a.txt",), **options})
    assert message in str(caught.value)


# Real data ----------------------------------------------------------------------------------------


def real(name: str) -> str:
    if not (DATA / name).exists():
        pytest.skip(f"no {name} in {DATA}; set SPECIALIZE_DATA to the folder of the real data")
    return str(DATA / name)


def standing_in(keys: set[str], corpus: Corpus) -> set[str]:
    """Return the keys that stand anywhere in the corpus: slower than the filter, and stricter."""
    text = "\n".join(map(sentence_key, corpus))
    return {key for key in keys if len(key) >= SHORTEST and key in text}


@pytest.mark.parametrize(
    ("corpus", "leaks"),
    [("raw/wikipedia/wo.txt.xz", 0), ("raw/wikiextractor_format/wowiki_plain.xml.xz", 30)],
)
def test_wolof_test_sentences_are_taken_out(corpus, leaks):
    path, evaluation = real(corpus), real("ud/UD_Wolof-WTB/test.conllu.xz")
    keys = {sentence_key(line) for line in opened(evaluation, dev=0)}
    clean = opened(path, remove=(evaluation,))
    facts = clean.facts()
    assert len(standing_in(keys, opened(path))) >= leaks
    assert facts.removed_lines + facts.removed_sentences > 0
    assert not keys & {sentence_key(line) for line in clean}
    assert len(standing_in(keys, clean)) <= 2  # the text does not part them as the treebank does


def test_real_lines_are_those_the_data_says():
    facts = opened(real("raw/wikipedia/wo.txt.xz")).facts()
    assert facts.lines == 13130


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("shift", range(-2, 3))
def test_lines_are_the_same_where_the_head_of_a_file_ends(tmp_path, end, shift):
    text = "x" * (HEAD + shift) + end + "é" * HEAD + end + end + "last"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    assert [line for _, line in read_lines(path)] == text.split(end)
