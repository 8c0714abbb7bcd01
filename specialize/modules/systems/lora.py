"""LoRA (Hu et al. 2021): low-rank matrices at the attention, a language's and a task's."""

from __future__ import annotations

from specialize.model.language_model import LanguageModel
from specialize.modules.lora import table
from specialize.modules.systems._system import System


def system(
    host: LanguageModel, *, rank: int = 8, alpha: float = 16.0, task_rank: int = 8
) -> System:
    """Return low-rank matrices of the attention's query and value layers; both are added.

    They are multiplied by ``alpha`` / rank. Where query, key and value are one layer, as in
    ModernBERT, they are that layer's.
    """
    return System(
        table(host, "language", rank=rank, alpha=alpha),
        table(host, "task", rank=task_rank, alpha=alpha),
    )
