"""The corpus: literal files, then properties, then real data."""

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
from corpora import CONLLU, opened, write
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.corpus import Corpus, read_lines
from specialize.corpus.decontaminate import SHORTEST, sentence_key
from specialize.corpus.dump import plain_lines
from specialize.corpus.files import HEAD
from specialize.corpus.normalize import spaced

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))


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


def test_lines_end_three_ways_and_a_byte_order_mark_is_dropped(tmp_path):
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


def test_placeholders_of_wikiextractor_are_dropped(tmp_path):
    """WikiExtractor issue 116: formula_1 and codice_1 would be learnt as words."""
    text = "The codice_1 statement, formula_12x.\nformula_3\n"
    article = f'<doc id="1" url="u" title="T">\nT\n\n{text}</doc>\n'
    assert documents(write(tmp_path / "wiki_00", article)) == [
        ["The  statement, formula_12x."],
    ]
    row = {"id": "1", "url": "https://wo.wikipedia.org/wiki?curid=1", "title": "T", "text": text}
    assert documents(write(tmp_path / "wiki_01", json.dumps(row))) == [
        ["The  statement, formula_12x."],
    ]
    other = json.dumps({"text": text})
    assert documents(write(tmp_path / "a.jsonl", other)) == [text.split("\n")[:-1]]


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
        + page.format(0, "", "").replace("<text></text>", '<parentid>7</parentid><text bytes="0"/>')
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
        ("a<ref>b<ref>c</ref>d</REF >e<ref name=f/>", ["ade"]),
        ("a<ref>b</math>c<math>d</math>", ["abc"]),
        ("a[//x.org b]c[http://y.org]", ["abc"]),
        ('a\n{{{!}} class="x"\n{{!}}-\n{{!}} cell\n{{!}}}\nb', ["a", "b"]),
        ("{{formatnum:-10}}&nbsp;°C, {{formatNum:3.5|R}} m", ["-10\xa0°C, 3.5 m"]),
    ],
)
def test_wikitext_is_stripped_lightly(wikitext, lines):
    assert plain_lines(wikitext, {"category"}) == lines


@pytest.mark.parametrize(
    "opened", ["<ref>a ", "<ref>a </math>", "[//a", "[[a|", "[[a[b]", "{{a", "<a ", "<!--", "{|\n"]
)
def test_markup_that_is_never_closed_takes_linear_work(opened):
    """With work that grows with the square, this would take hours."""
    plain_lines(opened * 200_000, {"category"})
    plain_lines(f"[//{1_000_000 * 'a'}", {"category"})


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
        ("0.'0", "0 . ' 0"),  # spaced once only
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


def test_mixins_apply_in_order_after_the_treatment_and_empty_lines_are_dropped(tmp_path):
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


def test_multiword_tokens_are_removed_as_text_as_tokens_and_as_words(tmp_path):
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


def test_keys_ignore_case_white_space_and_composition():
    assert sentence_key(" CAFE\u0301 \u00a0 là .") == sentence_key("Café Là.") == "cafélà."


def test_removal_sees_the_text_before_its_treatment(tmp_path):
    path = write(tmp_path / "a.txt", "ab, cd.\nkeep")
    options = {"remove": (write(tmp_path / "test.txt", "ab, cd."),), "punctuation": "spaced"}
    assert list(opened(path, **options).mixed(str.upper)) == ["KEEP"]


# Split and sample ---------------------------------------------------------------------------------


def numbered(path: Path, count: int, lines: int = 1) -> str:
    return write(path, "".join(f"d{n}\n" * lines + "\n" for n in range(count)))


def test_the_split_covers_all_documents_and_depends_on_the_seed_alone(tmp_path):
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


def test_the_other_side_of_a_side_is_empty(tmp_path):
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
def test_the_block_size_does_not_change_the_lines(tmp_path_factory, text, block):
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes(text.encode())
    with (
        mock.patch("specialize.corpus.files.BLOCK", block),
        mock.patch("specialize.corpus.files.HEAD", block - 2),
    ):
        lines = [line for _, line in read_lines(path)]
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    assert lines == unified.removesuffix("\n").split("\n") if unified else lines == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("shift", range(-2, 3))
def test_lines_do_not_depend_on_where_the_head_of_a_file_ends(tmp_path, end, shift):
    text = "x" * (HEAD + shift) + end + "é" * HEAD + end + end + "last"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    assert [line for _, line in read_lines(path)] == text.split(end)


@given(st.lists(st.lists(st.text(alphabet="ab. é", min_size=1), min_size=1), min_size=2))
def test_all_formats_give_the_same_documents(tmp_path_factory, written):
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


# Real data ----------------------------------------------------------------------------------------


def real(name: str) -> str:
    if not (DATA / name).exists():
        pytest.skip(f"no {name} in {DATA}; set SPECIALIZE_DATA to the folder of the real data")
    return str(DATA / name)


def standing_in(keys: set[str], corpus: Corpus) -> set[str]:
    """Return the keys that occur anywhere in the corpus: slower than the filter, and stricter."""
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
    assert len(standing_in(keys, clean)) <= 7  # clauses there, sentences in the treebank


def test_real_lines_match_the_counts_of_the_data_set():
    facts = opened(real("raw/wikipedia/wo.txt.xz")).facts()
    assert facts.lines == 13130
