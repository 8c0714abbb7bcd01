"""Vocabularies written to a folder: the files of each format, named as they are."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sentencepiece import SentencePieceTrainer
from tokenizers_made import gpt2_like, latin, llama3_like, xlmr_like

from specialize.vocab.bpe.model import BPE
from specialize.vocab.formats.gpt2 import write_gpt2
from specialize.vocab.marks import byte_letters
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.write import write_vocabulary

TWO = ["tokenizer.json", "tokenizer_config.json"]


def wordpiece(folder: Path) -> Path:
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, "a", "##b"]), "utf-8")
    return folder / "vocab.txt"


def tokenizer_json(folder: Path) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps(xlmr_like()), "utf-8")
    return folder


def gpt2(folder: Path) -> Path:
    write_gpt2(gpt2_like()["model"], folder)
    return folder


def sentencepiece(folder: Path) -> Path:
    with (folder / "spm.model").open("wb") as out:
        SentencePieceTrainer.train(
            sentence_iterator=iter(latin()), model_writer=out, vocab_size=200, minloglevel=2
        )
    return folder / "spm.model"


def ranks(folder: Path) -> Path:
    import base64

    table = {letter: byte for byte, letter in enumerate(byte_letters())}
    pieces = [p for p in BPE(llama3_like()).pieces if all(letter in table for letter in p)]
    tokens = (base64.b64encode(bytes(table[letter] for letter in p)).decode() for p in pieces)
    lines = [f"{token} {rank}" for rank, token in enumerate(tokens)]
    (folder / "small.tiktoken").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "small.tiktoken"


FORMATS: dict[Callable[[Path], Path], list[str]] = {
    wordpiece: ["vocab.txt"],
    tokenizer_json: [],
    gpt2: ["vocab.json", "merges.txt"],
    sentencepiece: ["spm.model"],
    ranks: ["small.tiktoken"],
}


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
def test_the_files_of_the_source_are_written_and_named(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    source = make(tmp_path)
    vocabulary = read_vocabulary(source)
    names = write_vocabulary(vocabulary, tmp_path / "new", source=source)
    assert names == [*TWO, *FORMATS[make]]
    assert {file.name for file in (tmp_path / "new").iterdir()} == {*names}
    again = read_vocabulary(tmp_path / "new")
    assert again.pieces == vocabulary.pieces
    for line in latin()[:20]:
        assert again.encode(line) == vocabulary.encode(line)


def test_where_pieces_have_gone_no_file_of_another_format_is_written(tmp_path: Path) -> None:
    source = sentencepiece(tmp_path)
    vocabulary = read_vocabulary(source)
    fewer = vocabulary.restricted(vocabulary.base_pieces("abcdefghijklmnopqrstuvwxyz"))
    assert len(fewer.pieces) < len(vocabulary.pieces)
    assert write_vocabulary(fewer, tmp_path / "new", source=source) == TWO


def test_other_vocabularies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected a vocabulary of this package, got str"):
        write_vocabulary("no vocabulary", tmp_path)  # type: ignore[arg-type]


def test_a_bare_wordpiece_is_written_with_its_rules(tmp_path: Path) -> None:
    vocabulary = WordPiece([*SPECIAL, "a", "##b"])
    assert write_vocabulary(vocabulary, tmp_path) == [*TWO, "vocab.txt"]
    assert (tmp_path / "vocab.txt").read_text("utf-8").splitlines() == [*SPECIAL, "a", "##b"]
