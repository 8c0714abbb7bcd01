"""X-MOD (Pfeiffer et al. 2022): the model is fine-tuned around the frozen modules of a language."""

from __future__ import annotations

from pathlib import Path

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.modules.packs import read_pack
from specialize.modules.systems._system import System
from specialize.modules.xmod import SITE


def system(host: LanguageModel, *, pack: Path) -> System:
    """Return the modules of languages in ``pack``, which `pretrain` or `modules add` wrote.

    Unlike the other systems, fine-tuning trains the model and not modules (section 3): all of the
    encoder but its embeddings, at ``finetune.rate``, while the recipe's ``language`` is active. An
    arm with it has ``base``, the model beside the pack, and ``lapt = false``: `specialize modules
    add` trains another language's. For zero-shot transfer, `specialize predict --language CODE
    --pack FILE` exchanges the modules; where the language adds pieces to the base, add it before
    fine-tuning. The SHARED baseline, of one module for all languages, is fine-tuned the same way.
    """
    found = read_pack(pack)
    if set(found.parts) != {SITE}:
        sites = ", ".join(found.parts)
        raise UsageError(f"{pack}: expected modules of an X-MOD, at {SITE}; got some at {sites}")
    return System(found.table(), {}, found, pack)
