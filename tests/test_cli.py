"""The command line: help, and every error in one line with its exit code."""

import errno
import os
import re
import resource
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import cli_calls
import pytest
import torch
from cli_calls import GOLD, Call, Outcome, contents

from specialize import atomic, cli
from specialize.toylang import ToyFiles
from specialize.train import loop

call, recipe = cli_calls.call, cli_calls.recipe  # fixtures


@pytest.fixture
def folder(tmp_path: Path, recipe: Path, base_folder: Path, toy: ToyFiles) -> Path:
    """A folder of invalid files of every kind."""
    (tmp_path / "empty.txt").write_text("", "utf-8")
    (tmp_path / "binary.txt").write_bytes(b"text\n\x00\x01\n")
    (tmp_path / "latin1.txt").write_bytes("gut\nschön\n".encode("latin1"))
    (tmp_path / "wide.conllu").write_text(GOLD + "1\tx\t_\n\n", "utf-8")
    (tmp_path / "short.tsv").write_text("Ogüt\tB-PER\n\n", "utf-8")
    (tmp_path / "other.tsv").write_text("Ogut\tB-PER\n\n", "utf-8")
    head = "# specialize counts 1\n# characters 1\n# bytes 1\n# types 1\n"
    (tmp_path / "cut.counts").write_text(head, "utf-8")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine", "utf-8")
    (tmp_path / "base").symlink_to(base_folder)
    (tmp_path / "corpus.txt").symlink_to(toy.corpus)
    (tmp_path / "test.conllu").symlink_to(toy.test)
    (tmp_path / "dev.conllu").symlink_to(toy.dev)
    return tmp_path


COMMANDS = next(a.choices for a in cli._parser()._actions if isinstance(a.choices, dict))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_argument_has_help_and_an_example(name: str, call: Call) -> None:
    shown = call(name, "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"usage: specialize {name}")
    assert all(argument.help for argument in COMMANDS[name]._actions)
    assert f"examples:\n  specialize {name}" in shown.out
    assert name in call("--help").out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_parse(name: str) -> None:
    examples = COMMANDS[name].epilog.splitlines()[1:]
    assert examples
    for line in examples:
        program, *words = shlex.split(line)
        assert program == "specialize"
        assert words[0] == name
        cli._parser().parse_args(words)


RUN = "run toy.toml --out new "
INSPECT = "inspect base --text "
AUGMENT = "augment base --text corpus.txt "
FAULTS = [
    ("", 2, "arguments are required: COMMAND"),
    ("rnu", 2, "invalid choice: 'rnu'"),
    ("methods colour", 2, "invalid choice: 'colour'"),
    ("run none.toml", 4, "none.toml: no such recipe"),
    ("run full", 4, "full: Is a directory"),
    ("run latin1.txt", 3, "latin1.txt: not UTF-8"),
    (RUN + "--set lapt.epoch=1", 2, "unknown key 'epoch'.*known: epochs, steps, batch, .*'epochs'"),
    (RUN + "--set seeds=1", 2, "--set seeds=1: .*expected a list of whole numbers; write .1."),
    (RUN + "--set finetune.rate=fast", 2, "rate = 'fast': expected a number; the default is"),
    (RUN + "--set lapt.rate=nan", 2, "--set lapt.rate=nan: lapt.rate = nan: expected a finite num"),
    (RUN + "--set finetune.rate=-inf", 2, "finetune.rate = -inf: expected a finite number"),
    (RUN + "--set lapt.fresh_rate=-1", 2, "expected lapt.fresh_rate of at least 0, got -1.0"),
    (RUN + "--set arm.a/b.lapt=false", 2, "arm 'a/b': expected a name of letters"),
    (RUN + f"--set arm.{'a' * 65}.lapt=false", 2, "expected a name of letters"),
    (RUN + "--set base=./none", 4, "none: no such file"),
    (RUN + "--set base=no/such-model", 4, "'no/such-model' is not bundled .*hf download"),
    (RUN + "--set corpus.dev=0.0 --set arm.only.lapt=true", 3, "expected held-out text"),
    (RUN + '--set corpus.files=["empty.txt"]', 3, "empty.txt:1: no line of text"),
    (RUN + '--set corpus.files=["binary.txt"]', 3, "binary.txt:2: not UTF-8"),
    (RUN + '--set corpus.files=["latin1.txt"]', 3, "latin1.txt:2: not UTF-8 .*column 4"),
    (RUN + "--set task.pos.dev=wide.conllu", 3, "wide.conllu:5: expected 10 columns"),
    ("run toy.toml --out full", 2, "full is not an empty folder; name another --out"),
    ("run toy.toml --out empty.txt", 2, "empty.txt is a file; name a folder as --out"),
    ("run toy.toml --out empty.txt/new", 4, r"empty.txt/new\S*: Not a directory"),
    (INSPECT + "none.txt", 4, "none.txt: no such file"),
    (INSPECT + "empty.txt", 3, "empty.txt:1: no line of text"),
    (INSPECT + "binary.txt", 3, "binary.txt:2: not UTF-8"),
    (INSPECT + "latin1.txt", 3, "latin1.txt:2: not UTF-8"),
    (INSPECT + "wide.conllu", 3, "wide.conllu:5: "),
    ("inspect none --text corpus.txt", 4, "model 'none' is not bundled"),
    ("inspect full --text corpus.txt", 4, "full: holds no tokenizer.json or vocab.txt"),
    ("inspect latin1.txt --text corpus.txt", 3, "latin1.txt:2: not UTF-8"),
    ("inspect toy.toml --text corpus.txt", 3, r"toy\.toml:\d+: "),
    ("inspect base --text latin1.txt --html latin1.txt", 2, "latin1.txt is an input; name anoth"),
    ("inspect base --text full --html full/thesis.tex", 2, "full/thesis.tex is an input"),
    ("inspect base --text empty.txt --html corpus.txt", 2, "corpus.txt is a symbolic link"),
    ("count cut.counts --out cut.counts", 2, "cut.counts is an input"),
    ("predict full latin1.txt --out latin1.txt", 2, "latin1.txt is an input"),
    (AUGMENT + "--out base", 2, "base is a symbolic link, which is not followed"),
    (AUGMENT + "--out full", 2, "full is not an empty folder"),
    (AUGMENT + "--out new --method tav", 2, "unknown augment 'tav'; known: .*'tva'"),
    (AUGMENT + "--out new --set peices=9", 2, "unknown key 'peices'.*known: pieces, "),
    (AUGMENT + "--out new --set pieces=many", 2, "pieces = 'many': expected a whole number"),
    (AUGMENT + "--out new --set pieces=9999", 2, "new_vocabulary = 5000, got 9999; lower pieces"),
    (AUGMENT + "--out new --set pieces", 2, r"expected name\.of\.key=value"),
    ("predict full pos test.conllu --out new", 4, "full has no head for 'pos'; it has: none"),
    ("predict full test.conllu --out new", 4, "full has no fine-tuned head; is it a run's"),
    ("evaluate none.conllu dev.conllu", 4, "none.conllu: cannot be read: No such file"),
    ("evaluate test.conllu dev.conllu", 3, r"dev\.conllu:\d+: the text differs from"),
    ("evaluate wide.conllu wide.conllu", 3, "wide.conllu:5: "),
    ("evaluate short.tsv other.tsv", 3, r"other.tsv:1: other words than \S*short.tsv:1"),
    ("evaluate full dev.conllu", 4, "full: cannot be read: Is a directory"),
    ("count corpus.txt", 2, "arguments are required: --out"),
    ("count none.txt --out new.counts", 4, "none.txt: no such file"),
    ("count corpus.txt --out new.txt", 2, "new.txt: a count file is named FILE.counts"),
    ("count empty.txt --out new.counts", 3, "empty.txt:1: no line of text"),
    ("count corpus.txt --max-types -1 --out new.counts", 2, "max_types is a number .* not -1"),
    ("count corpus.txt --max-types 9 --ray --out new.counts", 2, "--max-types is not for --ray"),
    ("count empty.txt --max-types 9 --out new.counts", 3, "empty.txt:1: no line of text"),
    ("count latin1.txt --max-types 1 --out new.counts", 3, "latin1.txt:2: not UTF-8"),
    ("count cut.counts --out new.counts", 3, "cut.counts:4: 0 types follow, not 1"),
    (INSPECT + "cut.counts", 3, "cut.counts:4: "),
    (RUN + '--set corpus.files=["cut.counts"]', 3, "cut.counts:1: counts have no lines"),
    ("pretrain toy.toml --out new", 2, "expected a recipe of `specialize pretrain`, got one of"),
]


@pytest.mark.parametrize(("line", "code", "message"), FAULTS, ids=[line for line, _, _ in FAULTS])
def test_an_error_is_one_line_with_its_exit_code_and_writes_nothing(
    line: str,
    code: int,
    message: str,
    call: Call,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    done = call(*line.split())
    assert (done.code, done.out) == (code, ""), done.err
    lines = [x for x in done.err.splitlines() if not x.startswith(("usage:", " "))]
    assert len(lines) == 1
    assert re.match(f"specialize( methods| count)?: .*{message}", lines[0]), lines[0]
    # a run keeps the stages it finished and its log, nothing else
    own = re.compile(r"/new(/stages.*|/metrics\.jsonl)?$")
    assert [path for path in contents(folder) if not own.search(path)] == before


def test_a_missing_model_is_refused_at_once(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, gave_up = threading.Event(), threading.Event()
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def dial(*arguments: object, **options: object) -> None:
        release.wait(60)
        gave_up.set()
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", dial)
    done = call("inspect", "no/such-model", "--text", folder / "corpus.txt")
    assert not gave_up.is_set()
    release.set()
    assert (done.code, "hf download no/such-model" in done.err) == (4, True)


def no_space(source: Path, target: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(source))


def test_a_full_disk_at_the_last_step_leaves_nothing_behind(
    call: Call, folder: Path, toy: ToyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("run", folder / "toy.toml", "--out", folder / "run").code == 0
    before = contents(folder)
    monkeypatch.setattr(os, "replace", no_space)
    for words in (
        ["augment", folder / "base", "--text", toy.corpus, "--out", folder / "new"],
        ["predict", folder / "run", toy.test, "--out", folder / "new.conllu"],
    ):
        done = call(*words)
        assert (done.code, done.out) == (4, "")
        assert done.err.endswith(": No space left on device\n")
        assert contents(folder) == before


def assert_no_space(done: Outcome) -> None:
    last = done.err.splitlines()[-1]
    assert done.code == 4
    assert re.search("is the disk full|File too large|[Nn]o space left on (device|the disk)", last)


@pytest.mark.parametrize("limit", [100, 3_000, 30_000, 40_000])  # bytes: text, arrays, weights
def test_a_run_without_space_resumes_once_there_is_some(
    limit: int, call: Call, recipe: Path, tmp_path: Path
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.lapt=true"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        done = call(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_no_space(done)
    assert call(*words).code == 0
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("name", ["checkpoint.pt", "predictions.conllu"])
def test_a_full_disk_in_any_stage_is_reported(
    name: str, call: Call, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.lapt=true"]
    whole_file = atomic.whole_file

    @contextmanager
    def to_a_full_disk(path: Path) -> Iterator[Path]:
        with whole_file(path) as partial:
            yield Path("/dev/full") if path.name == name else partial

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "whole_file", to_a_full_disk)
        patch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0))
        assert_no_space(call(*words))
    assert call(*words).code == 0


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=["python", "gpu", "cpu"],
)
def test_out_of_memory_names_what_to_lower(
    error: Exception, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.inspection.open_inspected", failing(error))
    done = call("inspect", folder / "base", "--text", folder / "corpus.txt")
    assert done.code == 5
    assert done.err == f"specialize: {cli.NO_MEMORY}\n"


def test_a_function_that_ends_the_program_is_no_success(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.inspection.open_inspected", failing(SystemExit(0)))
    done = call("inspect", folder / "base", "--text", folder / "corpus.txt")
    assert done.code == 1
    assert "a function ended the program before its work was done" in done.err


def test_an_interrupt_that_a_library_turns_into_another_error_is_one(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def imported(*arguments: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise ImportError("cannot import name")

    monkeypatch.setattr("specialize.inspection.open_inspected", imported)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    try:
        done = call("inspect", folder / "base", "--text", folder / "corpus.txt")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.code, done.err) == (130, f"specialize: interrupted; {cli.RESUME}\n")


@pytest.mark.parametrize("error", [RuntimeError("odd"), OSError("odd"), KeyError("odd")])
def test_a_bug_shows_its_traceback(
    error: Exception, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.inspection.open_inspected", failing(error))
    with pytest.raises(type(error), match="odd"):
        call("inspect", folder / "base", "--text", folder / "corpus.txt")


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        raise error

    return fail


def shell(command: str) -> subprocess.CompletedProcess[str]:
    line = f"{sys.executable} -m specialize {command}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False
    )


def test_a_closed_pipe_is_not_an_error() -> None:
    done = shell("methods | true")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_results_that_cannot_be_printed_are_a_fault() -> None:
    done = shell("methods > /dev/full")
    assert done.returncode == 4
    assert done.stderr == "specialize: writing: No space left on device\n"
