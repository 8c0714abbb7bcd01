"""Peak memory of this process and of its GPU, memory given back, and sizes for people."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def reset_peaks() -> None:
    """Restart the measurement of both peaks; that of the process on Linux only."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    if cuda := _cuda():
        cuda.reset_peak_memory_stats()


def peak_memory() -> int:
    """Return the most bytes this process held since ``reset_peaks``; 0 if unknown."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def release() -> None:
    """Give freed memory back to the system, where the C library can (glibc).

    Else what one stage freed between blocks still in use counts as held by the next.
    """
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_gpu_memory() -> int:
    """Return the most bytes torch's tensors held on the GPU since ``reset_peaks``; 0 without."""
    cuda = _cuda()
    return int(cuda.max_memory_allocated()) if cuda else 0


def _cuda() -> Any:
    """Return torch.cuda where it is in use; torch is not imported for the question."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)  # None while another thread imports torch
    return cuda if cuda and cuda.is_initialized() else None


def shown_size(count: int) -> str:
    """Return bytes as ``"640 MB"`` or ``"1.9 GB"``."""
    return f"{count / 1e9:.1f} GB" if count >= 999.5e6 else f"{count / 1e6:.0f} MB"
