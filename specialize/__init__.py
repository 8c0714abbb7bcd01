"""Specialize a multilingual language model to a language it serves badly.

These names are all that most programs need. Each is loaded on first use: importing the package is
instant, and the tokenizer utilities need no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specialize.augmentation import augment_tokenizer
    from specialize.corpus import CorpusFiles, open_corpus
    from specialize.evaluation import evaluate_files
    from specialize.model.find import open_vocabulary
    from specialize.model.load import load_checkpoint, save_model
    from specialize.pipeline import specialize
    from specialize.recipe.methods import bind as method
    from specialize.recipe.read import read_recipe
    from specialize.specialization import Specialization, read_mix
    from specialize.vocab.audit.audit import audit
    from specialize.vocab.audit.coverage import coverage, explain
    from specialize.vocab.audit.inspected import audit_path
    from specialize.vocab.write import write_vocabulary

_HOMES = {
    "CorpusFiles": "corpus",
    "Specialization": "specialization",
    "augment_tokenizer": "augmentation",
    "audit": "vocab.audit.audit",
    "audit_path": "vocab.audit.inspected",
    "coverage": "vocab.audit.coverage",
    "evaluate_files": "evaluation",
    "explain": "vocab.audit.coverage",
    "load_checkpoint": "model.load",
    "method": "recipe.methods:bind",
    "open_corpus": "corpus",
    "open_vocabulary": "model.find",
    "read_mix": "specialization",
    "read_recipe": "recipe.read",
    "save_model": "model.load",
    "specialize": "pipeline",
    "write_vocabulary": "vocab.write",
}
__all__ = [
    "CorpusFiles",
    "Specialization",
    "audit",
    "audit_path",
    "augment_tokenizer",
    "coverage",
    "evaluate_files",
    "explain",
    "load_checkpoint",
    "method",
    "open_corpus",
    "open_vocabulary",
    "read_mix",
    "read_recipe",
    "save_model",
    "specialize",
    "write_vocabulary",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'specialize' has no attribute {name!r}")
    module, _, other = _HOMES[name].partition(":")
    return getattr(importlib.import_module(f"specialize.{module}"), other or name)
