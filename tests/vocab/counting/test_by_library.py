"""Counting by types of units equals counting by the library, line by line."""

import json
import random
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from any_lines import any_line
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from specialize.corpus import open_corpus
from specialize.native import core
from specialize.vocab.audit.audit import audit_library
from specialize.vocab.counting.by_library import count_by_library, count_text
from specialize.vocab.counting.separable import PATTERNS, unsafe, until_map
from specialize.vocab.formats.gpt2 import read_gpt2
from specialize.vocab.library import read_tokenizer


def made_text() -> list[str]:
    """Lines of made words, some of them ending as English ones do, to train on."""
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdst", k=draw.randint(1, 7))) for _ in range(300)]
    words += [
        word + tail for word in words[:60] for tail in ("'s", "'ll", ",", ".", "12", "é", "ۋا")
    ]
    return [" ".join(draw.choices(words, k=12)) for _ in range(300)]


TEXT = made_text()
BYTES = pre_tokenizers.ByteLevel.alphabet()


def byte_level(pre: Any, **settings: Any) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(**settings))
    tokenizer.pre_tokenizer = pre
    trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=BYTES, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.add_special_tokens(["<s>", AddedToken("<mask>", lstrip=True)])
    return tokenizer


def split(pattern: str, behavior: str, *, invert: bool = False) -> pre_tokenizers.PreTokenizer:
    rest = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    cut = pre_tokenizers.Split(Regex(pattern), behavior, invert=invert)
    return pre_tokenizers.Sequence([cut, rest])


def unigram(pre: Any, normalizer: Any = None, *, mark: AddedToken | None = None) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    trainer = trainers.UnigramTrainer(
        vocab_size=250, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.add_special_tokens([mark or AddedToken("<mask>", lstrip=True)])
    return tokenizer


def t5_normalizer(*before: Any) -> normalizers.Normalizer:
    rest = (normalizers.Strip(left=False), normalizers.Replace(Regex(" {2,}"), "▁"))
    return normalizers.Sequence([*before, *rest])


def spm_normalizer(*before: Any, begin: bool = False) -> normalizers.Normalizer:
    ends = ["[ \u2581]+\\z", *["\\A +"] * begin]
    steps = [
        normalizers.Replace(Regex(" {2,}"), " "),
        *(normalizers.Replace(Regex(e), "") for e in ends),
    ]
    return normalizers.Sequence([*before, *steps])


def llama2(pieces: tuple[str, ...] = ()) -> Tokenizer:
    """Merges within words; all bytes are pieces, as unknown characters fall back to them."""
    alphabet = ["<unk>", "<s>", "</s>", *(f"<0x{b:02X}>" for b in range(256)), *"▁abcdst12é"]
    merges = [("▁", "a"), ("a", "b"), ("▁a", "b"), ("▁", "▁"), ("b", "a"), ("s", "t"), *pieces]
    names = list(dict.fromkeys([*alphabet, *("".join(pair) for pair in merges)]))
    vocab = {piece: i for i, piece in enumerate(names)}
    model = models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def joined(normalizer: Any, pre: Any) -> Tokenizer:
    """Llama 2's pieces with words joined by other parts."""
    tokenizer = llama2()
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre
    return tokenizer


def without_unknown(tokenizer: Tokenizer) -> Tokenizer:
    described = json.loads(tokenizer.to_str())
    described["model"] |= {"unk_token": None, "byte_fallback": False}
    return Tokenizer.from_str(json.dumps(described))


KNOWN = {
    "GPT-2": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "marks": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "RoBERTa": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), unk_token="<s>"),
    "Llama 3": byte_level(split(PATTERNS[1], "isolated"), ignore_merges=True),
    "StarCoder": byte_level(
        pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
        )
    ),
    **{f"pattern {i}": byte_level(split(p, "isolated")) for i, p in enumerate(PATTERNS)},
    "cl100k, converted": byte_level(split(PATTERNS[1], "removed", invert=True)),
    "cl100k, NFC": byte_level(split(PATTERNS[1], "isolated")),
    "XLM-R": unigram(
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
        t5_normalizer(normalizers.Nmt(), normalizers.NFKC()),
    ),
    "T5": unigram(pre_tokenizers.Metaspace(), t5_normalizer(normalizers.NFKC())),
    "first": unigram(pre_tokenizers.Metaspace(prepend_scheme="first"), normalizers.NFC()),
    "never": unigram(pre_tokenizers.Metaspace(prepend_scheme="never")),
    "uncased": unigram(
        pre_tokenizers.Metaspace(),
        normalizers.Sequence(
            [
                normalizers.Replace("``", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Replace("\u200c", ""),
            ]
        ),
    ),
    "T5's marks": unigram(
        pre_tokenizers.Metaspace(),
        t5_normalizer(),
        mark=AddedToken("<extra_id_0>", lstrip=True, rstrip=True, normalized=False),
    ),
    "Llama 2": llama2(),
    "Llama 2, as transformers 5 writes it": joined(
        None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    ),
    "Gemma": joined(
        normalizers.Replace(" ", "▁"), pre_tokenizers.Split(" ", "merged_with_previous")
    ),
    "characters dropped": without_unknown(llama2()),
    "SentencePiece": unigram(  # as a .model is read
        pre_tokenizers.Metaspace(prepend_scheme="first"),
        spm_normalizer(normalizers.NFKC()),
    ),
    "SentencePiece, spaces removed at both ends": unigram(
        pre_tokenizers.Metaspace(prepend_scheme="never"),
        spm_normalizer(normalizers.NFKC(), begin=True),
    ),
}
KNOWN["cl100k, NFC"].normalizer = normalizers.NFC()
KNOWN["RoBERTa"].post_processor = processors.ByteLevel(trim_offsets=True)
KNOWN["marks"].add_tokens([AddedToken("xy yx", normalized=False), "  "])


def ordered(counts: dict[str, Any]) -> dict[str, Any]:
    return counts | {name: list(counts[name].items()) for name in ("missing", "deleted")}


@pytest.mark.parametrize("wanted", ["0", "1"])
@given(lines=st.lists(any_line(), max_size=6), name=st.sampled_from(sorted(KNOWN)))
def test_counting_types_equals_counting_lines(wanted, lines, name):
    if wanted == "1" and not core():
        pytest.skip("the native extension is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_NATIVE", wanted)
        patch.setenv("SPECIALIZE_THREADS", "3")
        found, reason = count_text(KNOWN[name], lines)
    assert ordered(found) == ordered(count_by_library(KNOWN[name], lines)), (name, reason)


def test_words_that_leave_nothing_but_their_marks_are_counted_by_lines():
    """As ``▁3`` without a piece for 3: its mark merges with that of the next word."""
    found, reason = count_text(KNOWN["characters dropped"], ["3 1"])
    assert (found["words"], reason) == (1, "no pre-tokeniser")


@pytest.mark.parametrize("name", sorted(KNOWN.keys() - {"characters dropped"}))
def test_plain_text_is_counted_by_types(name):
    prepending = ("Llama 2", "SentencePiece, spaces removed at both ends")
    special = [] if name in prepending else ["<s> <s>d", "st b <mask> a"]
    lines = ["b's c d, 12345.", *special]
    found, reason = count_text(KNOWN[name], lines)
    assert reason == ""
    assert ordered(found) == ordered(count_by_library(KNOWN[name], lines))


def test_the_space_prepended_to_a_text_is_counted():
    found = count_text(KNOWN["RoBERTa"], ["\t"])[0]
    assert found == count_by_library(KNOWN["RoBERTa"], ["\t"])


def changed(name: str, **parts: Any) -> Tokenizer:
    """Return a known tokenizer with parts of its tokenizer.json replaced."""
    return Tokenizer.from_str(json.dumps(json.loads(KNOWN[name].to_str()) | parts))


def replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
UNKNOWN = [
    changed("T5", pre_tokenizer=None),
    changed("T5", pre_tokenizer=METASPACE),
    changed("T5", pre_tokenizer={"type": "UnicodeScripts"}),
    changed("GPT-2", pre_tokenizer={"type": "Digits", "individual_digits": True}),
    changed("T5", normalizer={"type": "Strip", "strip_left": True, "strip_right": True}),
    changed("T5", normalizer=replace({"Regex": "a b"}, "c")),
    changed("T5", normalizer=replace({"String": "a b"}, "c")),
    changed("T5", normalizer=replace({"String": "a"}, "")),
    changed("T5", normalizer=replace({"String": "b"}, " ")),
    llama2((("a", "▁"),)),
]


@pytest.mark.parametrize("tokenizer", UNKNOWN, ids=range(len(UNKNOWN)))
def test_tokenizers_that_look_across_cuts_fall_back_to_the_library(tokenizer):
    lines = ["a b c", "b ab"]
    found, reason = count_text(tokenizer, lines)
    assert reason
    assert found == count_by_library(tokenizer, lines)


def test_added_tokens_that_absorb_the_next_space_fall_back_to_the_library():
    plain, written = ["a b"], ["a <extra_id_0> b"]
    assert count_text(KNOWN["T5's marks"], plain)[1] == ""
    assert "'<extra_id_0>' in the text" in count_text(KNOWN["T5's marks"], written)[1]


def test_added_tokens_followed_by_a_prepended_mark_fall_back_to_the_library():
    """In <s> a, the mark is put before the space: ▁▁a."""
    assert "'<s>' in the text" in count_text(KNOWN["Llama 2"], ["<s> a"])[1]


def test_lines_of_an_iterator_fall_back_to_the_library():
    found, reason = count_text(KNOWN["GPT-2"], iter(["a b"]))
    assert reason == "lines read once"
    assert found["words"] == 2


def test_the_audit_reports_which_counter_was_used(tmp_path):
    KNOWN["T5"].save(str(tmp_path / "tokenizer.json"))
    found = audit_library(read_tokenizer(tmp_path / "tokenizer.json"), ["a b"])
    assert (found.counted_by, found.why_library) == ("types", "")
    UNKNOWN[0].save(str(tmp_path / "tokenizer.json"))
    facts = audit_library(read_tokenizer(tmp_path / "tokenizer.json"), ["a b"]).to_json()
    assert (facts["counted_by"], facts["why_library"]) == ("library", "no pre-tokeniser")


# Real vocabularies --------------------------------------------------------------------------------


def fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the fields of a protocol buffer message: their numbers and bytes."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, bytes([number() & 255])
            continue
        size = {1: 8, 5: 4}.get(key & 7) or number()
        yield key >> 3, message[at : at + size]
        at += size


@pytest.fixture(scope="module")
def t5(data: Path) -> Callable[[], Tokenizer]:
    """The real T5 as its tokenizer.json has it, behind a call, as it is long when printed."""
    pieces, charsmap = [], b""
    for number, value in fields((data / "vocab" / "t5" / "spiece.model").read_bytes()):
        if number == 1:
            piece = dict(fields(value))
            pieces.append((piece[1].decode(), struct.unpack("<f", piece[2])[0]))
        elif number == 3:
            charsmap = dict(fields(value))[2]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.normalizer = t5_normalizer(normalizers.Precompiled(charsmap))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.add_special_tokens([f"<extra_id_{i}>" for i in range(3)])
    return lambda: tokenizer


@settings(max_examples=10)
@given(lines=st.lists(any_line(), max_size=60))
def test_counting_types_equals_counting_lines_under_t5(t5, lines):
    found, reason = count_text(t5(), lines)
    assert ordered(found) == ordered(count_by_library(t5(), lines)), reason


def test_a_map_to_a_space_at_a_unit_boundary_falls_back_to_the_library(t5):
    described = json.loads(t5().to_str())
    assert until_map(described) == [described["normalizer"]["normalizers"][0]]
    assert unsafe(lambda text: text.replace("b", " "), ["ab", " c"]) == "b"
    assert unsafe(lambda text: text.replace("\u0600", ""), ["ab", " c"]) == "\u0600"
    assert unsafe(lambda text: text, ["ab", " c"]) == ""


REAL = ["other/wo-lafand", "other/mhr-constitution", "other/he-leipzig_sample"]
REAL += ["common_voice/th", "common_voice/ckb", "common_voice/zh", "other/ur-leipzig_sample"]


@pytest.mark.parametrize("name", REAL)
def test_real_text_under_gpt2_and_t5(data, t5, name, monkeypatch):
    corpus = open_corpus(str(data / "raw" / f"{name}.txt.xz"))
    lines = list(islice(corpus, 300))
    for tokenizer in (read_gpt2(data / "vocab" / "gpt2"), t5()):
        expected = ordered(count_by_library(tokenizer, lines))
        for wanted in "01" if core() else "0":
            monkeypatch.setenv("SPECIALIZE_NATIVE", wanted)
            found, reason = count_text(tokenizer, lines)
            assert reason == ""
            assert ordered(found) == expected
