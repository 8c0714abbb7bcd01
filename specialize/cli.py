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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from specialize.errors import SpecializeError

NO_MEMORY = "out of memory; a smaller lapt.batch or finetune.batch needs less"
EPILOG = """examples:
  specialize demo
  specialize inspect bert-base-multilingual-cased --text ug.txt.xz
  specialize augment bert-base-multilingual-cased --text ug.txt.xz --out ug-tokenizer
  specialize run recipes/uyghur.toml --out runs/ug
"""
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

    demo = commands.add_parser(
        "demo", help="everything, offline, in minutes, on a synthetic language"
    )
    demo.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    demo.set_defaults(run=_demo)

    run = commands.add_parser("run", help="one specialization, from text to report")
    run.add_argument("recipe", type=Path, help="a recipe (TOML); see recipes/")
    run.add_argument("--out", type=Path, help="the run's folder; default: runs/NAME of the recipe")
    _add_set(run, "KEY=VALUE", "change the recipe: lapt.epochs=2")
    run.set_defaults(run=_run)

    inspect = commands.add_parser("inspect", help="audit tokenizers on texts")
    inspect.add_argument(
        "tokenizer", nargs="+", help="directory, vocab.txt, tokenizer.json or name"
    )
    inspect.add_argument(
        "--text", nargs="+", required=True, metavar="FILE", help="texts of any format"
    )
    inspect.add_argument(
        "--json", action="store_true", help="one JSON object per tokenizer and text"
    )
    inspect.set_defaults(run=_inspect)

    augment = commands.add_parser("augment", help="a new tokenizer with pieces for the text")
    augment.add_argument("tokenizer", help="directory, vocab.txt, tokenizer.json or name")
    augment.add_argument(
        "--text", nargs="+", required=True, metavar="FILE", help="texts of any format"
    )
    augment.add_argument("--method", default="tva", help="default: %(default)s")
    _add_set(augment, "OPTION=VALUE", "an option of the method: pieces=200")
    augment.add_argument("--out", type=Path, required=True, help="folder to write")
    augment.set_defaults(run=_augment)

    pretrain = commands.add_parser("pretrain", help="a small multilingual base from nothing")
    pretrain.add_argument("recipe", type=Path, help="a recipe; see recipes/pretrain_mini.toml")
    pretrain.add_argument("--out", type=Path, required=True, help="folder to write")
    _add_set(pretrain, "KEY=VALUE", "change the recipe: steps=500")
    pretrain.set_defaults(run=_pretrain)

    predict = commands.add_parser(
        "predict", help="annotate a file with a run's fine-tuned head", description=PREDICT
    )
    predict.add_argument("folder", type=Path, help="a run's folder")
    predict.add_argument("task", help="pos, dep or ner")
    predict.add_argument("file", type=Path, help="CoNLL-U, columns of words (ner) or plain text")
    predict.add_argument("--out", type=Path, required=True, help="file to write")
    predict.set_defaults(run=_predict)

    evaluate = commands.add_parser("evaluate", help="official scores of a system file against gold")
    evaluate.add_argument("gold", type=Path, help="CoNLL-U, or columns of words and entity tags")
    evaluate.add_argument("system", type=Path, help="the same text, annotated by a system")
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.set_defaults(run=_evaluate)

    methods = commands.add_parser(
        "methods", help="the methods a recipe can name, with their options"
    )
    kinds = ["mixin", "augment", "embed", "task"]
    methods.add_argument("kind", nargs="?", choices=kinds, help="only these; default: all")
    methods.set_defaults(run=_methods)

    doctor = commands.add_parser("doctor", help="what is installed and what it will use")
    doctor.set_defaults(run=_doctor)
    return parser


def _add_set(command: argparse.ArgumentParser, form: str, example: str) -> None:
    said = f"{example}; may be repeated"
    command.add_argument("--set", action="append", default=[], metavar=form, help=said)


def _demo(options: argparse.Namespace) -> None:
    from specialize.demo import demo_recipe
    from specialize.pipeline import specialize

    recipe = demo_recipe(options.out)
    facts = specialize(recipe, options.out, command=options.command_line, say=_clock())
    _show(facts, options.out)


def _run(options: argparse.Namespace) -> None:
    from specialize.recipe import read_recipe

    recipe = read_recipe(options.recipe, options.set)
    out = options.out or Path("runs") / options.recipe.stem
    from specialize.pipeline import specialize

    facts = specialize(recipe, out, command=options.command_line, say=_clock())
    _show(facts, out)


def _inspect(options: argparse.Namespace) -> None:
    from specialize.corpus import CorpusFiles, open_corpus
    from specialize.inspection import audit_path, table, tokenizer_path

    rows = []
    for name in options.tokenizer:
        path = tokenizer_path(name)
        for text in options.text:
            found = audit_path(path, open_corpus(CorpusFiles((text,), dev=0.0)))
            rows.append((name, text, found))
            if options.json:
                said = {"tokenizer": name, "text": text, **found.to_json()}
                print(json.dumps(said, ensure_ascii=False))
    if not options.json:
        print(table(rows))


def _augment(options: argparse.Namespace) -> None:
    from specialize.corpus import CorpusFiles, open_corpus
    from specialize.inspection import augment_tokenizer, tokenizer_path
    from specialize.recipe import read_changes

    path, chosen = tokenizer_path(options.tokenizer), read_changes(options.set)
    corpus = open_corpus(CorpusFiles(tuple(options.text), dev=0.0))
    print(augment_tokenizer(path, corpus, options.method, chosen, options.out))


def _pretrain(options: argparse.Namespace) -> None:
    from specialize.recipe import read_pretrain
    from specialize.train.pretrain import pretrain

    print(pretrain(read_pretrain(options.recipe, options.set), options.out, say=_clock()))


def _predict(options: argparse.Namespace) -> None:
    from specialize.folders import whole_file
    from specialize.specialization import Specialization

    head = Specialization(options.folder).head(options.task)
    sentences = head.task.words(options.file)
    with whole_file(options.out) as partial:
        head.task.write(head.annotate(sentences), partial)
    print(options.out)


def _evaluate(options: argparse.Namespace) -> None:
    from specialize.evaluation import evaluate_files, scores_table

    scores = evaluate_files(options.gold, options.system)
    print(json.dumps(scores, ensure_ascii=False) if options.json else scores_table(scores))


def _methods(options: argparse.Namespace) -> None:
    from specialize.methods import describe, names

    for kind in [options.kind] if options.kind else ["mixin", "augment", "embed", "task"]:
        print(kind)
        for name in names(kind):
            line, known = describe(kind, name)
            print(f"  {name:14} {line}")
            for option, (_, default) in known.items():
                print(f"  {'':14}   {option} = {default!r}")


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


def _fail(message: str, code: int) -> int:
    print(f"specialize: {message}", file=sys.stderr)
    return code


def _terminate(number: int, frame: object) -> NoReturn:
    print("specialize: terminated; the same command goes on where it stood", file=sys.stderr)
    raise SystemExit(143)
