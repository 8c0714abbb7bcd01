"""Put a changed vocabulary into a model: fresh rows in, kept rows bit-equal, verified by reloading.

Tables grow, shrink and are reordered; the configuration's ids of special pieces follow.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from specialize.embed._rows import FreshRows, Tables
from specialize.errors import DataError, SpecializeError, UsageError
from specialize.model.language_model import LanguageModel, output_biases, output_layer, tables
from specialize.model.load import load_checkpoint, save_model
from specialize.vocab.base import VocabChange, Vocabulary

Move = Callable[[int], int | None]  # old id -> new id, None if the piece is gone


@torch.no_grad()
def install(model: LanguageModel, change: VocabChange[Vocabulary], fresh: FreshRows) -> None:
    """Change ``model`` to the pieces of ``change.new``: kept rows move, fresh rows are written.

    Input table, output layer (tied or not) and output bias are treated alike; rows are written by
    id, so padded tables and slots get theirs too. A smaller vocabulary has tables of just its size.
    Ids in the configuration name the same pieces as before, or none: UsageError where the padding
    piece would move and the model counts positions from its id, as RoBERTa does, or where the head
    has a matrix of another shape with an entry per piece (MobileBERT). Then nothing is changed.
    """
    table, output = model.get_input_embeddings(), output_layer(model)
    rows = _rows(model, change)
    parts: list[tuple[nn.Parameter, Tensor | None]] = [(table.weight, fresh.input)]
    if output is not None and output.weight is not table.weight:
        parts.append((output.weight, fresh.output))
    parts += [(bias, fresh.bias) for bias in output_biases(model)]
    _check_head(model, {id(old) for old, _ in parts}, len(table.weight))
    moved = _moves(change, len(table.weight), rows)
    ids = _moved_ids(model, moved)
    changed = [(old, _changed(old, change, new, rows)) for old, new in parts]
    for old, new in changed:
        _replace(model, old, new)
    table.num_embeddings = model.config.get_text_config().vocab_size = rows
    if output is not None:
        output.out_features = rows
    if table.padding_idx is not None:
        table.padding_idx = moved(table.padding_idx)
    for config, name, value in ids:
        setattr(config, name, value)


def _rows(model: LanguageModel, change: VocabChange[Vocabulary]) -> int:
    """Return how many rows the changed tables have: padding is filled first, and cut off last."""
    rows, pieces = len(model.get_input_embeddings().weight), len(change.new.pieces)
    return pieces if pieces < len(change.old.pieces) else max(pieces, rows)


def _check_head(model: LanguageModel, handled: set[int], rows: int) -> None:
    """Raise UsageError if the head has a further parameter with one entry per piece."""
    encoder = {id(p) for p in model.base_model.parameters()}
    for name, parameter in model.named_parameters():
        if id(parameter) not in handled | encoder and rows in parameter.shape:
            raise UsageError(
                f"{type(model).__name__}: {name} {tuple(parameter.shape)} has an entry per piece, "
                "and only an output layer and its bias can be changed; choose another base, or "
                "augment = 'none'"
            )


def _changed(
    old: Tensor, change: VocabChange[Vocabulary], fresh: Tensor | None, rows: int
) -> Tensor:
    """Return a table or bias with ``rows`` entries: kept and fresh ones, padding unchanged."""
    new = old.new_zeros(rows, *old.shape[1:])
    count = min(rows, len(old))
    new[:count] = old[:count]
    new[list(change.kept.keys())] = old[list(change.kept.values())]
    if change.fresh:
        if fresh is None or fresh.shape != (len(change.fresh), *old.shape[1:]):
            got = "None" if fresh is None else str(tuple(fresh.shape))
            raise ValueError(
                f"fresh rows: expected {(len(change.fresh), *old.shape[1:])}, got {got}; make "
                "them from the tables of this model"
            )
        new[list(change.fresh)] = fresh.to(new)
    return new


def _replace(model: LanguageModel, old: nn.Parameter, new: Tensor) -> None:
    """Put ``new`` wherever ``old`` is a parameter, so that what was tied stays tied."""
    parameter = nn.Parameter(new, requires_grad=old.requires_grad)
    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            if value is old:
                setattr(module, name, parameter)


def _moves(change: VocabChange[Vocabulary], old_rows: int, rows: int) -> Move:
    """Return where ids go: with their pieces; that of a padding row stays while the row does.

    An id beyond all rows, which configurations have by default, never named a piece and stays.
    """
    new_ids = {old: new for new, old in change.kept.items()}
    spare = range(max(len(change.old.pieces), len(change.new.pieces)), rows)
    beyond = max(old_rows, rows)
    return lambda i: i if i in spare or i >= beyond else new_ids.get(i)


def _moved_ids(model: LanguageModel, moved: Move) -> list[tuple[Any, str, Any]]:
    """Return the ids of pieces (``pad_token_id`` and the like) after the change.

    With the configuration that each is of: the model's, and that of generation.
    """
    found: list[tuple[Any, str, Any]] = []
    configs = filter(None, (model.config, getattr(model, "generation_config", None)))
    for config, name, value in [(c, *item) for c in configs for item in vars(c).items()]:
        if name.endswith("_token_id") and isinstance(value, int):
            found.append((config, name, moved(value)))
        elif name.endswith("_token_id") and isinstance(value, list):
            found.append((config, name, [i for i in map(moved, value) if i is not None]))
    for padding in _position_padding(model):
        if (now := moved(padding)) != padding:
            raise UsageError(
                f"{type(model).__name__} counts positions from the id of the padding piece, which "
                f"is {padding} and would be {now}; keep the pieces up to it where they are"
            )
    return found


def _position_padding(model: LanguageModel) -> set[int]:
    """Return the padding ids of tables beside that of the pieces: of positions, as in RoBERTa."""
    table = model.get_input_embeddings()
    others = (m for m in model.base_model.modules() if m is not table)
    found = (m.padding_idx for m in others if isinstance(m, nn.Embedding))
    return {i for i in found if i is not None}


def snapshot(model: LanguageModel) -> Tables:
    """Return copies of the tables on the CPU."""
    found = tables(model)

    def copy(table: Tensor | None) -> Tensor | None:
        return None if table is None else table.cpu().clone()

    return Tables(found.input.cpu().clone(), copy(found.output), copy(found.bias))


def verify_installed(
    model: LanguageModel, change: VocabChange[Vocabulary], before: Tables, source: Path
) -> None:
    """Save ``model``, reload it and compare: kept rows bit-equal, vocabulary as in ``change``.

    ``before``: the ``snapshot`` of the base. Raises SpecializeError where they differ (a bug) or
    the model cannot be reloaded, because it has further tensors with a row per piece (I-BERT).
    """
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, change.new, Path(folder), source=source)
        try:
            reloaded = load_checkpoint(Path(folder))
        except DataError as error:
            raise SpecializeError(
                f"{type(model).__name__} cannot be changed to {len(change.new.pieces)} pieces; "
                f"reloaded from {error}"
            ) from None
    new_ids, old_ids = list(change.kept.keys()), list(change.kept.values())
    after = tables(reloaded.model)
    for name in ("input", "output", "bias"):
        old, new = getattr(before, name), getattr(after, name)
        if (old is None) != (new is None):
            raise SpecializeError(f"the installed model's {name} table is tied, the base's is not")
        if old is not None and not torch.equal(old[old_ids], new[new_ids]):
            raise SpecializeError(f"the installed model differs from the base in kept {name} rows")
    if tuple(reloaded.vocabulary.pieces) != tuple(change.new.pieces):
        raise SpecializeError(
            "the installed model's vocabulary is not the changed one after reload"
        )
