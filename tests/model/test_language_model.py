"""Logits at positions, states after layers, and tables, for every shape of model."""

from pathlib import Path

import pytest
import torch
from tiny_models import SHAPES, random_model, write_model
from torch import nn
from transformers import AutoModelForMaskedLM

from specialize.model.language_model import (
    FULL,
    choose_head,
    head_of,
    hidden_size,
    layer_count,
    layers,
    logits_at,
    output_biases,
    output_layer,
    positions,
    tables,
)
from specialize.model.load import load_checkpoint

OWN_HEADS = {"deberta-own-head", "deberta-v2-own-head"}  # they multiply by the input table
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 3, 0, 0]])
REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
PLACES = torch.tensor([1, 3, 6])


def test_places_are_those_of_the_flattened_batch() -> None:
    chosen = torch.tensor([[False, True, False], [True, False, False]])
    assert positions(chosen).tolist() == [1, 3]


@torch.no_grad()
def test_logits_at_places_are_the_models_own(folder: Path) -> None:
    model = load_checkpoint(folder).model
    assert head_of(model) != FULL
    plain = AutoModelForMaskedLM.from_pretrained(folder).eval()
    for real in (REAL, REAL.bool()):
        expected = plain(input_ids=IDS, attention_mask=real).logits.flatten(0, 1)[PLACES]
        found = logits_at(model, IDS, real, PLACES)
        assert expected.std() > 0.1  # else the tolerance would be meaningless
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@torch.no_grad()
def test_an_unknown_head_falls_back_to_full_logits(tmp_path: Path) -> None:
    from transformers import FlaubertConfig, FlaubertWithLMHeadModel

    write_model("bert", tmp_path)  # for its tokenizer
    config = FlaubertConfig(vocab_size=18, emb_dim=8, n_layers=2, n_heads=2, pad_index=0)
    FlaubertWithLMHeadModel(config).save_pretrained(tmp_path)
    model = load_checkpoint(tmp_path).model
    assert head_of(model) == FULL
    expected = model(input_ids=IDS, attention_mask=REAL).logits.flatten(0, 1)[PLACES]
    assert torch.equal(logits_at(model, IDS, REAL, PLACES), expected)


class Scaled(nn.Module):
    """An output layer whose logits the model later divides."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return 2 * self.layer(states)


@torch.no_grad()
def test_a_fast_head_with_different_logits_falls_back(tmp_path: Path) -> None:
    model = load_checkpoint(write_model("bert", tmp_path)).model
    assert choose_head(model, [2, 5, 6, 3]) == "cls"
    del model.chosen_head
    model.cls = Scaled(model.cls)
    forward = model.forward

    def halved(**inputs: torch.Tensor) -> object:
        output = forward(**inputs)
        output.logits = output.logits / 2
        return output

    model.forward = halved
    assert choose_head(model, [2, 5, 6, 3]) == FULL
    expected = halved(input_ids=IDS, attention_mask=REAL).logits.flatten(0, 1)[PLACES]
    assert torch.equal(logits_at(model, IDS, REAL, PLACES), expected)


@torch.no_grad()
def test_there_is_one_state_per_layer(tiny: Path) -> None:
    model = load_checkpoint(tiny).model
    states = layers(model, IDS, REAL)
    assert len(states) == layer_count(model) == 2
    assert hidden_size(model) == 8
    assert all(state.shape == (2, 5, 8) for state in states)
    output = model.base_model(input_ids=IDS, attention_mask=REAL)
    assert torch.equal(states[-1], output.last_hidden_state)
    assert not torch.equal(states[0], states[1])


@torch.no_grad()
def test_a_group_of_layers_counts_as_one(tmp_path: Path) -> None:
    """ALBERT with groups of two: states after the second and the fourth of four layers."""
    model = load_checkpoint(write_model("albert", tmp_path, inner_group_num=2)).model
    output = model.base_model(input_ids=IDS, attention_mask=REAL, output_hidden_states=True)
    states = layers(model, IDS, REAL)
    assert len(output.hidden_states) == 5
    assert torch.equal(states[0], output.hidden_states[2])
    assert torch.equal(states[1], output.hidden_states[4])


def test_tables_have_an_output_layer_only_where_it_is_untied(
    tiny: Path, untied: Path, shape: str
) -> None:
    tied = tables(load_checkpoint(tiny).model)
    assert tied.output is None
    assert tied.bias is not None
    assert len(tied.bias) == len(tied.input)
    apart = tables(load_checkpoint(untied).model)
    assert (apart.output is None) == (shape in OWN_HEADS)
    assert len(apart.bias) == len(apart.input) == len(tied.input) + 2
    if apart.output is not None:
        assert apart.output.shape == apart.input.shape
        assert not torch.equal(apart.output, apart.input)


@pytest.mark.parametrize("entry", [3, 7])
@torch.no_grad()
def test_the_output_bias_is_what_is_added_to_logits(folder: Path, entry: int) -> None:
    model = load_checkpoint(folder).model
    before = logits_at(model, IDS, REAL, PLACES)
    output_biases(model)[0][entry] += 1.0
    difference = logits_at(model, IDS, REAL, PLACES) - before
    expected = torch.zeros_like(difference)
    expected[:, entry] = 1.0
    torch.testing.assert_close(difference, expected, rtol=0, atol=1e-5)


def test_an_output_layer_has_a_row_per_piece() -> None:
    for name, shape in SHAPES.items():
        ids = dict.fromkeys(("pad", "cls", "sep"), 1)
        model = random_model(shape, vocab_size=29, positions=20, tied=True, ids=ids)
        layer = output_layer(model)
        assert (layer is None) == (name in OWN_HEADS)
        assert layer is None or layer.weight is model.get_input_embeddings().weight
