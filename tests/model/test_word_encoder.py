"""Sentences of words as rows of pieces: frames, parts of long sentences, words without letters."""

from pathlib import Path

import pytest
import torch
from tiny_models import BERT, SHAPES, framing_of, write_tokenizer

from specialize.errors import UsageError
from specialize.model.load import load_checkpoint
from specialize.model.word_encoder import WordEncoder, check_length
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

CPU = torch.device("cpu")
LETTERS = WordPiece([*SPECIAL, "a", "##a"])  # 0 [PAD], 1 [UNK], 2 [CLS], 3 [SEP], 5 a, 6 ##a


def encoder(length: int = 16) -> WordEncoder:
    return WordEncoder(LETTERS, framing_of(LETTERS), length=length)


def test_a_batch_of_two_sentences_by_hand() -> None:
    batch = encoder().batch([["aa", "a"], ["a"]], CPU)
    assert batch.ids_RL.tolist() == [[2, 5, 6, 5, 3], [2, 5, 3, 0, 0]]
    assert batch.real_RL.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch.mean_RKL.tolist() == [
        [[0, 0.5, 0.5, 0, 0], [0, 0, 0, 1, 0]],
        [[0, 1, 0, 0, 0], [0, 0, 0, 0, 0]],
    ]
    assert batch.place_BW.tolist() == [[0, 1], [2, 0]]
    assert batch.mask_BW.tolist() == [[True, True], [True, False]]


def test_a_long_sentence_takes_several_rows_cut_between_words() -> None:
    batch = encoder(length=5).batch([["a", "aa", "aa", "a"], ["a"]], CPU)
    assert batch.ids_RL.tolist() == [[2, 5, 5, 6, 3], [2, 5, 6, 5, 3], [2, 5, 3, 0, 0]]
    assert batch.place_BW.tolist() == [[0, 1, 2, 3], [4, 0, 0, 0]]
    assert batch.mask_BW.sum() == 5


def test_a_word_longer_than_a_row_is_cut_and_its_neighbours_stay_whole() -> None:
    batch = encoder(length=5).batch([["a", "aaaaaaa", "a"]], CPU)
    assert batch.ids_RL.tolist() == [[2, 5, 3, 0, 0], [2, 5, 6, 6, 3], [2, 5, 3, 0, 0]]
    assert batch.mean_RKL[1, 0].tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0])
    assert batch.place_BW.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("name", ["bert", "roberta", "xlm-r"])
def test_words_emptied_by_a_mix_in_or_the_normaliser_keep_their_place(
    name: str, tmp_path: Path
) -> None:
    write_tokenizer(SHAPES[name], tmp_path)
    vocabulary = read_vocabulary(tmp_path)
    words = WordEncoder(
        vocabulary,
        framing_of(vocabulary, SHAPES[name].names),
        length=16,
        mix=lambda word: word.replace("x", ""),
    )
    batch = words.batch([["ab", "x", "\u200b", "c"]], CPU)
    assert batch.mask_BW.tolist() == [[True] * 4]
    assert (batch.mean_RKL.sum(-1) > 0.99).tolist() == [[True] * 4]
    plain = WordEncoder(vocabulary, words.framing, length=16).batch([["ab", "c"]], CPU)
    first, last = plain.mean_RKL[0] > 0
    assert batch.ids_RL[0][batch.mean_RKL[0, 0] > 0].tolist() == plain.ids_RL[0][first].tolist()
    assert batch.ids_RL[0][batch.mean_RKL[0, 3] > 0].tolist() == plain.ids_RL[0][last].tolist()


def test_pieces_are_those_of_the_tokenizer_on_the_whole_sentence(tiny: Path) -> None:
    from transformers import AutoTokenizer

    base = load_checkpoint(tiny)
    sentence = ["ab", "cab", "fee", "d"]
    batch = WordEncoder(base.vocabulary, base.framing, length=20).batch([sentence], CPU)
    expected = AutoTokenizer.from_pretrained(tiny)(" ".join(sentence))["input_ids"]
    assert batch.ids_RL.tolist() == [expected]


def test_a_sentence_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    words, calls = encoder(), []
    encode = LETTERS.encode_words

    def counted(sentence: list[str]) -> list[list[int]]:
        calls.append(sentence)
        return encode(sentence)

    monkeypatch.setattr(LETTERS, "encode_words", counted)
    first = words.batch([["a", "aa"], ["a"]], CPU)
    again = words.batch([["a"], ["a", "aa"]], CPU)
    assert calls == [["a", "aa"], ["a"]]
    assert torch.equal(first.ids_RL.flip(0), again.ids_RL)


def test_sizes_count_the_frames_of_every_row() -> None:
    assert encoder(length=5).sizes([["a", "aa", "aa", "a"], ["a"]]) == [5 + 5, 3]


def test_lengths_beyond_the_positions_are_refused() -> None:
    framing = framing_of(LETTERS, BERT, positions=512)
    check_length("lapt.length", 512, framing)
    message = "finetune.length = 600, but the model has 512 positions; lower it"
    with pytest.raises(UsageError, match=f"^{message}$"):
        WordEncoder(LETTERS, framing, length=600)
    with pytest.raises(UsageError, match=r"lapt\.length = 2, but 2 special pieces frame a text"):
        check_length("lapt.length", 2, framing)
