"""``specialize methods``: what a recipe can name, with options and defaults."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import MISSING
from typing import Any

from specialize.commands._arguments import Parsers, add_command


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "methods",
        help="the methods a recipe can name, with options and defaults",
        examples="specialize methods\nspecialize methods augment\nspecialize methods --json",
    )
    kinds = ["mixin", "augment", "embed", "modules", "task"]
    command.add_argument("kind", nargs="?", choices=kinds, help="default: all kinds")
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the methods of one kind, or of all."""
    from specialize.recipe.methods import KINDS, describe, names
    from specialize.recipe.table import shown

    kinds = [options.kind] if options.kind else list(KINDS)
    found = {kind: {name: describe(kind, name) for name in names(kind)} for kind in kinds}
    if options.json:
        print(json.dumps({k: {n: _json(d) for n, d in of.items()} for k, of in found.items()}))
        return
    for kind, methods in found.items():
        print(kind)
        for name, method in methods.items():
            print(f"  {name:14} {method.summary}")
            for option, key in method.options.items():
                default = "(required)" if key.default is MISSING else shown(key.default)
                print(f"  {'':14}   {option} = {default}")


def _json(method: Any) -> dict[str, Any]:
    from specialize.recipe.methods import plain
    from specialize.recipe.table import in_words

    options = {}
    for name, key in method.options.items():
        options[name] = {"type": in_words(key.type)}
        if key.default is not MISSING:
            options[name]["default"] = plain(key.default)
    return {"summary": method.summary, "options": options}
