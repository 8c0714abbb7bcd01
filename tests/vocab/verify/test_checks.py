"""Checks of a written BPE or Unigram: valid results, each fault by its check, the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cli_calls
import pytest
import tokenizers_made as made
from cli_calls import Call, contents

from specialize.augmentation import augment_tokenizer
from specialize.errors import DataError
from specialize.vocab.audit.unreachable import unreachable_by_rules
from specialize.vocab.bpe.model import BPE
from specialize.vocab.open import read_vocabulary
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.verify.checks import is_joined
from specialize.vocab.verify.claims import Claims
from specialize.vocab.verify.run import verifier, verify
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.write import write_vocabulary

call = cli_calls.call  # fixture
Json = dict[str, Any]
LAYOUTS = {
    "gpt2": made.gpt2_like,
    "llama3": made.llama3_like,
    "llama2": made.llama2_like,
    "xlmr": made.xlmr_like,
}
TOY = made.lines_in("toy", sentences=150)


@pytest.fixture
def tokenizer(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder with the tokenizer of a layout."""
    (tmp_path / "old").mkdir()
    described = LAYOUTS[request.param]()
    (tmp_path / "old" / "tokenizer.json").write_text(json.dumps(described), "utf-8")
    (tmp_path / "toy.txt").write_text("\n".join(TOY), "utf-8")
    (tmp_path / "guard.txt").write_text("\n".join(made.lines_in("Latin")), "utf-8")
    return tmp_path / "old"


every_layout = pytest.mark.parametrize("tokenizer", LAYOUTS, indirect=True)


@every_layout
def test_the_command_extends_any_family(call: Call, tmp_path: Path, tokenizer: Path) -> None:
    out, text, guard = (tmp_path / name for name in ("new", "toy.txt", "guard.txt"))
    line = ["augment", tokenizer, "--text", text, "--method", "extend", "--set", "pieces=40"]
    result = call(*line, "--guard", guard, "--out", out)
    assert (result.code, result.err) == (0, "")
    assert "40 pieces added by extend: " in result.out
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    checks = {check["name"]: check["on"] for check in manifest["verified"]}
    assert checks["guard"]["changed"] == 0 < checks["guard"]["words"]
    assert ("joined" in checks) == isinstance(read_vocabulary(out), BPE)
    before, after = (manifest["text"][when] for when in ("before", "after"))
    what = "unknown_pieces" if before["unknown_pieces"] else "pieces"
    assert after[what] < before[what]
    rows = (out / "pieces.tsv").read_text("utf-8").splitlines()
    assert rows[0].split("\t") == [
        "rank",
        "id",
        "piece",
        "replaced_unknowns",
        "saved_pieces",
        "text",
        "initial_row",
    ]
    assert len(rows) == 41
    assert call("augment", *line[1:], "--out", out).code == 2  # not empty
    again = tmp_path / "again"
    call(*line, "--guard", guard, "--out", again)
    assert (again / "tokenizer.json").read_bytes() == (out / "tokenizer.json").read_bytes()


@pytest.mark.parametrize("tokenizer", ["llama3"], indirect=True)
@pytest.mark.parametrize("method", ["tva", "char_first", "greedy"])
def test_methods_for_wordpiece_say_what_to_use(
    call: Call, tmp_path: Path, tokenizer: Path, method: str
) -> None:
    before = contents(tmp_path)
    line = ["augment", tokenizer, "--text", tmp_path / "toy.txt", "--method", method]
    result = call(*line, "--out", tmp_path / "new")
    assert result.code == 2
    assert result.err.endswith(
        "expected a WordPiece vocabulary, got BPE; use extend, which is for any family\n"
    )
    assert contents(tmp_path) == before


def test_joins_are_recognised_by_piece_boundaries() -> None:
    assert is_joined([b"a", b"b", b"c"], [b"ab", b"c"])
    assert is_joined([b"a"], [b"a"])
    assert not is_joined([b"ab", b"c"], [b"a", b"bc"])
    assert not is_joined([b"ab"], [b"a", b"b"])


def claimed(folder: Path, tokenizer: Path) -> Claims:
    """Write ``tokenizer`` with new pieces to ``folder``/new and return its claims."""
    old = read_vocabulary(tokenizer)
    assert isinstance(old, BPE | Unigram)
    word = old.words(TOY[0])[0]
    first, second = (made_of(old, word[:2]), made_of(old, word[1:3]))
    new = [first, second]
    change = old.place(new) if isinstance(old, BPE) else old.place(dict.fromkeys(new, -9.0))
    write_vocabulary(change.new, folder / "new", source=tokenizer)
    guard = {word: 2 for line in made.lines_in("Latin")[:20] for word in old.words(line)}
    return Claims(
        source=str(tokenizer),
        fresh=dict(zip(change.fresh_pieces, change.fresh, strict=True)),
        guard=guard,
        lines=[*made.lines_in("Latin")[:20], *TOY[:20], " a  b ", ""],
        coarsens=isinstance(old, BPE),
    )


def made_of(vocabulary: BPE | Unigram, text: str) -> str:
    """Return ``text``, or its first pair that is not a piece yet."""
    return text if text not in vocabulary.ids else text + text


def edited(folder: Path, edit: Callable[[Json], None]) -> None:
    file = folder / "new" / "tokenizer.json"
    described = json.loads(file.read_text("utf-8"))
    edit(described)
    file.write_text(json.dumps(described), "utf-8")


def swapped(described: Json) -> None:
    vocab = described["model"]["vocab"]
    if isinstance(vocab, dict):
        a, b = list(vocab)[5:7]
        vocab[a], vocab[b] = vocab[b], vocab[a]
    else:
        vocab[5], vocab[6] = vocab[6], vocab[5]


def more(described: Json) -> None:
    vocab = described["model"]["vocab"]
    if isinstance(vocab, dict):
        vocab["qqq"] = len(vocab)
    else:
        vocab.append(["qqq", -9.0])


def ruled(described: Json) -> None:
    described["normalizer"] = {"type": "Lowercase"}


def decoded(described: Json) -> None:
    described["decoder"] = {"type": "Fuse"}


def special(described: Json) -> None:
    described["added_tokens"] = described["added_tokens"][1:]


FAULTS = {swapped: "kept", more: "ids", ruled: "settings", decoded: "settings", special: "special"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@every_layout
def test_each_fault_is_found_by_its_check(tmp_path: Path, tokenizer: Path, fault: Any) -> None:
    claims = claimed(tmp_path, tokenizer)
    names = [check.name for check in verify(tmp_path / "new", claims)]
    assert names[:4] == ["ids", "special", "kept", "settings"]
    edited(tmp_path, fault)
    with pytest.raises(DataError, match=f"old: not written: check '{FAULTS[fault]}'"):
        verify(tmp_path / "new", claims)


@pytest.mark.parametrize("tokenizer", ["llama3", "gpt2"], indirect=True)
def test_new_merges_before_old_ones_are_found(tmp_path: Path, tokenizer: Path) -> None:
    """The published way, new merges first, changes the segmentation of other languages."""
    claims = claimed(tmp_path, tokenizer)

    def first(described: Json) -> None:
        described["model"]["merges"].reverse()

    edited(tmp_path, first)
    with pytest.raises(DataError, match="old merges are missing or in another order"):
        verify(tmp_path / "new", claims)


@pytest.mark.parametrize("tokenizer", ["xlmr"], indirect=True)
def test_a_score_of_zero_breaks_the_guard(tmp_path: Path, tokenizer: Path) -> None:
    """The published way for Unigram: every new piece beats the old ones."""
    old = read_vocabulary(tokenizer)
    assert isinstance(old, Unigram)
    claims = claimed(tmp_path, tokenizer)
    word = next(w for w in claims.guard if len(old.segment(w)) > 2)
    piece = "".join(old.segment(word)[1:])
    change = old.place({piece: 0.0})
    write_vocabulary(change.new, tmp_path / "zero", source=tokenizer)
    wrong = Claims(claims.source, {piece: len(old.pieces)}, guard=claims.guard)
    with pytest.raises(
        DataError, match=r"check 'guard': pieces .* change \d+ occurrences of words"
    ):
        verify(tmp_path / "zero", wrong)


@every_layout
def test_an_unreachable_piece_is_refused(tmp_path: Path, tokenizer: Path) -> None:
    old = read_vocabulary(tokenizer)
    assert isinstance(old, BPE | Unigram)
    piece = "q\u00a0q x"
    change = old.place([piece]) if isinstance(old, BPE) else old.place({piece: -9.0})
    write_vocabulary(change.new, tmp_path / "new", source=tokenizer)
    with pytest.raises(DataError, match=r"check 'reachable': piece .* can never be used"):
        verify(tmp_path / "new", Claims(str(tokenizer), {piece: len(old.pieces)}))


@pytest.mark.parametrize("tokenizer", ["llama2"], indirect=True)
def test_a_fresh_process_verifies_the_same(tmp_path: Path, tokenizer: Path) -> None:
    claims = claimed(tmp_path, tokenizer)
    with verifier(Path(claims.source)) as verify_afresh:
        assert verify_afresh(tmp_path / "new")(claims) == verify(tmp_path / "new", claims)


@pytest.mark.parametrize("options", [("replace", {"pieces": 150}), ("prune", {})])
def test_a_bare_vocab_txt_is_replaced_and_pruned(tmp_path: Path, options: Any) -> None:
    """It has no tokenizer.json for decoding; a cut character is never inside a word."""
    letters = sorted({c for line in made.lines_in("Latin") for c in line} - {" "})
    pieces = [*SPECIAL, *letters, *(f"##{c}" for c in letters)]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces), "utf-8")
    text = [*made.lines_in("Latin", sentences=80), "x\u2581 \u2581", "a" * 120] * 2
    augment_tokenizer(tmp_path / "vocab.txt", text, *options, tmp_path / "new")
    new = read_vocabulary(tmp_path / "new")
    assert isinstance(new, WordPiece)
    assert options[0] == "prune" or not unreachable_by_rules(new).pieces
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text("utf-8"))
    assert manifest["pieces"]["in slots"] == 0


def _without_decoder() -> Json:
    return made.xlmr_like() | {"decoder": None}


def _cut_short() -> Json:
    """Truncation, padding, and a character that other tokenizers use as a mark."""
    cut = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    pad = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None}
    pad |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"}
    return made.llama2_like() | {"truncation": cut, "padding": pad}


def _between_spaces() -> Json:
    """A BPE with neither marks nor a decoder: U+2581 is an ordinary character."""
    letters = sorted({c for line in made.lines_in("Latin") for c in line} - {" "})
    vocab = {piece: i for i, piece in enumerate(["<unk>", *letters])}
    model = {"type": "BPE", "unk_token": "<unk>", "vocab": vocab, "merges": []}
    return made.gpt2_like() | {
        "added_tokens": [],
        "model": model,
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
    }


@pytest.mark.parametrize("layout", [_without_decoder, _cut_short, _between_spaces])
@pytest.mark.parametrize("method", ["extend", "replace"])
def test_settings_of_other_tools_are_accepted(tmp_path: Path, layout: Any, method: str) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps(layout()), "utf-8")
    text = [*made.lines_in("Latin", sentences=80), "\u2581a\tb"] * 5
    augment_tokenizer(tmp_path, text, method, {"pieces": 400}, tmp_path / "new")
    assert read_vocabulary(tmp_path / "new").pieces != read_vocabulary(tmp_path).pieces
