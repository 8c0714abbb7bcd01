"""Files of ranks through the tokenizers library segment as tiktoken itself does."""

import base64
import json
import re
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from specialize.corpus import CorpusFiles, open_corpus
from specialize.errors import DataError, MissingError, UsageError
from specialize.toylang import ToyFiles, to_latin
from specialize.vocab.counting.separable import PATTERNS, why_not
from specialize.vocab.formats.tiktoken import is_ranks, read_ranks, write_ranks
from specialize.vocab.marks import byte_letters

tiktoken = pytest.importorskip("tiktoken")

BYTES = [bytes([byte]) for byte in range(256)]
LETTERS = byte_letters()
CODES = {letter: byte for byte, letter in enumerate(LETTERS)}
NAMES = ("gpt2", "cl100k", "qwen2", "o200k")


def write_file(path: Path, tokens: list[bytes]) -> Path:
    lines = (b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens))
    path.write_bytes(b"".join(lines))
    return path


def library(path: Path, pattern: str = "") -> Tokenizer:
    return Tokenizer.from_str(json.dumps(read_ranks(path, pattern=pattern)))


def original(tokens: list[bytes], pattern: str) -> "tiktoken.Encoding":
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return tiktoken.Encoding("made", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


# By eye -------------------------------------------------------------------------------------------


def test_pieces_are_merged_in_the_order_of_their_ranks(tmp_path):
    """``abc`` is ab + c or a + bc; bytes have the ids of their rank."""
    path = write_file(tmp_path / "small.tiktoken", [*BYTES, b"bc", b"ab", b"abc", b" \xc3"])
    described = read_ranks(path)
    assert described["model"]["merges"] == [
        ["b", "c"],
        ["a", "b"],
        ["a", "bc"],
        ["ab", "c"],
        ["Ġ", "Ã"],
    ]
    assert described["model"]["vocab"]["Ġ"] == 32
    tokenizer = library(path)
    assert tokenizer.encode("abc xabc é").tokens == ["abc", "Ġ", "x", "abc", "ĠÃ", "©"]
    assert tokenizer.decode(tokenizer.encode(" é\n").ids) == " é\n"


def test_a_word_that_is_a_piece_is_not_segmented(tmp_path):
    """No two pieces form ``abc``: it is matched as a whole word only."""
    path = write_file(tmp_path / "small.tiktoken", [*BYTES, b"abc"])
    assert library(path).encode("abc abc").tokens == ["abc", "Ġ", "a", "b", "c"]


@pytest.mark.parametrize(
    ("name", "pattern", "place"),
    [
        ("tokenizer.model", "", 1),
        ("cl100k_base.tiktoken", "", 1),
        ("o200k_base.tiktoken", "", 3),
        ("Qwen.tiktoken", "", 2),
        ("gpt2.tiktoken", "", 0),
        ("r50k_base.tiktoken", "", 0),
        ("o200k_base.tiktoken", "qwen2", 2),
    ],
)
def test_the_pattern_is_given_or_known_by_the_name(tmp_path, name, pattern, place):
    described = read_ranks(write_file(tmp_path / name, BYTES), pattern=pattern)
    split, level = described["pre_tokenizer"]["pretokenizers"]
    assert split["pattern"] == {"Regex": PATTERNS[place]}
    assert level["use_regex"] is False
    assert why_not(described) == ""


def test_a_custom_pattern_is_accepted(tmp_path):
    path = write_file(tmp_path / "small.tiktoken", [*BYTES, b"ab"])
    assert library(path, "[^b]+|b").encode("aab").tokens == ["a", "a", "b"]
    with pytest.raises(UsageError, match="unknown pattern 'cl100'; known: gpt2, cl100k, qwen2"):
        read_ranks(path, pattern="cl100")


# Against tiktoken ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(toy: ToyFiles) -> list[str]:
    lines = list(islice(open_corpus(CorpusFiles((str(toy.corpus),))), 200))
    return [*lines, *map(to_latin, lines), *["can't 12 345 aaaaaa ..... é 世界\n"] * 20]


@pytest.fixture(scope="module")
def trained(made: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    words = pre_tokenizers.Split(Regex(PATTERNS[1]), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, level])
    alphabet = {"initial_alphabet": LETTERS, "show_progress": False}
    tokenizer.train_from_iterator(made, trainers.BpeTrainer(vocab_size=800, **alphabet))
    ids = tokenizer.get_vocab()
    pieces = sorted(ids, key=ids.__getitem__)
    tokens = [bytes(CODES[letter] for letter in piece) for piece in pieces]
    return write_file(tmp_path_factory.mktemp("ranks") / "made.tiktoken", tokens)


def tokens_of(path: Path) -> list[bytes]:
    return [base64.b64decode(line.split()[0]) for line in path.read_bytes().splitlines()]


ODD = (
    *(
        "\u0301",
        "\u064b",
        "\u200c",
        "\u200d",
        "\u200f",
        "\t",
        "\n",
        "\r\n",
        "\x85",
        "\xa0",
        "\u3000",
    ),
    *(
        "世界",
        "क्षि",
        "שלום",
        "ئۇيغۇر",
        "می\u200cروم",
        "한",
        "①",
        "ﬁ",
        "Å",
        "ǅ",
        "e\u0301",
        "😀",
        "👩\u200d👩",
    ),
    *("'s", "'LL", "'\u017f", "/", "...", "aaaaaaa", "1234567", "١٢", "A", "bC"),
)
TEXTS = st.lists(
    st.sampled_from(ODD)
    | st.text("abcdestİçş", max_size=6)
    | st.sampled_from(" \n")
    | st.just("  "),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(("name", "pattern"), [*zip(NAMES, PATTERNS, strict=True)], ids=NAMES)
def test_a_text_has_the_same_pieces(trained, made, name, pattern):
    ours, theirs = library(trained, name), original(tokens_of(trained), pattern)

    @given(TEXTS)
    def same(text):
        ids = ours.encode(text).ids
        assert ids == theirs.encode_ordinary(text)
        assert ours.decode(ids) == text

    same()
    for line in made:
        assert ours.encode(line).ids == theirs.encode_ordinary(line)


@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k"])
def test_the_patterns_are_those_of_tiktoken(trained, name, monkeypatch):
    """Except cl100k if a text ends in a line end and more white space (see read_ranks)."""
    public = pytest.importorskip("tiktoken_ext.openai_public")
    for loader in ("load_tiktoken_bpe", "data_gym_to_mergeable_bpe_ranks"):
        monkeypatch.setattr(public, loader, lambda *_, **__: {})
    made_by = getattr(public, name if name == "gpt2" else f"{name}_base")
    ours, theirs = library(trained, name), original(tokens_of(trained), made_by()["pat_str"])

    @given(TEXTS)
    def same(text):
        if name == "cl100k":
            text = re.sub(r"\s+\Z", "", text)
        assert ours.encode(text).ids == theirs.encode_ordinary(text)

    same()


@given(data=st.data())
def test_texts_have_the_same_pieces_under_any_ranks(tmp_path_factory, data):
    """Pieces built from each other in any order, some unreachable by merges."""
    pool = [b"a", b"b"]
    for _ in range(data.draw(st.integers(1, 12))):
        left, right = data.draw(st.sampled_from(pool)), data.draw(st.sampled_from(pool))
        if left + right not in pool:
            pool.append(left + right)
    tokens = BYTES + data.draw(st.permutations(pool[2:]))
    path = write_file(tmp_path_factory.getbasetemp() / "any.tiktoken", tokens)
    text = data.draw(st.text("ab", max_size=20))
    pattern = r"[\s\S]+"
    assert library(path, pattern).encode(text).ids == original(tokens, pattern).encode(text)


SCRIPTS = ("wikipedia/ug", "common_voice/mt", "common_voice/zh", "common_voice/hi")


@pytest.mark.parametrize(("name", "pattern"), [*zip(NAMES, PATTERNS, strict=True)], ids=NAMES)
def test_real_text_has_the_same_pieces(data, tmp_path, name, pattern):
    """The first of GPT-2's ranks, in the order of its vocabulary."""
    ids = json.loads((data / "vocab" / "gpt2" / "vocab.json").read_text("utf-8"))
    del ids["<|endoftext|>"]
    pieces = sorted(ids, key=ids.__getitem__)
    tokens = [bytes(CODES[letter] for letter in piece) for piece in pieces[:15_000]]
    ours = library(write_file(tmp_path / "gpt2.tiktoken", tokens), name)
    theirs = original(tokens, pattern)
    for script in SCRIPTS:
        files = CorpusFiles((str(data / "raw" / f"{script}.txt.xz"),))
        for line in islice(open_corpus(files), 100):
            assert ours.encode(line).ids == theirs.encode_ordinary(line)


# Recognised, written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"IQ== 0\nIg== 1\n", True),
        (b"IQ== 0\r\n", True),
        (b"", False),
        (b"hello 1\n", False),
        (b"[PAD]\n[UNK]\n", False),
        (b"IQ==\n", False),
        (b"IQ== x\n", False),
        (b"\n\x0e\n\x05<unk>\x15\0\0\0\0\x18\x02", False),
    ],
)
def test_a_file_of_ranks_is_recognised_by_its_first_line(tmp_path, content, expected):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    assert is_ranks(path) is expected
    assert not is_ranks(tmp_path)
    assert not is_ranks(tmp_path / "none")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_pieces_are_appended_with_the_next_ranks(tmp_path, end):
    source, out = tmp_path / "small.tiktoken", tmp_path / "out.tiktoken"
    before = write_file(source, [*BYTES, b"ab"]).read_bytes().rstrip() + end
    source.write_bytes(before)
    write_ranks(source, ["abc", "Ġé"], out)
    assert out.read_bytes() == before.rstrip() + b"\nYWJj 257\nIOk= 258\n"
    assert read_ranks(out)["model"]["vocab"] == {
        **read_ranks(source)["model"]["vocab"],
        "abc": 257,
        "Ġé": 258,
    }


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (["ab"], "piece 'ab' has a rank already"),
        (["xy", "xy"], "piece 'xy' has a rank already"),
        (["x y"], "piece 'x y' is not in the letters for bytes"),
        ([""], "piece '' is not in the letters for bytes"),
    ],
)
def test_pieces_that_cannot_be_written_are_refused(tmp_path, pieces, reason):
    source, out = tmp_path / "small.tiktoken", tmp_path / "out.tiktoken"
    with pytest.raises(DataError, match=reason):
        write_ranks(write_file(source, [*BYTES, b"ab"]), pieces, out)
    assert not out.exists()


# Faults -------------------------------------------------------------------------------------------

LINES = [b"%s %d" % (base64.b64encode(byte), rank) for rank, byte in enumerate(BYTES)]


@pytest.mark.parametrize(
    ("lines", "number", "reason"),
    [
        ([*LINES[:3], b"\xff\xfe x"], 4, r"'\\xff\\xfe x'; name a file of tiktoken's ranks"),
        ([*LINES, b"YWI="], 257, "'YWI='; name a file of tiktoken's ranks"),
        ([*LINES, b"YWI= -1"], 257, "'YWI= -1'; name a file of tiktoken's ranks"),
        ([*LINES, b"YWI 256"], 257, "'YWI' is not base64"),
        ([*LINES, b"Y!I= 256"], 257, "'Y!I=' is not base64"),
        ([*LINES, b"", b"YQ== 256"], 258, "b'a' has a rank already, in line 98"),
        ([*LINES, b"YWI= 7"], 257, "rank 7 is that of line 8 already"),
        ([*LINES, b"YWI= 257"], 1, "rank 256 is missing"),
        ([*LINES[:255], b"YWI= 255"], 1, "byte 0xff has no rank"),
        ([], 1, "byte 0x00 has no rank"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path, lines, number, reason):
    path = tmp_path / "small.tiktoken"
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError) as raised:
        read_ranks(path)
    message = str(raised.value)
    assert message.startswith(f"{path}:{number}: ")
    assert reason in message
    assert "\n" not in message


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MissingError, match="no such file"):
        read_ranks(tmp_path / "none.tiktoken")
