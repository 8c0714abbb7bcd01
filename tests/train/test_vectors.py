"""A base of word vectors: of a file, of a text, what recipes may not ask for."""

from math import nan
from pathlib import Path

import pytest
import torch

from specialize.errors import DataError, UsageError
from specialize.model.load import load_checkpoint
from specialize.pipeline.pretrain import pretrain
from specialize.train import vectors
from specialize.train.vectors import Vectors

FILE = "4 2\nla 1 2\ndon't 3 4\ncasa 5 6 \nla 7 8\n"
SMALL = {"hidden_size": 4, "num_hidden_layers": 1, "vector_size": 6}
TEXT = "la casa è bella .\nil cane è nella casa !\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "it.vec").write_text(FILE, "utf-8")
    return tmp_path / "it.vec"


def from_text(tmp_path: Path, **options: object) -> Vectors:
    text = tmp_path / "it.txt"
    text.write_text(TEXT * 30, "utf-8")
    return Vectors("bilstm", {"it": (str(text),)}, **SMALL | options)


def test_a_file_of_vectors_becomes_a_base(file: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(
        pretrain(Vectors("bilstm", vectors=str(file), hidden_size=4), tmp_path / "out")
    )
    assert checkpoint.vocabulary.pieces == ("[PAD]", "[UNK]", "la", "casa")
    rows = checkpoint.model.get_input_embeddings().weight
    assert rows.tolist() == [[0, 0], [3, 4], [1, 2], [5, 6]]


def test_a_text_becomes_a_base_of_its_frequent_words(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(pretrain(from_text(tmp_path, pieces=5), tmp_path / "out"))
    assert checkpoint.vocabulary.pieces == ("[PAD]", "[UNK]", "casa", "è", "!")
    assert checkpoint.vocabulary.encode_words(["la", "casa"]) == [[1], [2]]
    assert checkpoint.model.get_input_embeddings().weight.shape == (5, 6)


def test_the_same_recipe_gives_the_same_files(tmp_path: Path) -> None:
    first, second = (pretrain(from_text(tmp_path), tmp_path / name) for name in "ab")
    for path in sorted(path.name for path in first.iterdir()):
        assert (first / path).read_bytes() == (second / path).read_bytes(), path


def test_vectors_that_diverge_are_trained_in_smaller_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverging(_: object, words: list[str], *, batch: int, **__: object) -> torch.Tensor:
        return torch.full((len(words), 6), 600.0 if batch > 64 else float(batch) / 64)

    monkeypatch.setattr(vectors, "skipgram", diverging)
    model = load_checkpoint(pretrain(from_text(tmp_path), tmp_path / "out")).model
    assert model.get_input_embeddings().weight[-1].unique().tolist() == [1.0]


def test_vectors_that_diverge_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        vectors, "skipgram", lambda _, words, **__: torch.full((len(words), 6), nan)
    )
    with pytest.raises(DataError, match=r"diverged, in steps of 64 too; .* vectors = \"FILE\""):
        pretrain(from_text(tmp_path), tmp_path / "out")
    assert not (tmp_path / "out" / "model").exists()


def test_another_bilstm_has_the_same_vectors(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = load_checkpoint(pretrain(from_text(tmp_path), out)).model
    stages = len(list(out.glob("stages/*/stage.json")))
    second = load_checkpoint(pretrain(from_text(tmp_path, hidden_size=8, highway=True), out)).model
    assert len(list(out.glob("stages/*/stage.json"))) == stages + 1
    rows = [m.get_input_embeddings().weight for m in (first, second)]
    assert torch.equal(*rows)


def test_what_a_recipe_cannot_mean_is_refused(file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="got neither"):
        Vectors("bilstm")
    with pytest.raises(UsageError, match="got both"):
        from_text(tmp_path, vectors=str(file))
    with pytest.raises(UsageError, match="even hidden_size"):
        from_text(tmp_path, hidden_size=5)
    with pytest.raises(UsageError, match="expected pieces of at least 3"):
        from_text(tmp_path, pieces=2)
    with pytest.raises(DataError, match="words that occur 99 times, got none"):
        pretrain(from_text(tmp_path, min_count=99), tmp_path / "out")
