"""Bottlenecks, couplings and fusion as pure functions."""

import pytest
import torch
from torch.nn import functional as F

from specialize.errors import UsageError
from specialize.modules.functions import (
    Bottleneck,
    activation,
    bottleneck,
    bottleneck_shapes,
    couple,
    coupling_shapes,
    fuse,
    uncouple,
)


def test_a_bottleneck_small_enough_to_check_by_eye() -> None:
    part = Bottleneck(
        torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]),
        torch.tensor([0.0, 0.0, -3.0]),
        torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]),
        torch.tensor([0.5, 0.0]),
    )
    found = bottleneck(torch.tensor([[1.0, -1.0], [2.0, 2.0]]), part, F.relu)
    assert found.tolist() == [[1.5, 0.0], [4.5, 2.0]]  # hidden (1, 0, 0) and (2, 2, 1)


@pytest.mark.parametrize("width", [8, 7])
@pytest.mark.parametrize("act", ["relu", "gelu"])
def test_a_coupling_is_undone_by_its_inverse(width: int, act: str) -> None:
    torch.manual_seed(0)
    part = {n: torch.randn(s, dtype=torch.float64) for n, s in coupling_shapes(width, 2).items()}
    states = torch.randn(2, 5, width, dtype=torch.float64)
    coupled = couple(states, part, activation(act))
    assert (coupled - states).abs().max() > 0.1
    back = uncouple(coupled, part, activation(act))
    torch.testing.assert_close(back, states, rtol=0, atol=1e-9)


def test_parameter_counts_are_those_of_the_papers() -> None:
    def count(shapes: dict[str, tuple[int, ...]]) -> int:
        return sum(torch.empty(shape, device="meta").numel() for shape in shapes.values())

    assert 12 * count(bottleneck_shapes(768, 384)) == 7_091_712  # X-MOD: 7 M a language
    assert count(bottleneck_shapes(768, 256)) == 394_240  # Hyper-X, generated for a layer
    assert count(coupling_shapes(768, 2)) == 2 * (2 * 384 * 192 + 192 + 384)


def test_a_fusion_attends_to_the_module_that_its_query_matches() -> None:
    eye, zero = torch.eye(2), torch.zeros(2)
    maps = {"query": 100 * eye, "query_bias": zero, "key": eye, "key_bias": zero, "value": eye}
    deltas = torch.tensor([[[[1.0, 0.0], [0.0, 1.0]]]])
    for query in ([1.0, 0.0], [0.0, 1.0]):
        found = fuse(torch.tensor([[query]]), deltas, maps)
        torch.testing.assert_close(found, torch.tensor([[query]]))
    mean = fuse(torch.zeros(1, 1, 2), deltas, maps)
    assert mean.tolist() == [[[0.5, 0.5]]]


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown activation 'swish'; known: relu, gelu"):
        activation("swish")
