"""The command line: parse, one public call, print.

Results go to stdout, progress to stderr. Exit codes: 0 ok, 1 bug, 2 usage, 3 bad data, 4 something
missing, 5 out of memory, 130 and 143 interrupted (the same command goes on).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO, TypeAlias

from specialize.errors import SpecializeError, SpecializeWarning

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

NO_MEMORY = "out of memory; a smaller lapt.batch or finetune.batch needs less"
EPILOG = """examples:
  specialize demo
  specialize inspect bert-base-multilingual-cased --text ug.txt.xz
  specialize augment bert-base-multilingual-cased --text ug.txt.xz --out ug-tokenizer
  specialize run recipes/uyghur.toml --out runs/ug
"""
TEXTS = "texts of any format, or count files"
COUNT = """Count the tokens of texts once: FILE.counts then stands for them wherever words are
counted, as --text of inspect and augment. Counts of parts merge to those of the whole, in the order
given. .xz, .gz and .zst are read and written too."""
PREDICT = """Annotate a file, which needs no annotation: what it has for the task is replaced, all
else is kept. For pos and dep it is CoNLL-U, whose columns may be "_"; for ner a word a line, with
or without a tag, and a blank line behind every sentence. Plain text, named .txt, one sentence a
line and words parted by white space, becomes that. .xz and .gz are read too."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    options.command_line = shlex.join(["specialize", *words])
    signal.signal(signal.SIGTERM, _terminate)
    warnings.showwarning = _warn
    try:
        options.run(options)
        sys.stdout.flush()
    except SpecializeError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on where it stood", 130)
    except MemoryError:
        return _fail(NO_MEMORY, 5)
    except OSError as error:
        return _system_failed(error)
    except (RuntimeError, _safetensors_error()) as error:
        return _library_failed(error)
    return 0


def _system_failed(error: OSError) -> int:
    """Say which file or what space is missing; an error without a number may be a bug."""
    try:
        sys.stdout.flush()
    except OSError:  # what is left is dropped, or Python tries again as it ends, and complains
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # as in: specialize methods | head -1
        return 0
    if error.errno is not None:
        where = error.filename2 or error.filename or "writing"
        return _fail(f"{where}: {error.strerror}", 4)
    if re.fullmatch(r"\d+ requested and \d+ written", str(error)):  # numpy's words for it
        return _fail("writing: no space left on the disk", 4)
    raise error


def _library_failed(error: Exception) -> int:
    """Say what torch or safetensors ran out of; they raise one class for that and for bugs."""
    said = str(error)
    if "out of memory" in said or "can't allocate memory" in said:
        return _fail(NO_MEMORY, 5)
    if any(words in said for words in ("I/O error", "file write failed", "inline_container")):
        return _fail(f"cannot write; is the disk full? ({said.splitlines()[0]})", 4)
    raise error


def _safetensors_error() -> type[Exception]:
    from safetensors import SafetensorError  # looked up when something failed, no earlier

    return SafetensorError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="specialize",
        description="Specialize a multilingual language model to a language it serves badly.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    for add in (
        _add_demo,
        _add_run,
        _add_inspect,
        _add_augment,
        _add_count,
        _add_pretrain,
        _add_predict,
        _add_evaluate,
        _add_methods,
        _add_doctor,
    ):
        add(commands)
    return parser


def _add_set(command: argparse.ArgumentParser, form: str, example: str) -> None:
    said = f"{example}; may be repeated"
    command.add_argument("--set", action="append", default=[], metavar=form, help=said)


def _add_demo(commands: Commands) -> None:
    command = commands.add_parser(
        "demo", help="everything, offline, in minutes, on a synthetic language"
    )
    command.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    command.set_defaults(run=_demo)


def _demo(options: argparse.Namespace) -> None:
    from specialize.demo import demo_recipe
    from specialize.pipeline import specialize

    recipe = demo_recipe(options.out)
    facts = specialize(recipe, options.out, command=options.command_line, say=_clock())
    _show(facts, options.out)


def _add_run(commands: Commands) -> None:
    command = commands.add_parser("run", help="one specialization, from text to report")
    command.add_argument("recipe", type=Path, help="a recipe (TOML); see recipes/")
    command.add_argument(
        "--out", type=Path, help="the run's folder; default: runs/NAME of the recipe"
    )
    _add_set(command, "KEY=VALUE", "change the recipe: lapt.epochs=2")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from specialize.recipe import read_recipe

    recipe = read_recipe(options.recipe, options.set)
    out = options.out or Path("runs") / options.recipe.stem
    from specialize.pipeline import specialize

    facts = specialize(recipe, out, command=options.command_line, say=_clock())
    _show(facts, out)


def _add_inspect(commands: Commands) -> None:
    command = commands.add_parser("inspect", help="audit tokenizers on texts")
    command.add_argument(
        "tokenizer", nargs="+", help="directory, vocab.txt, tokenizer.json or name"
    )
    command.add_argument("--text", nargs="+", required=True, metavar="FILE", help=TEXTS)
    command.add_argument(
        "--json", action="store_true", help="one JSON object per tokenizer and text"
    )
    command.set_defaults(run=_inspect)


def _inspect(options: argparse.Namespace) -> None:
    from specialize.corpus import open_text
    from specialize.inspection import audit_path, table, tokenizer_path

    rows = []
    for name in options.tokenizer:
        path = tokenizer_path(name)
        for text in options.text:
            found = audit_path(path, open_text([text]))
            rows.append((name, text, found))
            if options.json:
                said = {"tokenizer": name, "text": text, **found.to_json()}
                print(json.dumps(said, ensure_ascii=False))
    if not options.json:
        print(table(rows))


def _add_augment(commands: Commands) -> None:
    command = commands.add_parser("augment", help="a new tokenizer with pieces for the text")
    command.add_argument("tokenizer", help="directory, vocab.txt, tokenizer.json or name")
    command.add_argument("--text", nargs="+", required=True, metavar="FILE", help=TEXTS)
    command.add_argument("--method", default="tva", help="default: %(default)s")
    _add_set(command, "OPTION=VALUE", "an option of the method: pieces=200")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    command.set_defaults(run=_augment)


def _augment(options: argparse.Namespace) -> None:
    from specialize.corpus import open_text
    from specialize.inspection import augment_tokenizer, tokenizer_path
    from specialize.recipe import read_changes

    path, chosen = tokenizer_path(options.tokenizer), read_changes(options.set)
    text = open_text(options.text)
    print(augment_tokenizer(path, text, options.method, chosen, options.out))


def _add_count(commands: Commands) -> None:
    command = commands.add_parser(
        "count", help="the counts of texts, kept in a file and merged", description=COUNT
    )
    command.add_argument("file", nargs="+", help=TEXTS)
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE.counts", help="or .counts.xz, .gz, .zst"
    )
    command.add_argument("--ray", action="store_true", help="count the files on a Ray cluster")
    command.set_defaults(run=_count)


def _count(options: argparse.Namespace) -> None:
    from specialize.corpus.countfile import check_counts_path, open_text, write_counts
    from specialize.vocab.count import counted

    check_counts_path(options.out)
    if options.ray:
        from specialize.corpus.distributed import count_with_ray

        counts = count_with_ray(options.file)
    else:
        counts = counted(open_text(options.file))
    write_counts(counts, options.out)
    facts = {"tokens": sum(counts.tokens.values()), "types": len(counts.tokens)}
    facts |= {"characters": counts.characters, "bytes": counts.bytes}
    print(f"{', '.join(f'{n:,} {name}' for name, n in facts.items())}: {options.out}")


def _add_pretrain(commands: Commands) -> None:
    command = commands.add_parser("pretrain", help="a small multilingual base from nothing")
    command.add_argument("recipe", type=Path, help="a recipe; see recipes/pretrain_mini.toml")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    _add_set(command, "KEY=VALUE", "change the recipe: steps=500")
    command.set_defaults(run=_pretrain)


def _pretrain(options: argparse.Namespace) -> None:
    from specialize.recipe import read_pretrain
    from specialize.train.pretrain import pretrain

    print(pretrain(read_pretrain(options.recipe, options.set), options.out, say=_clock()))


def _add_predict(commands: Commands) -> None:
    command = commands.add_parser(
        "predict", help="annotate a file with a run's fine-tuned head", description=PREDICT
    )
    command.add_argument("folder", type=Path, help="a run's folder")
    command.add_argument("task", help="pos, dep or ner")
    command.add_argument("file", type=Path, help="CoNLL-U, columns of words (ner) or plain text")
    command.add_argument("--out", type=Path, required=True, help="file to write")
    command.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> None:
    from specialize.folders import whole_file
    from specialize.specialization import Specialization

    head = Specialization(options.folder).head(options.task)
    sentences = head.task.words(options.file)
    with whole_file(options.out) as partial:
        head.task.write(head.annotate(sentences), partial)
    print(options.out)


def _add_evaluate(commands: Commands) -> None:
    command = commands.add_parser("evaluate", help="official scores of a system file against gold")
    command.add_argument("gold", type=Path, help="CoNLL-U, or columns of words and entity tags")
    command.add_argument("system", type=Path, help="the same text, annotated by a system")
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from specialize.evaluation import evaluate_files, scores_table

    scores = evaluate_files(options.gold, options.system)
    print(json.dumps(scores, ensure_ascii=False) if options.json else scores_table(scores))


def _add_methods(commands: Commands) -> None:
    command = commands.add_parser(
        "methods", help="the methods a recipe can name, with their options"
    )
    kinds = ["mixin", "augment", "embed", "task"]
    command.add_argument("kind", nargs="?", choices=kinds, help="only these; default: all")
    command.set_defaults(run=_methods)


def _methods(options: argparse.Namespace) -> None:
    from specialize.methods import describe, names

    for kind in [options.kind] if options.kind else ["mixin", "augment", "embed", "task"]:
        print(kind)
        for name in names(kind):
            line, known = describe(kind, name)
            print(f"  {name:14} {line}")
            for option, (_, default) in known.items():
                print(f"  {'':14}   {option} = {default!r}")


def _add_doctor(commands: Commands) -> None:
    command = commands.add_parser("doctor", help="what is installed and what it will use")
    command.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> None:
    from specialize.machine import machine_facts

    for key, value in machine_facts().items():
        print(f"{key:14} {value}")


def _show(facts: dict, out: Path) -> None:
    from specialize.report import summary

    print(summary(facts))
    print(f"\nmodel: {out / 'model'}\nreport: {out / 'report.html'}")


def _clock() -> Callable[[str], None]:
    """Return a printer of progress lines to stderr, with the seconds since now."""
    began = time.monotonic()
    return lambda text: print(
        f"{time.monotonic() - began:6.0f}s  {text}", file=sys.stderr, flush=True
    )


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning of ours as a line for people, any other as Python does."""
    if not issubclass(category, SpecializeWarning):
        said = warnings.formatwarning(message, category, filename, lineno, line)
    else:
        said = f"specialize: {message}\n"
    (file or sys.stderr).write(said)


def _fail(message: str, code: int) -> int:
    print(f"specialize: {message}", file=sys.stderr)
    return code


def _terminate(number: int, frame: object) -> NoReturn:
    print("specialize: terminated; the same command goes on where it stood", file=sys.stderr)
    raise SystemExit(143)
