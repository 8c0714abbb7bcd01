"""X-MOD as transformers saves it, split into a plain host and the modules of its languages.

Pfeiffer et al. 2022. Without its modules, the released base model is an XLM-R and the large one,
which is pre-norm, a RoBERTa-PreLayerNorm under other names. Only weights and configuration are
taken: in transformers 5 the forward pass of Xmod gives the modules of all languages a gradient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from specialize.errors import DataError
from specialize.model.config import read_any_config
from specialize.model.language_model import LanguageModel
from specialize.model.load import language_model

_ADAPTER = re.compile(r"roberta\.encoder\.layer\.(\d+)\.output\.adapter_modules\.(.+?)\.(.+)")
_NORM = re.compile(r"roberta\.encoder\.layer\.(\d+)\.output\.adapter_layer_norm\.(.+)")
_FIELDS = {
    "dense1.weight": "down",
    "dense1.bias": "down_bias",
    "dense2.weight": "up",
    "dense2.bias": "up_bias",
    "weight": "scale",
    "bias": "bias",
}
_PRE_NORM = (  # names in a pre-norm Xmod -> RoBERTa-PreLayerNorm
    (r"attention\.output\.LayerNorm", "attention.LayerNorm"),
    (r"(layer\.\d+)\.output\.LayerNorm", r"\1.intermediate.LayerNorm"),
    (r"encoder\.LayerNorm", "LayerNorm"),
    (r"^roberta\.", "roberta_prelayernorm."),
)
_OWN = (
    "languages",
    "default_language",
    "pre_norm",
    "adapter_reduction_factor",
    "adapter_layer_norm",
    "adapter_reuse_layer_norm",
    "ln_before_adapter",
    "model_type",
    "architectures",
)

Tensors = dict[str, Tensor]  # by "layer.name"


@dataclass(frozen=True)
class Xmod:
    """A host without modules and the tensors of those it had."""

    host: LanguageModel
    modules: dict[str, Tensors]  # by language; names are those of `functions.Bottleneck`
    norms: Tensors  # scale and bias of the norm before the modules, if they have one of their own
    size: int  # width of the bottleneck
    act: str
    dropout: float
    eps: float


def read_xmod(folder: Path) -> Xmod:
    """Return the X-MOD in ``folder`` as a host and modules; DataError if it is something else."""
    from transformers import AutoConfig, AutoModelForMaskedLM

    config = read_any_config(folder)
    _check(config, folder / "config.json")
    config.default_language = config.default_language or config.languages[0]
    state = language_model(folder, config).state_dict()
    fields = {k: v for k, v in config.to_dict().items() if k not in _OWN}
    shape = "roberta-prelayernorm" if config.pre_norm else "xlm-roberta"
    described = AutoConfig.for_model(shape, **fields)
    with torch.random.fork_rng():
        host = AutoModelForMaskedLM.from_config(
            described, dtype=torch.float32, trust_remote_code=False
        )
    modules: dict[str, Tensors] = {str(language): {} for language in config.languages}
    norms: Tensors = {}
    rest: Tensors = {}
    for name, tensor in state.items():
        if found := _ADAPTER.fullmatch(name):
            modules[found[2]][f"{found[1]}.{_FIELDS[found[3]]}"] = tensor
        elif found := _NORM.fullmatch(name):
            norms[f"{found[1]}.{_FIELDS[found[2]]}"] = tensor
        else:
            rest[_renamed(name) if config.pre_norm else name] = tensor
    host.load_state_dict(rest)
    return Xmod(
        host.eval(),
        modules,
        norms,
        config.hidden_size // config.adapter_reduction_factor,
        config.hidden_act,
        config.hidden_dropout_prob,
        config.layer_norm_eps,
    )


def _renamed(name: str) -> str:
    for pattern, new in _PRE_NORM:
        name = re.sub(pattern, new, name)
    return name


def _check(config: Any, file: Path) -> None:
    """Raise DataError for anything but the two architectures that were released."""
    if config.model_type != "xmod":
        raise DataError(f"{file}:1: expected an X-MOD model, got {config.model_type}")
    names = ("pre_norm", "adapter_layer_norm", "adapter_reuse_layer_norm", "ln_before_adapter")
    given = tuple(bool(getattr(config, name)) for name in names)
    if given not in ((False, False, True, True), (True, True, False, False)):
        listed = ", ".join(f"{name} {value}" for name, value in zip(names, given, strict=True))
        raise DataError(
            f"{file}:1: expected modules as in facebook/xmod-base or facebook/xmod-large-prenorm, "
            f"got {listed}"
        )
