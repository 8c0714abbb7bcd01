"""Reading a checkpoint of interrupted training, which may be damaged."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from specialize.errors import DataError

_FAULTS = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    RuntimeError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    EOFError,
)


def read_checkpoint(path: Path, module: nn.Module) -> dict[str, Any]:
    """Return what ``torch.save`` wrote for ``module``; DataError if the file is damaged.

    ``torch.load`` ignores the checksums that ``torch.save`` writes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise zipfile.BadZipFile(f"{broken} is damaged")
        saved: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        shapes = {name: tensor.shape for name, tensor in saved["module"].items()}
        if shapes != {name: tensor.shape for name, tensor in module.state_dict().items()}:
            raise ValueError("it is of another model")
    except _FAULTS as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{path}: not a whole checkpoint ({reason})") from None
    return saved
