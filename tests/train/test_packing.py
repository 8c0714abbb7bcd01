"""Packing: documents in order, one prefix per sequence, a suffix after each document."""

import tracemalloc
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from framings import bert, xlmr
from tokenizers_made import latin, lines_in, xlmr_like

from specialize.errors import UsageError
from specialize.train import packing
from specialize.train.packing import PADDING, Sequences, pack, read_ids, write_ids
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

TINY = WordPiece([*SPECIAL, "a", "b", "c", "##a", "##b", "##c"])
PAD, _, CLS, SEP, MASK, A, B, C = range(8)


def reference(
    vocabulary: Vocabulary, framing: Framing, documents: Iterable[Sequence[str]], length: int
) -> list[list[int]]:
    """The same, one line after the other."""
    stream: list[int] = []
    for lines in documents:
        ids = [i for line in lines for i in vocabulary.encode(line)]
        stream += [*ids, *framing.separator] if ids else []
    room = length - len(framing.prefix)
    bodies = [stream[start : start + room] for start in range(0, len(stream), room)]
    return [[*framing.prefix, *body, *[PADDING] * (room - len(body))] for body in bodies]


def test_documents_are_packed_in_order_with_a_separator_after_each() -> None:
    packed = pack(TINY, bert(TINY), [["a b", "c"], ["b"]], 4)
    assert packed.tolist() == [[CLS, A, B, C], [CLS, SEP, B, SEP]]


def test_only_the_last_sequence_is_padded() -> None:
    packed = pack(TINY, bert(TINY), [["a b c"]], 4)
    assert packed.tolist() == [[CLS, A, B, C], [CLS, SEP, PADDING, PADDING]]
    assert pack(TINY, bert(TINY), [], 4).shape == (0, 4)


def test_documents_without_a_piece_leave_no_separator() -> None:
    documents = [[""], ["a"], [], ["\u200b\0"], ["b"]]
    assert pack(TINY, bert(TINY), documents, 5).tolist() == [[CLS, A, SEP, B, SEP]]


def test_a_tokenizer_without_special_pieces_around_a_text_adds_none() -> None:
    bare = Framing((), (), PAD, MASK, frozenset({PAD, MASK}), 512)
    assert pack(TINY, bare, [["a b"], ["c"]], 2).tolist() == [[A, B], [C, PADDING]]
    ending = replace(bare, end=SEP)
    assert pack(TINY, ending, [["a b"], ["c"]], 2).tolist() == [[A, B], [SEP, C], [SEP, PADDING]]


@pytest.mark.parametrize("block", [1, 2, 3, 4096])
def test_sequences_do_not_depend_on_how_many_lines_are_encoded_at_once(
    block: int, vocabulary: WordPiece, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_BLOCK", block)
    unigram = Unigram(xlmr_like())
    lines = [*lines_in("Latin")[:20], "", *lines_in("toy")[:5]]
    documents = [lines[:1], lines[1:9], [], lines[9:]]
    for family, framing in ((vocabulary, bert(vocabulary)), (unigram, xlmr(unigram))):
        packed = pack(family, framing, documents, 16)
        assert packed.dtype == np.int32
        assert packed.tolist() == reference(family, framing, documents, 16)


def test_a_length_without_room_for_text_is_refused() -> None:
    with pytest.raises(UsageError, match="no room"):
        pack(TINY, bert(TINY), [["a"]], 1)


@pytest.mark.parametrize("vocabulary", [TINY, Unigram(xlmr_like())])
def test_a_long_line_is_packed_like_others(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [["a b c", " ".join(latin()), "c"], ["b a"]]
    framing = bert(vocabulary) if vocabulary is TINY else xlmr(vocabulary)
    whole = pack(vocabulary, framing, documents, 20)
    monkeypatch.setattr(packing, "LONGEST", 100)
    assert pack(vocabulary, framing, documents, 20).tolist() == whole.tolist()
    assert whole.tolist() == reference(vocabulary, framing, documents, 20)


def test_a_file_of_ids_is_cut_into_the_same_sequences_for_any_length(tmp_path: Path) -> None:
    documents = [["a b", "c"], ["b"], ["c c c a"]]
    count = write_ids(TINY, bert(TINY), documents, tmp_path / "ids")
    assert (tmp_path / "ids").stat().st_size == 4 * count
    for length in (2, 4, 7, 100):
        sequences = Sequences(read_ids(tmp_path / "ids"), (CLS,), length)
        expected = pack(TINY, bert(TINY), documents, length)
        assert len(sequences) == len(expected)
        items = np.arange(len(expected))[::-1]
        assert sequences[items].tolist() == expected[items].tolist()


def test_a_text_without_a_piece_is_a_file_without_sequences(tmp_path: Path) -> None:
    assert write_ids(TINY, bert(TINY), [[""]], tmp_path / "ids") == 0
    assert len(Sequences(read_ids(tmp_path / "ids"), (CLS,), 4)) == 0


def test_writing_ids_takes_no_more_memory_for_more_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "_BLOCK", 64)

    def peak(documents: int) -> int:
        tracemalloc.start()
        write_ids(
            TINY, bert(TINY), (["a b c a b c"] * 20 for _ in range(documents)), tmp_path / "i"
        )
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(20)
    assert peak(200) < 1.5 * peak(40)
