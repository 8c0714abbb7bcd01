"""specialize inspect: output as a table and as JSON."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import cli_calls
import inspected_files
import pytest
from cli_calls import Call
from inspected_files import PIECES

from specialize.inspection import inspect_texts
from specialize.reports.audit_text import text as text_of
from specialize.reports.tables import WIDTH

call = cli_calls.call  # fixtures
files = inspected_files.files
NAMES = {
    # before there were measures
    *("tokenizer", "text", "words", "pieces", "unknown_words", "unknown_pieces", "continued_words"),
    *("characters", "bytes", "missing", "deleted", "counted_by", "why_library", "fertility"),
    *("unknown_piece_share", "dropped"),
    # the measures
    *("bytes_per_piece", "verdict", "parity", "vocabulary_size", "pieces_used"),
    *("renyi_efficiency", "renyi_efficiency_used", "changed", "unreachable", "differs"),
    *("curve", "notes"),
}


def objects(out: str) -> list[dict]:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    return [json.loads(line, parse_constant=refuse) for line in out.splitlines()]


def test_json_has_everything_under_stable_names(call: Call, files: Path) -> None:
    tokenizers = [files / "wordpiece", files / "bytes.json"]
    beside = ["--parallel", files / "en.txt"]
    out = call("inspect", *tokenizers, "--text", files / "ug.txt", *beside, "--json")
    assert (out.code, out.err) == (0, "")
    first, second = objects(out.out)
    assert first.keys() == second.keys() == NAMES
    assert first["vocabulary_size"] == len(PIECES)
    assert first["bytes_per_piece"] == first["bytes"] / first["pieces"]
    assert first["unreachable"]["pieces"] == {"a.": "split by the pre-tokeniser"}
    assert first["parity"]["pieces"] == first["pieces"]
    assert first["parity"]["parity"] == first["pieces"] / 3
    assert first["differs"] is None
    assert second["differs"]["unit"] == "token"
    assert second["verdict"]["pays"] == "perhaps"  # byte-level: nothing unknown, but long


def test_missing_values_are_null_in_json(call: Call, files: Path) -> None:
    beside = ["--parallel", files / "empty.tsv"]
    out = call("inspect", files / "wordpiece", "--text", files / "en.txt", *beside, "--json")
    (found,) = objects(out.out)
    assert found["parity"]["parity"] is None
    assert found["parity"]["skipped"] == 1
    assert found["verdict"]["figures"]["parity"] is None


def test_the_verdict_counts_the_pieces_that_are_needed(call: Call, files: Path) -> None:
    """Words: a ab abc abc ۋb a < b > ۋ; needed: word-initial ۋ, < and >."""
    out = call("inspect", files / "wordpiece", "--text", files / "ug.txt", "--json").out
    verdict = objects(out)[0]["verdict"]
    assert verdict["pays"] == "yes"
    assert verdict["figures"]["unknown_words"] == 4 / 10
    assert verdict["figures"]["missing_letters"] == 2 / 4
    needed = {"pieces": 3, "left": 0.0, "slots": 0, "left_by_slots": None}
    assert verdict["figures"]["needed"] == needed


def test_the_table_shows_the_verdict_and_hides_details(call: Call, files: Path) -> None:
    shown = call("inspect", files / "wordpiece", "--text", files / "ug.txt").out
    assert "\nWill new pieces pay off?\nwordpiece on ug.txt: yes." in shown
    assert "wordpiece on ug.txt: yes. 40.00 % of the words are unknown" in shown
    assert "vocab.txt has no capital letters" in " ".join(shown.split())
    assert "Rényi" not in shown
    detailed = call("inspect", files / "wordpiece", "--text", files / "ug.txt", "--details").out
    assert "Rényi" in detailed
    assert "wordpiece, unreachable pieces: 1 of 6 (1 split by the pre-tokeniser)" in detailed


def test_two_tokenizers_are_compared(call: Call, files: Path) -> None:
    """Of ten words, ۋb and ۋ change; into more pieces: ۋ ##b."""
    both = [files / "wordpiece", files / "other"]
    shown = call("inspect", *both, "--text", files / "ug.txt", "--details").out
    assert "other on ug.txt: 20.00 % of the words are segmented differently by" in shown
    assert "2 of 10, 1 into more pieces, 0 into fewer:" in " ".join(shown.split())
    assert "  ۋb 1: [UNK] → ۋ ##b" in shown.splitlines()


def test_lines_keep_to_the_width(call: Call, files: Path) -> None:
    long = files / ("name-" * 20)
    (files / "wordpiece").rename(long)
    (files / "ug.txt").write_text("".join(map(chr, range(0x620, 0x6E0))), "utf-8")
    tokenizers = [long / "vocab.txt", files / "bytes.json"]
    beside = ["--details", "--parallel", files / "ug.txt"]
    shown = call("inspect", *tokenizers, "--text", files / "ug.txt", *beside).out
    lines = [line for line in shown.splitlines() if "→" not in line and "name-name" not in line]
    assert len(lines) > 10
    assert max(map(len, lines)) <= WIDTH


def test_missing_values_are_shown_as_dashes(files: Path) -> None:
    """A text without words after cleaning."""
    (files / "none.txt").write_text("\u200c\n", "utf-8")
    findings = [*inspect_texts([str(files / "wordpiece")], [str(files / "none.txt")], details=True)]
    shown = text_of(findings)
    assert re.search(r"none\.txt +0 +– +– +– +–$", shown, re.MULTILINE)
    assert "not known. The text has no words." in shown
    assert not re.search(r"\b(nan|inf|None)\b", shown)
    assert findings[0].details is not None
    assert findings[0].details.renyi_efficiency is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--parallel", "three.txt"], r"three\.txt:3: 3 lines, where .*ug\.txt has 2"),
        (["--parallel", "missing.txt"], "missing"),
        (
            ["en.txt", "--parallel", "en.txt"],
            "expected one text to align with, got 2; name one text",
        ),
    ],
)
def test_parallel_files_that_do_not_fit_are_refused(
    call: Call, files: Path, words: list[str], message: str
) -> None:
    (files / "three.txt").write_text("a\nb\na\n", "utf-8")
    given = [files / word if word.endswith(".txt") else word for word in words]
    out = call("inspect", files / "wordpiece", "--text", files / "ug.txt", *given)
    assert out.code in (2, 3, 4)
    assert out.out == ""
    assert re.search(message, out.err)


def test_inspecting_real_uyghur_says_yes(call: Call, data: Path) -> None:
    """Two treebank texts: Uyghur, with a third of its words unknown, and English."""
    model = data / "vocab/bert-base-multilingual-cased"
    texts = [data / f"ud/UD_{name}/dev.conllu.xz" for name in ("Uyghur-UDT", "English-EWT")]
    uyghur, english = objects(call("inspect", model, "--text", *texts, "--json").out)
    assert uyghur["verdict"]["pays"] == "yes"
    assert uyghur["verdict"]["figures"]["needed"]["pieces"] < 20
    assert english["verdict"]["pays"] == "no"
    assert math.isclose(uyghur["unknown_words"] / uyghur["words"], 0.387, abs_tol=0.001)


def test_help_does_not_load_what_makes_pages() -> None:
    code = (
        "import sys, specialize.cli; specialize.cli._parser().format_help(); "
        "print({'jinja2', 'markupsafe', 'tokenizers', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_counting_line_by_line_is_explained(call: Call, files: Path) -> None:
    odd = json.loads((files / "bytes.json").read_text("utf-8"))
    odd["pre_tokenizer"] = {"type": "Punctuation", "behavior": "Isolated"}
    (files / "odd.json").write_text(json.dumps(odd), "utf-8")
    out = call("inspect", files / "odd.json", files / "bytes.json", "--text", files / "ug.txt").out
    assert "line by line with the tokenizers library (pre-tokeniser Punctuation)" in out
    assert out.count("line by line") == 1
