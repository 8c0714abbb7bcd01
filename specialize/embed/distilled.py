"""Hidden-state distillation: fresh pieces learn to act as their old pieces (Token Distillation)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from specialize.embed import subwords
from specialize.embed._auxiliary import encoded
from specialize.embed._rows import FreshRows, Init, Tables, one_thread
from specialize.errors import UsageError
from specialize.progress import Log, Silent
from specialize.vocab.base import VocabChange, Vocabulary

if TYPE_CHECKING:
    from specialize.model.load import Checkpoint
    from specialize.vocab.framing import Framing

# shapes: W windows of a batch, N new pieces of a window, O old ones, F fresh pieces, D and E widths
# of states and of the input table

_WINDOW = 96  # old pieces of a window, frame left out, at most
_SHOWN = 6  # old pieces that a source names


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    start: Init | None = None,
    steps: int = 300,
    batch: int = 16,
    rate: float = 0.03,
    limit: int = 1_000_000,
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return rows trained so that the encoder gives the states that it gives old pieces.

    Text is shown to the frozen encoder twice, with fresh pieces and with the old pieces of each;
    the mean squared difference of the last states is minimised at unchanged pieces and at fresh
    ones, where the mean of the old pieces' states is the target. For models that predict the next
    piece it is the state of the last one (Dobler et al. 2025; masked models are ours). Only input
    rows are trained, by Adam in ``steps`` of ``batch`` windows from the first ``limit`` pieces of
    the text; its rate falls from ``rate`` times the deviation of old rows to 0. Rows begin as those
    of the method ``start`` (default: ``subwords``), which decides output rows and the bias, and
    rows of pieces without old ones. On a GPU, or with one thread whatever the number of threads:
    minutes for a small model, hours for BERT's size.
    """
    if checkpoint is None:
        raise UsageError(
            "embed 'distilled' needs the model, got only its tables; use it in a recipe or as "
            "augment --embed, or pass checkpoint = load_checkpoint(folder)"
        )
    if steps < 1 or batch < 1 or rate <= 0:
        raise UsageError(f"expected steps, batch and rate above 0, got {steps}, {batch}, {rate}")
    begun = (start or subwords.init)(tables, change, corpus, seed=seed)
    lines = encoded(change.new, corpus, limit)
    windows = list(_windows(change, checkpoint.framing, lines))
    if not windows:
        return begun
    places = [window.fresh_N[window.fresh_N >= 0] for window in windows]
    counts = np.bincount(np.concatenate(places), minlength=len(change.fresh))
    chances = np.array([(1 / counts[own]).sum() for own in places])  # rare pieces are seen too
    rows_FE = _train(
        checkpoint,
        windows,
        chances / chances.sum(),
        begun.input,
        seed=seed,
        steps=steps,
        batch=batch,
        rate=rate * float(tables.input[: len(change.old.pieces)].std()),
        log=log,
    )
    learned = np.flatnonzero(counts).tolist()
    sources = _sources(change, learned, begun.sources)
    unmatched = begun.unmatched.difference(learned)
    return replace(begun, input=rows_FE, sources=sources, unmatched=unmatched)


def _sources(
    change: VocabChange[Vocabulary], learned: Sequence[int], before: Sequence[str]
) -> tuple[str, ...]:
    """Return the sources of rows: old pieces of the ``learned`` ones, as ``before`` of others."""
    found = list(before)
    for place in learned:
        parts = [change.old.readable(p) for p in change.old.parts(change.fresh_pieces[place])]
        more = [f"... ({len(parts) - _SHOWN} more)"] if len(parts) > _SHOWN else []
        found[place] = f"distilled from {', '.join([*parts[:_SHOWN], *more])}"
    return tuple(found)


# Text ---------------------------------------------------------------------------------------------


class _Window(NamedTuple):
    """A framed piece of text, in old ids and as the new vocabulary has it."""

    old_O: np.ndarray  # ids
    owner_O: np.ndarray  # the place in the window of the new piece that each old one belongs to
    fresh_N: np.ndarray  # the place in change.fresh of each new piece, -1 where it stays


_Unit = tuple[tuple[int, ...], int]  # the old ids of a new piece, its place in change.fresh or -1


def _windows(
    change: VocabChange[Vocabulary], framing: Framing, lines: Iterable[np.ndarray]
) -> Iterator[_Window]:
    """Yield the windows of the text that have a fresh piece to learn."""
    units = _units(change)
    prefix, suffix = ([((id,), -1) for id in ids] for ids in (framing.prefix, framing.suffix))
    for line in lines:
        for part in _cut((units[id] for id in line), min(_WINDOW, framing.room)):
            if any(place >= 0 for _, place in part):
                shown = [*prefix, *part, *suffix]
                yield _Window(
                    np.array([id for ids, _ in shown for id in ids]),
                    np.array([n for n, (ids, _) in enumerate(shown) for _ in ids]),
                    np.array([place for _, place in shown]),
                )


def _units(change: VocabChange[Vocabulary]) -> list[_Unit]:
    """Return the unit of each new id; pieces without old ones are unknown text, or left out."""
    old, new_ids = change.old, range(len(change.new.pieces))
    unknown: _Unit = ((old.ids[old.unk],) if old.unk in old.ids else (), -1)
    units = [((change.kept[id],), -1) if id in change.kept else unknown for id in new_ids]
    for place, (id, piece) in enumerate(zip(change.fresh, change.fresh_pieces, strict=True)):
        if parts := old.parts(piece):
            units[id] = tuple(old.ids[part] for part in parts), place
    return units


def _cut(line: Iterable[_Unit], room: int) -> Iterator[list[_Unit]]:
    """Yield the units of a line in windows of at most ``room`` old pieces."""
    part, size = list[_Unit](), 0
    for unit in line:
        if size + len(unit[0]) > room:
            yield part
            part, size = [], 0
        if 0 < len(unit[0]) <= room:
            part.append(unit)
            size += len(unit[0])
    yield part


# Training -----------------------------------------------------------------------------------------


def _train(
    checkpoint: Checkpoint,
    windows: Sequence[_Window],
    chances: np.ndarray,
    first_FE: Tensor,
    *,
    seed: int,
    steps: int,
    batch: int,
    rate: float,
    log: Log,
) -> Tensor:
    """Return the rows after training; the model is left as it was."""
    from specialize.model.device import device

    model, home = checkpoint.model, checkpoint.model.device
    rng = np.random.default_rng(seed)
    model.to(device())
    rows_FE = first_FE.to(model.device).clone().requires_grad_()
    adam = torch.optim.Adam([rows_FE])
    try:
        with one_thread():
            for step in range(steps):
                adam.param_groups[0]["lr"] = rate * (1 - step / steps)
                chosen = [windows[i] for i in rng.choice(len(windows), batch, p=chances)]
                loss = _loss(model, checkpoint.framing, chosen, rows_FE)
                rows_FE.grad = torch.autograd.grad(loss, rows_FE)[0]
                adam.step()
                log.step(step + 1, steps, loss=loss.detach())
    finally:
        model.to(home)
    return rows_FE.detach().to(first_FE.device)


def _loss(model: Any, framing: Framing, windows: Sequence[_Window], rows_FE: Tensor) -> Tensor:
    """Return the mean squared differences of states at fresh pieces and at those that stay."""
    old_WO, owner_WO, fresh_WN = (
        _padded([window[part] for window in windows], fill).to(rows_FE.device)
        for part, fill in enumerate((framing.pad, -1, -2))
    )
    real_WO, real_WN = owner_WO >= 0, fresh_WN > -2
    last_WO = real_WO & (owner_WO != owner_WO.roll(-1, 1))
    counted_WO = real_WO if framing.mask is not None else last_WO  # causal: the last old piece
    with torch.no_grad():
        states_WOD = _states(model, old_WO, real_WO)
        target_WND = _means(states_WOD, owner_WO, counted_WO, fresh_WN.shape[1])
    ids_WN = torch.full_like(fresh_WN, framing.pad)
    ids_WN[real_WN] = old_WO[last_WO]  # at fresh pieces only a place to put the row
    with _shown(model, fresh_WN, rows_FE):
        found_WND = _states(model, ids_WN, real_WN)
    error_WN = (found_WND - target_WND).square().mean(2)
    stays_WN = real_WN & (fresh_WN < 0)
    return error_WN[fresh_WN >= 0].mean() + error_WN[stays_WN].mean()


def _states(model: Any, ids_WN: Tensor, real_WN: Tensor) -> Tensor:
    found: Tensor = model.base_model(input_ids=ids_WN, attention_mask=real_WN).last_hidden_state
    return found


def _means(states_WOD: Tensor, owner_WO: Tensor, counted_WO: Tensor, size: int) -> Tensor:
    """Return the mean [W, N, D] of the counted states of each new piece, 0 without any."""
    share_WON = F.one_hot(owner_WO.clamp(min=0), size) * counted_WO[:, :, None]
    share_WON = share_WON / share_WON.sum(1, keepdim=True).clamp(min=1)
    return share_WON.transpose(1, 2) @ states_WOD


@contextmanager
def _shown(model: Any, fresh_WN: Tensor, rows_FE: Tensor) -> Iterator[None]:
    """Give the model the fresh rows where ``fresh_WN`` names one; it has no ids for them yet."""
    given_WNE = F.embedding(fresh_WN.clamp(min=0), rows_FE)

    def replaced(module: Any, args: Any, output: Tensor) -> Tensor:
        return torch.where((fresh_WN >= 0)[:, :, None], given_WNE, output)

    hook = model.get_input_embeddings().register_forward_hook(replaced)
    try:
        yield
    finally:
        hook.remove()


def _padded(rows: Sequence[np.ndarray], fill: int) -> Tensor:
    return pad_sequence([torch.from_numpy(row) for row in rows], True, fill)
