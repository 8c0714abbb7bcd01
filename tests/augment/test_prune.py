"""Pruning drops what a text never uses and keeps the pieces of its words, in every family."""

from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import framing_of
from transformers import AutoModelForMaskedLM, AutoTokenizer, RobertaConfig, RobertaForMaskedLM

from specialize.augment import prune
from specialize.corpus import CorpusFiles, open_corpus
from specialize.embed import subwords
from specialize.errors import DataError, UsageError
from specialize.model.install import install, snapshot, verify_installed
from specialize.model.language_model import output_bias, tables
from specialize.model.load import load_checkpoint, new_modernbert, save_model
from specialize.toylang import to_latin
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.open import read_vocabulary
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.write import write_vocabulary

SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


def token(content: str, i: int) -> dict:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": i, "content": content, "special": True} | flags


def described(model: dict, added: list[str], ids: dict[str, int], pre: str) -> dict:
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [token(content, ids[content]) for content in added],
        "normalizer": None,
        "pre_tokenizer": {"type": pre},
        "post_processor": None,
        "decoder": None,
        "model": model,
    }


def bpe(pieces: list[str], merges: list, *, unk: str | None = "<unk>", **flags: bool) -> BPE:
    """A BPE over characters: <unk>, ``pieces``, and an added token after the model's."""
    ids = {piece: i for i, piece in enumerate(["<unk>", *pieces])}
    model = {"type": "BPE", "dropout": None, "unk_token": unk, "vocab": ids, "merges": merges}
    marks = dict.fromkeys(("continuing_subword_prefix", "end_of_word_suffix"))
    model |= marks | {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False} | flags
    return BPE(described(model, ["<m>"], ids | {"<m>": len(ids)}, "WhitespaceSplit"))


def unigram(scores: dict[str, float], *, byte_fallback: bool = False) -> Unigram:
    """A Unigram: <s>, <unk>, then ``scores``."""
    listed = [["<s>", 0.0], ["<unk>", 0.0], *map(list, scores.items())]
    model = {"type": "Unigram", "unk_id": 1, "vocab": listed, "byte_fallback": byte_fallback}
    return Unigram(described(model, ["<s>", "<unk>"], {"<s>": 0, "<unk>": 1}, "WhitespaceSplit"))


def assert_same(change: VocabChange, lines: list[str]) -> None:
    """Check that words keep their pieces, ids their order, and that no piece is fresh."""
    old, new = change.old, change.new
    for line in lines:
        words = old.words(line)
        assert new.words(line) == words
        assert [new.segment(w) for w in words] == [old.segment(w) for w in words]
        assert [change.kept[i] for i in new.encode(line)] == old.encode(line)
    assert change.fresh == ()
    assert [old.pieces[i] for i in change.kept.values()] == list(new.pieces)
    assert list(change.kept) == list(range(len(new.pieces)))
    assert sorted(change.kept.values()) == list(change.kept.values())
    assert set(old.special) == set(new.special)


# By hand ------------------------------------------------------------------------------------------


def test_a_wordpiece_keeps_what_its_words_use_and_their_characters():
    old = WordPiece([*SPECIAL, "[unused1]", "a", "##a", "b", "##b", "ab", "##ab", "aba", "c"])
    change = prune.change(old, ["ab aab", "ab"])
    assert change.new.pieces == (*SPECIAL, "a", "##a", "b", "##b", "ab", "##ab")
    assert change.kept == {i: i if i < 5 else i + 1 for i in range(11)}


def test_a_dead_end_remains_a_dead_end():
    """abcd is a ##bc and then unknown; without ##bc it would be a ##b ##cd."""
    old = WordPiece([*SPECIAL, "a", "##b", "##cd", "##bc", "##x"])
    change = prune.change(old, ["abcd"])
    assert old.segment("abcd") == change.new.segment("abcd") == ["[UNK]"]
    assert change.new.pieces == (*SPECIAL, "a", "##b", "##bc")
    assert old.with_pieces([*SPECIAL, "a", "##b", "##cd"]).segment("abcd") != ["[UNK]"]


def test_special_pieces_in_the_text_split_words():
    old = WordPiece([*SPECIAL, "<s>", *"abs<>", "##a", "##b", "a##b"], special=["<s>", "[UNK]"])
    assert_same(prune.change(old, ["a<s>b"]), ["a<s>b"])
    old = WordPiece([*SPECIAL, "S", *"abc", "##a", "##b", "bc", "##Sbc"], special=["S", "[UNK]"])
    assert_same(prune.change(old, ["aSbc"]), ["aSbc"])


def test_a_bpe_keeps_the_merges_that_produce_its_pieces():
    """abcd is merged from ab and abc; cd and bcd are not needed for any used piece."""
    merges = [["a", "b"], ["c", "d"], ["ab", "c"], ["b", "cd"], ["abc", "d"]]
    old = bpe([*"abcde", "ab", "cd", "abc", "bcd", "abcd"], merges)
    assert old.segment("abc") == ["abc"]
    change = prune.change(old, ["abc"])
    assert change.new.pieces == ("<unk>", *"abc", "ab", "abc", "<m>")
    assert change.new.described["model"]["merges"] == [["a", "b"], ["ab", "c"]]
    assert change.new.described["added_tokens"][0]["id"] == 6


def test_a_piece_matched_as_a_whole_word_needs_no_merges():
    old = bpe([*"abc", "ab", "abc", "bc"], [["b", "c"], ["a", "b"]], ignore_merges=True)
    change = prune.change(old, ["abc"])
    assert change.new.pieces == ("<unk>", *"abc", "abc", "<m>")
    assert_same(change, ["abc", "abc abc"])


def test_a_unigram_keeps_the_lowest_score_because_the_unknown_score_depends_on_it():
    """xyz is xy z at -120, or unknown + yz at -211; without q, the latter would be at -71."""
    scores = {"xy": -60.0, "z": -60.0, "yz": -1.0}
    old = unigram(scores | {"q": -200.0})
    assert old.segment("xyz") == ["xy", "z"]
    assert unigram(scores).segment("xyz") == ["<unk>", "yz"]
    change = prune.change(unigram(scores | {"q": -200.0, "x": -9.0}), ["yz"])
    assert change.new.pieces == ("<s>", "<unk>", "z", "yz", "q")
    assert_same(prune.change(old, ["xyz yz"]), ["xyz yz"])


def test_pieces_that_no_merge_produces_are_kept():
    old = bpe([*"ab", "<|end|>", "ab"], [["a", "b"]])
    assert "<|end|>" in prune.change(old, ["a"]).new.ids


def test_a_corpus_without_words_and_a_min_count_of_0_are_refused():
    old = WordPiece([*SPECIAL, "a"])
    with pytest.raises(DataError, match="expected a corpus with words"):
        prune.change(old, [" "])
    with pytest.raises(UsageError, match="expected a min_count of 1 or more, got 0"):
        prune.change(old, ["a"], min_count=0)


# By brute force -----------------------------------------------------------------------------------

LINES = st.lists(st.text("abcd  ", max_size=12), min_size=1, max_size=4)
PIECES = st.lists(st.text("abc", min_size=1, max_size=4), unique=True, max_size=14)
BYTES = ["<0x61>", "<0x62>", "<0x63>", "<0x64>"]
NOT_EMPTY = LINES.filter(lambda lines: "".join(lines).strip())


@st.composite
def wordpieces(draw: st.DrawFn) -> WordPiece:
    inside = [f"##{piece}" for piece in draw(PIECES)]
    return WordPiece([*SPECIAL, *draw(PIECES), *inside], max_chars=draw(st.sampled_from([5, 100])))


@st.composite
def bpes(draw: st.DrawFn) -> BPE:
    """Pieces over some characters, by merges of existing pieces, possibly two for one piece."""
    letters = draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1))
    pieces, merges = list(letters), []
    for _ in range(draw(st.integers(0, 12))):
        pair = [draw(st.sampled_from(pieces)) for _ in range(2)]
        if pair not in merges:
            merges.append(pair)
        pieces = list(dict.fromkeys([*pieces, "".join(pair)]))
    flags = {name: draw(st.booleans()) for name in ("ignore_merges", "fuse_unk", "byte_fallback")}
    pieces += BYTES if flags["byte_fallback"] else []
    return bpe(draw(st.permutations(pieces)), merges, **flags)


@st.composite
def unigrams(draw: st.DrawFn) -> Unigram:
    byte_fallback = draw(st.booleans())
    pieces = draw(PIECES.filter(bool)) + (BYTES if byte_fallback else [])
    scores = {piece: draw(st.sampled_from([-0.5, -1.0, -2.0, -30.0])) for piece in pieces}
    return unigram(scores, byte_fallback=byte_fallback)


@settings(max_examples=40)
@given(st.one_of(wordpieces(), bpes(), unigrams()), NOT_EMPTY)
def test_every_word_of_the_text_has_the_same_pieces(old: Vocabulary, lines: list[str]) -> None:
    change = prune.change(old, lines)
    assert_same(change, lines)
    used = {p for line in lines for word in old.words(line) for p in old.segment(word)}
    assert used <= set(change.new.pieces)


@settings(max_examples=20)
@given(bpes())
def test_each_word_needs_its_own_pieces_only(old: BPE) -> None:
    for word in map("".join, product("abcd", repeat=4)):
        found = old.segment(word)
        assert old.restricted({*found, *"abcd"}).segment(word) == found


@settings(max_examples=40)
@given(st.one_of(wordpieces(), bpes(), unigrams()), NOT_EMPTY, st.integers(2, 4))
def test_no_word_becomes_unknown_when_rare_pieces_are_dropped(
    old: Vocabulary, lines: list[str], least: int
) -> None:
    new = prune.change(old, lines, min_count=least).new
    counts: Counter[str] = Counter()
    for word in (word for line in lines for word in old.words(line)):
        found = old.segment(word)
        counts.update(found)
        assert old.unk in found or new.unk not in new.segment(word)
    assert {piece for piece, n in counts.items() if n >= least} <= set(new.pieces)


def test_rare_pieces_are_dropped_unless_a_word_depends_on_them():
    old = WordPiece([*SPECIAL, *"abc", "##a", "##b", "ab", "abc"])
    change = prune.change(old, ["ab abc", "a"], min_count=2)
    assert change.new.pieces == (*SPECIAL, *"abc", "##a", "##b", "abc")  # without ##c
    assert change.new.segment("ab") == ["a", "##b"]


def test_toy_text_keeps_its_segmentation(vocabulary: WordPiece, toy) -> None:
    lines = latin(toy.corpus)[:150]
    change = prune.change(vocabulary, lines)
    assert len(change.new.pieces) < len(vocabulary.pieces)
    assert_same(change, lines)
    rarer = prune.change(vocabulary, lines, min_count=20)
    assert len(rarer.new.pieces) < len(change.new.pieces)


@pytest.mark.parametrize("name", ["gpt2", "t5", "bert-base-multilingual-cased"])
def test_real_vocabularies_segment_real_text_as_before(data: Path, name: str) -> None:
    lines = (Path(__file__).parents[2] / "README.md").read_text("utf-8").splitlines()
    change = prune.change(read_vocabulary(data / "vocab" / name), lines)
    assert len(change.new.pieces) < 3000
    assert_same(change, lines)


# In files and models ------------------------------------------------------------------------------


def latin(corpus: Path) -> list[str]:
    return [to_latin(line) for line in open_corpus(CorpusFiles((str(corpus),)))]


@pytest.mark.parametrize(
    "old",
    [
        WordPiece([*SPECIAL, "[unused1]", *"abc", "##a", "##b", "ab", "abc"]),
        bpe([*"abcd", "ab", "cd", "abc"], [["a", "b"], ["c", "d"], ["ab", "c"]]),
        unigram({"a": -1.0, "b": -1.5, "ab": -1.7, "c": -9.0, "abc": -2.0}),
    ],
    ids=["WordPiece", "BPE", "Unigram"],
)
def test_every_library_reads_a_pruned_tokenizer_alike(old: Vocabulary, tmp_path: Path) -> None:
    write_vocabulary(old, tmp_path / "old")
    old = read_vocabulary(tmp_path / "old")
    new = prune.change(old, ["ab b"]).new
    assert len(new.pieces) < len(old.pieces)
    write_vocabulary(new, tmp_path / "new", source=tmp_path / "old")
    again = read_vocabulary(tmp_path / "new")
    assert (again.pieces, again.special) == (new.pieces, new.special)
    text = "ab aab abb" + old.special[-1]
    loaded = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert loaded.encode(text, add_special_tokens=False) == again.encode(text) == new.encode(text)
    assert len(loaded) == len(new.pieces)


@pytest.fixture(params=["base_folder", "bert_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def padded(folder: Path, out: Path, rows: int) -> Path:
    """Return the model of ``folder`` with ``rows`` rows more than pieces."""
    base = load_checkpoint(folder)
    base.model.resize_token_embeddings(len(base.vocabulary.pieces) + rows, mean_resizing=False)
    save_model(base.model, base.vocabulary, out, source=folder)
    return out


@pytest.mark.parametrize("rows", [0, 13])
def test_a_pruned_model_gives_kept_pieces_the_same_logits(
    folder: Path, rows: int, toy, tmp_path: Path
) -> None:
    folder = padded(folder, tmp_path / "padded", rows)
    base = load_checkpoint(folder)
    with torch.no_grad():  # distinct rows and bias entries
        output_bias(base.model).normal_()
    before = snapshot(base.model)
    change = prune.change(base.vocabulary, latin(toy.corpus)[:20])
    kept = list(change.kept.values())
    assert kept != list(change.kept)
    text = latin(toy.corpus)[3]
    new_ids = torch.tensor([change.new.encode(f"[CLS] {text} [MASK] [SEP] [PAD]")])
    old_ids = torch.tensor([[change.kept[i] for i in new_ids[0].tolist()]])
    with torch.no_grad():
        expected = base.model(input_ids=old_ids).logits[..., kept]
    install(base.model, change, subwords.init(before, change, []))
    verify_installed(base.model, change, before, folder)
    save_model(base.model, change.new, tmp_path / "new", source=folder)

    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "new").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "new")
    table = model.get_input_embeddings()
    assert torch.equal(table.weight, before.input[kept])
    assert torch.equal(output_bias(model), before.bias[kept])
    assert model.get_output_embeddings().weight is table.weight
    with torch.no_grad():
        torch.testing.assert_close(model(input_ids=new_ids).logits, expected)
    assert model.config.vocab_size == len(tokenizer) == len(change.new.pieces)
    assert model.config.pad_token_id == table.padding_idx == change.new.ids["[PAD]"]


def test_ids_in_the_configuration_follow_their_pieces(
    vocabulary: WordPiece, tmp_path: Path
) -> None:
    special = [p for p in vocabulary.pieces if p not in vocabulary.special]
    old = vocabulary.with_pieces([*special, *vocabulary.special])  # at the end, as in ModernBERT
    save_model(new_modernbert(old, framing_of(old), seed=0, **SHAPE), old, tmp_path / "old")
    base = load_checkpoint(tmp_path / "old")
    base.model.config.unk_token_id = old.ids["[unused1]"]  # a piece that is dropped
    base.model.config.eos_token_id = [old.ids["[SEP]"], old.ids["[MASK]"]]
    before = snapshot(base.model)
    change = prune.change(old, ["ev su"])
    install(base.model, change, subwords.init(before, change, []))
    new = change.new.ids
    config, table = base.model.config, base.model.get_input_embeddings()
    assert config.pad_token_id == table.padding_idx == new["[PAD]"] < old.ids["[PAD]"]
    assert config.cls_token_id == new["[CLS]"]
    assert config.unk_token_id is None
    assert config.eos_token_id == [new["[SEP]"], new["[MASK]"]]
    config.eos_token_id = new["[SEP]"]
    save_model(base.model, change.new, tmp_path / "new", source=tmp_path / "old")
    assert (
        load_checkpoint(tmp_path / "new").model.get_input_embeddings().padding_idx == new["[PAD]"]
    )


def test_a_model_that_counts_positions_from_its_padding_keeps_its_id() -> None:
    old = WordPiece(["x", *SPECIAL, "a", "b"])
    config = RobertaConfig(
        vocab_size=8, max_position_embeddings=20, pad_token_id=old.ids["[PAD]"], **SHAPE
    )
    model = RobertaForMaskedLM(config)
    moving = prune.change(old, ["a"])
    rows = subwords.init(tables(model), moving, [])
    with pytest.raises(UsageError, match="is 1 and would be 0"):
        install(model, moving, rows)
    assert model.config.vocab_size == 8
    staying = prune.change(old, ["a x"])
    install(model, staying, rows)
    assert model.config.vocab_size == len(staying.new.pieces) == 7
