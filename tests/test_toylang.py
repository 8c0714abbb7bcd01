import os
import subprocess
import sys
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.errors import UsageError
from specialize.toylang import (
    DEPRELS,
    ENTITIES,
    UPOS,
    Sentence,
    ToyFiles,
    conllu,
    document,
    iob2,
    make_language,
    sentence,
    to_latin,
    to_script,
    write_language,
)
from specialize.toylang._language import Ranked
from specialize.toylang._lexicon import NAMES, NOUNS, VERBS
from specialize.toylang._morphology import bare, finite, inflect, nominal, nonfinite
from specialize.toylang._script import LATIN, SCRIPT
from specialize.toylang._tree import Node, linearise

SMALL = {"documents": 60, "sentences": (40, 10, 20)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> ToyFiles:
    return write_language(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def sentences() -> list[Sentence]:
    language, rng = make_language(3), Random(3)
    return [tree for _ in range(60) for tree in document(rng, language)]


def contents(files: ToyFiles) -> list[bytes]:
    return [getattr(files, field.name).read_bytes() for field in fields(files)]


def blocks(path: Path) -> list[list[str]]:
    return [block.split("\n") for block in path.read_text("utf-8").strip("\n").split("\n\n")]


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for block in blocks(path) for line in block if line[0] != "#"]


def texts(path: Path) -> list[str]:
    """Return the # text of each sentence."""
    return [block[1].removeprefix("# text = ") for block in blocks(path)]


def tree_of_deniz() -> Node:
    """Build "deniz kaya kitabı okudı.": Deniz Kaya read the book (or: the sea, a rock, ...)."""
    family = Node(nominal("kaya", "PROPN"), "flat", tag="I-PER")
    person = Node(nominal("deniz", "PROPN"), "nsubj", right=[family], tag="B-PER")
    book = Node(nominal("kitab", case="ACC"), "obj")
    return Node(finite("oku", "PAST"), "root", [person, book], [Node(bare(".", "PUNCT"), "punct")])


def test_a_tree_becomes_conllu_in_the_toy_script():
    noun = "Case=Nom|Number=Sing"
    verb = "Mood=Ind|Number=Sing|Person=3|Polarity=Pos|Tense=Past|VerbForm=Fin"
    expected = f"""\
# sent_id = toy-1
# text = deniz kaya kitabı okudı.
1 deniz deniz PROPN PROPN.NOM {noun} 4 nsubj _ _
2 kaya kaya PROPN PROPN.NOM {noun} 1 flat _ _
3 kitabı kitab NOUN NOUN.ACC Case=Acc|Number=Sing 4 obj _ _
4 okudı oku VERB VERB.PAST.3SG {verb} 0 root _ SpaceAfter=No
5 . . PUNCT PUNCT _ 4 punct _ _

"""
    written = conllu(linearise(tree_of_deniz()), "toy-1")
    assert "# text = ⴷⴻⵏⵉⵣ ⴽⴰⵢⴰ ⴽⵉⵜⴰⴱⵄ ⵧⴽⵓⴷⵄ." in written.split("\n")
    assert to_latin(written).replace("\t", " ") == expected


def test_entities_are_columns_of_token_and_tag():
    expected = "deniz\tB-PER\nkaya\tI-PER\nkitabı\tO\nokudı\tO\n.\tO\n\n"
    assert to_latin(iob2(linearise(tree_of_deniz()))) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (nominal("ev", plural=True, case="LOC"), "evlerde"),
        (nominal("su", case="ACC"), "suyı"),  # y separates two vowels; I is ı or i only
        (nominal("kapı", possessed=True), "kapısı"),
        (nominal("okul", possessed=True), "okulı"),
        (
            nominal("okul", case="ACC"),
            "okulı",
        ),  # only context distinguishes it from the possessed form
        (nominal("masa", case="LOC", attribute=True), "masadaki"),
        (finite("gör", "PRES", "1PL", negative=True), "görmermiz"),
        (finite("oku", "FUT", "3PL"), "okuyacaklar"),
        (finite("gül", "IMP", "2SG"), "gül"),
        (nonfinite("gel", "PTCP"), "gelen"),
        (nonfinite("anla", "PTCP.OBJ"), "anladıkı"),
    ],
)
def test_endings_follow_the_stem(word, expected):
    assert word.form == expected


def test_endings_are_chosen_by_the_last_vowel():
    assert inflect("göl", "lAr", "(y)I") == "gölleri"
    assert inflect("kitap", "lAr", "(n)In") == "kitapların"


def test_a_root_of_rank_n_weighs_one_in_n_plus_one():
    assert Ranked.of("abc").weights == pytest.approx((1 / 2, 1 / 2 + 1 / 3, 1 / 2 + 1 / 3 + 1 / 4))


def test_script_is_one_letter_for_one_of_tifinagh():
    assert to_script("ev, 12 kitab!") == "ⴻⵠ, 12 ⴽⵉⵜⴰⴱ!"
    assert len(LATIN) == len(SCRIPT) == len(set(LATIN)) == len(set(SCRIPT))
    assert all("\u2d30" <= letter <= "\u2d67" for letter in SCRIPT)


@given(st.text(st.sampled_from(LATIN + "ABZ0189 .,?!\n") | st.characters(max_codepoint=0x2D2F)))
def test_script_round_trips(latin):
    assert to_latin(to_script(latin)) == latin


def test_every_root_can_be_written():
    for roots in [*NOUNS.values(), *NAMES.values(), *VERBS]:
        assert set("".join(roots.split())) <= set(LATIN)


def test_trees_are_trees(sentences):
    for tree in sentences:
        heads = [token.head for token in tree.tokens]
        assert heads.count(0) == 1
        assert [t.deprel for t in tree.tokens if t.head == 0] == ["root"]
        for start in range(1, len(heads) + 1):
            node, steps = start, 0
            while node and steps <= len(heads):
                node, steps = heads[node - 1], steps + 1
            assert node == 0, f"a cycle or a head outside: {tree.text}"


def test_trees_are_projective(sentences):
    for tree in sentences:
        arcs = [sorted((i, token.head)) for i, token in enumerate(tree.tokens, 1)]
        assert not any(a < c < b < d for a, b in arcs for c, d in arcs), tree.text


def test_tags_are_those_of_the_inventories(sentences):
    tokens = [token for tree in sentences for token in tree.tokens]
    assert {token.word.upos for token in tokens} == UPOS
    assert {token.deprel for token in tokens} == DEPRELS
    assert {token.tag for token in tokens} == {"O"} | {f"{b}-{e}" for b in "BI" for e in ENTITIES}
    assert all(token.word.xpos.split(".")[0] == token.word.upos for token in tokens)
    assert len({token.word.xpos for token in tokens}) > 3 * len(UPOS)


def test_an_entity_begins_with_b(sentences):
    for tree in sentences:
        tags = ["O", *(token.tag for token in tree.tokens)]
        for before, tag in pairwise(tags):
            assert not tag.startswith("I-") or before[2:] == tag[2:]


def test_some_words_are_ambiguous_without_context(sentences):
    readings: dict[str, set[str]] = {}
    for token in (token for tree in sentences for token in tree.tokens):
        readings.setdefault(token.word.form, set()).add(f"{token.word.xpos} {token.deprel}")
    assert {"ADJ amod", "ADV advmod"} <= readings["doğru"]
    assert any({"NOUN.NOM nsubj", "NOUN.NOM obj"} <= found for found in readings.values())
    assert any({"NOUN.ACC obj", "NOUN.POSS.NOM nsubj"} <= found for found in readings.values())
    assert any({"PROPN.NOM nsubj", "NOUN.NOM nsubj"} <= found for found in readings.values())


def test_a_sentence_depends_on_its_generator_alone():
    language = make_language(1)
    first = [sentence(rng, language) for rng in [Random(5)] for _ in range(20)]
    again = [sentence(rng, language) for rng in [Random(5)] for _ in range(20)]
    assert first == again
    assert make_language(1) == language
    assert make_language(2) != language


def test_same_seed_same_bytes(tmp_path):
    """In another process with another hash seed: no set order affects the files."""
    here = contents(write_language(tmp_path / "here", seed=4, **SMALL))
    code = (
        "import sys; from pathlib import Path; from specialize.toylang import write_language; "
        f"write_language(Path(sys.argv[1]), seed=4, **{SMALL!r})"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": path}
    there = tmp_path / "there"
    subprocess.run([sys.executable, "-c", code, str(there)], env=environment, check=True)
    names = [field.name for field in fields(ToyFiles)]
    written = [next(there.glob(f"{name}.*")).read_bytes() for name in names]
    assert here == written


def test_a_different_seed_gives_a_different_language(tmp_path):
    one = contents(write_language(tmp_path / "1", seed=1, **SMALL))
    two = contents(write_language(tmp_path / "2", seed=2, **SMALL))
    assert all(a != b for a, b in zip(one, two, strict=True))


def test_writing_leaves_nothing_else_behind(tmp_path):
    files = write_language(tmp_path, **SMALL)
    write_language(tmp_path, **SMALL)  # and replaces existing files
    expected = {getattr(files, field.name) for field in fields(files)} | {tmp_path / "README.txt"}
    assert set(tmp_path.iterdir()) == expected
    assert "synthetic" in (tmp_path / "README.txt").read_text("utf-8")


def test_corpus_is_documents_of_sentences(files):
    documents = blocks(files.corpus)
    text = files.corpus.read_text("utf-8")
    assert len(documents) == 1500
    assert all(5 <= len(lines) <= 20 for lines in documents)
    assert 600_000 < len(text) < 1_200_000
    assert set(text) <= set(SCRIPT + "0123456789 .,?!\n")


def test_splits_have_the_sizes_asked_for(files):
    assert [len(blocks(p)) for p in (files.train, files.dev, files.test)] == [400, 100, 200]
    ner = (files.ner_train, files.ner_dev, files.ner_test)
    assert [len(blocks(path)) for path in ner] == [400, 100, 200]
    for entity in ENTITIES:
        assert sum(tag == f"B-{entity}" for _, tag in rows(files.ner_test)) > 20


def test_conllu_marks_tokens_without_a_space_after(files):
    for block, text in zip(blocks(files.dev), texts(files.dev), strict=True):
        columns = [line.split("\t") for line in block[2:]]
        assert [len(row) for row in columns] == [10] * len(columns)
        spaced = "".join(row[1] + " " * (row[9] != "SpaceAfter=No") for row in columns)
        assert spaced.rstrip() == text


def test_annotated_sentences_are_nowhere_else(files):
    annotated = texts(files.train) + texts(files.dev) + texts(files.test)
    for path in (files.ner_train, files.ner_dev, files.ner_test):
        annotated += ["".join(line.split("\t")[0] for line in block) for block in blocks(path)]
    squeezed = [text.replace(" ", "") for text in annotated]
    assert len(set(squeezed)) == len(annotated)
    corpus = files.corpus.read_text("utf-8").replace(" ", "").split("\n")
    assert not set(squeezed) & set(corpus)


def test_test_sets_have_words_never_seen(files):
    in_corpus = set(files.corpus.read_text("utf-8").translate(dict.fromkeys(b".,?!")).split())
    in_train = {row[1] for row in rows(files.train)}
    words = [row[1] for row in rows(files.test) if row[3] != "PUNCT"]
    assert 0.2 < sum(word not in in_train for word in words) / len(words) < 0.6
    assert 0.01 < sum(word not in in_corpus for word in words) / len(words) < 0.1
    known_names = {token for token, tag in rows(files.ner_train) if tag != "O"}
    assert any(token not in known_names for token, tag in rows(files.ner_test) if tag != "O")


def test_frequencies_fall_as_in_real_text(files):
    """Zipf: few words make up most of a text, and about half of the types occur once."""
    counts: dict[str, int] = {}
    for word in files.corpus.read_text("utf-8").translate(dict.fromkeys(b".,?!")).split():
        counts[word] = counts.get(word, 0) + 1
    ordered = sorted(counts.values(), reverse=True)
    assert sum(ordered[:200]) > 0.3 * sum(ordered)
    assert 0.3 < ordered.count(1) / len(ordered) < 0.7


def test_wrong_sizes_are_refused(tmp_path):
    with pytest.raises(UsageError, match="got -1 and"):
        write_language(tmp_path, documents=-1)
    with pytest.raises(UsageError, match="three numbers of sentences"):
        write_language(tmp_path, sentences=(1, -2, 3))
