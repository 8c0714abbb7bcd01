"""Presets: the paper's text and its released code as options of a recipe (docs/paper.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specialize.errors import UsageError
from specialize.recipe.keys import Options, RecipeKeys
from specialize.recipe.table import unknown

EMBED = "ridge"  # without a preset: the best in benchmarks/results/initial_rows_xeon_202611.md
PRESETS: dict[str, dict[str, Any]] = {  # Chau & Smith 2021
    "paper": {
        "augment": {"tva": {"preset": "paper"}},
        "embed": "unused",
        "lapt": {"static": 0},
        "finetune": {
            "schedule": "inverse_sqrt",
            "evaluation_dropout": False,
            "bias_correction": True,
        },
        "task": {
            "pos": {"dropout_twice": False, "sentence_mean": False},
            "dep": {"copied_layers": False, "probability_sum": False, "skip_punctuation": False},
            "ner": {"dropout_twice": False, "sum_loss": False},
        },
    },
    "as_released": {
        "augment": {"tva": {"preset": "as_released"}},
        "embed": "unused",
        "lapt": {"static": 5, "fresh_rate": 1.0},
        "finetune": {
            "schedule": "constant",
            "evaluation_dropout": True,
            "bias_correction": False,
        },
        "task": {
            "pos": {"dropout_twice": True, "sentence_mean": True},
            "dep": {"copied_layers": True, "probability_sum": True, "skip_punctuation": True},
            "ner": {"dropout_twice": True, "sum_loss": True},
        },
    },
}


def with_preset(keys: RecipeKeys) -> RecipeKeys:
    """Return the recipe with the options of its preset where it does not set them itself."""
    if not keys.preset:
        return keys
    if keys.preset not in PRESETS:
        message = unknown(f"unknown preset {keys.preset!r}", keys.preset, PRESETS)
        raise UsageError(message, key="preset")
    preset = PRESETS[keys.preset]
    own = {} if keys.lapt is True else keys.lapt
    return replace(
        keys,
        augment=_method(preset["augment"], keys.augment),
        embed=preset["embed"] if keys.embed is None else keys.embed,
        lapt={**preset["lapt"], **own} if isinstance(own, Mapping) else own,
        finetune={**preset["finetune"], **keys.finetune},
        task={name: _task(preset["task"], name, table) for name, table in keys.task.items()},
        arm={name: _arm(preset["augment"], table) for name, table in keys.arm.items()},
    )


def _method(options: Mapping[str, Options], value: Any) -> Any:
    """Return a method, by name or as a table, with what the preset has for it."""
    table = {"method": value} if isinstance(value, str) else value
    return {**options[table["method"]], **table} if table.get("method") in options else value


def _task(options: Mapping[str, Options], name: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        return table
    return {**options.get(table.get("method", name), {}), **table}


def _arm(options: Mapping[str, Options], table: Any) -> Any:
    if not isinstance(table, Mapping) or "augment" not in table:
        return table
    return {**table, "augment": _method(options, table["augment"])}
