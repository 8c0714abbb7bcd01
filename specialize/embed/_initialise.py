"""Calls of a method, with the model and the log where it asks for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from specialize.embed._rows import FreshRows
from specialize.progress import Log, Silent
from specialize.vocab.base import VocabChange, Vocabulary

if TYPE_CHECKING:
    from specialize.model.load import Checkpoint


def initialise(
    method: Callable[..., FreshRows],
    checkpoint: Checkpoint,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    seed: int,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return the rows of a method; it, or one among its options, may take ``checkpoint``, ``log``.

    Seeds are given in the same way to the method alone.
    """
    from specialize.model.language_model import tables

    complete = _given(method, {"checkpoint": checkpoint, "log": log})
    rows: FreshRows = complete(tables(checkpoint.model), change, corpus, seed=seed)
    return rows


def _given(value: Any, given: Mapping[str, Any]) -> Any:
    """Return a method with the parameters among ``given`` that it has, bound; nested ones too."""
    if isinstance(value, tuple):
        return tuple(_given(one, given) for one in value)
    if not callable(value):
        return value
    known = inspect.signature(value).parameters
    options = value.keywords if isinstance(value, partial) else {}
    bound = {name: _given(option, given) for name, option in options.items()}
    return partial(value, **bound, **{n: v for n, v in given.items() if n in known})
