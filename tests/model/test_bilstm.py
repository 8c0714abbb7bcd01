"""A BiLSTM over word vectors as a model: states, padding, saving, transformers' Auto classes."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from specialize.model.bilstm import BiLSTMForMaskedLM, new_bilstm, register
from specialize.model.language_model import hidden_size, layers, tables
from specialize.model.load import load_checkpoint, save_model
from specialize.vocab.wordpiece.model import WordPiece

VECTORS = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
SIZES = {"hidden_size": 4, "lstm_layers": 2, "highway": False, "dropout": 0.5}


def model(**sizes: object) -> BiLSTMForMaskedLM:
    return new_bilstm(VECTORS, pad=0, seed=1, **SIZES | sizes).eval()


def states(of: BiLSTMForMaskedLM, ids: list[list[int]], real: list[list[int]]) -> torch.Tensor:
    (found,) = layers(of, torch.tensor(ids), torch.tensor(real))
    return found


@pytest.mark.parametrize("highway", [False, True])
def test_padding_changes_nothing(highway: bool) -> None:
    made = model(highway=highway)
    alone = states(made, [[2, 3]], [[1, 1]])
    padded = states(made, [[2, 3, 0, 0], [4, 2, 2, 3]], [[1, 1, 0, 0], [1, 1, 1, 1]])
    assert alone.shape == (1, 2, 4)
    assert torch.allclose(alone[0], padded[0, :2], atol=1e-6)


def test_states_are_those_of_torchs_stacked_lstm() -> None:
    made = model()
    stacked = torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for i, layer in enumerate(made.bilstm.layers):
            for direction, suffix in ((layer.ahead, ""), (layer.back, "_reverse")):
                for name, weight in direction.named_parameters():
                    getattr(stacked, name.replace("_l0", f"_l{i}{suffix}")).copy_(weight)
    expected, _ = stacked(VECTORS[[2, 4, 1]][None])
    assert torch.allclose(states(made, [[2, 4, 1]], [[1, 1, 1]]), expected, atol=1e-6)


def test_a_highway_adds_to_the_layers() -> None:
    ids = [[2, 4, 1]]
    assert not torch.allclose(
        states(model(), ids, [[1] * 3]), states(model(highway=True), ids, [[1] * 3])
    )


def test_dropout_is_one_mask_a_sequence_and_only_in_training() -> None:
    made = model()
    dropped = made.bilstm.train()._dropped(torch.ones(2, 6, 50))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()
    assert (dropped[0] != dropped[1]).any()
    assert (made.bilstm.eval()._dropped(torch.ones(2, 6, 50)) == 1).all()


def test_a_seed_gives_the_same_weights_and_leaves_the_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, second = model().state_dict(), model().state_dict()
    assert torch.rand(1) == expected
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_bfloat16_leaves_the_recurrence_in_float32() -> None:
    made = model()
    expected = states(made, [[2, 4, 1]], [[1] * 3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(states(made, [[2, 4, 1]], [[1] * 3]), expected)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(model(), WordPiece(["[PAD]", "[UNK]", "un", "deux", "trois"]), tmp_path / "saved")
    return tmp_path / "saved"


def test_a_saved_model_is_a_checkpoint_like_any_other(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    assert torch.equal(tables(checkpoint.model).input, VECTORS)
    assert tables(checkpoint.model).output is None
    assert hidden_size(checkpoint.model) == 4
    assert checkpoint.framing.mask is None
    assert (checkpoint.framing.prefix, checkpoint.framing.suffix) == ((), ())
    expected = states(model(), [[2, 3]], [[1, 1]])
    assert torch.equal(states(checkpoint.model, [[2, 3]], [[1, 1]]), expected)


def test_transformers_reads_it_once_it_is_registered(folder: Path) -> None:
    register()
    register()
    ids = AutoTokenizer.from_pretrained(folder)("deux, trois deuxx", return_tensors="pt")
    assert ids["input_ids"].tolist() == [[3, 1, 4, 1]]
    encoder = AutoModel.from_pretrained(folder)
    full = AutoModelForMaskedLM.from_pretrained(folder)
    assert torch.equal(encoder(ids["input_ids"])[0], full.bilstm(ids["input_ids"])[0])
    assert full(**ids).logits.shape == (1, 4, 5)
