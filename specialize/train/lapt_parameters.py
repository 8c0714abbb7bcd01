"""What LAPT trains of a model: all, tables or fresh rows, with their rates, split over devices."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel, output_biases, output_layer
from specialize.model.tiers import tier, tier_bias
from specialize.progress import Log
from specialize.train.distributed import start_equal, world
from specialize.train.optim import groups
from specialize.train.sharding import Inside, plain, shard

if TYPE_CHECKING:
    from specialize.train.lapt import Lapt


def shards(plan: Lapt) -> bool:
    """Return whether the model is split over the processes that train together."""
    return plan.shard and world() > 1


def trained_parameters(
    model: LanguageModel, fresh: Sequence[int], plan: Lapt, log: Log
) -> tuple[LanguageModel, Inside, list[dict[str, Any]]]:
    """Return what is trained, how its functions are called, and the parameter groups.

    That is ``model`` itself, its fresh rows a parameter of their own, or a sharded copy.
    """
    own = _freeze(model, fresh, plan)
    start_equal(model)
    if not shards(plan):
        if plan.shard:
            log.say("lapt.shard: one process holds all parameters; start several with torchrun")
        return model, plain, _tiers(model, own, plan)
    copied = copy.deepcopy(model)
    inside = shard(copied)
    return copied, inside, _tiers(copied, own, plan)


def _freeze(model: LanguageModel, fresh: Sequence[int], plan: Lapt) -> set[str]:
    """Make the rows of ``fresh`` pieces parameters of their own and return their names.

    What ``plan.train`` leaves out gets no gradient. UsageError where nothing is left.
    """
    if plan.train == "fresh" and not fresh:
        raise UsageError(
            'lapt.train = "fresh", but no piece is fresh; add pieces (augment), or train "all" or '
            '"embeddings"'
        )
    frozen = not any(bias.requires_grad for bias in output_biases(model))
    if plan.train != "all":
        model.requires_grad_(False)
    if plan.train == "embeddings":
        layers = model.get_input_embeddings(), output_layer(model)
        tables = [layer.weight for layer in layers if layer is not None]
        for parameter in [*tables, *output_biases(model)]:
            parameter.requires_grad_(True)
    own = {id(parameter) for parameter in tier(model, fresh)} if fresh else set()
    if fresh and frozen and plan.train == "all":
        tier_bias(model, fresh)  # among the other parameters: at the base rate
    return {name for name, parameter in model.named_parameters() if id(parameter) in own}


def _tiers(model: LanguageModel, own: set[str], plan: Lapt) -> list[dict[str, Any]]:
    """Return the parameter groups; ``own``: names of the parameters of fresh rows."""
    named = list(model.named_parameters())
    tiers = groups([(n, p) for n, p in named if n not in own], rate=plan.rate, decay=plan.decay)
    fresh = [parameter for name, parameter in named if name in own]
    fresh_rate = plan.rate * plan.fresh_rate
    return [*tiers, {"params": fresh, "lr": fresh_rate, "weight_decay": plan.decay}]
