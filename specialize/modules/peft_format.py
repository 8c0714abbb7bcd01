"""LoRA in the format of peft, which ``PeftModel.from_pretrained(model, folder)`` reads."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from specialize import atomic
from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.model.load import load_checkpoint
from specialize.modules.attach import Table
from specialize.modules.combine import restricted
from specialize.modules.describe import describe
from specialize.modules.lora import LowRank
from specialize.modules.packs import check_base, read_pack
from specialize.modules.scope import By, Scope
from specialize.modules.sites import sites


def export_peft(file: Path, scope: Scope, model: Path, out: Path) -> int:
    """Write the LoRA of a language or a task in a pack to the folder ``out``; return its size.

    ``model``: the folder of the pack's base. UsageError for modules that are not LoRA.
    """
    pack, base = read_pack(file), load_checkpoint(model)
    check_base(pack, base.model, base.vocabulary.pieces, str(file))
    by: By = "language" if scope.language else "task"
    try:
        table = restricted(pack.table(), by, scope.key(by))
        tensors, config = _in_peft(table, base.model, scope.key(by))
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    with atomic.whole_folder(out, replace=False) as partial:
        described = partial / "adapter_config.json"
        atomic.write_json(described, config | {"base_model_name_or_path": str(model)})
        save_file(tensors, partial / "adapter_model.safetensors", {"format": "pt"})
        (partial / "adapter_model.safetensors").chmod(described.stat().st_mode)
    return sum(tensor.numel() for tensor in tensors.values())


def _in_peft(
    table: Table, host: LanguageModel, key: str
) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Return the matrices by peft's names, and its configuration."""
    points, names = sites(host).points, {id(m): name for name, m in host.named_modules()}
    tensors, layers, settings = {}, set(), set()
    for site, source in table.items():
        if not isinstance(source, LowRank):
            kind = describe(source)["kind"]
            raise UsageError(f"expected LoRA, which peft reads, got modules of the kind {kind!r}")
        settings.add((source.rank, source.alpha))
        for name, tensor in source.keyed.tensors_of(key).items():
            layer, _, matrix = name.partition(".")
            module = names[id(points[site][int(layer)])]
            layers.add(module.rpartition(".")[2])
            tensors[f"base_model.model.{module}.lora_{matrix.upper()}.weight"] = tensor.contiguous()
    if len(settings) > 1:
        raise UsageError(f"expected one rank and alpha, got {sorted(settings)}")
    ((rank, alpha),) = settings
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": alpha, "bias": "none"}
    return tensors, config | {"target_modules": sorted(layers), "inference_mode": True}
