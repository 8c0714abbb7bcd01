"""What a model's folder says of itself to those who use it without this package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.mixins._table import read_table
from specialize.recipe.carried import carry
from specialize.recipe.recipe import Arm

CARD, FACTS = "README.md", "specialize.json"
_USE = """
```python
from specialize import read_mix
from transformers import AutoTokenizer

folder = "..."  # of this card
mix = read_mix(folder{code})
tokens = AutoTokenizer.from_pretrained(folder)(mix("some text"))
```
"""


def write_card(folder: Path, arm: Arm, *, base: str, language: str) -> None:
    """Write ``specialize.json`` and a card to a model's folder, and the files of its mix-ins."""
    mixins = carry(arm.mixin, folder)
    facts = {
        "base": base,
        "language": language,
        "arm": arm.name,
        "mixins": mixins,
        "augment": str(arm.augment),
        "lapt": arm.lapt is not None,
    } | ({"modules": str(arm.modules)} if arm.modules else {})
    atomic.write_json(folder / FACTS, facts)
    atomic.write_text(folder / CARD, _card(facts, folder))


def _card(facts: dict[str, Any], folder: Path) -> str:
    lines = ["---", "library_name: transformers"]
    if re.fullmatch(r"[a-z]{2,3}", facts["language"]):
        lines.append(f"language: {facts['language']}")
    trained = facts["lapt"] and "modules" not in facts
    lapt = ", further trained on text of the language (LAPT)" if trained else ""
    lines += ["---", "", f"# {facts['arm']}", ""]
    augment = "vocabulary unchanged" if facts["augment"] == "none" else f"`{facts['augment']}`"
    lines += [f"Made by `specialize` from `{facts['base']}`: {augment}{lapt}.", ""]
    if facts.get("modules"):
        lines += [
            f"Trained with modules, `{facts['modules']}`, which lie beside this folder, in "
            "`modules/` (of a language, where LAPT trained them) and `heads/` (with each task): "
            "loaded by transformers, this is the model without them, and without what fine-tuning "
            "changed.",
            "",
        ]
    if not facts["mixins"]:
        lines += ["Its text needs no rewriting."]
    else:
        lines += [
            "## Rewrite text before the tokenizer",
            "",
            "This model was trained on rewritten text. Rewrite yours alike, line by line, or word "
            "by word where words are annotated:",
            "",
            *(f"{i}. {_described(mixin, folder)}" for i, mixin in enumerate(facts["mixins"], 1)),
        ]
        code = ", allow_code=True" if any(":" in method for method, _ in facts["mixins"]) else ""
        lines.append(_USE.format(code=code))
        lines.append("`specialize predict` does so by itself, and keeps the original words.")
    return "\n".join(lines).rstrip() + "\n"


def _described(mixin: list[Any], folder: Path) -> str:
    method, options = mixin
    if method == "table":
        file = options["file"]
        title = read_table(folder / file).title
        return f"`table`, the rules in [{file}]({file}){f': {title}' if title else ''}"
    given = ", ".join(f"{name} = {value!r}" for name, value in options.items())
    return f"`{method}`{f' with {given}' if given else ''}"
