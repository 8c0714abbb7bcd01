"""The method ``extend`` in every family; files, counts and the tokenizers library agree."""

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from any_lines import any_line
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers_made import (
    any_text,
    gpt2_like,
    lines_in,
    llama2_like,
    llama3_like,
    xlmr_like,
)

from specialize.augment import extend
from specialize.corpus import count_lines
from specialize.errors import DataError, UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.library_vocabulary import LibraryVocabulary
from specialize.vocab.open import read_vocabulary
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.write import write_vocabulary

MADE = {
    "GPT-2": lambda: BPE(gpt2_like()),
    "Llama 3": lambda: BPE(llama3_like()),
    "Llama 2": lambda: BPE(llama2_like()),
    "XLM-R": lambda: Unigram(xlmr_like()),
}
TEXT = [*lines_in("toy"), *lines_in("Latin", seed=4)]
MINI = Path(__file__).parents[2] / "specialize" / "mini"


@pytest.fixture(scope="session", params=[*MADE])
def fast(request: pytest.FixtureRequest) -> LibraryVocabulary:
    return MADE[request.param]()


@pytest.fixture(scope="session", params=[*MADE, "mini", "closed"])
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    if request.param == "mini":
        return read_vocabulary(MINI)
    if request.param == "closed":
        letters = "".join(sorted({c for line in lines_in("Latin") for c in line if c.isalpha()}))
        slots = [f"[unused{i}]" for i in range(1, 6)]
        return WordPiece([*SPECIAL, *slots, *".,?!", *letters, *("##" + c for c in letters)])
    return MADE[request.param]()


# By hand ------------------------------------------------------------------------------------------


def test_a_wordpiece_gets_characters_then_what_saves_the_most():
    """şa is unknown without ş; acbd (8 times) is four pieces, ba (9 times) and şa two."""
    old = WordPiece(["[UNK]", "[unused1]", *"abcd", *("##" + c for c in "abcd")])
    change = extend.change(old, ["şa acbd ba"] * 8 + ["şa ba"], pieces=3)
    assert change.fresh_pieces == ["ş", "acbd", "ba"]
    assert change.fresh == (1, 10, 11)
    assert extend.change(old, ["şa acbd ba"] * 8, pieces=1, slots=False).fresh == (10,)


def test_min_count_applies_to_pieces_and_characters(vocabulary):
    """ⴰ occurs 8 times, two of its bytes, shared with ⴱ, 16 times, the word 4 times."""
    lines = ["ⴰⴱⴰⴱ"] * 4
    assert extend.change(vocabulary, lines, pieces=9, min_count=17).fresh_pieces == []
    found = extend.change(vocabulary, lines, pieces=9, min_count=4).new
    assert unknown(found, lines) == 0
    assert len(found.encode(lines[0])) == 1


# For all families ---------------------------------------------------------------------------------


def length(vocabulary: Vocabulary, lines: list[str]) -> int:
    return sum(len(vocabulary.encode(line)) for line in lines)


def unknown(vocabulary: Vocabulary, lines: list[str]) -> int:
    words = vocabulary.count_words(lines)
    return sum(n for word, n in words.items() if vocabulary.unk in vocabulary.segment(word))


def test_extend_adds_the_pieces_asked_for_and_shortens_text(vocabulary):
    change = extend.change(vocabulary, TEXT, pieces=200)
    assert len(change.fresh) == len({*change.fresh_pieces}) == 200
    assert all(change.new.pieces[i] == vocabulary.pieces[k] for i, k in change.kept.items())
    lacking = unknown(vocabulary, TEXT)
    assert unknown(change.new, TEXT) <= lacking / 50  # rare characters stay unknown
    if not lacking:
        assert length(change.new, TEXT) < 0.7 * length(vocabulary, TEXT)
    more = extend.change(vocabulary, TEXT, pieces=400)
    assert length(more.new, TEXT) < length(change.new, TEXT)


def test_zero_pieces_change_nothing(vocabulary):
    change = extend.change(vocabulary, TEXT, pieces=0)
    assert change.fresh == ()
    assert change.new.pieces == vocabulary.pieces
    for line in TEXT[:20]:
        assert change.new.encode(line) == vocabulary.encode(line)


def test_each_new_piece_is_used(vocabulary):
    """It occurs in the text, unless other pieces are merged from it or a later one replaces it."""
    change = extend.change(vocabulary, TEXT, pieces=100)
    used = Counter(p for w in vocabulary.count_words(TEXT) for p in change.new.segment(w))
    idle = [piece for piece in change.fresh_pieces if piece not in used]
    if isinstance(vocabulary, BPE):
        others = [p for p in change.fresh_pieces if p not in idle]
        assert all(any(piece in other for other in others) for piece in idle)
    else:
        assert idle == []


def test_a_guarded_text_keeps_its_pieces(vocabulary, tmp_path):
    guard = lines_in("Latin", seed=9)
    (tmp_path / "guard.txt").write_text("\n".join(guard), "utf-8")
    files = (str(tmp_path / "guard.txt"),)
    change = extend.change(vocabulary, TEXT, pieces=100, guard=files)
    words = vocabulary.count_words(guard)
    known = {w: n for w, n in words.items() if vocabulary.unk not in vocabulary.segment(w)}
    assert all(change.new.segment(word) == vocabulary.segment(word) for word in known)
    assert change.refused
    assert {*change.refused}.isdisjoint(change.fresh_pieces)
    some = extend.change(vocabulary, TEXT, pieces=100, guard=files, guard_budget=0.05)
    moved = sum(n for w, n in known.items() if some.new.segment(w) != vocabulary.segment(w))
    assert moved <= 0.05 * sum(known.values())


def test_the_same_pieces_whatever_the_order_of_the_lines(vocabulary):
    pieces = extend.change(vocabulary, TEXT, pieces=50).fresh_pieces
    assert extend.change(vocabulary, [*TEXT], pieces=50).fresh_pieces == pieces
    assert {*extend.change(vocabulary, TEXT[::-1], pieces=50).fresh_pieces} == {*pieces}


def test_wrong_options_are_refused(vocabulary):
    with pytest.raises(UsageError, match="expected pieces of 0 or more, got -1"):
        extend.change(vocabulary, TEXT, pieces=-1)
    with pytest.raises(DataError, match="expected a corpus with words, got none; name files"):
        extend.change(vocabulary, [""], pieces=1)
    with pytest.raises(UsageError, match="expected a list of guard files"):
        extend.change(vocabulary, TEXT, guard="en.txt")
    with pytest.raises(UsageError, match="without a guard; name files to guard"):
        extend.change(vocabulary, TEXT, guard_budget=0.1)


def test_a_guard_without_a_known_word_is_refused(tmp_path):
    (tmp_path / "ug.txt").write_text("ⵓⵓⵓ\n", "utf-8")
    with pytest.raises(DataError, match=r"ug.txt:1: the vocabulary knows no word of the g"):
        extend.change(MADE["XLM-R"](), TEXT, guard=(str(tmp_path / "ug.txt"),))


def test_counts_are_refused_for_families_other_than_wordpiece(fast):
    with pytest.raises(UsageError, match=r"tokenizer.json: expected a text, got counts"):
        fast.count_words(count_lines(TEXT))


# Words --------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(line=any_text() | any_line())
def test_words_are_those_of_the_library(fast, line):
    if not any(token in line for token in fast.special):
        found = [fast.ids[piece] for word in fast.words(line) for piece in fast.segment(word)]
        assert found == fast.encode(line)


@settings(max_examples=20)
@given(lines=st.lists(any_text() | any_line(), max_size=5), once=st.booleans())
def test_word_counts_equal_those_of_single_lines(fast, lines, once):
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(fast.words(line))
    expected = {word: n for word, n in counts.items() if word not in fast.special}
    found = fast.count_words(iter(lines) if once else lines)
    assert list(found.items()) == list(expected.items())


def test_added_tokens_written_out_are_themselves_and_not_counted(fast):
    line = f"karşı{fast.special[0]}bir"
    words = fast.words(line)
    assert fast.special[0] in words
    assert fast.segment(fast.special[0]) == [fast.special[0]]
    assert [fast.ids[piece] for word in words for piece in fast.segment(word)] == fast.encode(line)
    assert fast.special[0] not in fast.count_words([line, "bir"])


def test_a_single_line_of_ten_megabytes(fast):
    text = " ".join(lines_in("toy"))
    times = 10_000_000 // len(text.encode()) + 1
    words = fast.count_words([" ".join([text] * times)])
    (first, *_), few = fast.words(text), fast.count_words([text])
    again = fast.words(f"a {text}")[len(fast.words("a"))]  # the first word after another
    assert words[first] + (words[again] if again != first else 0) >= times
    assert sum(words.values()) == times * sum(few.values())
    change = extend.change(fast, [" ".join([text] * times)], pieces=20)
    assert len(change.fresh) == 20


# Files --------------------------------------------------------------------------------------------

IDS = """
import json, sys
from tokenizers import Tokenizer
from transformers import AutoTokenizer
answers = []
for folder, lines in json.load(sys.stdin).items():
    raw = Tokenizer.from_file(folder + "/tokenizer.json")
    auto = AutoTokenizer.from_pretrained(folder)
    found = [raw.encode(line, add_special_tokens=False).ids for line in lines]
    assert [auto(line, add_special_tokens=False)["input_ids"] for line in lines] == found, folder
    assert [auto(line)["input_ids"] for line in lines] == [raw.encode(line).ids for line in lines]
    assert len(auto) == raw.get_vocab_size() == max(raw.get_vocab().values()) + 1
    answers.append([found, raw.encode("").ids, auto.all_special_ids])
json.dump(answers, sys.stdout)
"""


def test_a_written_vocabulary_gives_the_same_ids_to_every_reader(tmp_path):
    changes = {str(tmp_path / name): extend.change(MADE[name](), TEXT, pieces=150) for name in MADE}
    lines = {}
    for folder, change in changes.items():
        write_vocabulary(change.new, folder)
        lines[folder] = [*TEXT[::20], f"a{change.old.special[-1]} b", "", "  two  spaces\n"]
    ran = subprocess.run(
        [sys.executable, "-c", IDS],
        input=json.dumps(lines),
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers = zip(changes.items(), json.loads(ran.stdout), strict=True)
    for (folder, change), (found, around, special) in answers:
        assert found == [change.new.encode(line) for line in lines[folder]]
        assert around == change.old.tokenizer.encode("").ids
        assert {change.old.pieces[i] for i in special} <= {*change.old.special}
        again = read_vocabulary(Path(folder))
        assert type(again) is type(change.old)
        assert again.pieces == change.new.pieces


def test_a_written_wordpiece_is_read_back_unchanged(tmp_path):
    old = read_vocabulary(MINI)
    change = extend.change(old, TEXT, pieces=150)
    write_vocabulary(change.new, tmp_path, source=MINI)
    raw = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for line in TEXT[::20]:
        assert raw.encode(line, add_special_tokens=False).ids == change.new.encode(line)


def test_added_tokens_above_the_models_pieces_keep_their_ids():
    """As in Llama 3: the library numbers them from the model's size, which new pieces change."""
    old = MADE["Llama 3"]()
    size = len(old.described["model"]["vocab"])
    ids = [old.ids[token] for token in old.special]
    assert ids == [size, size + 1, size + 2]
    new = extend.change(old, TEXT, pieces=100).new
    assert [new.ids[token] for token in old.special] == ids
    assert [new.tokenizer.token_to_id(token) for token in old.special] == ids
    naive = json.loads(json.dumps(old.described))
    naive["model"]["vocab"]["ⴰ"] = size + 3
    wrong = Tokenizer.from_str(json.dumps(naive))
    assert [wrong.token_to_id(token) for token in old.special] != ids
    assert new.tokenizer.encode("a").ids[0] == ids[0]  # the template's <|begin_of_text|>
    assert new.special == old.special
    assert new.encode("a<|end_of_text|>b")[1] == ids[1]


def test_extending_leaves_the_old_vocabulary_unchanged(fast):
    before = json.dumps(fast.described)
    extend.change(fast, TEXT, pieces=50)
    assert json.dumps(fast.described) == before


def test_a_new_piece_is_not_mistaken_for_a_special_one(fast):
    change = extend.change(fast, [f"{fast.special[0]} ab ab ab ab ab ab"], pieces=9)
    assert not [piece for piece in change.fresh_pieces if fast.special[0] in piece]


# Files that cannot be extended --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        (
            {"continuing_subword_prefix": "##", "merges": []},
            "model.continuing_subword_prefix: expected null, got '##",
        ),
        ({"dropout": 0.1}, r"model.dropout is 0.1, with which a text has other pieces each time"),
        (
            {"type": "WordLevel", "unk_token": "<unk>"},
            "expected .*, got WordLevel",
        ),
    ],
)
def test_a_file_that_cannot_be_extended_is_named_with_why(changes, wrong, tmp_path):
    described = gpt2_like()
    described["model"] |= changes
    if "type" in changes:
        described["model"] = {"vocab": {"<unk>": 0, "a": 1}} | changes
    (tmp_path / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(DataError, match=f"tokenizer.json:1: {wrong}"):
        read_vocabulary(tmp_path)


def test_ids_with_holes_are_named_with_the_file(tmp_path):
    described = gpt2_like()
    described["model"]["vocab"]["zz"] = 5000
    (tmp_path / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    with pytest.raises(
        DataError, match=r"tokenizer.json:1: expected the ids 0, .*, got 5000 for piece 'zz'"
    ):
        read_vocabulary(tmp_path)


def test_a_unigram_with_a_duplicate_piece_is_refused_with_its_file(tmp_path):
    described = xlmr_like()
    described["model"]["vocab"].insert(9, described["model"]["vocab"][20])
    (tmp_path / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    duplicate = described["model"]["vocab"][9][0]
    with pytest.raises(DataError, match=f"tokenizer.json:1: duplicate piece {duplicate!r}"):
        read_vocabulary(tmp_path)


def test_more_candidates_are_considered_if_the_guard_refuses_many(tmp_path):
    """The guard refuses all the most frequent pairs, so rarer ones must be considered."""
    old = WordPiece(["[UNK]", *"abcdefgh", *("##" + c for c in "abcdefgh")])
    frequent = ["".join(pair) for pair in product("abcdefg", repeat=4)] * 9
    guard = tmp_path / "guard.txt"
    guard.write_text(" ".join(frequent), "utf-8")
    lines = [" ".join(frequent), *["hhah hbhh hchh"] * 6]
    change = extend.change(old, lines, pieces=3, guard=(str(guard),))
    assert len(change.fresh) == 3
    assert all("h" in piece for piece in change.fresh_pieces)


def test_few_pieces_can_be_chosen_from_text_of_many_characters() -> None:
    """A new vocabulary that cannot hold its alphabet is trained larger."""
    many = "".join(map(chr, range(0x4E00, 0x4E00 + 900)))
    lines = [" ".join(f"{c}{c}{c}" for c in many)] * 6
    found = extend.change(read_vocabulary(MINI), lines, pieces=3)
    assert len(found.fresh) == 3
