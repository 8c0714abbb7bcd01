"""``specialize modules``: languages added, and packs of modules by language and task."""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands.run import add_threads

_ACTIONS = {
    "add": "a language added to a base with modules: new pieces, rows and modules, all else frozen",
    "list": "what is in packs: sites, languages and tasks, numbers of parameters",
    "export": "the modules of one language or one task as a pack of their own",
    "import": "an X-MOD of transformers as a plain model and a pack",
}


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "modules",
        help="modules by language and task: add a language; list, export, import packs",
        examples="""
            specialize modules add ug --base xmod --pack xmod.safetensors --text ug.txt --out ug
            specialize modules list madx/ug.safetensors madx/pos.safetensors
            specialize modules export all.safetensors --language ug --out ug.safetensors
            specialize modules export ug.safetensors --language ug --peft arms/lora/model --out peft
            specialize modules import facebook/xmod-base --out xmod
        """,
    )
    actions = command.add_subparsers(
        dest="action", required=True, metavar="ACTION", help=", ".join(_ACTIONS)
    )
    parts = {
        name: actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        for name, text in _ACTIONS.items()
    }
    _add_add(parts["add"])
    parts["list"].add_argument("pack", nargs="+", type=Path, help="a .safetensors file")
    parts["list"].add_argument("--json", action="store_true", help="one JSON object per pack")
    parts["list"].set_defaults(run=_list)
    _add_export(parts["export"])
    parts["import"].add_argument("model", help="a folder, or a model's name: facebook/xmod-base")
    out = "folder to write: the host as model/, its modules as modules.safetensors"
    parts["import"].add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    parts["import"].set_defaults(run=_import)


def _add_add(part: argparse.ArgumentParser) -> None:
    part.add_argument("language", metavar="LANGUAGE", help="its key among the modules: ug")
    base = "the model that the modules belong to: a folder, or a model's name"
    part.add_argument("--base", required=True, metavar="MODEL", help=base)
    part.add_argument("--pack", required=True, type=Path, metavar="FILE", help="its modules")
    text = "text of the language, of any format"
    part.add_argument(
        "--text", nargs="+", action="extend", required=True, metavar="FILE", help=text
    )
    start = "initial modules: mean, random, or the language to copy; default: %(default)s"
    part.add_argument("--start", default="mean", metavar="NAME", help=start)
    out = "folder to write: model/, modules.safetensors with all languages, training.json"
    part.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    add_threads(part)
    keys = "of augment (extend), embed (overlap), lapt, corpus or seeds: lapt.steps=2000"
    add_set(part, "KEY=VALUE", keys)
    part.set_defaults(run=_add)


def _add_export(part: argparse.ArgumentParser) -> None:
    part.add_argument("pack", type=Path, help="a .safetensors file")
    chosen = part.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--language", metavar="CODE", help="the language to export")
    chosen.add_argument("--task", metavar="NAME", help="the task to export")
    peft = (
        "write LoRA in the format of peft, as a folder; MODEL: the pack's base, a folder or a name"
    )
    part.add_argument("--peft", metavar="MODEL", help=peft)
    out = "file to write, with --peft a folder"
    part.add_argument("--out", type=Path, required=True, metavar="FILE", help=out)
    part.set_defaults(run=_export)


def _add(options: Namespace) -> None:
    from specialize.environment import set_threads
    from specialize.modules.packs import PACK
    from specialize.pipeline.add_language import add
    from specialize.progress import terminal_log
    from specialize.recipe.addition import read_addition

    threads = set_threads(options.threads)
    recipe = read_addition(options.base, options.language, options.text, options.set)
    with terminal_log(options.out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        model = add(
            recipe, options.pack, options.language, options.out, start=options.start, log=log
        )
    print(model, options.out / PACK, sep="\n")


def _list(options: Namespace) -> None:
    from specialize.commands._output import print_json
    from specialize.modules.listing import facts, lines
    from specialize.modules.packs import read_pack

    for file in options.pack:
        pack = read_pack(file)
        if options.json:
            print_json({"file": str(file), **facts(pack)})
        else:
            first, *rest = lines(pack)
            print(f"{file}: {first}", *rest, sep="\n")


def _export(options: Namespace) -> None:
    from specialize.commands._output import output_file
    from specialize.errors import UsageError
    from specialize.modules.packs import export
    from specialize.modules.scope import Scope

    if "" in (options.language, options.task):
        raise UsageError("expected the name of a language or a task, got ''")
    scope = Scope(options.language or "", options.task or "")
    if options.peft:
        from specialize.model.find import find_model
        from specialize.modules.peft_format import export_peft

        count = export_peft(options.pack, scope, find_model(options.peft), options.out)
        print(f"{options.out}: {count:,} parameters")
        return
    with output_file(options.out, inputs=[options.pack]):
        pack = export(options.pack, scope, options.out)
    print(f"{options.out}: {sum(pack.counts().values()):,} parameters")


def _import(options: Namespace) -> None:
    from specialize.model.find import find_model
    from specialize.modules.xmod import convert

    pack = convert(find_model(options.model), options.out)
    (part,) = pack.parts.values()
    keys = part.get("source", part)["keys"]
    print(f"{options.out}: a plain model, and the modules of {len(keys)} languages")
