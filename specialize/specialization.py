"""The result of a run, to use: a directory with a model, its vocabulary and fine-tuned heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import DataError, MissingError, UsageError
from specialize.modules.scope import Scope
from specialize.recipe.carried import bind_carried, carry
from specialize.recipe.methods import Choice, bind
from specialize.recipe.outside import described

if TYPE_CHECKING:
    from specialize.model.word_encoder import WordEncoder
    from specialize.model.word_model import WordModel
    from specialize.modules.attach import Attached
    from specialize.modules.packs import Pack
    from specialize.tasks._base import Sentence, Task
    from specialize.tasks._pretokenize import Style
    from specialize.vocab.base import Vocabulary

Mix = Callable[[str], str]


@dataclass(frozen=True)
class HeadFacts:
    """What ``head.json`` says beside the weights."""

    task: str  # the method's name
    options: dict[str, Any]
    labels: dict[str, list[str]]
    mixin: list[list[Any]]  # method and options of each, in order, files in the head's folder
    length: int  # pieces at once
    precision: str
    seed: int
    pretokenize: Style  # how plain text is split into words
    scope: dict[str, str] = field(default_factory=dict)  # of its modules, if it has some
    whole: bool = False  # whether the encoder was trained too, around them


@dataclass(frozen=True)
class Head:
    """A fine-tuned model for one task, ready to annotate."""

    module: WordModel
    words: WordEncoder
    task: Task[Any]
    labels: dict[str, list[str]]
    pretokenize: Style
    within: Callable[[], AbstractContextManager[object]] = nullcontext  # the scope of its modules

    def read(self, file: Path) -> list[Sentence[Any]]:
        """Return the sentences of a file to annotate; plain text is split as the training data."""
        return self.task.words(file, pretokenize=self.pretokenize)

    def annotate(self, sentences: Sequence[Sentence[Any]]) -> list[Sentence[Any]]:
        """Return ``sentences`` (of ``task.words``) with this head's annotation."""
        from specialize.train.finetune import predict

        with self.within():
            return predict(self.module, self.words, self.task, self.labels, sentences)


@dataclass(frozen=True)
class Specialization:
    """A run's directory, or an arm's; nothing is loaded before it is asked for.

    ``allow_code``: whether heads may run functions outside of the package, which head.json names.
    """

    folder: Path
    allow_code: bool = False

    @property
    def tasks(self) -> list[str]:
        """Return the names of the tasks that have a head."""
        return sorted(p.parent.name for p in (self.folder / "heads").glob("*/head.json"))

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary of the specialized model."""
        from specialize.vocab.open import read_vocabulary

        return read_vocabulary(self.folder / "model")

    def head(self, task: str, *, language: str = "", packs: Sequence[Path] = ()) -> Head:
        """Return the head for ``task``; MissingError, naming those there are, if there is none.

        ``language``: whose modules take the place of those with which the head was trained
        (zero-shot transfer), from ``packs``; UsageError if there are none.
        """
        folder = self._head_folder(task)
        return load_head(
            folder,
            self.folder / "model",
            allow_code=self.allow_code,
            language=language,
            packs=packs,
        )

    def task(self, name: str) -> Task[Any]:
        """Return a task as its head was trained for it, without loading the head."""
        folder = self._head_folder(name)
        return _task(read_head_facts(folder, allow_code=self.allow_code), folder)

    def code(self, name: str) -> list[str]:
        """Return the functions outside of the package that a task's head runs, with their files."""
        folder = self._head_folder(name)
        return _outside(read_head_facts(folder, allow_code=True), folder)

    def _head_folder(self, task: str) -> Path:
        if task not in self.tasks:
            known = ", ".join(self.tasks) or "none"
            raise MissingError(f"{self.folder} has no head for {task!r}; it has: {known}")
        return self.folder / "heads" / task


def read_head_facts(folder: Path, *, allow_code: bool = False) -> HeadFacts:
    """Return what `save_head` wrote beside the weights; DataError if it is damaged.

    UsageError if it names functions outside of the package and these are not allowed: whoever
    wrote the folder chose them.
    """
    file = folder / "head.json"
    try:
        facts = _facts(atomic.read_json(file))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{file}:1: not the description of a head ({error})") from None
    if not allow_code and (found := _outside(facts, folder)):
        raise UsageError(
            f"{file}: the head runs code outside of the package, {'; '.join(found)}; where you "
            "trust it, allow it: --allow-code, in Python Specialization(folder, allow_code=True)"
        )
    return facts


def _facts(table: Any) -> HeadFacts:
    """Return the facts in ``table``; ValueError or TypeError where it is something else."""
    facts = HeadFacts(**table)
    types = {"task": str, "options": dict, "labels": dict, "mixin": list, "length": int}
    types |= {"precision": str, "seed": int, "pretokenize": str, "scope": dict, "whole": bool}
    for name, kind in types.items():
        if type(getattr(facts, name)) is not kind:
            raise ValueError(f"{name} is no {kind.__name__}")
    if not all(map(_is_texts, facts.labels.values())):
        raise ValueError("labels are no lists of texts")
    Scope(**facts.scope)
    for mixin in facts.mixin:
        name, options = mixin
        if not isinstance(name, str) or not isinstance(options, Mapping):
            raise ValueError("mixin is no list of names with options")
    return facts


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _outside(facts: HeadFacts, folder: Path) -> list[str]:
    named = [("task", facts.task), *(("mixin", name) for name, _ in facts.mixin)]
    return [described(kind, name, folder) for kind, name in named if ":" in name]


def _task(facts: HeadFacts, folder: Path) -> Task[Any]:
    """Return the task of a head; DataError where this version has no such method or option."""
    try:
        task: Task[Any] = bind("task", facts.task, facts.options)()
    except UsageError as error:
        raise DataError(f"{folder / 'head.json'}:1: {error}") from None
    return task


def _mixes(facts: HeadFacts, folder: Path, *, allow_code: bool) -> Sequence[Mix]:
    """Return the mix-ins of a head; DataError where this version has no such method or option."""
    try:
        return bind_carried(facts.mixin, folder, allow_code=allow_code)
    except UsageError as error:
        raise DataError(f"{folder / 'head.json'}:1: {error}") from None


def load_head(
    folder: Path,
    model: Path,
    *,
    allow_code: bool = False,
    language: str = "",
    packs: Sequence[Path] = (),
) -> Head:
    """Return the head in ``folder``, fine-tuned from the model in ``model``.

    ``allow_code``: see `Specialization`; ``language`` and ``packs``: see `Specialization.head`.
    """
    import torch

    from specialize.model.language_model import hidden_size
    from specialize.model.load import empty_model
    from specialize.model.word_encoder import WordEncoder
    from specialize.model.word_model import WordModel
    from specialize.train.optim import device
    from specialize.vocab.framing import read_framing
    from specialize.vocab.open import read_vocabulary

    facts = read_head_facts(folder, allow_code=allow_code)
    method = _task(facts, folder)
    mixes = _mixes(facts, folder, allow_code=allow_code)
    if not model.is_dir():
        raise MissingError(f"{model}: no such folder; expected the model of the run")
    if (language or packs) and not facts.scope:
        raise UsageError(f"{folder}: the head has no modules by language to exchange")
    modules = None
    with torch.random.fork_rng():
        if facts.scope:
            modules = _modules(folder, model, packs)
            encoder = modules.host
        else:
            encoder = empty_model(model)
        try:
            head = method.head(hidden_size(encoder), facts.labels)
        except LookupError as error:
            raise DataError(f"{folder / 'head.json'}:1: no labels for {error}") from None
    module = WordModel(encoder, head, layer_dropout=0.0, precision=facts.precision)
    weights = folder / "model.safetensors"
    if modules is None or facts.whole:
        modules = _load_whole(module, weights, modules)
    else:
        _load_weights(_own_parts(module), weights)
    vocabulary = read_vocabulary(model)
    framing = read_framing(vocabulary, model)
    words = WordEncoder(vocabulary, framing, length=facts.length, mix=chain(mixes))
    module.eval().to(device())
    within: Callable[[], AbstractContextManager[object]] = nullcontext
    if modules is not None:
        scope = Scope(**facts.scope)
        within = partial(modules.at, replace(scope, language=language or scope.language))
        _check_scope(within, folder, language)
    return Head(module, words, method, facts.labels, facts.pretokenize, within)


def _load_whole(module: WordModel, weights: Path, modules: Attached | None) -> Attached | None:
    """Load the weights of encoder and head; return ``modules`` attached to the encoder again."""
    from specialize.modules.attach import attach

    if modules is None:
        _load_weights(module, weights)
        return None
    modules.detach()
    _load_weights(module, weights)
    return attach(modules.host, modules.table)


def _check_scope(
    within: Callable[[], AbstractContextManager[object]], folder: Path, language: str
) -> None:
    """Raise UsageError where a head has no modules of ``language``."""
    try:
        with within():
            pass
    except UsageError as error:
        hint = "; give a pack that has them (--pack)" if language else ""
        raise UsageError(f"{folder}: {error}{hint}") from None


def _modules(folder: Path, model: Path, packs: Sequence[Path]) -> Attached:
    """Return the modules of the head in ``folder`` attached to its model, and to no other.

    ``packs``: of further languages.
    """
    from specialize.model.config import read_config
    from specialize.model.load import language_model
    from specialize.modules.packs import PACK, open_packs
    from specialize.vocab.open import read_vocabulary

    host = language_model(model, read_config(model))
    return open_packs(host, read_vocabulary(model).pieces, [folder / PACK, *packs])


def _own_parts(module: WordModel) -> Any:
    """Return what a head with modules has of its own: all but the encoder."""
    from torch import nn

    return nn.ModuleDict({"mix": module.mix, "head": module.head})


def _load_weights(module: Any, file: Path) -> None:
    """Load the weights of a head; MissingError or DataError, naming ``file``, if that fails."""
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    from specialize.model.load import check_finite

    if not file.is_file():
        raise MissingError(f"{file}: no such file; expected the weights of the head")
    try:
        load_model(module, file)
    except SafetensorError as error:
        raise DataError(f"{file}:1: damaged ({error}); copy or download it again") from None
    except RuntimeError as error:
        line = str(error).splitlines()[0]
        raise DataError(f"{file}:1: not the weights of this head ({line})") from None
    check_finite(module, file)


def chain(mixes: Sequence[Mix]) -> Mix:
    """Return the mix-ins as one function, applied in order."""
    return lambda text: reduce(lambda done, mix: mix(done), mixes, text)


def read_mix(model: str | Path, *, allow_code: bool = False) -> Mix:
    """Return the function that rewrites text as a published model needs it.

    ``model``: its folder, with the specialize.json of a run. UsageError if that names functions
    outside of the package and these are not allowed: whoever wrote the folder chose them.
    """
    folder = Path(model)
    try:
        mixins = atomic.read_json(folder / "specialize.json")["mixins"]
    except FileNotFoundError:
        raise MissingError(f"{folder}/specialize.json: no such file; not a run's model") from None
    return chain(bind_carried(mixins, folder, allow_code=allow_code))


def save_head(
    module: Any,
    facts: HeadFacts,
    folder: Path,
    *,
    mixins: Sequence[Choice] = (),
    pack: Pack | None = None,
) -> None:
    """Write a fine-tuned model and what is needed to use it to ``folder``, at once.

    ``mixins`` become ``facts.mixin``, their files copied. With a ``pack`` and unless
    ``facts.whole``, the encoder is that of the model from which fine-tuning began, and is not
    written again. The modules are no longer attached.
    """
    from safetensors.torch import save_model

    from specialize.modules.packs import PACK, write_pack

    with atomic.whole_folder(folder) as partial:
        own = _own_parts(module) if pack and not facts.whole else module
        save_model(own, str(partial / "model.safetensors"))
        if pack:
            write_pack(pack, partial / PACK)
        facts = replace(facts, mixin=carry(mixins, partial))
        atomic.write_json(partial / "head.json", asdict(facts))
        (partial / "model.safetensors").chmod((partial / "head.json").stat().st_mode)
