"""docs/recipes.md from dataclasses and signatures: ``python -m specialize.recipe.reference``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING
from typing import Any

from specialize.corpus import CorpusFiles
from specialize.recipe.keys import ArmKeys, RecipeKeys, TaskKeys
from specialize.recipe.methods import KINDS, describe, names
from specialize.recipe.table import Key, in_words, keys_of, shown

INTRO = """\
# Recipes

A recipe is a TOML file; `specialize run RECIPE --out DIR` runs it. Unknown keys and values of
another type are refused before anything is run; `--set lapt.epochs=2` changes a key from the
command line.
[recipes/my_language.toml](../recipes/my_language.toml) is one to copy.

This page is generated: `python -m specialize.recipe.reference > docs/recipes.md`.
"""
PRETRAIN = """\
The recipe of `specialize pretrain`, a file of its own such as
[recipes/pretrain_mini.toml](../recipes/pretrain_mini.toml): these keys at its top, and a table
`[languages]` with lines `code = ["FILE", ...]`.
"""
VECTORS = """\
A recipe of `specialize pretrain` with `shape = "bilstm"`, such as
[recipes/pretrain_vectors.toml](../recipes/pretrain_vectors.toml), has these keys instead.
"""
AXES = """\
`[axes]` makes a grid of a recipe: what it names varies, and every point is run. All points share
their stages, so a grid with one more value runs only what is new.

- A list gives values to a key: `"augment.pieces" = [99, 500]`. Options of a method are added to the
  method of the arm, and change nothing where that is `none`; the same holds for keys of `lapt`
  and `multitask` where they are `false`. `seeds` are no axis: every arm runs all of them.
- A table `[axes.NAME.POINT]` holds changes to the recipe, of any keys; `NAME` and `POINT` are free.
  `axes.NAME.POINT = false` leaves a point out.

Axes of what arms can set (`mixin`, `augment`, `embed`, `modules`, `lapt`, `finetune`, `multitask`,
`tasks`) multiply the arms: the arm `tva` becomes `tva-pieces_99` and `tva-pieces_500`; a point
without changes leaves the arm's name as it is. All other axes make a recipe of each point, run in
the folder `OUT/POINT`; their tables may change arms and axes too. Points of an axis named
`language` set that key. Arms that would do the same as an earlier one are left out; `--plan` lists
them. `result` names an arm as the axes name it.

```toml
[axes.language.mt]
corpus.files = ["mt.txt"]

[axes.language.ug]
corpus.files = ["ug.txt"]
axes.script.latin.mixin = { method = "table", scheme = "uyghur_turkish" }

[axes.script.original]

[axes.augment]
pieces = [99, 500]

[arm.lapt]

[arm.tva]
augment = "tva"
```

Maltese gets the arms `lapt`, `tva-pieces_99` and `tva-pieces_500`, Uyghur these and
`lapt-latin`, `tva-latin-pieces_99` and `tva-latin-pieces_500`.
"""
MODULES = """\
Modules that train in place of the model (the host), which stays bit for bit as it is after the
vocabulary change. LAPT trains those of the recipe's `language`, at `lapt.rate`; where pieces are
fresh, their rows and their entries in the output bias train too. Fine-tuning trains those of the
task, at `finetune.rate`, on the language's, which no longer change, and the head. With
`lapt = false` there are none of the language. `modules/` of an arm holds the language's pack,
`heads/TASK/modules.safetensors` that of language and task. `xmod` is the exception: its modules
are trained already, and fine-tuning trains the model around them."""
METHODS = {
    "mixin": "A mix-in rewrites every line of text, in training and in use.",
    "augment": "What changes the vocabulary for the text.",
    "embed": "What initialises the embedding rows of fresh pieces.",
    "modules": MODULES,
    "task": "What is fine-tuned and scored.",
}


def reference() -> str:
    """Return the page."""
    return "\n".join([INTRO, *_tables(), *_methods()]).rstrip() + "\n"


def _tables() -> Iterator[str]:
    from specialize.train.finetune import Finetune
    from specialize.train.lapt import Lapt
    from specialize.train.multitask import Multitask
    from specialize.train.pretrain import Pretrain
    from specialize.train.vectors import Vectors

    for title, cls in (
        ("The recipe", RecipeKeys),
        ("`[corpus]`", CorpusFiles),
        ("`[task.NAME]`", TaskKeys),
        ("`[arm.NAME]`", ArmKeys),
        ("`[lapt]`", Lapt),
        ("`[finetune]`", Finetune),
        ("`[arm.NAME.multitask]`", Multitask),
    ):
        yield f"## {title}\n\n{_text(cls)}\n\n{keys_table(cls)}"
    yield f"## `[axes]`\n\n{AXES}"
    yield f"## Pretraining\n\n{PRETRAIN}\n{keys_table(Pretrain)}"
    yield f"## Word vectors\n\n{VECTORS}\n{_text(Vectors)}\n\n{keys_table(Vectors)}"


def keys_table(cls: type) -> str:
    """Return the keys of a table as Markdown: value, default, meaning."""
    meaning = meanings(cls)
    rows = [(*_row(name, key), meaning.get(name, "")) for name, key in keys_of(cls).items()]
    return _markdown(("key", "value", "default", "meaning"), rows)


def meanings(cls: type) -> dict[str, str]:
    """Return the comment behind each field of a dataclass, as its source has it."""
    found: dict[str, str] = {}
    name = ""
    for line in inspect.getsource(cls).splitlines():
        if field := re.match(r"    (\w+): ", line):
            name = field[1]
        elif re.match(r"    (def|@)", line):
            name = ""
        if name and (comment := re.search(r"(?:  |^    )# (.+)$", line)):
            found[name] = f"{found.get(name, '')} {comment[1]}".strip()
    return found


def _methods() -> Iterator[str]:
    for kind in KINDS:
        yield f"## Methods: `{kind}`\n\n{METHODS[kind]}\n"
        for name in names(kind):
            found = describe(kind, name)
            yield f"### `{name}`\n\n{found.text.replace('``', '`')}\n"
            if found.options:
                rows = [_row(option, key) for option, key in found.options.items()]
                yield _markdown(("option", "value", "default"), rows)


def _row(name: str, key: Key) -> tuple[str, str, str]:
    return f"`{name}`", in_words(key.type), _default(key.default)


def _default(value: Any) -> str:
    if value is MISSING:
        return "required"
    empty = value is None or (isinstance(value, str | tuple | Mapping) and not value)
    return "–" if empty else f"`{shown(value)}`"


def _text(cls: type) -> str:
    return (inspect.getdoc(cls) or "").replace("``", "`")


def _markdown(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


if __name__ == "__main__":
    print(reference(), end="")
