"""Where models run."""

from __future__ import annotations

import os

import torch


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU; a GPU is told to add in a fixed order."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.backends.cuda.enable_cudnn_sdp(False)  # its attention adds in any order unless told
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device("cuda")
