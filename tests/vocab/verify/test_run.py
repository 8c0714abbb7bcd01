"""Verification of a written WordPiece: each fault by its check, and bad input refused."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cli_calls
import numpy as np
import pytest
from cli_calls import Call, contents
from safetensors.numpy import save_file

from specialize.augmentation import augment_tokenizer
from specialize.corpus import count_lines, open_text
from specialize.errors import DataError
from specialize.vocab.audit.unreachable import CHANGED, DELETED, LONG, OTHERS, SPLIT
from specialize.vocab.formats.tokenizer_json import write_wordpiece
from specialize.vocab.verify import run
from specialize.vocab.verify.checks import check_decode
from specialize.vocab.verify.claims import Claims, sample
from specialize.vocab.verify.run import verifier, verify
from specialize.vocab.verify.written import Written
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules
from specialize.vocab.write import write_vocabulary

call = cli_calls.call  # fixture
OLD = WordPiece([*SPECIAL, "[unused1]", "dan", "##c", "##ing", "##d", "a", "##b", "moon"])
WORDS = {"dancing": 3, "dand": 2, "xyz": 5}
Json = dict[str, Any]


@pytest.fixture
def claims(tmp_path: Path) -> Claims:
    """Claims of ``new``, which has ``##x`` in the slot and ``ax`` at the end, from ``old``."""
    return written(tmp_path, ["##x", "ax"])


def written(folder: Path, pieces: list[str], old: WordPiece = OLD, **more: Any) -> Claims:
    change = old.place(pieces)
    write_wordpiece(old, folder / "old")
    files = write_vocabulary(change.new, folder / "new", source=folder / "old")
    fresh = dict(zip(change.fresh_pieces, change.fresh, strict=True))
    examples = {"##x": ["dancx"]} if "##x" in pieces else {}
    claimed = {"lines": ["dancing,", "a", "ax"], "examples": examples, "guard": WORDS} | more
    return Claims(str(folder / "old"), fresh, files=files, **claimed)


def test_each_check_says_what_it_was_verified_on(tmp_path, claims):
    found = {check.name: check.on for check in verify(tmp_path / "new", claims)}
    assert found == {
        "ids": {"pieces": 14},
        "special": {"tokens": 5},
        "kept": {"old pieces": 12, "slots taken": 1, "new pieces": 2},
        "settings": {"old pieces": 13},
        "reachable": {"pieces": 2, "never in the text": 1},
        "readers": {"lines": 3, "guard words": 3, "words of pieces": 3, "other files": 0},
        "known": {"words": 2},  # dancing and a; "," and ax were unknown
        "guard": {
            "words": 2,
            "occurrences": 5,
            "allowed": 0,
            "changed": 0,
        },
        "decode": {"words": 4, "lines": 2},  # dancing, a, ax, dancx; "," is unknown
        "AutoTokenizer": {"lines": 3},
    }


def test_the_verifying_process_ends_when_its_input_closes(claims):
    with verifier(Path(claims.source)) as unasked:
        (process,) = unasked.args
        assert process.poll() is None
    assert process.poll() is not None


def test_a_fresh_process_verifies_the_same(tmp_path, claims, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('not the library')")
    monkeypatch.chdir(tmp_path)
    with verifier(Path(claims.source)) as verify_afresh:
        assert verify_afresh(tmp_path / "new")(claims) == verify(tmp_path / "new", claims)
    (tmp_path / "new" / "vocab.txt").unlink()
    with pytest.raises(DataError) as here:
        verify(tmp_path / "new", claims)
    with verifier(Path(claims.source)) as verify_afresh, pytest.raises(DataError) as there:
        verify_afresh(tmp_path / "new")(claims)
    assert str(here.value) == str(there.value)
    assert "old: not written: check 'files': " in str(here.value)


def swap(described: Json) -> None:
    vocab = described["model"]["vocab"]
    vocab["dan"], vocab["moon"] = vocab["moon"], vocab["dan"]


def lowercase(described: Json) -> None:
    described["normalizer"]["lowercase"] = True


def move(described: Json) -> None:
    vocab = described["model"]["vocab"]
    vocab["[MASK]"], vocab["[SEP]"] = vocab["[SEP]"], vocab["[MASK]"]


def collide(described: Json) -> None:
    described["added_tokens"].append(described["added_tokens"][0] | {"id": 13, "content": "<x>"})


FAULTS: list[tuple[Callable[[Json], None], str]] = [
    (swap, "check 'ids': vocab.txt has other pieces than tokenizer.json"),
    (lowercase, "check 'settings': rules was BertRules"),
    (move, "check 'ids': "),
    (collide, "check 'files': "),
]


@pytest.mark.parametrize(("edit", "message"), FAULTS, ids=[edit.__name__ for edit, _ in FAULTS])
def test_each_fault_of_tokenizer_json_is_found_by_its_check(tmp_path, claims, edit, message):
    file = tmp_path / "new" / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    edit(described)
    file.write_text(json.dumps(described), "utf-8")
    with pytest.raises(DataError) as raised:
        verify(tmp_path / "new", claims)
    assert str(raised.value).startswith(f"{tmp_path / 'old'}: not written: {message}")


def fault(folder: Path, claims: Claims) -> str:
    with pytest.raises(DataError) as raised:
        verify(folder / "new", claims)
    return str(raised.value).partition("not written: check ")[2]


def rewritten(folder: Path, pieces: list[str]) -> None:
    write_wordpiece(OLD.with_pieces(pieces), folder / "new")


def test_moved_pieces_are_found(tmp_path, claims):
    pieces = list(OLD.place(["##x", "ax"]).new.pieces)
    rewritten(tmp_path, [*pieces[:6], "moon", *pieces[7:12], "dan", "ax"])
    assert fault(tmp_path, claims) == "'kept': id 6 is 'moon', not 'dan'"
    rewritten(tmp_path, [*pieces, "more"])
    assert fault(tmp_path, claims) == "'ids': 15 pieces, expected 14"
    rewritten(tmp_path, [*pieces[:5], "[unused1]", *pieces[6:]])
    assert fault(tmp_path, claims) == "'kept': piece '##x' has the id None"
    rewritten(tmp_path, [*pieces[:3], "[MASK]", "[SEP]", *pieces[5:]])
    assert fault(tmp_path, claims) == "'special': '[SEP]' had the id 3, and now 4"


def test_a_piece_that_makes_a_word_unknown_is_found(tmp_path):
    """dancing: danci, and no piece continues with n."""
    claims = written(tmp_path, ["danci"], guard={})
    message = "'known': word 'dancing' was ['dan', '##c', '##ing'], now unknown"
    assert fault(tmp_path, claims) == message


def test_guarded_words_may_change_only_within_the_budget(tmp_path):
    claims = written(tmp_path, ["danc", "##x"])
    assert fault(tmp_path, claims) == "'guard': pieces danc change 3 occurrences of words: dancing"
    claims = written(tmp_path, ["danc", "##x"], budget=0.6)
    checks = {check.name: check.on for check in verify(tmp_path / "new", claims)}
    assert (checks["guard"]["allowed"], checks["guard"]["changed"]) == (3, 3)


@pytest.mark.parametrize(
    ("piece", "why"),
    [
        ("Dan", CHANGED),
        ("##é", CHANGED),
        ("##,", SPLIT),
        ("世界", SPLIT),
        ("b\u200c", DELETED),
        ("a b", SPLIT),
        ("##", OTHERS),
        ("a" * 101, LONG),
        ("##" + "a" * 100, LONG),
    ],
)
def test_an_unreachable_piece_is_found(tmp_path, piece, why):
    uncased = WordPiece(OLD.pieces, rules=BertRules(strip_accents=True, lowercase=True))
    claims = written(tmp_path, [piece], uncased, guard={})
    assert fault(tmp_path, claims) == f"'reachable': piece {piece!r} can never be used: {why}"


def test_a_piece_unused_in_its_words_is_found(tmp_path):
    claims = written(tmp_path, ["##x"], examples={"##x": ["dancing"]})
    assert fault(tmp_path, claims) == "'reachable': piece '##x' is not used in 'dancing'"


def test_readers_that_disagree_are_found(tmp_path, monkeypatch):
    """No known vocabulary does so: here ours finds nothing."""
    claims = written(tmp_path, ["##x"], guard={}, lines=["moonb"])
    monkeypatch.setattr(WordPiece, "encode", lambda self, text: [])
    wrong = "'readers': lines: 'moonb' is ['moon', '##b'] to the tokenizers library"
    assert fault(tmp_path, claims) == wrong


def test_a_special_piece_that_must_be_a_whole_word_is_left_to_the_library(tmp_path):
    claims = written(tmp_path, ["##x"], guard={}, lines=["moonb", "a moon"])
    for folder in ("old", "new"):
        file = tmp_path / folder / "tokenizer.json"
        described = json.loads(file.read_text("utf-8"))
        moon = described["added_tokens"][0] | {"id": 12, "content": "moon", "single_word": True}
        described["added_tokens"].append(moon)
        file.write_text(json.dumps(described), "utf-8")
    assert verify(tmp_path / "new", claims)


def test_pieces_that_do_not_decode_to_their_word_are_found(tmp_path, claims, monkeypatch):
    """No known vocabulary does so: here a word is given the pieces of another."""
    monkeypatch.setattr(run, "CHECKS", [check_decode])
    monkeypatch.setattr(Written, "now", lambda self, word: ["a", "##b"])
    assert fault(tmp_path, claims).startswith("'decode': word 'dancing' is ['a', '##b']")


def test_the_sample_is_the_first_lines_or_tokens():
    lines = ["b a\tb", "", "c d", *map(str, range(2000))]
    assert sample(lines) == ["b a\tb", "c d", *map(str, range(998))]
    assert sample(count_lines(lines))[:4] == ["b", "a", "c", "d"]


def test_long_lines_of_the_sample_are_cut_at_spaces():
    line = "a" * 1_999 + " b " + "c" * 4_001
    assert sample([line]) == ["a" * 1_999, "b", "c" * 2_000, "c" * 2_000, "c"]
    assert sample(["ab " * 1_000_000]) == [" ".join(["ab"] * 667)] * 30


# The command --------------------------------------------------------------------------------------


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder with a tokenizer, a text of a new language and a text to guard."""
    write_wordpiece(OLD, tmp_path / "old")
    (tmp_path / "new.txt").write_text("danco dancin " * 9 + "\n", "utf-8")
    (tmp_path / "en.txt").write_text("dancing dancing dand\n", "utf-8")
    (tmp_path / "shouting_methods.py").write_text(OUTSIDE, "utf-8")
    return tmp_path


OUTSIDE = '''
def upper(vocabulary, corpus):
    """Add a piece in capitals."""
    return vocabulary.place(["##x", "DANCE"])
'''
AUGMENT = "augment old --text new.txt --out out --set pad=true --set new_vocabulary=40 "
FEW = AUGMENT + "--set pieces=9 "


def test_the_command_applies_a_guard_and_reports_it(texts, call, monkeypatch):
    monkeypatch.chdir(texts)
    result = call(*FEW.split(), "--guard", "en.txt")
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[1] == "1 piece dropped for the guard: dancin"
    assert lines[2] == "0 of 3 guarded occurrences of words changed"
    assert lines[3].startswith("verified in a fresh process: ids, special, kept, ")
    manifest = json.loads((texts / "out" / "manifest.json").read_text("utf-8"))
    checks = {check["name"]: check["on"] for check in manifest["verified"]}
    assert checks["guard"]["occurrences"] == 3
    assert manifest["dropped"]["changed guarded words"] == ["dancin"]
    free = call(*f"{FEW} --guard en.txt --guard-budget 1 --out free".split())
    assert "0 pieces dropped for the guard\n2 of 3 guarded occurrences" in free.out


def test_the_manifest_lists_inputs_and_options_and_does_not_depend_on_the_folder(
    texts, call, monkeypatch
):
    again = shutil.copytree(texts, texts / "again")
    files = []
    for folder in (texts, again):
        monkeypatch.chdir(folder)
        assert call(*FEW.split(), "--guard", "en.txt").code == 0
        files.append((folder / "out" / "manifest.json").read_bytes())
    assert files[0] == files[1]
    manifest = json.loads(files[0])
    digest = hashlib.sha256((texts / "new.txt").read_bytes()).hexdigest()
    assert manifest["inputs"]["text"] == [{"file": "new.txt", "sha256": digest}]
    named = [row["file"] for row in manifest["inputs"]["tokenizer"]]
    assert named == ["tokenizer.json", "tokenizer_config.json"]
    assert manifest["tool"].startswith("specialize")
    assert manifest["options"]["pieces"] == 9
    assert manifest["options"]["preset"] == "paper"
    assert manifest["pieces"]["after"] == manifest["rows needed"]
    assert manifest["rows of the model"] is None


def duplicated(folder: Path) -> None:
    (folder / "old" / "tokenizer.json").unlink()
    file = folder / "old" / "vocab.txt"
    file.write_text(file.read_text("utf-8") + "dan\n", "utf-8")


def cut(folder: Path) -> None:
    file = folder / "old" / "tokenizer.json"
    file.write_text(file.read_text("utf-8")[:-300], "utf-8")


def listed(folder: Path) -> None:
    file = folder / "old" / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    described["model"]["vocab"] = list(described["model"]["vocab"])
    file.write_text(json.dumps(described), "utf-8")


def spaced(folder: Path) -> None:
    file = folder / "old" / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    described["model"]["vocab"]["moon"] = 99
    file.write_text(json.dumps(described), "utf-8")


def small(folder: Path) -> None:
    (folder / "old" / "config.json").write_text('{\n "vocab_size": 12\n}\n', "utf-8")


def other(folder: Path) -> None:
    (folder / "old" / "config.json").write_text('{"vocab_size": 13}', "utf-8")
    write_header(folder / "old" / "model.safetensors", {"bert.word_embeddings.weight": [14, 2]})


def torn(folder: Path) -> None:
    (folder / "old" / "config.json").write_text('{"vocab_size": 13}', "utf-8")
    (folder / "old" / "model.safetensors").write_bytes(b"\xff" * 40)


def uncased(folder: Path) -> None:
    shutil.rmtree(folder / "old")
    rules = BertRules(strip_accents=True, lowercase=True)
    write_wordpiece(WordPiece(OLD.pieces, rules=rules), folder / "old")


UPPER = "augment old --text new.txt --out out --method shouting_methods:upper"
BAD = [
    (duplicated, FEW, r"old/vocab\.txt:14: duplicate piece 'dan', first on line 7"),
    (cut, FEW, r"old/tokenizer\.json:1: not JSON: Unterminated string"),
    (listed, FEW, r"old/tokenizer\.json:1: vocab: expected an object, got a list"),
    (spaced, FEW, r"old/tokenizer\.json:1: expected the ids 0 to 12, each once"),
    (small, FEW, r"old/config\.json:2: vocab_size is 12, but the tokenizer has 13 pieces"),
    (other, FEW, r"old/config\.json:1: vocab_size is 13, but \S+weight has 14 rows"),
    (torn, FEW, r"old/model\.safetensors:1: damaged"),
    (uncased, UPPER, r"old: not written: check 'reachable': piece 'DANCE' can never be used"),
]


@pytest.mark.parametrize(
    ("spoil", "line", "message"), BAD, ids=[spoil.__name__ for spoil, *_ in BAD]
)
def test_bad_input_is_one_line_and_writes_nothing(
    spoil: Callable[[Path], None],
    line: str,
    message: str,
    texts: Path,
    call: Call,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(texts)
    monkeypatch.syspath_prepend(texts)
    spoil(texts)
    before = contents(texts)
    found = call(*line.split())
    assert (found.code, found.out) == (3, ""), found.err
    assert re.fullmatch(rf"specialize: {message}.*\n", found.err), found.err
    assert [name for name in contents(texts) if "__pycache__" not in name] == before


# Rows of the model --------------------------------------------------------------------------------


def write_header(file: Path, shapes: dict[str, list[int]]) -> None:
    """Write a safetensors file with tensors of zeros."""
    save_file({name: np.zeros(shape, np.float32) for name, shape in shapes.items()}, file)


def test_the_output_says_how_many_rows_the_model_needs(base_folder, toy, tmp_path, vocabulary):
    lines = open_text([str(toy.corpus)])
    options = {"new_vocabulary": 300}
    message = augment_tokenizer(base_folder, lines, "tva", options, tmp_path / "out")
    rows = len(vocabulary.pieces)
    assert f"the model needs {rows + 79} rows and has {rows}" in message  # 20 slots, 99 pieces
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["rows needed"], manifest["rows of the model"]) == (rows + 79, rows)
