"""A fine-tuned head in a folder: written, and loaded to annotate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import DataError, MissingError, UsageError
from specialize.head_facts import HeadFacts, read_head_facts, task_of
from specialize.modules.scope import Scope
from specialize.recipe.carried import bind_carried, carry
from specialize.recipe.methods import Choice

if TYPE_CHECKING:
    from specialize.model.word_encoder import WordEncoder
    from specialize.model.word_model import WordModel
    from specialize.modules.attach import Attached
    from specialize.modules.packs import Pack
    from specialize.tasks._base import Sentence, Task
    from specialize.tasks._pretokenize import Style

Mix = Callable[[str], str]


@dataclass(frozen=True)
class Head:
    """A fine-tuned model for one task, ready to annotate."""

    module: WordModel
    words: WordEncoder
    task: Task[Any]
    labels: dict[str, list[str]]
    pretokenize: Style
    within: Callable[[], AbstractContextManager[object]] = nullcontext  # the scope of its modules
    language: str = ""  # of its modules

    def read(self, file: Path) -> list[Sentence[Any]]:
        """Return the sentences of a file to annotate; plain text is split as the training data."""
        return self.task.words(file, pretokenize=self.pretokenize)

    def annotate(self, sentences: Sequence[Sentence[Any]]) -> list[Sentence[Any]]:
        """Return ``sentences`` (of ``task.words``) with this head's annotation."""
        from specialize.train.finetune import predict

        with self.within():
            return predict(self.module, self.words, self.task, self.labels, sentences)


def load_head(
    folder: Path,
    model: Path,
    *,
    allow_code: bool = False,
    language: str = "",
    pack: Path | None = None,
) -> Head:
    """Return the head in ``folder``, fine-tuned from the model in ``model``.

    ``allow_code``: see `Specialization`; ``language`` and ``pack``: see `Specialization.head`.
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
    method = task_of(facts, folder)
    mixes = _mixes(facts, folder, allow_code=allow_code)
    if not model.is_dir():
        raise MissingError(f"{model}: no such folder; expected the model of the run")
    scope = Scope(**facts.scope)
    if (language or pack) and not scope.language:
        raise UsageError(f"{folder}: the head has no modules by language to exchange")
    modules = None
    with torch.random.fork_rng():
        if facts.scope:
            modules = _modules(folder, model, scope, language, pack)
            encoder = modules.host
        else:
            encoder = empty_model(model)
        try:
            head = method.head(hidden_size(encoder), facts.labels)
        except LookupError as error:
            raise DataError(f"{folder / 'head.json'}:1: no labels for {error}") from None
    module = WordModel(encoder, head, layer_dropout=0.0, precision=facts.precision)
    weights = folder / "model.safetensors"
    if modules is None:
        _load_weights(module, weights)
    elif facts.whole:
        modules = _load_around(modules, module, weights)
    else:
        _load_weights(_own_parts(module), weights)
    vocabulary = read_vocabulary(model)
    framing = read_framing(vocabulary, model)
    words = WordEncoder(vocabulary, framing, length=facts.length, mix=chain(mixes))
    module.eval().to(device())
    within: Callable[[], AbstractContextManager[object]] = nullcontext
    if modules is not None:
        within = partial(modules.at, replace(scope, language=language or scope.language))
    own = language or scope.language
    return Head(module, words, method, facts.labels, facts.pretokenize, within, own)


def _load_around(modules: Attached, module: WordModel, weights: Path) -> Attached:
    """Load encoder and head, whose file holds no modules; return these attached again."""
    from specialize.modules.attach import attach

    modules.detach()
    _load_weights(module, weights)
    return attach(modules.host, modules.table)


def _modules(folder: Path, model: Path, scope: Scope, language: str, pack: Path | None) -> Attached:
    """Return the modules of the head in ``folder`` attached to its model, and to no other.

    Those of ``language`` in ``pack`` take the place of the language's of the scope.
    """
    from specialize.model.config import read_config
    from specialize.model.load import language_model
    from specialize.modules.attach import attach
    from specialize.modules.combine import exchanged
    from specialize.modules.packs import PACK, checked_pack
    from specialize.vocab.open import read_vocabulary

    host, pieces = language_model(model, read_config(model)), read_vocabulary(model).pieces
    table = checked_pack(folder / PACK, host, pieces).table()
    if language:
        given = pack or folder / PACK
        try:
            table = exchanged(table, checked_pack(given, host, pieces).table(), scope, language)
        except UsageError as error:
            hint = "" if pack else "; name a pack that has them (--pack)"
            raise UsageError(f"{given}: {error}{hint}") from None
    return attach(host, table)


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


def _mixes(facts: HeadFacts, folder: Path, *, allow_code: bool) -> Sequence[Mix]:
    """Return the mix-ins of a head; DataError where this version has no such method or option."""
    try:
        return bind_carried(facts.mixin, folder, allow_code=allow_code)
    except UsageError as error:
        raise DataError(f"{folder / 'head.json'}:1: {error}") from None


def chain(mixes: Sequence[Mix]) -> Mix:
    """Return the mix-ins as one function, applied in order."""
    return lambda text: reduce(lambda done, mix: mix(done), mixes, text)


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
