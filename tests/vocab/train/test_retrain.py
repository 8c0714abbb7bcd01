"""Retraining a vocabulary: by hand, in every family, and the same in every process."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.marks import byte_letters
from specialize.vocab.open import read_vocabulary
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
LINES = ["low lower lowest", "new newer newest", "slow slower", "wide wider widest"] * 5


def saved(tokenizer: Tokenizer, folder: Path) -> Vocabulary:
    tokenizer.add_special_tokens(["<s>", "<mask>"])
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return read_vocabulary(folder)


def byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=270, initial_alphabet=byte_letters(), show_progress=False
    )
    tokenizer.train_from_iterator(["the old text is of other words than the new"] * 3, trainer)
    return tokenizer


def with_marks(*, byte_fallback: bool) -> Tokenizer:
    pieces = ["<unk>", *(BYTES if byte_fallback else []), "▁", "o", "l", "d", "ol", "▁ol"]
    merges = [("o", "l"), ("▁", "ol")]
    model = models.BPE(
        {piece: i for i, piece in enumerate(pieces)},
        merges,
        unk_token="<unk>",
        byte_fallback=byte_fallback,
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def probable(*, marks: bool = True, byte_fallback: bool = False) -> Tokenizer:
    scores = [("<unk>", 0.0), ("▁", -2.0), ("o", -1.0), ("l", -1.5), ("ol", -3.0)]
    scores += [(piece, -20.0) for piece in BYTES if byte_fallback]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=byte_fallback))
    split = pre_tokenizers.Metaspace() if marks else pre_tokenizers.WhitespaceSplit()
    tokenizer.pre_tokenizer = split
    return tokenizer


def wordpiece() -> WordPiece:
    return WordPiece([SPECIAL[0], "[unused1]", *SPECIAL[1:], "o", "##l", "ol"])


KINDS = {
    "byte-level": byte_level,
    "BPE": lambda: with_marks(byte_fallback=False),
    "BPE, bytes": lambda: with_marks(byte_fallback=True),
    "Unigram": probable,
    "Unigram, bytes": lambda: probable(byte_fallback=True),
    "Unigram, no marks": lambda: probable(marks=False),
}


@pytest.fixture(params=["WordPiece", *KINDS])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Vocabulary:
    if request.param == "WordPiece":
        return wordpiece()
    return saved(KINDS[request.param](), tmp_path / "old")


# By hand ------------------------------------------------------------------------------------------


def test_a_wordpiece_has_both_forms_of_each_character_then_merges():
    """low 3, lot 2: (l, ##o) occurs 5 times, then (lo, ##w) 3; x only once."""
    new = wordpiece().retrained({"low": 3, "lot": 2, "x": 1}, size=99, min_count=2)
    assert new.pieces == (
        *SPECIAL,
        *("l", "o", "t", "w", "##l", "##o", "##t", "##w"),
        *("lo", "low", "lot"),
    )


def test_a_bpe_has_every_merge_that_produces_its_pieces(tmp_path: Path):
    """▁low 3, ow 2: (o, w) occurs 5 times, then (l, ow) 3 and (▁, low); finally (l, o)."""
    old = saved(with_marks(byte_fallback=False), tmp_path / "old")
    new = old.retrained({"▁low": 3, "ow": 2}, size=99, min_count=2)
    assert isinstance(new, BPE)
    assert new.pieces == ("<unk>", "<s>", "<mask>", "l", "o", "w", "▁", "ow", "low", "▁low")
    assert new.described["model"]["merges"] == [["o", "w"], ["l", "ow"], ["▁", "low"]]


def test_a_unigram_has_its_special_pieces_its_letters_and_the_most_probable(tmp_path: Path):
    old = saved(probable(), tmp_path / "old")
    words = {"▁low": 30, "▁lower": 20, "▁x": 1}
    new = old.retrained(words, size=12, min_count=2)
    assert isinstance(new, Unigram)
    assert new.pieces[:3] == ("<unk>", "<s>", "<mask>")
    assert set("lower▁") <= set(new.pieces)
    assert "x" not in new.ids
    scores = [new.scores[piece] for piece in new.pieces[3:]]
    assert scores == sorted(scores, reverse=True)
    assert new.segment("▁lower") == ["▁lower"]
    assert new.segment("x") == ["<unk>"]


def test_words_without_a_mark_get_pieces_without_one(tmp_path: Path):
    old = saved(probable(marks=False), tmp_path / "old")
    new = old.retrained(old.count_words(LINES), size=40, min_count=1)
    assert new.segment("lower")[0].startswith("low")
    assert [piece for piece in new.pieces if "▁" in piece] == ["▁"]  # from the old one


# In every family ----------------------------------------------------------------------------------


def test_special_pieces_come_first_and_all_text_is_known(old: Vocabulary):
    words = old.count_words(LINES)
    control = old.control_pieces
    size = len(old.retrained(words, size=999, min_count=2).pieces) - 3
    new = old.retrained(words, size=size, min_count=2)
    assert type(new) is type(old)
    assert len(new.pieces) <= size
    assert list(new.pieces[: len(control)]) == control
    assert set(old.special) == set(new.special) <= set(control)
    assert new.unk == old.unk
    for line in LINES:
        assert new.words(line) == old.words(line)
        ids = new.encode(line)
        assert new.ids.get(new.unk) not in ids
        assert len(ids) < 0.7 * len(line)
    marked = new.encode(f"low{old.special[-1]}low")
    assert marked.count(new.ids[old.special[-1]]) == 1


def test_byte_pieces_stay_if_they_are_the_alphabet(tmp_path: Path):
    for name, expected in (("byte-level", byte_letters()), ("BPE, bytes", BYTES)):
        old = saved(KINDS[name](), tmp_path / name)
        new = old.retrained(old.count_words(LINES), size=300, min_count=2)
        assert set(expected) <= set(new.pieces)
        assert len(new.encode("ⴰ")) in (3, 4)  # bytes, with or without a mark
        assert new.unk not in new.segment("ⴰ")


def test_merges_are_those_of_the_librarys_trainer(tmp_path: Path):
    """Without ties, byte-level pieces are those of its BPE trainer."""
    random = Random(3)
    counts = {"".join(random.choices("abcdef", k=5)): random.randrange(9, 5000) for _ in range(60)}
    old = saved(byte_level(), tmp_path / "old")
    new = old.retrained(counts, size=2 + 256 + 40, min_count=1)
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=256 + 40, initial_alphabet=byte_letters(), show_progress=False
    )
    library.train_from_iterator((f"{word} " * n for word, n in counts.items()), trainer)
    assert set(new.pieces) == {"<s>", "<mask>", *library.get_vocab()}


def test_the_order_of_the_text_does_not_matter(old: Vocabulary):
    words = dict(old.count_words(LINES))
    first = old.retrained(words, size=310, min_count=2)
    again = old.retrained(dict(reversed(words.items())), size=310, min_count=2)
    assert again.pieces == first.pieces
    if not isinstance(first, WordPiece):
        assert again.described == first.described


PROGRAM = """
import json, sys
from pathlib import Path
from specialize.vocab.open import read_vocabulary
for folder in sys.argv[1:]:
    old = read_vocabulary(Path(folder))
    words = old.count_words([f"{a}{b}{c} {c}{a}" for a in "abcde" for b in "abcde" for c in "xyz"])
    new = old.retrained(words, size=400, min_count=2)
    print(new.pieces, json.dumps(getattr(new, "described", "")))
"""


def test_training_is_the_same_in_every_process(tmp_path: Path):
    for i, kind in enumerate(("byte-level", "BPE, bytes", "Unigram")):
        saved(KINDS[kind](), tmp_path / str(i))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, *(str(tmp_path / str(i)) for i in range(3))],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_size_that_holds_no_alphabet_is_refused(old: Vocabulary):
    words = old.count_words(LINES)
    with pytest.raises(UsageError, match="of 9 pieces cannot hold"):
        old.retrained(words, size=9, min_count=1)


def test_a_min_count_that_leaves_nothing_is_refused(tmp_path: Path):
    old = saved(with_marks(byte_fallback=False), tmp_path / "old")
    with pytest.raises(UsageError, match="min_count = 1000"):
        old.retrained(old.count_words(LINES), size=99, min_count=1000)
