"""Specialize a multilingual language model to a language it serves badly.

The names below are the whole of what most programs need; each is loaded when first used, so that
importing the package is instant and the tokenizer utilities need no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specialize.augmentation import augment_tokenizer
    from specialize.corpus import CorpusFiles, open_corpus
    from specialize.evaluation import evaluate_files
    from specialize.inspection import open_vocabulary
    from specialize.methods import bind as method
    from specialize.model.load import load_base, save_model
    from specialize.pipeline import specialize
    from specialize.recipe import read_recipe
    from specialize.specialization import Specialization
    from specialize.vocab.audit import audit_path
    from specialize.vocab.coverage import coverage, explain
    from specialize.vocab.families import audit_vocabulary as audit
    from specialize.vocab.families import write_vocabulary

_HOMES = {
    "CorpusFiles": "corpus",
    "Specialization": "specialization",
    "augment_tokenizer": "augmentation",
    "audit": "vocab.families:audit_vocabulary",
    "audit_path": "vocab.audit",
    "coverage": "vocab.coverage",
    "evaluate_files": "evaluation",
    "explain": "vocab.coverage",
    "load_base": "model.load",
    "method": "methods:bind",
    "open_corpus": "corpus",
    "open_vocabulary": "inspection",
    "read_recipe": "recipe",
    "save_model": "model.load",
    "specialize": "pipeline",
    "write_vocabulary": "vocab.families",
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
    "load_base",
    "method",
    "open_corpus",
    "open_vocabulary",
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
