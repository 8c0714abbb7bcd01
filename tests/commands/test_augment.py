"""``specialize augment``: writes a tokenizer, the same one every time."""

import json
from pathlib import Path

import causal_models
import cli_calls
import pytest
from cli_calls import Call
from tiny_models import write_model

from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


def test_augment_writes_a_tokenizer_that_knows_more(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    words = ["augment", base_folder, "--text", toy.corpus, "--set", "new_vocabulary=300"]
    for name in ("one", "two"):
        done = call(*words, "--out", tmp_path / name)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("99 pieces added by tva: ")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert len((tmp_path / "one" / "pieces.tsv").read_text("utf-8").splitlines()) == 100
    both = call("inspect", base_folder, tmp_path / "one", "--text", toy.corpus, "--json").out
    before, after = (json.loads(line)["unknown_pieces"] for line in both.splitlines())
    assert after < before / 4
    plain = AutoTokenizer.from_pretrained(tmp_path / "one")
    lines = toy.corpus.read_text("utf-8").splitlines()
    assert sum(plain.tokenize(line).count("[UNK]") for line in lines) == after


def test_a_method_is_a_function_of_a_file(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "def change(vocabulary, corpus, *, piece: str):\n    return vocabulary.place([piece])\n",
        "utf-8",
    )
    words = ["augment", base_folder, "--text", toy.corpus, "--method"]
    words += [f"{tmp_path / 'mine.py'}:change", "--out"]
    done = call(*words, tmp_path / "new", "--set", "piece=quux")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 piece added by ")
    missing = call(*words, tmp_path / "other")
    assert (missing.code, "lacks 'piece': expected text" in missing.err) == (2, True)


@pytest.mark.parametrize("shape", ["bert", "xlm-r", "qwen2"])
def test_a_model_is_written_with_a_row_for_each_piece(
    shape: str, call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

    causal = shape in causal_models.SHAPES
    make = causal_models.write_model if causal else write_model
    source = base_folder if shape == "bert" else make(shape, tmp_path / "base")
    auto = AutoModelForCausalLM if causal else AutoModelForMaskedLM
    out = tmp_path / "out"
    done = call(
        *("augment", source, "--text", toy.corpus, "--method", "extend", "--set", "pieces=30"),
        *("--embed", "subwords", "--out", out),
    )
    assert done.code == 0, done.err
    model, tokenizer = auto.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    old = auto.from_pretrained(source)
    assert len(tokenizer) > len(AutoTokenizer.from_pretrained(source))
    assert model.get_input_embeddings().weight.shape[0] >= len(tokenizer)
    size = len(AutoTokenizer.from_pretrained(source)) - 20  # slots may be taken
    rows = [m.get_input_embeddings().weight for m in (old, model)]
    assert sum((rows[0][i] == rows[1][i]).all().item() for i in range(len(rows[0]))) >= size
    logits = model(**tokenizer(toy.corpus.read_text("utf-8")[:8], return_tensors="pt")).logits
    assert logits.isfinite().all()
    assert "needs" not in done.out
    sources = [row.split("\t")[-1] for row in (out / "pieces.tsv").read_text("utf-8").splitlines()]
    assert sources[0] == "initial_row"
    known = ("drawn around the mean", "mean of ", "mixed from ")  # mixed: a piece that recurs
    assert all(source.startswith(known) for source in sources[1:])


def test_a_model_without_rows_for_the_pieces_is_noted(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    options = ("--method", "extend", "--set", "pieces=60", "--out", tmp_path / "out")
    done = call("augment", base_folder, "--text", toy.corpus, *options)
    assert "rows and has" in done.out
    assert "--embed writes it with them" in done.out
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_rows_are_initialised_by_a_method_with_options(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    """The table of a mix-in is located in the working directory, and in the manifest."""
    (tmp_path / "table.tsv").write_text("ⴰ\ta\nⴱ\tb\n", "utf-8")
    words = ["augment", base_folder, "--text", toy.corpus, "--embed", "transliterated"]
    words += ["--set", "embed.mixin.method=table", "--set", "new_vocabulary=300", "--set"]
    done = call(*words, f"embed.mixin.file={tmp_path / 'table.tsv'}", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "rows of new pieces by transliterated (mixin = {method = 'table', file = " in done.out
    rows = (tmp_path / "out" / "pieces.tsv").read_text("utf-8")
    assert "\ttransliterated a: copied from " in rows
    drawn = rows.count("\tdrawn around the mean")
    assert f"; it found nothing for {drawn} of 99: drawn" in done.out
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    mixin = {"method": "table", "file": str(tmp_path / "table.tsv")}
    assert manifest["embed"] == {"method": "transliterated", "mixin": mixin, "seed": 0}
    assert [entry["file"] for entry in manifest["inputs"]["embed"]] == ["table.tsv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--embed", "scripts"], "unknown embed 'scripts'; known: "),
        (["--embed", "script", "--set", "embed.size=3"], "unknown key 'size' in the options of"),
        (["--embed", "script", "--set", "embed.smallest=1"], "expected smallest of 2 or more"),
        (["--embed", "alignment"], "lacks 'file': expected a file; add file = ... (lines NEW<TAB>"),
        (["--set", "embed.scale=2"], "--set embed: expected a method; name it with --embed"),
    ],
)
def test_faults_of_embed_are_refused_and_nothing_is_written(
    options: list[str], message: str, call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    done = call("augment", base_folder, "--text", toy.corpus, *options, "--out", tmp_path / "out")
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()
