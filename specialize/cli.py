"""The command line: parse, one public call, print.

Results go to stdout, progress to stderr. Exit codes: 0 ok, 1 bug, 2 usage, 3 bad data, 4 something
missing, 5 out of memory, 130 and 143 interrupted (the same command goes on).
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn, TextIO, TypeAlias

from specialize import commands
from specialize.errors import SpecializeError, SpecializeWarning

Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

NO_MEMORY = "out of memory; a smaller lapt.batch or finetune.batch needs less"
EPILOG = """examples:
  specialize demo
  specialize inspect bert-base-multilingual-cased --text ug.txt.xz
  specialize augment bert-base-multilingual-cased --text ug.txt.xz --out ug-tokenizer
  specialize run recipes/uyghur.toml --out runs/ug
"""
TOKENIZER = "directory, tokenizer.json, vocab.txt, .model, .tiktoken, or name"
TEXTS = "texts of any format, or count files"


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
    parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

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
        add(parsers)
    return parser


def _add_set(command: argparse.ArgumentParser, form: str, example: str) -> None:
    said = f"{example}; may be repeated"
    command.add_argument("--set", action="append", default=[], metavar=form, help=said)


def _add_demo(parsers: Parsers) -> None:
    command = parsers.add_parser(
        "demo", help="everything, offline, in minutes, on a synthetic language"
    )
    command.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    command.set_defaults(run=commands.demo)


def _add_run(parsers: Parsers) -> None:
    command = parsers.add_parser("run", help="one specialization, from text to report")
    command.add_argument("recipe", type=Path, help="a recipe (TOML); see recipes/")
    command.add_argument(
        "--out", type=Path, help="the run's folder; default: runs/NAME of the recipe"
    )
    _add_set(command, "KEY=VALUE", "change the recipe: lapt.epochs=2")
    command.set_defaults(run=commands.run)


def _add_inspect(parsers: Parsers) -> None:
    command = parsers.add_parser("inspect", help="audit tokenizers on texts")
    command.add_argument("tokenizer", nargs="+", help=TOKENIZER)
    command.add_argument("--text", nargs="+", required=True, metavar="FILE", help=TEXTS)
    beside = "the same in another language: line for line, or a .tsv of both, in two columns"
    command.add_argument("--parallel", type=Path, metavar="FILE", help=beside)
    more = "measures that take longer, and what the second of two tokenizers cuts differently"
    command.add_argument("--details", action="store_true", help=more)
    command.add_argument("--json", action="store_true", help="all, an object a tokenizer and text")
    command.add_argument("--html", type=Path, metavar="FILE", help="all, as a page to send around")
    command.set_defaults(run=commands.inspect)


def _add_augment(parsers: Parsers) -> None:
    command = parsers.add_parser(
        "augment",
        help="a new tokenizer: extended, replaced or pruned for the text",
        description=commands.AUGMENT,
    )
    command.add_argument("tokenizer", help=TOKENIZER)
    command.add_argument("--text", nargs="+", required=True, metavar="FILE", help=TEXTS)
    command.add_argument("--method", default="tva", help="default: %(default)s")
    guard = "texts of other languages, whose known words keep their segmentation"
    command.add_argument("--guard", nargs="+", metavar="FILE", help=guard)
    budget = "share of the guard's words that may change, as 0.001; default: none"
    command.add_argument("--guard-budget", type=float, metavar="SHARE", help=budget)
    _add_set(command, "OPTION=VALUE", "an option of the method: pieces=200")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    command.set_defaults(run=commands.augment)


def _add_count(parsers: Parsers) -> None:
    command = parsers.add_parser(
        "count", help="the counts of texts, kept in a file and merged", description=commands.COUNT
    )
    command.add_argument("file", nargs="+", help=TEXTS)
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE.counts", help="or .counts.xz, .gz, .zst"
    )
    command.add_argument(
        "--max-types", type=int, default=0, metavar="N", help="hold memory to so many, see above"
    )
    command.add_argument("--ray", action="store_true", help="count the files on a Ray cluster")
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=commands.count)


def _add_pretrain(parsers: Parsers) -> None:
    command = parsers.add_parser("pretrain", help="a small multilingual base from nothing")
    command.add_argument("recipe", type=Path, help="a recipe; see recipes/pretrain_mini.toml")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    _add_set(command, "KEY=VALUE", "change the recipe: steps=500")
    command.set_defaults(run=commands.pretrain)


def _add_predict(parsers: Parsers) -> None:
    command = parsers.add_parser(
        "predict", help="annotate a file with a run's fine-tuned head", description=commands.PREDICT
    )
    command.add_argument("folder", type=Path, help="a run's folder")
    command.add_argument("task", help="pos, dep or ner")
    command.add_argument("file", type=Path, help="CoNLL-U, columns of words (ner) or plain text")
    command.add_argument("--out", type=Path, required=True, help="file to write")
    command.set_defaults(run=commands.predict)


def _add_evaluate(parsers: Parsers) -> None:
    command = parsers.add_parser("evaluate", help="official scores of a system file against gold")
    command.add_argument("gold", type=Path, help="CoNLL-U, or columns of words and entity tags")
    command.add_argument("system", type=Path, help="the same text, annotated by a system")
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=commands.evaluate)


def _add_methods(parsers: Parsers) -> None:
    command = parsers.add_parser(
        "methods", help="the methods a recipe can name, with their options"
    )
    kinds = ["mixin", "augment", "embed", "task"]
    command.add_argument("kind", nargs="?", choices=kinds, help="only these; default: all")
    command.set_defaults(run=commands.methods)


def _add_doctor(parsers: Parsers) -> None:
    command = parsers.add_parser("doctor", help="what is installed and what it will use")
    command.set_defaults(run=commands.doctor)


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
