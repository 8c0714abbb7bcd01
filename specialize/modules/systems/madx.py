"""MAD-X (Pfeiffer et al. 2020): a task adapter stacked on a language adapter."""

from __future__ import annotations

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.modules import madx
from specialize.modules.systems._system import System


def system(
    host: LanguageModel,
    *,
    reduction: int = 2,
    task_reduction: int = 16,
    invertible: bool = True,
    last: bool = True,
) -> System:
    """Return MAD-X's adapters after each layer's feed-forward part.

    Bottlenecks are the model's width divided by ``reduction``, those of tasks by
    ``task_reduction``. ``invertible``: adapters of the language around the embeddings too.
    ``last = false``: none in the last layer (MAD-X 2.0).
    """
    for name, value in (("reduction", reduction), ("task_reduction", task_reduction)):
        if value < 1:
            raise UsageError(f"expected {name} of at least 1, got {value}")
    languages = madx.language_adapters(host, reduction=reduction, last=last)
    around = madx.invertible_adapters(host) if invertible else None
    tasks = madx.task_adapters(host, reduction=task_reduction, last=last)
    return System(madx.table(host, languages, invertible=around), madx.table(host, tasks))
