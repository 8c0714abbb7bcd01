"""Auxiliary vectors: trained once, or read from a file of pieces or of words."""

from pathlib import Path
from random import Random

import pytest
import torch
from changed_vocabularies import MODELS, checkpoint
from tiny_models import NEW, SHAPES, change_of, write_tokenizer

from specialize.augment import replace
from specialize.embed import _auxiliary
from specialize.embed._auxiliary import auxiliary, file_vectors
from specialize.embed._initialise import initialise
from specialize.errors import DataError
from specialize.progress import Silent
from specialize.recipe.methods import bind
from specialize.vocab.base import VocabChange
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "a", "b", "ab", "##a", "##b"])
CHANGE = OLD.place(["aab", "##bb"])
TEXT = ["aab ab a", "abb bbb ab", "b aab abb"] * 9
PLAN = {"vectors": None, "limit": 1000, "width": 4, "epochs": 1, "seed": 1}


def test_vectors_are_of_pieces_in_the_new_segmentation_that_occur_five_times() -> None:
    found = auxiliary(CHANGE, [*TEXT, "ba"], **PLAN)
    assert found.places == (0, 1)
    assert {OLD.pieces[i] for i in found.old} == {"a", "b", "ab", "##b"}
    assert found.fresh_KD.shape == (2, 4)
    assert found.old_OD.shape == (4, 4)


def test_a_change_that_keeps_no_piece_of_the_text_is_refused() -> None:
    new = WordPiece([*SPECIAL, "aab", "abb", "##bb"])
    kept = {i: i for i in range(len(SPECIAL))}
    change = VocabChange(OLD, new, kept, tuple(range(len(SPECIAL), len(new.pieces))))
    with pytest.raises(DataError, match="kept pieces with an auxiliary vector, got none; give"):
        auxiliary(change, ["aab abb"] * 9, **PLAN)


def test_the_text_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_auxiliary, "_LINES", 1)
    lines = iter(TEXT)
    found = _auxiliary.encoded(CHANGE.new, lines, 4)
    assert [len(ids) for ids in found] == [3, 5]
    assert len([*lines]) == len(TEXT) - 2


def test_methods_with_the_same_text_and_settings_train_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def counted(*given: object, **options: object) -> torch.Tensor:
        calls.append(options["seed"])
        return cbow(*given, **options)

    cbow = _auxiliary.cbow
    monkeypatch.setattr(_auxiliary, "cbow", counted)
    monkeypatch.setattr(_auxiliary, "_trained", {})
    for seed, text in ((1, TEXT), (1, iter(TEXT)), (2, TEXT), (1, TEXT), (1, TEXT[1:])):
        auxiliary(CHANGE, text, **PLAN | {"seed": seed})
    assert calls == [1, 2, 1]


def test_steps_are_smaller_where_vectors_diverge(monkeypatch: pytest.MonkeyPatch) -> None:
    batches, said = [], []

    class Noted(Silent):
        def say(self, text: str) -> None:
            said.append(text)

    def diverging(lines: object, words: list[str], *, batch: int, **rest: object) -> torch.Tensor:
        batches.append(batch)
        return torch.full((len(words), 4), [torch.nan, 1e9, 1.0][len(batches) - 1])

    monkeypatch.setattr(_auxiliary, "cbow", diverging)
    monkeypatch.setattr(_auxiliary, "_trained", {})
    found = auxiliary(CHANGE, TEXT, **PLAN, log=Noted())
    assert found.fresh_KD.tolist() == [[1] * 4] * 2
    assert batches == [128, 32, 8]
    assert said[1] == "vectors diverged in steps of 32 (longest: 2e+09); trained in smaller ones"


@pytest.mark.parametrize("method", ["focus", "knn", "ridge", "omp"])
@pytest.mark.parametrize("family", MODELS)
def test_rows_from_text_are_the_same_for_any_number_of_threads(family: str, method: str) -> None:
    base, rng, found = checkpoint(family, False, 3), Random(1), []
    words = ["".join(rng.choices("abcdef", k=5)) for _ in range(900)]
    text = [" ".join(words[start : start + 30]) for start in range(0, 900, 30)]
    change = replace.change(base.vocabulary, text, pieces=290, min_count=1)
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            _auxiliary._trained.clear()
            torch.manual_seed(threads)
            rows = initialise(bind("embed", method, {"width": 9}), base, change, text, seed=2)
            found.append(rows)
    finally:
        torch.set_num_threads(before)
    first, second = found
    assert any("mixed" in s or "regression" in s or "copied" in s for s in first.sources)
    for name in ("input", "output", "bias"):
        assert torch.equal(getattr(first, name), getattr(second, name))
    assert first.sources == second.sources


def test_a_file_of_pieces_has_the_vector_of_each(tmp_path: Path) -> None:
    file = tmp_path / "pieces.vec"
    file.write_text("4 2\nab 1 2\n##bb 3 4\n##a 5 6\nother 7 8\n", "utf-8")
    found = auxiliary(CHANGE, [], **PLAN | {"vectors": file})
    assert found.places == (1,)
    assert found.fresh_KD.tolist() == [[3, 4]]
    assert {OLD.pieces[i]: v for i, v in zip(found.old, found.old_OD.tolist(), strict=True)} == {
        "ab": [1, 2],
        "##a": [5, 6],
    }


def test_of_a_file_of_words_a_piece_has_the_mean_of_those_that_contain_it(tmp_path: Path) -> None:
    """Weighted by 1 / rank, once a word, in its role."""
    file = tmp_path / "words.vec"
    file.write_text("4 2\nabb 3 0\naabb 0 3\nbbb 6 0\nabbbb 0 4\n", "utf-8")
    ids, vectors = file_vectors(CHANGE.new, file)
    found = {CHANGE.new.pieces[i]: v for i, v in zip(ids, vectors.tolist(), strict=True)}
    assert found.keys() == {"ab", "aab", "##b", "##bb", "b"}
    assert found["aab"] == [0, 3]
    assert found["b"] == [6, 0]
    assert found["ab"] == pytest.approx([3 / 1.25, 1 / 1.25])  # ab ##b, and ab ##bb ##b
    assert found["##bb"] == pytest.approx([6 / 3 / (1 / 3 + 1 / 4), 4 / 4 / (1 / 3 + 1 / 4)])


@pytest.mark.parametrize("name", ["electra", "roberta", "xlm-r"])
def test_words_of_a_file_are_segmented_as_in_a_sentence(name: str, tmp_path: Path) -> None:
    write_tokenizer(SHAPES[name], tmp_path)
    change = change_of(read_vocabulary(tmp_path), SHAPES[name])
    file = tmp_path / "words.vec"
    file.write_text("3 2\ncab 1 2\nfade 3 4\nabc 5 6\n", "utf-8")
    ids, vectors = file_vectors(change.new, file)
    found = {change.new.pieces[i]: v for i, v in zip(ids, vectors.tolist(), strict=True)}
    fresh = next(piece for piece in NEW[SHAPES[name].family] if piece.endswith("cab"))
    assert found[fresh] == [1, 2]


def test_control_pieces_have_no_vector(tmp_path: Path) -> None:
    file = tmp_path / "pieces.vec"
    file.write_text("4 2\n[SEP] 1 2\n##bb 3 4\n[UNK] 5 6\nb 7 8\n", "utf-8")
    found = auxiliary(CHANGE, [], **PLAN | {"vectors": file})
    assert [OLD.pieces[i] for i in found.old] == ["b"]
