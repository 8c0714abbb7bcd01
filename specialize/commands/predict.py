"""``specialize predict``: annotate a file with the heads of a run."""

from __future__ import annotations

import shutil
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.commands._arguments import Parsers, add_command
from specialize.errors import MissingError, UsageError

if TYPE_CHECKING:
    from specialize.heads import Head
    from specialize.specialization import Specialization

DESCRIPTION = """\
Annotate a file. What it has for the tasks is replaced, everything else is kept. For pos and dep
the file is CoNLL-U, whose columns may be "_"; for ner one word a line, with or without a tag, and a
blank line after every sentence. Plain text, named .txt, one sentence a line, is converted. Files
may end in .xz or .gz."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "predict",
        help="annotate a file with the fine-tuned heads of a run",
        description=DESCRIPTION,
        examples="""
            specialize predict runs/uyghur new.conllu --task pos --task dep --out annotated.conllu
            specialize predict runs/uyghur names.txt --task ner --out -
            specialize predict runs/xmod mt.conllu --language mt --pack xmod.safetensors --out -
        """,
    )
    command.add_argument("folder", type=Path, help="a run's folder, or an arm's")
    command.add_argument("file", nargs="+", help="the file to annotate")
    task = "a task, by its name in the recipe; may be repeated; default: all of the file's format"
    command.add_argument("--task", action="append", metavar="NAME", help=task)
    command.add_argument("--out", required=True, metavar="FILE", help="file to write; - for stdout")
    language = "use the modules of this language in place of those of training: zero-shot transfer"
    command.add_argument("--language", default="", metavar="CODE", help=language)
    pack = "the modules of --language, alone or among others"
    command.add_argument("--pack", type=Path, metavar="FILE", help=pack)
    allow = "let heads run functions outside of the package, which the message without it lists"
    command.add_argument("--allow-code", action="store_true", help=allow)
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Write the file annotated for every task."""
    from specialize.atomic import whole_file
    from specialize.commands._output import output_file, write_stdout
    from specialize.specialization import Specialization

    result = Specialization(options.folder, allow_code=options.allow_code)
    file, tasks = _file_and_tasks(options)
    if options.pack and not options.language:
        raise UsageError("--pack needs --language, whose modules are used")
    load = partial(result.head, language=options.language, pack=options.pack)
    with tempfile.TemporaryDirectory() as folder:
        if options.out == "-":
            annotated = _annotated(result, load, file, tasks, Path(folder))
            write_stdout(annotated.read_bytes())
            return
        out = Path(options.out)
        with output_file(out, inputs=[file, *filter(None, [options.pack])]):
            annotated = _annotated(result, load, file, tasks, Path(folder))
            with whole_file(out) as written:
                shutil.copyfile(annotated, written)
    print(options.out)


def _file_and_tasks(options: Namespace) -> tuple[Path, list[str]]:
    """Return the file and the tasks; ``predict DIR TASK FILE`` names a single task."""
    if len(options.file) == 1:
        return Path(options.file[0]), options.task or []
    if len(options.file) == 2 and not options.task:
        return Path(options.file[1]), [options.file[0]]
    raise UsageError(f"expected one file, got {' '.join(options.file)}; name tasks with --task")


def _of_one_format(result: Specialization, file: Path, tasks: list[str]) -> list[str]:
    """Return the tasks to annotate for: those named, else all that write the file's format."""
    from specialize.corpus.conllu import is_conllu
    from specialize.tasks._plain import is_plain

    if not (names := tasks or result.tasks):
        if (result.folder / "stages").is_dir():
            if (result.folder / "training.json").is_file():
                raise MissingError(f"{result.folder} holds a base, not a run; fine-tune it first")
            raise MissingError(f"{result.folder}: the run is not finished; run its recipe again")
        raise MissingError(f"{result.folder} has no fine-tuned head; is it a run's folder?")
    formats = {name: result.task(name).format for name in names}
    if len(set(formats.values())) == 1:
        return _each_its_own_column(result, names)
    listed = ", ".join(f"{name} writes {format}" for name, format in formats.items())
    if tasks:
        raise UsageError(f"tasks of different formats: {listed}; name those of one (--task)")
    wanted = "CoNLL-U" if is_conllu(file) or is_plain(file) else "columns"
    if not (chosen := [name for name in names if formats[name] == wanted]):
        raise UsageError(f"{file} is {wanted}, which no head writes: {listed}; name one (--task)")
    others = ", ".join(name for name in names if name not in chosen)
    print(f"tasks: {', '.join(chosen)} (they write {wanted}); not {others}", file=sys.stderr)
    return _each_its_own_column(result, chosen)


def _each_its_own_column(result: Specialization, names: list[str]) -> list[str]:
    """Return ``names``; UsageError where one would overwrite what another writes."""
    writers: dict[tuple[str, str], str] = {}  # by method and column
    for name in dict.fromkeys(names):
        task = result.task(name)
        first = writers.setdefault((task.name, str(getattr(task, "column", ""))), name)
        if first != name:
            raise UsageError(f"{first} and {name} write the same column; name one with --task")
    return names


def _annotated(
    result: Specialization,
    load: Callable[[str], Head],
    file: Path,
    tasks: list[str],
    folder: Path,
) -> Path:
    """Return ``file`` annotated for one task after the other, in ``folder``."""
    from specialize.tasks._plain import plain_note

    if result.allow_code:
        for line in dict.fromkeys(x for name in tasks or result.tasks for x in result.code(name)):
            print(f"running code outside of the package: {line}", file=sys.stderr)
    annotated = file
    for name in _of_one_format(result, file, tasks):
        head = load(name)
        if annotated is file and (note := plain_note(file, head.pretokenize)):
            print(note, file=sys.stderr)
        if head.language:
            print(f"{name}: with the modules of {head.language}", file=sys.stderr)
        sentences = head.annotate(head.read(annotated))
        annotated = folder / f"{name}.out"
        head.task.write(sentences, annotated)
    return annotated
