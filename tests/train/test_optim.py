"""Optimizers: which parameters each takes."""

from copy import deepcopy
from pathlib import Path

import pytest
import torch
from tiny_models import write_model

from specialize.model.load import load_checkpoint
from specialize.train.optim import adamw, muon


@pytest.mark.parametrize("shape", ["xlm-r", "modernbert"])
def test_muon_takes_the_hidden_matrices_and_no_embedding_table(shape: str, tmp_path: Path) -> None:
    model = load_checkpoint(write_model(shape, tmp_path)).model
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    hidden, rest = (
        {names[id(p)] for group in optimizer.param_groups for p in group["params"]}
        for optimizer in muon(model, rate=1e-3, hidden_rate=1e-3, decay=0.1)
    )
    assert hidden | rest == set(names.values())
    assert len(hidden) >= 4 * 2  # of two layers
    assert not any("embed" in name or "decoder" in name for name in hidden)


def test_adamw_without_bias_correction_by_hand() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    unused = torch.nn.Parameter(torch.tensor([1.0]))
    group = {"params": [weight, unused], "lr": 0.1, "weight_decay": 0.5}
    optimizer = adamw([group], bias_correction=False)
    mean = square = 0.0
    expected = 2.0
    for gradient in (3.0, -1.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * mean / (square**0.5 + 1e-6)
        assert weight.item() == pytest.approx(expected, rel=1e-5)
    assert unused.item() == 1.0


def test_the_state_of_adamw_without_bias_correction_can_be_restored() -> None:
    def made() -> tuple[torch.nn.Parameter, torch.optim.Optimizer]:
        weight = torch.nn.Parameter(torch.tensor([2.0, -1.0]))
        return weight, adamw([{"params": [weight], "lr": 0.1}], bias_correction=False)

    def step(weight: torch.nn.Parameter, optimizer: torch.optim.Optimizer) -> None:
        weight.grad = weight.detach() ** 2
        optimizer.step()

    whole, first = made()
    step(whole, first)
    resumed, second = made()
    resumed.data = whole.detach().clone()
    second.load_state_dict(deepcopy(first.state_dict()))
    step(whole, first)
    step(resumed, second)
    assert torch.equal(whole, resumed)
