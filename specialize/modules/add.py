"""A language added to a host with modules: its rows and modules train, all else is frozen.

Pfeiffer et al. 2022, section 3, with differences: the language gets new pieces beside the old ones,
not a vocabulary of its own, so that it shares the old rows, which stay; and position embeddings
stay too, where the paper trains those of the language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from specialize.corpus.prepare import Prepared
from specialize.embed._rows import FreshRows
from specialize.errors import SpecializeError, UsageError
from specialize.model.install import install
from specialize.model.language_model import LanguageModel, tables
from specialize.model.load import Checkpoint
from specialize.modules.attach import Attached, Table, attach
from specialize.modules.keyed import Keyed, check_key
from specialize.modules.policy import Policy, training
from specialize.modules.scope import Scope
from specialize.progress import Log, Silent
from specialize.train.lapt import Lapt, lapt
from specialize.train.loop import Epoch
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.framing import moved

MEAN, RANDOM = "mean", "random"


@dataclass(frozen=True)
class Added:
    """A host with its new pieces, the modules of all languages attached."""

    checkpoint: Checkpoint
    modules: Attached
    history: list[Epoch]  # scores: bits per byte of the new language


def check_language(language: str) -> None:
    """Raise UsageError for a name that no new language can have."""
    check_key(language)
    if language in (MEAN, RANDOM):
        raise UsageError(f"{language!r} is a value of start; choose another name of the language")


def new_modules(table: Table, language: str, *, start: str, seed: int) -> list[nn.Module]:
    """Add modules of ``language`` to every source that has some by language; return them.

    ``start``: "mean" of the languages there are, "random", or a language whose modules are copied.
    None are added where one module is for all languages (SHARED). UsageError for a language there
    is, or an unknown ``start``.
    """
    found = [part for part in _keyed(table) if part.by == "language"]
    if not found and start not in (MEAN, RANDOM):
        raise UsageError(f"one module is for all languages: there is none of {start!r} to copy")
    for part in found:
        part.add(language, tensors=_start(part, start), seed=seed)
    return [part.set_of(language) for part in found]


def check_sources(table: Table, language: str) -> None:
    """Raise UsageError unless all modules of ``table`` can run for ``language`` without a task."""
    if any(part.by in ("task", "pair") and part.keys for part in _keyed(table)):
        raise UsageError(
            "expected modules of languages alone, got some of tasks too; first export a language: "
            "specialize modules export PACK --language CODE --out FILE"
        )
    for source in table.values():
        source.check(Scope(language))


def _keyed(table: Table) -> list[Keyed]:
    """Return the parameters by key of all sources, each once."""
    parts = [part for source in table.values() for part in source.modules()]
    return list({id(part): part for part in parts if isinstance(part, Keyed)}.values())


def _start(part: Keyed, start: str) -> dict[str, Tensor] | None:
    """Return the parameters that a new language begins with; None if they are drawn."""
    if start == RANDOM:
        return None
    if start != MEAN:
        return part.tensors_of(start)
    if not part.keys:
        raise UsageError('there are no modules to start from; expected start = "random"')
    sets = [part.tensors_of(key) for key in part.keys]
    return {name: torch.stack([s[name] for s in sets]).mean(0) for name in sets[0]}


def add_language(
    base: Checkpoint,
    table: Table,
    language: str,
    change: VocabChange[Vocabulary],
    rows: FreshRows | None,
    text: Prepared,
    plan: Lapt,
    *,
    start: str = MEAN,
    seed: int = 1,
    folder: Path,
    ids: Path | None = None,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Added:
    """Add ``language`` to ``base.model`` and ``table``, and train it on ``text`` by ``plan``.

    What trains: the rows of fresh pieces, their entries in the output bias, and the new modules.
    ``rows``: None if no piece is fresh. ``folder``: see `lapt`. SpecializeError (a bug) if anything
    else is not bit-identical afterwards; UsageError where old pieces would lose their rows, or
    nothing is left to train.
    """
    check(plan, change)
    own = new_modules(table, language, start=start, seed=seed)
    check_fresh(own, change.fresh)
    model = base.model
    if rows is not None:
        install(model, change, rows)
    new = Checkpoint(model, change.new, moved(base.framing, change), base.folder)
    modules = attach(model, table)
    policies = [Policy(part) for part in own]
    with _unchanged(model, own, change.fresh), training(modules, Scope(language), policies):
        history = lapt(new, change, text, plan, seed=seed, folder=folder, ids=ids, log=log)
    return Added(new, modules, history)


def check(plan: Lapt, change: VocabChange[Vocabulary]) -> None:
    """Raise UsageError for what `add_language` would refuse."""
    if plan.train != "all":
        raise UsageError(
            f"lapt.train = {plan.train!r}: a language's fresh rows and modules train, and nothing "
            "else; leave it out"
        )
    if not change.extends:
        raise UsageError(
            "the new vocabulary has lost old pieces, which other languages need; choose a method "
            "that only adds pieces, such as augment = 'extend'"
        )


def check_fresh(own: Sequence[nn.Module], fresh: Sequence[int]) -> None:
    """Raise UsageError where there are neither modules of the language nor fresh pieces."""
    if not own and not fresh:
        raise UsageError(
            "one module is for all languages, and no piece is fresh: nothing to train; choose a "
            "method that adds pieces, such as augment = 'extend'"
        )


@contextmanager
def _unchanged(
    model: LanguageModel, own: Sequence[nn.Module], fresh: Sequence[int]
) -> Iterator[None]:
    """Raise SpecializeError if anything but fresh rows and parameters of ``own`` changes."""
    before = {name: tensor.clone() for name, tensor in _frozen(model, own, fresh)}
    yield
    after = dict(_frozen(model, own, fresh))
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after or not torch.equal(before[name], after[name]):
            raise SpecializeError(f"{name} has changed while a language was added")


def _frozen(
    model: LanguageModel, own: Sequence[nn.Module], fresh: Sequence[int]
) -> Iterator[tuple[str, Tensor]]:
    """Yield the state of a model without ``fresh`` rows of its tables and parameters of ``own``."""
    apart = {p.data_ptr() for part in own for p in part.parameters()}
    of_pieces = {t.data_ptr() for t in vars(tables(model)).values() if t is not None}
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() in of_pieces:
            rest = torch.ones(len(tensor), dtype=torch.bool, device=tensor.device)
            rest[list(fresh)] = False
            yield name, tensor[rest]
        elif tensor.data_ptr() not in apart:
            yield name, tensor
