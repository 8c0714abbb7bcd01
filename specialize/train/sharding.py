"""Parameters split over processes (FSDP2): each holds a share of every one, and of its moments.

Checkpoints hold whole tensors in any case, so a run may go on with other numbers of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from specialize.model.device import device
from specialize.model.language_model import LanguageModel
from specialize.train.distributed import rank, sharded, world

Inside = Callable[[Callable[[], Any]], Any]  # returns what a function of a model returns


def plain(function: Callable[[], Any]) -> Any:
    """Call ``function`` on a model that is whole."""
    return function()


class _Root(nn.Module):
    """A model of which any function is a forward pass, within which its tables are whole."""

    def __init__(self, model: LanguageModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, function: Callable[[], Any]) -> Any:
        return function()


def shard(model: LanguageModel) -> Inside:
    """Split the parameters of ``model`` over all processes, on their devices.

    Layers are whole only while they compute, tables and head while a function runs that is called
    through what is returned; gradients are summed. Parameters are new objects with the old names.
    """
    from torch.distributed.device_mesh import init_device_mesh  # slow to import
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(device().type, (world(),))
    root = _Root(model)
    for part in [*_layers(model), root]:
        fully_shard(part, mesh=mesh, reshard_after_forward=True)
        part.set_gradient_divide_factor(1.0)  # type: ignore[operator]
        part.set_force_sum_reduction_for_comms(True)  # type: ignore[operator]
    return root


def _layers(model: LanguageModel) -> list[nn.Module]:
    """Return the layers of the encoder: its outermost list of modules."""
    lists = (part for part in model.base_model.modules() if isinstance(part, nn.ModuleList))
    return list(next(lists, ()))


def local(tensor: Tensor) -> Tensor:
    """Return what this process has of ``tensor``."""
    return tensor.to_local() if sharded(tensor) else tensor  # type: ignore[attr-defined]


def whole(value: Any) -> Any:
    """Return ``value`` with whole tensors on the CPU in place of sharded ones; all must call it.

    Those are empty in processes but the first.
    """
    if sharded(value):
        tensor = value.full_tensor()
        return tensor.cpu() if rank() == 0 else tensor.new_empty(0)
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return value


def load_whole(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load a state of whole tensors, as the first process has it, into a module sharded or not."""
    own = module.state_dict()
    module.load_state_dict({name: _like(state[name], tensor) for name, tensor in own.items()})


def take_whole(model: LanguageModel, trained: LanguageModel) -> None:
    """Give ``model`` the weights of its sharded copy, in the first process; nothing of itself."""
    if trained is not model:
        state = whole(trained.state_dict())
        if rank() == 0:
            model.load_state_dict(state)


def load_optimizer(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Load a state of whole tensors into an optimiser of parameters sharded or not."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state = {
        number: {
            name: _like(value, parameters[number]) if value.shape == shape else value
            for name, value in values.items()
        }
        for number, values in saved["state"].items()
        for shape in [parameters[number].shape]
    }
    optimizer.load_state_dict(saved | {"state": state})


def _like(tensor: Tensor, own: Tensor) -> Tensor:
    """Return ``tensor``, split as ``own`` is."""
    if not sharded(own):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    if tensor.shape != own.shape:  # left empty by ``whole``: the first process has it
        tensor = torch.empty(own.shape, dtype=own.dtype)
    return distribute_tensor(tensor, own.device_mesh, own.placements)  # type: ignore[attr-defined]
