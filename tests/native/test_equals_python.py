"""The native operators equal the Python reference for any text and number of threads."""

import gzip
import os
import signal
import unicodedata
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocab_oracle import hard_text

from specialize.augment import char_first, greedy, tva
from specialize.corpus import count_lines, open_corpus, token_counts
from specialize.corpus.files import read_lines
from specialize.corpus.token_counts import count_files
from specialize.errors import DataError, UsageError
from specialize.native import TokenCounts
from specialize.vocab.audit.audit import audit
from specialize.vocab.audit.coverage import coverage, explain
from specialize.vocab.counting.words import count_tokens, count_words, split_tokens
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.characters import missing_characters
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules
from specialize.vocab.wordpiece.replacements import count_replacements

UNCASED = BertRules(strip_accents=True, lowercase=True)
RULES = [BertRules(), UNCASED, BertRules(clean=False), BertRules(ideographs=False)]
RULES += [BertRules(lowercase=True), BertRules(strip_accents=True)]
THREADS = ["1", "2", "5"]
pytestmark = pytest.mark.usefixtures("extension")


def both(compute: Callable[[], Any], workers: str = "1") -> tuple[Any, Any]:
    """Compute with the reference, then with the extension in the given number of threads."""
    results = []
    for wanted in "01":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SPECIALIZE_NATIVE", wanted)
            patch.setenv("SPECIALIZE_THREADS", workers)
            results.append(compute())
    return results[0], results[1]


def pairs(counts: Any) -> list[tuple[str, int]]:
    return list(counts.items())


@given(st.lists(hard_text(), max_size=5), st.sampled_from(RULES), st.sampled_from(THREADS))
def test_words_and_white_space_tokens_equal_the_reference(
    lines: list[str], rules: BertRules, workers: str
) -> None:
    def compute() -> Any:
        split = split_tokens(count_lines(lines).tokens, rules, SPECIAL)
        parts = (split.words, split.special, split.deleted, count_words(lines, rules))
        return [*map(pairs, parts), pairs(count_tokens(lines, rules))]

    defined, native = both(compute, workers)
    if rules.strip_accents:  # tokens of the fallback come last here
        defined[1:3], native[1:3] = map(sorted, defined[1:3]), map(sorted, native[1:3])
    assert native == defined


@cache
def every_character() -> list[str]:
    """Tokens with every character in them, as lines.

    Most characters are of categories without rules of their own: 30 of these share a token.
    """
    characters = [chr(c) for c in (*range(0xD800), *range(0xE000, 0x110000))]
    many = [c for c in characters if unicodedata.category(c) in ("Lo", "So", "Cn", "Co")]
    single = sorted({*characters}.difference(many))
    assert len(single) > 10_000
    texts = [*single, *("".join(many[i : i + 30]) for i in range(0, len(many), 30))]
    tokens = [f"a{text}B{i:x}" for i, text in enumerate(texts)]
    return [" ".join(tokens[i : i + 2_000]) for i in range(0, len(tokens), 2_000)]


@pytest.mark.parametrize("rules", RULES, ids=str)
def test_every_character_between_letters(rules: BertRules) -> None:
    defined, native = both(lambda: dict(count_words(every_character(), rules)))
    assert native == defined


LETTERS = "abcde"
SMALL = WordPiece([*SPECIAL, *LETTERS[:4], *("##" + c for c in LETTERS[1:]), "ab", "##bcd", "abc"])
word = st.text(LETTERS + "fş", min_size=1, max_size=8)


@given(st.dictionaries(word, st.integers(1, 30), max_size=25), st.sampled_from(THREADS))
def test_audit_replacements_and_examples_equal_the_reference(
    counts: dict[str, int], workers: str
) -> None:
    lines = [" ".join([text] * n) for text, n in counts.items()]
    change = SMALL.place(["e", "##f", "bc", "##de", "abcd"], slots=False)

    def compute() -> Any:
        words = count_words(lines)
        found = asdict(audit(SMALL, lines))
        sums = [count_replacements(words, change.old, change.new)]
        sums += [count_replacements(count_tokens(lines), change.old, change.new)]
        sums += [count_replacements(counts, change.old, change.new)]
        sums += [
            count_replacements(units, change.old, change.new, overall=False)
            for units in (words, count_tokens(lines))
        ]
        assert not sums[-1].overall
        orders = [(pairs(s.replaced), pairs(s.overall)) for s in sums]
        curves = [coverage(change, words, steps=n) for n in (1, 3, 30)]
        return found, pairs(found["missing"]), orders, explain(change, words), curves

    defined, native = both(compute, workers)
    assert native == defined


MARKED = ["[MASK]", "[UNK]", "[unk]", "\u200d", "\ufffd", "\x1c", "."]
FORMS = ["E\u0301", "é", "Σ", "ΑΣ", "ſ", "世"]
joined = st.lists(st.sampled_from([*LETTERS, *MARKED, *FORMS]) | word, min_size=1, max_size=9).map(
    "".join
)


@given(
    st.lists(st.lists(joined, max_size=6).map(" ".join), max_size=6),
    st.sampled_from(RULES),
    st.sampled_from(THREADS),
)
def test_sums_over_tokens_equal_the_reference_for_any_concatenation(
    lines: list[str], rules: BertRules, workers: str
) -> None:
    """Words shared by several tokens, some unknown; some tokens need the fallback."""
    by = WordPiece([*SMALL.pieces, "é", "e\u0301", "[", "]", "unk", "##σ"], rules=rules)
    new = by.with_pieces([*by.pieces, "ш", "##ш", "##ı", "世", "abcd", "σ"])

    def compute() -> Any:
        found = asdict(audit(by, lines))
        words, table = count_words(lines, rules), count_words(lines, rules)
        assert len(table) == len(set(table))  # built now, so this table is counted
        sums = [count_replacements(counts, by, new) for counts in (words, table)]
        assert sums[0] == sums[1]
        orders = [(pairs(s.replaced), pairs(s.overall)) for s in sums]
        return found, pairs(found["missing"]), sorted(found["deleted"].items()), orders

    defined, native = both(compute, workers)
    assert native == defined


@given(st.lists(hard_text(), max_size=5), st.sampled_from(RULES[:4]))
def test_text_that_needs_the_fallback_gives_the_same_audit_and_replacements(
    lines: list[str], rules: BertRules
) -> None:
    old = WordPiece(SMALL.pieces, rules=rules)
    new = WordPiece([*SMALL.pieces, "ш", "##ш", "é", "e\u0301", "世", "##\u0301", "."], rules=rules)

    def compute() -> Any:
        found = asdict(audit(old, lines))
        sums = [count_replacements(f(lines, rules), old, new) for f in (count_words, count_tokens)]
        orders = [(pairs(s.replaced), pairs(s.overall)) for s in sums]
        return found, pairs(found["missing"]), orders

    defined, native = both(compute)
    assert native == defined


def test_pieces_follow_the_order_of_given_counts() -> None:
    counts = {"\u200bab": 1, "c": 1}  # deleted at the start: "ab" begins three bytes into its token
    defined, native = both(lambda: pairs(count_replacements(counts, SMALL, SMALL).overall))
    assert native == defined == [("ab", 1), ("c", 1)]


@given(
    st.dictionaries(st.text("abşд#", min_size=1, max_size=12), st.integers(1, 9), max_size=40),
    st.integers(8, 60),
    st.integers(1, 4),
    st.integers(1, 6),
    st.booleans(),
    st.sampled_from(["##", ""]),
)
def test_training_equals_the_reference(
    counts: dict[str, int], size: int, least: int, alphabet: int, closed: bool, prefix: str
) -> None:
    def compute() -> list[str] | str:
        try:
            return train_wordpiece(
                counts,
                size=size,
                special=["[UNK]", "ab"],
                min_count=least,
                alphabet=alphabet,
                closed=closed,
                prefix=prefix,
            )
        except UsageError as error:
            return str(error)

    defined, native = both(compute)
    assert native == defined


chosen_word = st.text("abcşдw世", min_size=1, max_size=9)


@given(
    st.dictionaries(chosen_word, st.integers(1, 9), min_size=1, max_size=30),
    st.sampled_from([SMALL, WordPiece([*SPECIAL, *"abc", "##a", "##b", "##c", "##bc", "ab"])]),
    st.integers(1, 3),
    st.sampled_from(THREADS),
)
def test_selection_equals_the_reference(
    counts: dict[str, int], old: WordPiece, least: int, workers: str
) -> None:
    lines = [" ".join([text] * n) for text, n in counts.items()]

    def compute() -> Any:
        few = {"min_count": least, "pieces": 50, "new_vocabulary": 60}
        changes = [char_first.change(old, lines, **few, fill=fill) for fill in (False, True)]
        changes += [greedy.change(old, lines, **few), tva.change(old, lines, **few)]
        return [(change.fresh_pieces, change.dropped) for change in changes]

    defined, native = both(compute, workers)
    assert native == defined


def test_a_word_equal_to_a_slot_name_has_no_missing_characters() -> None:
    old = WordPiece([*SPECIAL, "[unused1]", "a", "##a"])
    words = {"[unused1]": 2, "[MASK]": 1, "aş": 1}

    def compute() -> list[str]:
        return list(missing_characters(old, words))

    assert both(compute) == (["##ş"], ["##ş"])


def test_an_unknown_piece_made_of_letters() -> None:
    """unk is a word of the text, and always the unknown piece."""
    old = WordPiece(["unk", *"abunk", *("##" + c for c in "abunk")], unk="unk", special=["unk"])
    new = old.with_pieces([*old.pieces, "##c", "##nk"])
    counts = {"unk": 2, "abc": 3, "ab": 4, "aunk": 5}

    def compute() -> Any:
        found = count_replacements(count_words([" ".join(counts)]), old, new)
        return pairs(found.replaced), pairs(found.overall)

    defined, native = both(compute)
    assert native == defined


def test_a_word_that_contains_the_prefix_itself() -> None:
    """xa is both the continuing piece a and a word; the alphabet has no x."""
    old = WordPiece([*SPECIAL, "a", "xa"], prefix="x")
    new = old.with_pieces([*old.pieces, "x", "b"])

    def compute() -> Any:
        words = count_words(["xa a xab b"])
        sums = [count_replacements(words, old, new, overall=overall) for overall in (True, False)]
        return [(pairs(found.replaced), pairs(found.overall)) for found in sums]

    defined, native = both(compute)
    assert native == defined
    assert defined[1] == ([("b", 1)], [])


def test_words_at_the_length_limit_are_segmented_alike() -> None:
    vocabulary = WordPiece([*SPECIAL, "ш", "##ш"])
    lines = ["ш" * 100 + " " + "ш" * 101, "\u200d" + "ш" * 100]
    defined, native = both(lambda: audit(vocabulary, lines))
    assert native == defined
    assert native.unknown_words == 1


ENDS = ["\n", "\r\n", "\r", "\n\n", " \n", "\u00a0\n", "\n\u3000", "\x1c\n\x0b", "\n\u2028\r"]


@given(st.lists(st.tuples(hard_text(), st.sampled_from(ENDS)), max_size=8), st.booleans())
def test_files_count_as_their_stripped_lines(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str]], marked: bool
) -> None:
    text = "".join(line + end for line, end in parts).replace("\0", "") + "x"
    path = tmp_path_factory.mktemp("text") / "a.txt"
    path.write_bytes(("\ufeff" * marked + text).encode())

    def compute() -> Any:
        counts = open_corpus(str(path)).counts()
        return pairs(count_words(counts)), counts.characters, counts.bytes

    defined, native = both(compute)
    assert native == defined


@given(
    st.lists(
        st.lists(st.tuples(hard_text(), st.sampled_from(["", *ENDS])), max_size=6).map(
            lambda parts: "".join(line + end for line, end in parts)
        ),
        max_size=3,
    ),
    st.booleans(),
    st.integers(1, 20),
    st.sampled_from(THREADS),
)
def test_files_read_in_blocks_of_any_size_equal_the_reference(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    marked: bool,
    block: int,
    workers: str,
) -> None:
    """Block ends fall into tokens, characters, CR LF and byte order marks; NUL is an error."""
    folder = tmp_path_factory.mktemp("text")
    paths = [folder / f"{i}.txt" for i in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(("\ufeff" * marked + text).encode())

    def compute() -> Any:
        try:
            counts = count_files(paths)
        except DataError as error:
            return str(error)
        return pairs(counts.tokens), counts.characters, counts.bytes

    with (
        mock.patch.object(token_counts, "_CACHED", block),
        mock.patch.object(token_counts, "_SHARED", 1),
        mock.patch.object(token_counts, "BLOCK", block + 2),  # holds a byte order mark
    ):
        defined, native = both(compute, workers)
    assert native == defined
    assert isinstance(native, str) == any("\0" in text for text in texts)


def test_a_directory_cannot_be_read(tmp_path: Path) -> None:
    file = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(IsADirectoryError):
        TokenCounts().feed_file(file, size=0, block=8)
    os.close(file)


@pytest.mark.parametrize("ends", [True, False])
def test_a_signal_during_reading_is_handled(ends: bool) -> None:
    """Its handler ends the text, or raises."""
    reader, writer = os.pipe()
    os.write(writer, b"a b ")
    tokens = TokenCounts()

    def handle(*_: object) -> None:
        os.close(writer)
        if not ends:
            raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with nullcontext() if ends else pytest.raises(KeyboardInterrupt):
            assert tokens.feed_file(reader, size=0, block=3)
            assert tokens == {"a": 1, "b": 1}
    finally:
        signal.signal(signal.SIGALRM, former)
        os.close(reader)


def test_an_error_of_the_writer_is_raised() -> None:
    tokens = TokenCounts()
    tokens.feed(b"a b a", whole=True)

    def full(_: bytes) -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        tokens.write(full)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("workers", THREADS)
def test_a_long_file_counts_the_same_in_threads_and_blocks(
    tmp_path: Path, suffix: str, workers: str
) -> None:
    lines = [f"{i % 97} ئا{i % 1013} b{i}é\t{i % 7}" for i in range(120_000)]
    data = ("\n".join(lines)).encode()
    path = tmp_path / f"a.txt{suffix}"
    path.write_bytes(gzip.compress(data, 1) if suffix else data)

    def compute() -> Any:
        counts = count_files([path])
        return pairs(counts.tokens), counts.characters, counts.bytes

    defined, native = both(compute, workers)
    assert native == defined


def test_a_last_line_without_line_end_and_white_space_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("ئاب" * 400_000, "utf-8")
    defined, native = both(lambda: audit(SMALL, open_corpus(str(path))))
    assert native == defined


def test_invalid_utf8_is_reported_with_its_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a b\nc d\n" + b"x" * 3_000_000 + b"\ne \xff f\n")
    monkeypatch.setenv("SPECIALIZE_NATIVE", "1")
    with pytest.raises(DataError, match=r"a\.txt:4: not UTF-8 \(byte 0xff at column 3\)"):
        count_files([path])


def test_types_that_fill_many_blocks_of_memory() -> None:  # 64 KiB a block, 64 partitions
    text = " ".join(f"{i}{'x' * (i % 50)}" for i in range(250_000))
    tokens = TokenCounts()
    for _ in range(2):
        tokens.feed(text.encode(), whole=True)
    assert tokens == dict.fromkeys(text.split(), 2)
    assert list(tokens) == text.split()


FAULTY = [
    "c080",
    "c1bf",
    "e09fbf",
    "eda080",
    "f08fbfbf",
    "f4908080",
    "f5808080",
    "80",
    "e4b8",
    "ff",
]
some_bytes = st.sampled_from([*map(bytes.fromhex, FAULTY), *(c.encode() for c in "aé世\U0010ffff")])


@given(st.lists(some_bytes | st.binary(max_size=40), max_size=9), st.sampled_from([b"", b" "]))
def test_text_that_is_not_utf8_is_detected_and_refused(parts: list[bytes], between: bytes) -> None:
    tokens = TokenCounts()
    tokens.feed(between.join(parts), whole=True)
    try:
        text = between.join(parts).decode()
    except UnicodeDecodeError:
        assert not tokens.valid()
        with pytest.raises(ValueError, match="expected UTF-8"):
            split_tokens(tokens)
    else:
        assert tokens.valid()
        assert pairs(split_tokens(tokens).words) == pairs(count_words([text]))


def test_real_text_of_eighty_languages_counts_the_same(data: Path) -> None:
    vocabulary = WordPiece(SMALL.pieces)
    files = sorted((data / "raw").rglob("*.txt.xz"))
    assert len(files) > 60
    for path in files:
        lines = [line.strip() for _, line in islice(read_lines(path), 60)]

        def compute(lines: list[str] = lines) -> Any:
            return audit(vocabulary, lines), pairs(count_words(lines, UNCASED))

        defined, native = both(compute)
        assert native == defined, path


@pytest.mark.parametrize("longest", [2**32 + 1, 2**64 - 1])
def test_a_limit_of_characters_beyond_32_bits_is_no_limit(longest: int) -> None:
    vocabulary = WordPiece([*SPECIAL, "a", "##b"], max_chars=longest)
    defined, native = both(lambda: audit(vocabulary, ["ab abb", "b"]).to_json())
    assert native == defined
    assert native["unknown_words"] == 1
