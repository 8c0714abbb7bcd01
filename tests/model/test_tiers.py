"""Fresh rows as separate parameters, at look-up and in the output layer."""

from pathlib import Path

import pytest
import torch
from tiny_models import write_model
from torch.nn import functional as F

from specialize.model.language_model import logits_at, output_biases, tables
from specialize.model.load import load_checkpoint
from specialize.model.tiers import merge, tier, tier_bias

FRESH = [6, 9]
IDS = torch.tensor([[2, 6, 7, 9, 3]])
PLACES = torch.tensor([1, 2, 3])


def step(model: torch.nn.Module, own: list[torch.nn.Parameter]) -> None:
    """One step of Adam, fresh rows at five times the rate of the rest."""
    apart = {id(parameter) for parameter in own}
    rest = [p for p in model.parameters() if id(p) not in apart]
    optimizer = torch.optim.AdamW(
        [{"params": rest, "lr": 1e-3}, {"params": own, "lr": 5e-3}], weight_decay=0.0
    )
    logits = logits_at(model, IDS, None, PLACES)
    F.cross_entropy(logits, torch.tensor([7, 9, 6])).backward()
    optimizer.step()


def test_fresh_rows_move_at_their_own_rate_in_every_table(folder: Path) -> None:
    """Adam's first step equals the rate unless the gradient is tiny, and never exceeds it."""
    model = load_checkpoint(folder).model
    before = tables(model)
    start = {"input": before.input.clone()}
    if before.output is not None:
        start["output"] = before.output.clone()
    own = tier(model, FRESH)
    assert len(own) == len(start)
    step(model, own)
    merge(model)
    for name, old in start.items():
        moved = (getattr(tables(model), name) - old).abs()
        others = torch.ones(len(old), dtype=torch.bool)
        others[FRESH] = False
        torch.testing.assert_close(
            moved[FRESH].amax(dim=1), torch.full((2,), 5e-3), rtol=1e-2, atol=0
        )
        assert 0.9e-3 < moved[others].max() < 1.01e-3, name


def test_the_rows_below_get_no_gradient(folder: Path) -> None:
    model = load_checkpoint(folder).model
    own = tier(model, FRESH)
    logits_at(model, IDS, None, PLACES).logsumexp(-1).sum().backward()
    assert all(rows.grad is not None and rows.grad.abs().sum() > 0 for rows in own)
    table = model.get_input_embeddings().parametrizations.weight.original
    assert table.grad[FRESH].abs().max() == 0
    assert table.grad[7].abs().max() > 0


def test_fresh_entries_of_a_frozen_bias_move_alone(folder: Path) -> None:
    model = load_checkpoint(folder).model
    before = [bias.detach().clone() for bias in output_biases(model)]
    model.requires_grad_(False)
    tier(model, FRESH)
    own = tier_bias(model, FRESH)
    assert len(own) == min(1, len(before))
    for parameter in model.parameters():
        parameter.requires_grad_(any(parameter is entries for entries in own))
    if own:
        step(model, own)
    merge(model)
    after = output_biases(model)
    assert len(after) == len(before)
    moved = [(a != b).nonzero().flatten().tolist() for a, b in zip(after, before, strict=True)]
    assert moved[: len(own)] == [FRESH] * len(own)
    assert not any(bias.requires_grad for bias in after)


@torch.no_grad()
def test_merging_restores_names_tie_and_logits(folder: Path) -> None:
    model = load_checkpoint(folder).model
    before = logits_at(model, IDS, None, PLACES)
    names = {name for name, _ in model.named_parameters()}
    untied = tables(model).output is not None
    tier(model, FRESH)
    assert torch.equal(logits_at(model, IDS, None, PLACES), before)
    merge(model)
    assert torch.equal(logits_at(model, IDS, None, PLACES), before)
    assert {name for name, _ in model.named_parameters()} == names
    assert (tables(model).output is not None) == untied
    merge(model)  # nothing to merge
    assert {name for name, _ in model.named_parameters()} == names


@torch.no_grad()
def test_trained_rows_are_in_place_after_merging(folder: Path) -> None:
    model = load_checkpoint(folder).model
    for number, rows in enumerate(tier(model, FRESH), start=1):
        rows.fill_(number)
    merge(model)
    found = tables(model)
    assert found.input[FRESH].unique().tolist() == [1]
    if found.output is not None:
        assert found.output[FRESH].unique().tolist() == [2]


@pytest.mark.parametrize("fresh", [[], [17]])
def test_any_number_of_rows_can_be_fresh(fresh: list[int], tmp_path: Path) -> None:
    model = load_checkpoint(write_model("bert", tmp_path)).model
    assert [rows.shape for rows in tier(model, fresh)] == [(len(fresh), 8)]
    merge(model)
    assert tables(model).output is None
