"""Cross-entropy in chunks equals the plain one: the loss and every gradient."""

import pytest
import torch
from tiny_models import SHAPES, write_model
from torch import Tensor
from torch.nn import functional as F

from specialize.model.language_model import logits_at
from specialize.model.load import load_checkpoint
from specialize.model.loss import linear_cross_entropy, loss_sum
from specialize.model.tiers import tier

IDS = torch.tensor([[2, 7, 8, 9, 3], [2, 9, 7, 3, 3]])
PLACES, TARGETS = torch.tensor([1, 3, 6, 7]), torch.tensor([8, 7, 7, 5])


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


@pytest.mark.parametrize("rows", [1, 3, 100])
@pytest.mark.parametrize("biased", [False, True])
def test_chunks_give_the_loss_and_gradients_of_all_logits(rows: int, biased: bool) -> None:
    states, table, bias = drawn(7, 4), drawn(11, 4), drawn(11) if biased else None
    inputs = [x for x in (states, table, bias) if x is not None]
    targets = torch.tensor([0, 3, 10, 3, 5, 1, 0])
    plain = F.cross_entropy(F.linear(states, table, bias), targets, reduction="sum")
    found = linear_cross_entropy(states, table, bias, targets, logits=rows * 11)
    assert torch.allclose(found, plain, rtol=1e-6)
    expected = torch.autograd.grad(plain / 3, inputs)
    for gradient, other in zip(torch.autograd.grad(found / 3, inputs), expected, strict=True):
        assert torch.allclose(gradient, other, rtol=1e-5, atol=1e-6)


def test_what_is_frozen_gets_no_gradient() -> None:
    states, table = drawn(7, 4), drawn(11, 4).detach()
    linear_cross_entropy(states, table, None, torch.arange(7)).backward()
    assert states.grad is not None
    assert table.grad is None


def test_under_autocast_products_are_in_bfloat16_and_sums_in_float32() -> None:
    states, table, targets = drawn(300, 16), drawn(50, 16), torch.arange(300) % 50
    with torch.autocast("cpu", torch.bfloat16):
        found = linear_cross_entropy(states, table, None, targets, logits=1000)
        plain = F.cross_entropy(F.linear(states, table).float(), targets, reduction="sum")
    assert found.dtype == torch.float32
    assert torch.allclose(found, plain, rtol=1e-3)
    exact = F.cross_entropy(F.linear(states, table), targets, reduction="sum")
    gradients = [torch.autograd.grad(x, [states, table]) for x in (found, exact)]
    for gradient, other in zip(*gradients, strict=True):
        assert gradient.dtype == torch.float32
        assert torch.allclose(gradient, other, atol=0.02 * float(other.abs().max()))


@pytest.mark.parametrize("name", SHAPES)
def test_the_loss_of_every_shape_is_that_of_its_logits(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = load_checkpoint(write_model(name, tmp_path_factory.mktemp(name) / "model"))
    model = base.model
    tier(model, [5, 8])
    losses = [
        loss_sum(model, IDS, None, PLACES, TARGETS),
        F.cross_entropy(logits_at(model, IDS, None, PLACES), TARGETS, reduction="sum"),
    ]
    assert torch.allclose(*losses, rtol=1e-5)
    parameters = [p for p in model.parameters() if p.requires_grad]
    found, expected = (torch.autograd.grad(x, parameters, allow_unused=True) for x in losses)
    for gradient, other in zip(found, expected, strict=True):
        assert (gradient is None) == (other is None)
        assert other is None or torch.allclose(gradient, other, rtol=1e-3, atol=1e-5)
