"""What the commands do: each reads its words, makes one public call, and prints."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.errors import UsageError

if TYPE_CHECKING:
    from specialize.corpus import Corpus, TextCounts
    from specialize.corpus.token_counts import Dropped

AUGMENT = """Write a tokenizer with pieces for the texts, proved in a fresh process on what was
written, or nothing. tva (of the papers), char_first and greedy are for WordPiece; extend is for any
family, replace trains a new vocabulary, prune drops what the texts never use. Their options:
specialize methods augment."""
COUNT = """Count the tokens of texts once: FILE.counts then stands for them wherever words are
counted, as --text of inspect and augment. Counts of parts merge to those of the whole, in the order
given. .xz, .gz and .zst are read and written too. Memory follows the types (words that differ):
with --max-types N the rarest are dropped whenever there are more, until no more than half of N are
left, and what was dropped is said and kept in the file."""
PREDICT = """Annotate a file, which needs no annotation: what it has for the task is replaced, all
else is kept. For pos and dep it is CoNLL-U, whose columns may be "_"; for ner a word a line, with
or without a tag, and a blank line behind every sentence. Plain text, named .txt, one sentence a
line and words parted by white space, becomes that. .xz and .gz are read too."""


def demo(options: Namespace) -> None:
    """Run the whole method on the bundled base and a synthetic language."""
    from specialize.demo import demo_recipe
    from specialize.pipeline import specialize

    recipe = demo_recipe(options.out)
    facts = specialize(recipe, options.out, command=options.command_line, say=_clock())
    _show(facts, options.out)


def run(options: Namespace) -> None:
    """Run a recipe."""
    from specialize.recipe.read import read_recipe

    recipe = read_recipe(options.recipe, options.set)
    out = options.out or Path("runs") / options.recipe.stem
    from specialize.pipeline import specialize

    facts = specialize(recipe, out, command=options.command_line, say=_clock())
    _show(facts, out)


def inspect(options: Namespace) -> None:
    """Audit every tokenizer on every text."""
    from specialize.inspection import inspect_texts

    if options.html and (options.html.is_dir() or options.html.parent.is_file()):
        raise UsageError(f"--html {options.html} is no file to write; name one in a folder")
    wanted = options.details or options.json or options.html
    found = inspect_texts(
        options.tokenizer, options.text, parallel=options.parallel, details=bool(wanted)
    )
    findings = []
    for finding in found:
        findings.append(finding)
        if options.json:
            print(json.dumps(finding.to_json(), ensure_ascii=False, allow_nan=False))
    if not options.json:
        from specialize.reports.audit_text import said

        print(said(findings))
        for text, dropped in {f.text: f.dropped for f in findings}.items():
            if note := _note(dropped):
                print(f"\n{Path(text).name}: {note}")
    if options.html:
        from specialize.reports.audit_page import write_page

        write_page(findings, options.html, command=options.command_line)
        print(options.html, file=sys.stderr if options.json else sys.stdout)


def augment(options: Namespace) -> None:
    """Write a tokenizer with pieces for the texts."""
    from specialize.augmentation import augment_tokenizer
    from specialize.corpus import open_text
    from specialize.recipe.toml import read_changes

    name, chosen = options.tokenizer, read_changes(options.set)
    given = {"guard": options.guard, "guard_budget": options.guard_budget}
    chosen |= {name: value for name, value in given.items() if value is not None}
    text, method, out = open_text(options.text), options.method, options.out
    print(augment_tokenizer(name, text, method, chosen, out, texts=options.text))
    if note := _note(_dropped(text)):
        print(note)


def count(options: Namespace) -> None:
    """Write the counts of texts."""
    from specialize.corpus.count_files import check_counts_path, count_texts, write_counts

    check_counts_path(options.out)
    if options.ray:
        if options.max_types:
            raise UsageError("--max-types is not for --ray, which sums all types; leave one out")
        from specialize.corpus.ray import count_with_ray

        counts = count_with_ray(options.file)
    else:
        counts = count_texts(options.file, max_types=options.max_types)
    write_counts(counts, options.out)
    facts = {"tokens": sum(counts.tokens.values()), "types": len(counts.tokens)}
    facts |= {"characters": counts.characters, "bytes": counts.bytes}
    if options.json:
        print(json.dumps({**facts, "dropped": asdict(counts.dropped), "out": str(options.out)}))
        return
    print(f"{', '.join(f'{n:,} {name}' for name, n in facts.items())}: {options.out}")
    if note := _note(counts.dropped):
        print(note)


def pretrain(options: Namespace) -> None:
    """Train a base from nothing."""
    from specialize.recipe.read import read_pretrain
    from specialize.train.pretrain import pretrain

    print(pretrain(read_pretrain(options.recipe, options.set), options.out, say=_clock()))


def predict(options: Namespace) -> None:
    """Annotate a file with a run's head."""
    from specialize.atomic import whole_file
    from specialize.specialization import Specialization

    head = Specialization(options.folder).head(options.task)
    sentences = head.task.words(options.file)
    with whole_file(options.out) as partial:
        head.task.write(head.annotate(sentences), partial)
    print(options.out)


def evaluate(options: Namespace) -> None:
    """Score a system file against gold."""
    from specialize.evaluation import evaluate_files, scores_table

    scores = evaluate_files(options.gold, options.system)
    print(json.dumps(scores, ensure_ascii=False) if options.json else scores_table(scores))


def methods(options: Namespace) -> None:
    """List the methods and their options."""
    from specialize.recipe.methods import describe, names

    for kind in [options.kind] if options.kind else ["mixin", "augment", "embed", "task"]:
        print(kind)
        for name in names(kind):
            line, known = describe(kind, name)
            print(f"  {name:14} {line}")
            for option, (_, default) in known.items():
                print(f"  {'':14}   {option} = {default!r}")


def doctor(options: Namespace) -> None:
    """List what is installed."""
    from specialize.environment import machine_facts

    for key, value in machine_facts().items():
        print(f"{key:14} {value}")


def _dropped(text: Corpus | TextCounts) -> Dropped:
    """Return what pruning took from a text: nothing, where it is no counts."""
    from specialize.corpus.token_counts import Dropped, TextCounts

    return text.dropped if isinstance(text, TextCounts) else Dropped()


def _note(dropped: Dropped) -> str:
    """Return a line on what pruning took, empty if nothing."""
    if not dropped.types:
        return ""
    return (
        f"{dropped.tokens:,} tokens of {dropped.types:,} rare types were dropped (--max-types): "
        "counts are lower bounds"
    )


def _show(facts: dict, out: Path) -> None:
    from specialize.reports.run import summary

    print(summary(facts))
    print(f"\nmodel: {out / 'model'}\nreport: {out / 'report.html'}")


def _clock() -> Callable[[str], None]:
    """Return a printer of progress lines to stderr, with the seconds since now."""
    began = time.monotonic()
    return lambda text: print(
        f"{time.monotonic() - began:6.0f}s  {text}", file=sys.stderr, flush=True
    )
