"""What a recipe may hold: one dataclass for each kind of table, checked and documented from here.

The tables ``[corpus]``, ``[lapt]`` and ``[finetune]`` are the dataclasses of their stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Options = Mapping[str, Any]
Method = str | Options  # "tva", or { method = "tva", pieces = 99 }
Methods = Method | tuple[Method, ...]


@dataclass(frozen=True)
class RecipeKeys:
    """The keys at the top of a recipe.

    ``mixin``, ``augment``, ``embed``, ``modules``, ``lapt``, ``finetune`` and ``seeds`` hold for
    every arm that does not set its own. A method is given by name, ``"tva"``, or as a table with
    its options, ``{ method = "tva", pieces = 200 }``; ``"my_file.py:function"`` is one of a file
    beside the recipe, ``"my_package.module:function"`` one of an installed module; ``specialize
    run`` prints which such functions it runs, with their files. Files are relative to the recipe;
    ``$VARIABLES`` and ``~`` are expanded.
    """

    base: str  # the model: "mini", a folder, or a model of the Hugging Face hub
    title: str = ""  # heading of the report; default: the recipe's file name
    note: str = ""  # a caveat the report shows under its heading: "synthetic data"
    language: str = ""  # code of the language, for the report and the names of modules
    preset: str = ""  # "paper" or "as_released": options of the paper or its code; own keys win
    seeds: tuple[int, ...] = (1,)  # one fine-tuned model of each task for each seed
    result: str = ""  # the arm that is the result; default: the last
    mixin: Methods = ()  # what rewrites every text: a method, or a list applied in order
    augment: Method = "none"  # what changes the vocabulary
    embed: Method | None = None  # what fresh rows start as; default: ridge, of presets: unused
    modules: Method = "none"  # what trains in place of the model, which stays as it is
    lapt: bool | Options = True  # the table [lapt]; false: no arm runs LAPT
    finetune: Options = field(default_factory=dict)  # the table [finetune]
    corpus: Options | None = None  # the table [corpus]; needed to augment or to run LAPT
    task: Mapping[str, Options | Literal[False]] = field(default_factory=dict)  # [task.NAME]
    arm: Mapping[str, Options | Literal[False]] = field(default_factory=dict)  # [arm.NAME]
    axes: Options = field(default_factory=dict)  # the table [axes]: what varies, for a grid


@dataclass(frozen=True)
class ArmKeys:
    """One arm: a way from the base to fine-tuned models, compared with the other arms.

    A recipe without arms has one, "result". ``arm.NAME = false`` leaves an arm out.
    """

    base: str | None = None  # default: the recipe's
    mixin: Methods | None = None  # default: the recipe's
    augment: Method | None = None  # default: the recipe's
    embed: Method | None = None  # default: the recipe's
    modules: Method | None = None  # default: the recipe's
    lapt: bool | Options = True  # keys of [lapt] to change; false: no LAPT
    finetune: Options = field(default_factory=dict)  # keys of [finetune] to change
    multitask: bool | Options = False  # train the tasks together: the table's keys, below
    tasks: tuple[str, ...] | None = None  # the tasks to fine-tune; default: all
    seeds: tuple[int, ...] | None = None  # default: the recipe's


@dataclass(frozen=True)
class TaskKeys:
    """One task: its data, and the options of its method.

    The table's name is the method's, or any other with ``method``: two treebanks can stand in one
    recipe as ``[task.udt]`` and ``[task.news]``, both with ``method = "pos"``. ``task.NAME =
    false`` leaves a task out. Without a file for ``train`` or for ``dev``, the other is split:
    every fifth sentence is dev.
    """

    train: str = ""  # file to train on
    dev: str = ""  # file that chooses the best epoch
    test: str = ""  # file to score, once; required, here or by folder
    folder: str = ""  # where files not named are: UD's names, train.txt, dev, valid.tsv, eng.testa
    folds: int = 0  # split into so many: dev of seed s is fold s mod folds (cross-validation)
    method: str = ""  # default: the table's name
