"""A language model as we use it: states of pieces, logits at places, tables of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from specialize.embed._rows import Tables
from specialize.errors import DataError
from specialize.vocab.framing import FROM_PADDING

LanguageModel = Any  # a transformers model that predicts masked pieces, or the next (``is_causal``)

# shapes: B sequences, L pieces, H layers, D width, M places, V pieces, R >= V rows of a table

_Head = Callable[[LanguageModel, Tensor], Tensor]
FULL = "full logits"
_HEADS: dict[str, _Head] = {  # modules that a model of the shape has -> states [M, D] to logits
    "cls": lambda m, x: m.cls(x),  # BERT, DeBERTa with "legacy": true
    "lm_predictions": lambda m, x: m.lm_predictions(x, m.get_input_embeddings()),  # DeBERTa's own
    "lm_head": lambda m, x: m.lm_head(x),  # RoBERTa, XLM-R, CamemBERT, X-MOD, MPNet; GPT-2, Llama
    "predictions": lambda m, x: m.predictions(x),  # ALBERT
    "head decoder": lambda m, x: m.decoder(m.head(x)),  # ModernBERT
    "generator_predictions generator_lm_head": (  # ELECTRA
        lambda m, x: m.generator_lm_head(m.generator_predictions(x))
    ),
    "vocab_transform activation vocab_layer_norm vocab_projector": (  # DistilBERT
        lambda m, x: m.vocab_projector(m.vocab_layer_norm(m.activation(m.vocab_transform(x))))
    ),
}


def is_causal(config: Any) -> bool:
    """Return whether models of a configuration predict the next piece, not masked ones."""
    from transformers import AutoModelForMaskedLM

    return type(config) not in AutoModelForMaskedLM._model_mapping


def logits_at(
    model: LanguageModel,
    ids_BL: Tensor,
    real_BL: Tensor | None,
    places_M: Tensor,
    documents_BL: Tensor | None = None,
) -> Tensor:
    """Return logits [M, R] at places of the flattened batch (b * L + l, in order).

    The head outweighs a small encoder: computing it at masked places only is worth 1.8x of the
    arithmetic for mBERT's shape. A model without a head known here (``head_of``) computes all
    logits. Places, not a mask: a GPU would have to wait until the mask is counted. ``real_BL``:
    False at padding. ``documents_BL``: the number of each piece's document, if it sees no other.
    """
    head = _HEADS.get(head_of(model))
    if head is None:
        logits_BLR = model(**_inputs(model, ids_BL, real_BL, documents_BL)).logits
        return logits_BLR.flatten(0, 1)[places_M]
    return head(model, states_at(model, ids_BL, real_BL, places_M, documents_BL))


def states_at(
    model: LanguageModel,
    ids_BL: Tensor,
    real_BL: Tensor | None,
    places_M: Tensor,
    documents_BL: Tensor | None = None,
) -> Tensor:
    """Return the states [M, D] at places of the flattened batch, as the head takes them."""
    given = _inputs(model, ids_BL, real_BL, documents_BL)
    states_MD: Tensor = model.base_model(**given).last_hidden_state.flatten(0, 1)[places_M]
    return states_MD


def bare_head(model: LanguageModel) -> Callable[[Tensor], Tensor] | None:
    """Return the head without its output layer: states [M, D] to that layer's input.

    None where no such head or layer is known.
    """
    head = _HEADS.get(head_of(model))
    if head is None or (output := output_layer(model)) is None:
        return None

    def bare(states_MD: Tensor) -> Tensor:
        output.forward = lambda x: x
        try:
            return head(model, states_MD)
        finally:
            del output.forward

    return bare


def _inputs(
    model: LanguageModel, ids_BL: Tensor, real_BL: Tensor | None, documents_BL: Tensor | None
) -> dict[str, Any]:
    """Return the arguments of the model for a batch."""
    given: dict[str, Any] = {"input_ids": ids_BL, "attention_mask": real_BL}
    if causal := is_causal(model.config):
        given["use_cache"] = False
    if documents_BL is not None:
        given |= apart(documents_BL, causal=causal, first=_first_position(model.config))
    return given


def apart(documents_BL: Tensor, *, causal: bool = False, first: int = 0) -> dict[str, Tensor]:
    """Return arguments with which pieces see those of their document only, from position ``first``.

    An additive mask [B, 1, L, L] and positions [B, L]. Padding is a document of its own.
    """
    same_BLL = documents_BL[:, :, None] == documents_BL[:, None, :]
    if causal:
        same_BLL = same_BLL.tril()
    mask = torch.zeros(same_BLL.shape, device=same_BLL.device)
    mask = mask.masked_fill(~same_BLL, torch.finfo(mask.dtype).min)
    at = torch.arange(documents_BL.shape[1], device=documents_BL.device)
    begins = documents_BL != documents_BL.roll(1, 1)
    starts_BL = torch.where(begins, at, 0).cummax(1).values
    return {"attention_mask": mask[:, None], "position_ids": first + at - starts_BL}


def _first_position(config: Any) -> int:
    """Return the position of a text's first piece: RoBERTa's is the padding id + 1."""
    return config.pad_token_id + 1 if config.model_type in FROM_PADDING else 0


def head_of(model: LanguageModel) -> str:
    """Return the modules of the head that ``logits_at`` computes alone, or ``FULL``.

    That is what ``choose_head`` found, else what the model's modules suggest.
    """
    chosen: str | None = getattr(model, "chosen_head", None)
    if chosen is not None:
        return chosen
    known = (names for names in _HEADS if all(hasattr(model, n) for n in names.split()))
    return next(known, FULL)


@torch.no_grad()
def choose_head(model: LanguageModel, ids_L: list[int]) -> str:
    """Compare head and full logits on the pieces ``ids_L``; record in ``model`` what to use.

    ``model`` is in evaluation mode. Errors of the model's own forward pass are passed on.
    """
    ids_BL = torch.tensor([ids_L], device=model.device)
    full = model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL)).logits[0]
    try:
        places = torch.arange(len(ids_L), device=model.device)
        given = model, ids_BL, torch.ones_like(ids_BL), places
        found = [logits_at(*given)]
        if (bare := bare_head(model)) and (output := output_layer(model)):
            found.append(F.linear(bare(states_at(*given)), output.weight, output.bias))
        equal = all(
            fast.shape == full.shape and torch.allclose(fast, full, rtol=1e-4, atol=1e-5)
            for fast in found
        )
    except (AttributeError, TypeError, RuntimeError):  # modules of these names, used otherwise
        equal = False
    model.chosen_head = head_of(model) if equal else FULL
    return model.chosen_head


def positions(chosen_BL: Tensor) -> Tensor:
    """Return the places [M] of the flattened batch where ``chosen_BL`` is True."""
    return chosen_BL.flatten().nonzero().squeeze(1)


def layers(model: LanguageModel, ids_BL: Tensor, real_BL: Tensor) -> tuple[Tensor, ...]:
    """Return the states [B, L, D] after each of the encoder's layers, without the embeddings.

    Where a layer is a group of several (ALBERT's ``inner_group_num``), those after each group.
    """
    output = model.base_model(input_ids=ids_BL, attention_mask=real_BL, output_hidden_states=True)
    states = tuple(output.hidden_states[1:])
    step, rest = divmod(len(states), layer_count(model))
    if rest or not step:
        raise DataError(
            f"{type(model.base_model).__name__}: expected the states of {layer_count(model)} "
            f"layers, got {len(states)}; word states need an encoder with one state per layer"
        )
    return states[step - 1 :: step]


def hidden_size(model: LanguageModel) -> int:
    """Return the width D of the encoder's states (that of ELECTRA's embeddings may differ)."""
    return int(_encoder_config(model).hidden_size)


def layer_count(model: LanguageModel) -> int:
    """Return how many layers the encoder has."""
    return int(_encoder_config(model).num_hidden_layers)


def _encoder_config(model: LanguageModel) -> Any:
    """Return the configuration; its attribute map knows DistilBERT's ``dim`` and ``n_layers``."""
    return model.base_model.config.get_text_config()


# Tables -------------------------------------------------------------------------------------------


def tables(model: LanguageModel) -> Tables:
    """Return the tables with a row per piece, detached; they share the model's memory."""
    table, output, bias = model.get_input_embeddings(), output_layer(model), output_bias(model)
    own = None if output is None or output.weight is table.weight else output.weight
    return Tables(
        table.weight.detach(),
        None if own is None else own.detach(),
        None if bias is None else bias.detach(),
    )


def output_layer(model: LanguageModel) -> Any | None:
    """Return the layer whose weight [R, D] has a row per piece, tied to the input table or not.

    None where the head multiplies by the input table itself, as DeBERTa's own does; transformers'
    ``get_output_embeddings`` then returns another layer.
    """
    return None if hasattr(model, "lm_predictions") else model.get_output_embeddings()


def output_bias(model: LanguageModel) -> nn.Parameter | None:
    """Return the bias [R] that the head adds to logits, if there is one."""
    return next(iter(output_biases(model)), None)


def output_biases(model: LanguageModel) -> list[nn.Parameter]:
    """Return the head's parameters [R] with an entry per piece, the one in use first.

    Heads such as BERT's hold the output layer's bias a second time: the same parameter in a tied
    model, another one, which nothing reads, in an untied model.
    """
    rows, output = len(model.get_input_embeddings().weight), output_layer(model)
    encoder = set(model.base_model.modules())
    owners = [] if output is None else [output]
    owners += [m for m in model.modules() if m not in encoder and any(True for _ in m.children())]
    biases = (getattr(owner, "bias", None) for owner in owners)
    found = {id(b): b for b in biases if isinstance(b, nn.Parameter) and b.shape == (rows,)}
    return list(found.values())


def tie(model: LanguageModel) -> None:
    """Make the input table the weight of the output layer."""
    if (output := output_layer(model)) is not None:
        output.weight = model.get_input_embeddings().weight
