"""Arms that train modules in place of the model: which, where they lie, and what stays frozen.

LAPT and fine-tuning train what is not frozen, so nothing else of them differs for such an arm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.model.load import Checkpoint
from specialize.modules.attach import Attached, Table, attach
from specialize.modules.combine import combined, restricted
from specialize.modules.describe import ByKey
from specialize.modules.packs import Pack, check_base, pack_of, read_pack, write_pack
from specialize.modules.policy import Policy, training
from specialize.modules.scope import Scope
from specialize.modules.sources import Invertible, Source
from specialize.modules.systems._system import System
from specialize.modules.xmod import policies
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import TaskFiles
from specialize.train.finetune import restored

FOLDER = "modules"  # beside the model's: the pack of the language


@dataclass(frozen=True)
class Kept:
    """What a head keeps of the modules with which it was fine-tuned, for a scope."""

    pack: Callable[[], Pack]  # once they are trained
    scope: Scope
    whole: bool  # whether the encoder trained too, around them


def check_modules(base: Checkpoint, choice: Choice, scopes: Iterable[Scope]) -> None:
    """Raise UsageError where ``base`` has no sites for modules, or a scope has no valid keys.

    DataError where modules trained before belong to another base.
    """
    host = base.model
    if (first := choice()(host)).pack:
        check_base(first.pack, host, base.vocabulary.pieces, str(first.file))
        for scope in scopes:
            attach(host, _trained_before(first, scope)).detach()
        return
    for scope in scopes:
        system = choice()(host)
        table = _keyed(system.languages, scope.language, 0) if scope.language else {}
        own = _keyed(system.tasks, scope.task, 0) if scope.task else {}
        attach(host, combined(table, own)).detach()


@contextmanager
def language_modules(
    model: LanguageModel, choice: Choice | None, language: str, *, seed: int
) -> Iterator[Attached | None]:
    """Attach new modules of ``language`` meanwhile, and freeze all else; nothing without choice."""
    if choice is None:
        yield None
        return
    table = _keyed(choice()(model).languages, language, seed)
    with _attached(model, table, list(table.values()), Scope(language)) as modules:
        yield modules


@contextmanager
def task_modules(
    checkpoint: Checkpoint, choice: Choice | None, folder: Path, scope: Scope, *, seed: int
) -> Iterator[Kept | None]:
    """Attach new modules of the scope's task meanwhile, on the language's, and freeze all else.

    The language's are those that `write_language` wrote to ``folder``; a scope without a language
    has none. Where the choice has modules trained before, they are attached alone, and the encoder
    trains around them (`xmod.policies`). Nothing without ``choice``.
    """
    if choice is None:
        yield None
        return
    model = restored(checkpoint.model)
    system = choice()(model)
    if system.pack:
        with _around(system, checkpoint, scope) as kept:
            yield kept
        return
    own = _keyed(system.tasks, scope.task, seed)
    table: Table = {}
    if scope.language:
        file = folder / FOLDER / f"{scope.language}.safetensors"
        check_base(pack := read_pack(file), model, checkpoint.vocabulary.pieces, str(file))
        table = pack.table()
    with _attached(model, combined(table, own), list(own.values()), scope) as modules:
        yield Kept(partial(pack_in, modules, checkpoint), scope, whole=False)


@contextmanager
def _around(system: System, checkpoint: Checkpoint, scope: Scope) -> Iterator[Kept]:
    """Attach a language's trained modules meanwhile, and let the encoder train around them."""
    assert system.pack
    model, table = checkpoint.model, _trained_before(system, scope)
    check_base(system.pack, model, checkpoint.vocabulary.pieces, str(system.file))
    pack = pack_of(model, table, checkpoint.vocabulary.pieces)  # of the model before training
    modules = attach(model, table)
    try:
        with training(modules, scope, policies(model)):
            yield Kept(lambda: pack, scope, whole=True)
    finally:
        modules.detach()


def _trained_before(system: System, scope: Scope) -> Table:
    """Return the modules of the scope's language, or those of all; UsageError if there are none."""
    if system.pack and all(part.get("by") == "all" for part in system.pack.parts.values()):
        return system.languages
    if not scope.language:
        raise UsageError("expected the language whose modules are used; add language = 'CODE'")
    try:
        return restricted(system.languages, "language", scope.language)
    except UsageError as error:
        raise UsageError(f"{system.file}: {error}") from None


def pack_in(modules: Attached, checkpoint: Checkpoint) -> Pack:
    """Return the pack of modules attached to the model of ``checkpoint``."""
    return pack_of(modules.host, modules.table, checkpoint.vocabulary.pieces)


def write_language(pack: Pack, language: str, folder: Path) -> None:
    """Write the pack of a language's modules beside the model in ``folder``."""
    (folder / FOLDER).mkdir(exist_ok=True)
    write_pack(pack, folder / FOLDER / f"{language}.safetensors")


def scope_of(language: str, task: TaskFiles) -> Scope:
    """Return the scope of a task's modules: the recipe's name of the task."""
    return Scope(language, task.name)


@contextmanager
def _attached(
    model: LanguageModel, table: Table, trained: list[Source | Invertible], scope: Scope
) -> Iterator[Attached]:
    modules = attach(model, table)
    try:
        with training(modules, scope, [Policy(source) for source in trained]):
            yield modules
    finally:
        modules.detach()


def _keyed(table: Table, key: str, seed: int) -> Table:
    """Return the sources of ``table`` with parameters of ``key``, drawn from ``seed``."""
    if not table:
        raise UsageError(f"the system has no modules for {key!r}")
    for source in table.values():
        if not isinstance(source, ByKey):
            raise UsageError(f"expected modules kept by key, got {type(source).__name__}")
        source.keyed.add(key, seed=seed)
    return table
