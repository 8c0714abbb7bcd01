"""Distillation: the states of old pieces are approached, the model is left as it was."""

from pathlib import Path

import pytest
import torch
from tiny_models import FRESH_WORDS, SHAPES, change_of, write_model

from specialize.augmentation import augment_tokenizer
from specialize.embed import distilled, mean, subwords
from specialize.embed._initialise import initialise
from specialize.errors import UsageError
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.recipe.methods import bind, describe
from specialize.toylang import ToyFiles, to_latin
from specialize.vocab.base import VocabChange

TEXT = ["cab ab a dab", "ab cabab fab cab", "bad cab ab"] * 4
PLAN = {"steps": 40, "batch": 4, "rate": 0.1}


def loaded(name: str, folder: Path, **options: object) -> tuple[Checkpoint, VocabChange]:
    base = load_checkpoint(write_model(name, folder / name, **options))
    return base, change_of(base.vocabulary, SHAPES[name])


def error(base: Checkpoint, change: VocabChange, rows: torch.Tensor) -> float:
    lines = distilled.encoded(change.new, TEXT, 1000)
    windows = list(distilled._windows(change, base.framing, lines))
    with torch.no_grad():
        return float(distilled._loss(base.model, base.framing, windows, rows))


@pytest.mark.parametrize("name", ["roberta", "xlm-r", "electra", "deberta-own-head", "modernbert"])
def test_states_come_nearer_to_those_of_the_old_pieces(name: str, tmp_path: Path) -> None:
    base, change = loaded(name, tmp_path, tied=False)
    before = {key: value.clone() for key, value in base.model.state_dict().items()}
    start = subwords.init(tables(base.model), change, TEXT, seed=1)
    rows = initialise(bind("embed", "distilled", PLAN), base, change, TEXT, seed=1)
    assert error(base, change, rows.input) < 0.8 * error(base, change, start.input)
    assert torch.equal(rows.bias, start.bias)
    assert rows.output is start.output is None or torch.equal(rows.output, start.output)
    after = base.model.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert all(parameter.grad is None for parameter in base.model.parameters())
    shown = rows.sources[change.fresh_pieces.index(fresh_of(name))]
    assert shown.startswith("distilled from ")


def fresh_of(name: str) -> str:
    mark = {"WordPiece": "", "BPE": "Ġ", "Unigram": "▁"}[SHAPES[name].family]
    return mark + FRESH_WORDS[SHAPES[name].family]


def test_pieces_without_old_ones_or_occurrences_stay_as_they_begin(tmp_path: Path) -> None:
    base, change = loaded("electra", tmp_path)  # cab, ##ab, zz: z was never a piece
    begun = mean.init(tables(base.model), change, TEXT, seed=2)
    method = bind("embed", "distilled", PLAN | {"start": "mean"})
    rows = initialise(method, base, change, [*TEXT, "zz"], seed=2)
    assert torch.equal(rows.input[2], begun.input[2])
    assert not torch.equal(rows.input[0], begun.input[0])
    assert rows.sources == (
        "distilled from c, ##a, ##b",
        "distilled from ##a, ##b",
        begun.sources[2],
    )
    assert rows.unmatched == begun.unmatched - {0, 1}


def test_old_pieces_in_place_of_fresh_ones_have_no_error(tmp_path: Path) -> None:
    """A fresh piece of one old piece, with that piece's row, gives the same states."""
    base, _ = loaded("electra", tmp_path)
    change = base.vocabulary.place(["cab"])
    line = distilled.encoded(change.new, ["cab a"], 9)
    (window,) = distilled._windows(change, base.framing, line)
    prefix, suffix = base.framing.prefix, base.framing.suffix
    ids = [base.vocabulary.ids[p] for p in ("c", "##a", "##b", "a")]
    assert window.old_O.tolist() == [*prefix, *ids, *suffix]
    assert window.owner_O.tolist() == [0, 1, 1, 1, 2, 3]
    assert window.fresh_N.tolist() == [-1, 0, -1, -1]
    states = torch.arange(12.0).reshape(1, 6, 2)
    owner = torch.from_numpy(window.owner_O)[None]
    means = distilled._means(states, owner, owner >= 0, 4)
    assert means[0].tolist() == [[0, 1], [4, 5], [8, 9], [10, 11]]


def test_the_seed_alone_decides_the_rows(tmp_path: Path) -> None:
    base, change = loaded("modernbert", tmp_path)
    method, found = bind("embed", "distilled", PLAN | {"steps": 5}), []
    threads = torch.get_num_threads()
    try:
        for count, disturbed, seed in ((1, 0, 1), (2, 7, 1), (1, 0, 2)):
            torch.set_num_threads(count)
            torch.manual_seed(disturbed)
            found.append(initialise(method, base, change, TEXT, seed=seed).input)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_the_model_and_the_log_are_no_options() -> None:
    assert {"start", "steps"} < {*describe("embed", "distilled").options}
    assert not {"checkpoint", "log"} & {*describe("embed", "distilled").options}


def test_methods_within_others_get_the_model_too(tmp_path: Path) -> None:
    base, change = loaded("electra", tmp_path)
    blended = bind("embed", "blend", {"of": ["mean", {"method": "distilled", **PLAN}]})
    rows = initialise(blended, base, change, TEXT, seed=1)
    assert "distilled: distilled from " in rows.sources[0]


def test_without_the_model_it_names_what_it_needs(tmp_path: Path) -> None:
    base, change = loaded("electra", tmp_path)
    with pytest.raises(UsageError, match="needs the model, got only its tables"):
        distilled.init(tables(base.model), change, TEXT)


def test_an_augmented_model_is_given_to_the_method(
    base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    embed = {"method": "distilled", "steps": 2, "batch": 2}
    text = [to_latin(line) for line in toy.corpus.read_text("utf-8").splitlines()]
    augment_tokenizer(base_folder, text, "extend", {"pieces": 20}, tmp_path / "out", embed=embed)
    pieces = (tmp_path / "out" / "pieces.tsv").read_text("utf-8").splitlines()
    assert any(line.split("\t")[-1].startswith("distilled from ") for line in pieces)
