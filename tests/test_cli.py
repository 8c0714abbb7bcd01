"""The command line: every command once, and every fault in one line with its exit code."""

import errno
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from specialize import cli, methods
from specialize.toylang import ToyFiles

KINDS = {"mixin": "mixins", "augment": "augment", "embed": "embed", "task": "tasks"}
PACKAGE = Path(methods.__file__).parent
COMMANDS = next(a.choices for a in cli._parser()._actions if isinstance(a.choices, dict))


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int | str | None
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run a command line here, offline."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    terminate = signal.getsignal(signal.SIGTERM)

    def run(*words: object) -> Said:
        try:
            code: int | str | None = cli.main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        return Said(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, terminate)


def test_inspect_counts_what_can_be_counted_by_hand(call: Call, tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    (tmp_path / "text.txt").write_text("a ab\nabc é\n", "utf-8")  # a | a ##b | [UNK] | [UNK]
    said = call("inspect", tmp_path / "vocab.txt", "--text", tmp_path / "text.txt", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    expected = {
        "words": 4,
        "pieces": 5,
        "unknown_words": 2,
        "unknown_pieces": 2,
        "continued_words": 1,
        "characters": 9,
        "bytes": 10,
        "fertility": 1.25,
    }
    assert {key: found[key] for key in expected} == expected
    shown = call("inspect", tmp_path / "vocab.txt", "--text", tmp_path / "text.txt").out
    assert "40.00 %" in shown
    assert "c(U+0063) 1" in shown
    assert "é(U+00E9) 1" in shown


def test_a_tokenizer_is_a_directory_or_one_of_its_files(
    call: Call, base_folder: Path, toy: ToyFiles
) -> None:
    ways = [base_folder, base_folder / "vocab.txt", base_folder / "tokenizer.json"]
    said = call("inspect", *ways, "--text", toy.corpus, toy.ner_dev, "--json")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(row.pop("tokenizer"), row.pop("text")) for row in rows] == [
        (str(way), str(text)) for way in ways for text in (toy.corpus, toy.ner_dev)
    ]
    assert rows[0] == rows[2] == rows[4] != rows[1] == rows[3] == rows[5]


def test_augment_writes_a_tokenizer_that_knows_more(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    words = ["augment", base_folder, "--text", toy.corpus, "--set", "new_vocabulary=300"]
    for name in ("one", "two"):
        said = call(*words, "--out", tmp_path / name)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("99 pieces added by tva: ")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert len((tmp_path / "one" / "pieces.tsv").read_text("utf-8").splitlines()) == 100
    both = call("inspect", base_folder, tmp_path / "one", "--text", toy.corpus, "--json").out
    before, after = (json.loads(line)["unknown_pieces"] for line in both.splitlines())
    assert after < before / 4
    plain = AutoTokenizer.from_pretrained(tmp_path / "one")
    lines = toy.corpus.read_text("utf-8").splitlines()
    assert sum(plain.tokenize(line).count("[UNK]") for line in lines) == after


def test_counts_stand_for_their_texts(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("a ab\na é\n", "utf-8")
    said = call("count", tmp_path / "more.txt", "--out", tmp_path / "more.counts")
    line = f"4 tokens, 3 types, 7 characters, 8 bytes: {tmp_path / 'more.counts'}\n"
    assert (said.code, said.out, said.err) == (0, line, "")
    merged = tmp_path / "all.counts.xz"
    assert call("count", toy.corpus, tmp_path / "more.counts", "--out", merged).code == 0
    texts = [[toy.corpus, tmp_path / "more.txt"], [merged], [toy.corpus, tmp_path / "more.counts"]]
    shown = []
    for i, text in enumerate(texts):
        out = tmp_path / f"new{i}"
        words = ["augment", base_folder, "--set", "new_vocabulary=300", "--out", out, "--text"]
        shown.append(call(*words, *text).out.replace(str(out), ""))
        assert (out / "vocab.txt").read_bytes() == (tmp_path / "new0/vocab.txt").read_bytes()
    assert shown[0].startswith("99 pieces added by tva: ")
    assert shown[0] == shown[1] == shown[2]
    audited = call("inspect", base_folder, "--text", tmp_path / "more.txt", "--json").out
    counted = call("inspect", base_folder, "--text", tmp_path / "more.counts", "--json").out
    assert counted == audited.replace("more.txt", "more.counts")


GOLD = """\
1\tOgüt\to\tPROPN\tN\t_\t2\tnsubj\t_\t_
2\tkeldi\tk\tVERB\tV\t_\t0\troot\t_\tSpaceAfter=No
3\t.\t.\tPUNCT\tY\t_\t2\tpunct\t_\t_

"""


def test_evaluate_scores_a_pair_of_treebanks(call: Call, tmp_path: Path) -> None:
    (tmp_path / "gold.conllu").write_text(GOLD, "utf-8")
    wrong = GOLD.replace("\tN\t_\t2\tnsubj", "\tV\t_\t3\tnsubj")
    (tmp_path / "system.conllu").write_text(wrong, "utf-8")
    files = (tmp_path / "gold.conllu", tmp_path / "system.conllu")
    scores = json.loads(call("evaluate", *files, "--json").out)
    assert scores["Words"]["f1"] == scores["UPOS"]["f1"] == 100
    assert scores["XPOS"]["f1"] == scores["UAS"]["f1"] == scores["LAS"]["f1"] == 200 / 3
    table = call("evaluate", *files)
    assert table.code == 0
    assert "LAS             66.67    66.67    66.67    66.67" in table.out.splitlines()


def test_evaluate_scores_a_pair_of_entity_files(call: Call, tmp_path: Path) -> None:
    (tmp_path / "gold.tsv").write_text("Ogüt\tB-PER\nkeldi\tO\nIliga\tB-LOC\n\n", "utf-8")
    (tmp_path / "system.tsv").write_text("Ogüt\tB-PER\nkeldi\tO\nIliga\tB-ORG\n\n", "utf-8")
    files = (tmp_path / "gold.tsv", tmp_path / "system.tsv")
    scores = json.loads(call("evaluate", *files, "--json").out)
    assert scores["conlleval"]["f1"] == 50
    assert "all                    50.00    50.00    50.00" in call("evaluate", *files).out


def test_methods_lists_every_file_of_the_folders(call: Call) -> None:
    shown = call("methods").out
    for kind, folder in KINDS.items():
        names = [file.stem for file in sorted((PACKAGE / folder).glob("[!_]*.py"))]
        listed = call("methods", kind).out
        assert re.findall(r"^ {0,2}(\w+)", listed, re.MULTILINE) == [kind, *names]
        assert listed in shown
    assert "pieces = 99" in call("methods", "augment").out


def test_doctor_says_what_is_there(call: Call) -> None:
    said = call("doctor")
    assert said.code == 0
    assert torch.__version__ in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_argument_has_help(name: str, call: Call) -> None:
    said = call(name, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: specialize {name}")
    assert all(argument.help for argument in COMMANDS[name]._actions)
    assert name in call("--help").out


# Runs


@pytest.fixture
def recipe(tmp_path: Path, base_folder: Path, toy: ToyFiles) -> Path:
    """A recipe that runs in a second: no LAPT, one task."""
    path = tmp_path / "toy.toml"
    files = "\n".join(f'{part} = "{getattr(toy, part)}"' for part in ("train", "dev", "test"))
    path.write_text(
        f'base = "{base_folder}"\n[corpus]\nfiles = ["{toy.corpus}"]\ndev = 0.2\n'
        "[finetune]\nepochs = 1\n[lapt]\nepochs = 1\nwarmup = 1\n"
        f"[arm.only]\nlapt = false\n[task.pos]\n{files}\n",
        "utf-8",
    )
    return path


def test_run_predict_and_evaluate_make_a_circle(
    call: Call, recipe: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    said = call("run", recipe, "--out", tmp_path / "run")
    assert said.code == 0
    assert "POS accuracy" in said.out  # results
    assert "pos seed 1" in said.err  # progress
    predicted = tmp_path / "system.conllu"
    assert call("predict", tmp_path / "run", "pos", toy.test, "--out", predicted).code == 0
    assert predicted.read_bytes() == (tmp_path / "run/predictions/pos-1.conllu").read_bytes()
    scores = json.loads(call("evaluate", toy.test, predicted, "--json").out)
    reported = json.loads((tmp_path / "run/scores.json").read_text("utf-8"))
    accuracy = reported["only"]["pos"]["test"][0]["accuracy"]
    assert scores["XPOS"]["f1"] == pytest.approx(accuracy)
    onto = call("predict", tmp_path / "run", "pos", toy.test, "--out", tmp_path)
    assert (onto.code, "is a folder; name a file to write" in onto.err) == (2, True)
    unknown = call("predict", tmp_path / "run", "dep", toy.test, "--out", predicted)
    assert (unknown.code, "no head for 'dep'; it has: pos" in unknown.err) == (4, True)


def test_a_folder_with_another_run_is_refused(call: Call, recipe: Path, tmp_path: Path) -> None:
    assert call("run", recipe, "--out", tmp_path / "run").code == 0
    before = contents(tmp_path)
    said = call("run", recipe, "--set", "finetune.epochs=2", "--out", tmp_path / "run")
    assert said.code == 2
    assert said.err.endswith("run holds the run of another recipe; name another --out\n")
    assert contents(tmp_path) == before


def test_a_refused_recipe_does_not_claim_the_folder(
    call: Call, recipe: Path, tmp_path: Path
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.augment.method=tva"]
    many = call(*words, "--set", "arm.only.augment.pieces=6000")
    assert (many.code, "n = 6000" in many.err, "V = 5000" in many.err) == (2, True, True)
    assert not (tmp_path / "run").exists()
    assert call(*words, "--set", "arm.only.augment.pieces=9").code == 0


# Faults


@pytest.fixture
def folder(tmp_path: Path, recipe: Path, base_folder: Path, toy: ToyFiles) -> Path:
    """A folder of things that are wrong, each in its way."""
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


def contents(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


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
    (RUN + "--set lapt.epoch=1", 2, "unknown key 'epoch'.*known: epochs, batch, .*'epochs'"),
    (RUN + "--set finetune.rate=fast", 2, "rate = 'fast' is not of type float"),
    (RUN + "--set base=./none", 4, "none: no such file"),
    (RUN + "--set base=no/such-model", 4, "'no/such-model' is not bundled .*hf download"),
    (RUN + "--set corpus.dev=0.0", 3, r"corpus\S*:1: no document of the corpus is held out"),
    (RUN + '--set corpus.files=["empty.txt"]', 3, "empty.txt:1: no line of text"),
    (RUN + '--set corpus.files=["binary.txt"]', 3, "binary.txt:2: not UTF-8"),
    (RUN + '--set corpus.files=["latin1.txt"]', 3, "latin1.txt:2: not UTF-8 .*column 4"),
    (RUN + "--set task.pos.dev=wide.conllu", 3, "wide.conllu:5: 3 columns where"),
    ("run toy.toml --out full", 2, "full is not an empty folder; name another --out"),
    ("run toy.toml --out empty.txt", 2, "empty.txt is not an empty folder"),
    ("run toy.toml --out empty.txt/new", 4, "new: Not a directory"),
    (INSPECT + "none.txt", 4, "none.txt: no such file"),
    (INSPECT + "empty.txt", 3, "empty.txt:1: no line of text"),
    (INSPECT + "binary.txt", 3, "binary.txt:2: not UTF-8"),
    (INSPECT + "latin1.txt", 3, "latin1.txt:2: not UTF-8"),
    (INSPECT + "wide.conllu", 3, "wide.conllu:5: "),
    ("inspect none --text corpus.txt", 4, "model 'none' is not bundled"),
    ("inspect full --text corpus.txt", 4, "full: holds no tokenizer.json or vocab.txt"),
    ("inspect latin1.txt --text corpus.txt", 3, "latin1.txt:2: not UTF-8"),
    ("inspect toy.toml --text corpus.txt", 3, r"toy\.toml:\d+: "),
    (AUGMENT + "--out full", 2, "full is not an empty folder"),
    (AUGMENT + "--out new --method tav", 2, "unknown augment 'tav'; known: .*'tva'"),
    (AUGMENT + "--out new --set peices=9", 2, "unknown option 'peices'.*known: pieces, "),
    (AUGMENT + "--out new --set pieces=many", 2, "'pieces' of augment 'tva' is of type int"),
    (AUGMENT + "--out new --set pieces=9999", 2, "n = 9999 .* V = 5000; lower pieces"),
    (AUGMENT + "--out new --set pieces", 2, r"write it as name\.of\.key=value"),
    ("predict full pos test.conllu --out new", 4, "full has no head for 'pos'; it has: none"),
    ("evaluate none.conllu dev.conllu", 4, "none.conllu: cannot be read: No such file"),
    ("evaluate test.conllu dev.conllu", 3, r"dev\.conllu:\d+: the text differs from"),
    ("evaluate wide.conllu wide.conllu", 3, "wide.conllu:5: "),
    ("evaluate short.tsv other.tsv", 3, r"other.tsv:1: other words than \S*short.tsv:1"),
    ("evaluate full dev.conllu", 4, "full: cannot be read: Is a directory"),
    ("count corpus.txt", 2, "arguments are required: --out"),
    ("count none.txt --out new.counts", 4, "none.txt: no such file"),
    ("count corpus.txt --out new.txt", 2, "new.txt: a count file is named FILE.counts"),
    ("count empty.txt --out new.counts", 3, "empty.txt:1: no line of text"),
    ("count cut.counts --out new.counts", 3, "cut.counts:4: 0 types follow, not 1"),
    (INSPECT + "cut.counts", 3, "cut.counts:4: "),
    (RUN + '--set corpus.files=["cut.counts"]', 3, "cut.counts:1: counts have no lines"),
    ("pretrain toy.toml --out new", 2, r"the recipe lacks \[languages\]"),
]


@pytest.mark.parametrize(("line", "code", "message"), FAULTS, ids=[line for line, _, _ in FAULTS])
def test_a_fault_is_one_line_with_its_code_and_leaves_nothing(
    line: str,
    code: int,
    message: str,
    call: Call,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    said = call(*line.split())
    assert (said.code, said.out) == (code, ""), said.err
    lines = [x for x in said.err.splitlines() if not x.startswith(("usage:", " "))]
    assert len(lines) == 1
    assert re.match(f"specialize( methods| count)?: .*{message}", lines[0]), lines[0]
    assert contents(folder) == before


def test_a_missing_model_is_not_waited_for(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def dial(*arguments: object, **options: object) -> None:
        release.wait(60)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", dial)
    began = time.monotonic()
    said = call("inspect", "no/such-model", "--text", folder / "corpus.txt")
    assert time.monotonic() - began < 1
    release.set()
    assert (said.code, "hf download no/such-model" in said.err) == (4, True)


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
        ["predict", folder / "run", "pos", toy.test, "--out", folder / "new.conllu"],
    ):
        said = call(*words)
        assert (said.code, said.out) == (4, "")
        assert said.err.endswith(": No space left on device\n")
        assert contents(folder) == before


def assert_no_space(said: Said) -> None:
    last = said.err.splitlines()[-1]
    assert said.code == 4
    assert re.search("is the disk full|File too large|[Nn]o space left on (device|the disk)", last)


@pytest.mark.parametrize("limit", [100, 3_000, 30_000, 40_000])  # bytes: text, arrays, weights
def test_a_run_without_space_goes_on_once_there_is_some(
    limit: int, call: Call, recipe: Path, tmp_path: Path
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.lapt=true"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        said = call(*words)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_no_space(said)
    assert call(*words).code == 0
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("where", ["checkpoints/lapt.partial", "predictions/pos-1.conllu.partial"])
def test_a_device_without_space_is_named_as_such(
    where: str, call: Call, recipe: Path, tmp_path: Path
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.lapt=true"]
    assert call(*words).code == 0
    for path in (tmp_path / "run").iterdir():
        if path.name != "recipe.toml":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tmp_path / "run" / where).parent.mkdir(exist_ok=True)
    (tmp_path / "run" / where).symlink_to("/dev/full")
    assert_no_space(call(*words))


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
    ids=["python", "gpu", "cpu"],
)
def test_too_little_memory_says_what_needs_less(
    error: Exception, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.inspection.audit_path", failing(error))
    said = call("inspect", folder / "base", "--text", folder / "corpus.txt")
    assert said.code == 5
    assert said.err == f"specialize: {cli.NO_MEMORY}\n"


@pytest.mark.parametrize("error", [RuntimeError("odd"), OSError("odd"), KeyError("odd")])
def test_a_bug_is_not_dressed_up(
    error: Exception, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.inspection.audit_path", failing(error))
    with pytest.raises(type(error), match="odd"):
        call("inspect", folder / "base", "--text", folder / "corpus.txt")


def failing(error: Exception) -> Callable[..., None]:
    def fail(*arguments: object) -> None:
        raise error

    return fail


def shell(command: str) -> subprocess.CompletedProcess[str]:
    line = f"{sys.executable} -m specialize {command}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False
    )


def test_a_reader_that_has_enough_is_no_fault() -> None:
    said = shell("methods | true")
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_results_that_cannot_be_printed_are_a_fault() -> None:
    said = shell("methods > /dev/full")
    assert said.returncode == 4
    assert said.stderr == "specialize: writing: No space left on device\n"
