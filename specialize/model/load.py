"""Models in and out of directories; with its siblings, the only place that imports transformers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from specialize.errors import DataError
from specialize.model.config import UNLOADABLE, first_line, read_config
from specialize.model.header import check_rows
from specialize.model.language_model import (
    LanguageModel,
    choose_head,
    hidden_size,
    is_causal,
    layers,
)
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing, read_framing
from specialize.vocab.open import read_vocabulary
from specialize.vocab.write import write_files


@dataclass(frozen=True)
class Checkpoint:
    """A language model with its vocabulary, its framing and the directory it came from."""

    model: LanguageModel
    vocabulary: Vocabulary
    framing: Framing
    folder: Path


def load_checkpoint(folder: Path) -> Checkpoint:
    """Return the masked or causal language model of ``folder`` in float32 and evaluation mode.

    Only local files are read and no code from them is run. MissingError without a model or
    tokenizer; DataError where the two disagree, where weights (such as the language-model head) are
    missing, which transformers would draw at random, or where the model is of another kind.
    """
    config = read_config(folder)
    vocabulary = read_vocabulary(folder)
    check_rows(folder, len(vocabulary.pieces))
    framing = read_framing(vocabulary, folder)
    model = language_model(folder, config)
    _check_forward(folder, model, framing)
    return Checkpoint(model, vocabulary, framing, folder)


def _auto(config: Any) -> Any:
    """Return the class of transformers that reads models of a configuration."""
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    return AutoModelForCausalLM if is_causal(config) else AutoModelForMaskedLM


def language_model(folder: Path, config: Any) -> LanguageModel:
    """Return the model with all its weights from the checkpoint."""
    try:
        with _quiet():
            model, found = _auto(config).from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,  # of a pytorch_model.bin: no pickled objects
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # refused below, by name
            )
    except UNLOADABLE as error:
        if "Unrecognized configuration class" in str(error):
            raise DataError(
                f"{folder / 'config.json'}:1: transformers has no language-model class for "
                f"{config.model_type}; choose an encoder such as BERT or XLM-R, or a decoder such "
                "as GPT-2 or Llama"
            ) from None
        raise DataError(f"{_weights(folder)}: cannot be loaded: {first_line(error)}") from None
    if other := sorted(found["mismatched_keys"]):
        name, stored, expected = other[0]
        raise DataError(
            f"{folder}: shapes differ from config.json in {len(other)} of the tensors, such as "
            f"{name}: expected {tuple(expected)}, got {tuple(stored)}; download both again"
        )
    if missing := sorted(found["missing_keys"]):
        raise DataError(_missing_message(folder, model, missing, sorted(found["unexpected_keys"])))
    check_finite(model, _weights(folder))
    return model.eval()


def check_finite(model: torch.nn.Module, source: Path) -> None:
    """Raise DataError, naming ``source``, if a weight of ``model`` is not finite."""
    for name, parameter in model.named_parameters():
        if not parameter.isfinite().all():
            raise DataError(
                f"{source}: {name} has values that are not finite; download it again, or choose "
                "another"
            )


def _weights(folder: Path) -> Path:
    """Return the file of the weights in ``folder``; the folder where they are none or several."""
    files = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    return files[0] if len(files) == 1 else folder


def _missing_message(
    folder: Path, model: LanguageModel, missing: list[str], other: list[str]
) -> str:
    """Return what is missing from a checkpoint, and what to do."""
    head = not any(name.startswith(model.base_model_prefix + ".") for name in missing)
    what = f"its {'causal' if is_causal(model.config) else 'masked'}-LM head" if head else "weights"
    do = f"save it with {_auto(model.config).__name__}, or choose a base that has its head"
    if any(name.startswith("lm_predictions.") for name in other):
        do = 'it has lm_predictions instead: set "legacy" to false in config.json'
    elif not head:
        do = "download it again"
    return (
        f"{folder}: the checkpoint lacks {what}: {len(missing)} of the tensors of "
        f"{type(model).__name__}, such as {missing[0]}; {do}"
    )


def _check_forward(folder: Path, model: LanguageModel, framing: Framing) -> None:
    """Run two pieces through the model: choose how logits are computed, and check its layers."""
    ordinary = (
        i for i in range(model.config.get_text_config().vocab_size) if i not in framing.special
    )
    pieces = [*framing.prefix, next(ordinary, 0), next(ordinary, 0), *framing.suffix]
    ids = torch.tensor([pieces])
    try:
        choose_head(model, pieces)
        if is_causal(model.config):
            return
        with torch.no_grad():
            states = layers(model, ids, torch.ones_like(ids))
        expected = (1, len(pieces), hidden_size(model))
        if any(state.shape != expected for state in states):
            shapes = sorted({tuple(state.shape) for state in states})
            raise DataError(f"expected states {expected} after each layer, got {shapes}")
    except (AssertionError, AttributeError, TypeError, *UNLOADABLE) as error:
        raise DataError(
            f"{folder}: {type(model).__name__} cannot be used: {first_line(error)}; choose an "
            "encoder such as BERT or XLM-R, or a decoder such as GPT-2 or Llama"
        ) from None


def save_model(
    model: LanguageModel,
    vocabulary: Vocabulary,
    folder: Path,
    *,
    source: Path | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a directory that ``AutoTokenizer`` and the model's own auto class load.

    ``source``: where the vocabulary came from; its tokenizer settings are kept. ``dtype``: of the
    weights in the file; loaded, they are float32 by default.
    """
    with _quiet():
        model.save_pretrained(folder, state_dict=_state(model, dtype))
    mode = (folder / "config.json").stat().st_mode
    for file in folder.glob("*.safetensors"):  # written with mode 0600 by safetensors
        file.chmod(mode)
    write_files(vocabulary, folder, source=source)


def empty_model(folder: Path) -> LanguageModel:
    """Return a model of the shape in ``folder`` with random weights, to load others into."""
    config = read_config(folder)
    return _auto(config).from_config(config, dtype=torch.float32, trust_remote_code=False)


def new_modernbert(
    vocabulary: Vocabulary, framing: Framing, *, seed: int, **shape: Any
) -> LanguageModel:
    """Return an untrained ModernBERT (Warner et al. 2024) with full attention in every layer.

    ``shape``: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size. Pre-norm and
    rotary positions learn much faster than BERT's shape at equal tokens of a small budget.
    """
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    first = framing.prefix[0] if framing.prefix else None
    last = framing.suffix[-1] if framing.suffix else None
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    config = ModernBertConfig(
        vocab_size=len(vocabulary.pieces),
        max_position_embeddings=framing.positions,
        layer_types=["full_attention"] * shape["num_hidden_layers"],
        rope_parameters={"full_attention": rope, "sliding_attention": dict(rope)},
        pad_token_id=framing.pad,
        bos_token_id=first,
        cls_token_id=first,
        eos_token_id=last,
        sep_token_id=last,
        **shape,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ModernBertForMaskedLM(config)


def _state(model: LanguageModel, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the weights on the CPU as ``dtype``; what is tied stays one tensor."""
    cast: dict[int, torch.Tensor] = {}
    state = {}
    for name, tensor in model.state_dict().items():
        key = tensor.data_ptr()
        if key not in cast:
            kind = dtype if tensor.is_floating_point() else tensor.dtype
            cast[key] = tensor.detach().to("cpu", kind)
        state[name] = cast[key]
    return state


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bars and load reports: what matters is an error here."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
