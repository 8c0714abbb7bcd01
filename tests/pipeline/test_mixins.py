"""Mix-ins from a recipe to a published folder: copied, described, and applied in use."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from specialize import pipeline, read_mix
from specialize.cli import main
from specialize.errors import MissingError, UsageError
from specialize.pipeline import cautions
from specialize.recipe.read import read_recipe
from specialize.specialization import Specialization
from specialize.toylang import ToyFiles
from specialize.toylang._script import LATIN, SCRIPT

CODE = "def tidy(line, *, mark=''):\n    return line.replace('x', '') + mark\n"


@pytest.fixture(scope="module")
def out(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a table and a function of its own, moved away from both."""
    folder = tmp_path_factory.mktemp("mixins")
    letters = "".join(f"{strange}\t{latin}\n" for latin, strange in zip(LATIN, SCRIPT, strict=True))
    (folder / "toy.tsv").write_text(f"@title The toy language\n{letters}.\t∅\n", "utf-8")
    (folder / "mine.py").write_text(CODE, "utf-8")
    files = "".join(f'{part} = "{getattr(toy, part)}"\n' for part in ("train", "dev", "test"))
    (folder / "toy.toml").write_text(
        f'base = "{base_folder}"\nlanguage = "xx"\nlapt = false\n[finetune]\nepochs = 1\n'
        f'[task.pos]\n{files}[arm.plain]\n[arm.mixed]\nmixin = [{{ method = "table", '
        'file = "toy.tsv" }, { method = "mine.py:tidy" }]\n',
        "utf-8",
    )
    pipeline.specialize(read_recipe(folder / "toy.toml"), folder / "run")
    moved = tmp_path_factory.mktemp("moved") / "run"
    shutil.move(folder / "run", moved)
    shutil.rmtree(folder)
    return moved


def test_a_model_says_how_to_rewrite_text(out: Path) -> None:
    facts = json.loads((out / "model/specialize.json").read_text("utf-8"))
    assert facts["arm"] == "mixed"
    assert facts["mixins"] == [
        ["table", {"file": "mixins/1/toy.tsv"}],
        ["mixins/2/mine.py:tidy", {}],
    ]
    card = (out / "model/README.md").read_text("utf-8")
    assert "language: xx\n" in card
    assert "1. `table`, the rules in [mixins/1/toy.tsv](mixins/1/toy.tsv): The toy language" in card
    assert "2. `mixins/2/mine.py:tidy`" in card
    assert "read_mix(folder, allow_code=True)" in card
    plain = (out / "arms/plain/model/README.md").read_text("utf-8")
    assert "Its text needs no rewriting." in plain


def test_the_published_model_rewrites_without_the_originals(out: Path, toy: ToyFiles) -> None:
    mix = read_mix(out / "model", allow_code=True)
    latin, strange = LATIN[0], SCRIPT[0]
    assert mix(f"{strange}x{strange}.") == latin * 2
    assert read_mix(out / "arms/plain/model")("x.") == "x."
    with pytest.raises(UsageError, match="is code outside of the package"):
        read_mix(out / "model")
    with pytest.raises(MissingError, match=r"specialize\.json: no such file"):
        read_mix(out)


def test_the_published_model_loads_with_plain_transformers(out: Path) -> None:
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    assert AutoTokenizer.from_pretrained(out / "model")
    assert AutoModelForMaskedLM.from_pretrained(out / "model")


def forms(path: Path) -> list[str]:
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    return [row[1] for row in rows if len(row) > 1]


def test_predictions_keep_the_original_words_even_those_emptied(
    out: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"function tidy of .*/heads/pos/mixins/2/mine\.py"):
        Specialization(out).head("pos")
    head = Specialization(out, allow_code=True).head("pos")
    assert head.words.mix(".") == ""
    sentences = head.task.read(toy.test)
    assert any("." in sentence.words for sentence in sentences)
    head.task.write(head.annotate(sentences), tmp_path / "again.conllu")
    assert forms(tmp_path / "again.conllu") == forms(toy.test)
    assert (tmp_path / "again.conllu").read_bytes() == (
        out / "predictions/pos-1.conllu"
    ).read_bytes()


def test_a_missing_package_of_a_mix_in_stops_a_run_before_it_begins(
    base_folder: Path,
    toy: ToyFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "anyascii", None)
    files = "".join(f'{part} = "{getattr(toy, part)}"\n' for part in ("train", "dev", "test"))
    recipe = tmp_path / "toy.toml"
    recipe.write_text(
        f'base = "{base_folder}"\nlapt = false\nmixin = "anyascii"\n[task.pos]\n{files}', "utf-8"
    )
    assert main(["run", str(recipe), "--out", str(tmp_path / "run")]) == 4
    assert "pip install 'specialize[anyascii]'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_mixin_that_makes_text_unknown_is_warned_of_before_training(
    base_folder: Path, toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Latin letters that the base knows become Georgian ones, which it does not."""
    letters = "".join(f"{latin}\t{chr(0x10D0 + i)}\n" for i, latin in enumerate(LATIN))
    (tmp_path / "away.tsv").write_text(letters, "utf-8")
    latin = dict(zip(SCRIPT, LATIN, strict=True))
    for part in ("train", "dev", "test"):
        text = Path(getattr(toy, part)).read_text("utf-8")
        rewritten = "".join(latin.get(letter, letter) for letter in text)
        (tmp_path / f"{part}.conllu").write_text(rewritten, "utf-8")
    files = "".join(f'{part} = "{part}.conllu"\n' for part in ("train", "dev", "test"))
    (tmp_path / "toy.toml").write_text(
        f'base = "{base_folder}"\nlapt = false\n[finetune]\nepochs = 0\n[task.pos]\n{files}'
        '[arm.plain]\n[arm.away]\nmixin = { method = "table", file = "away.tsv" }\n',
        "utf-8",
    )
    command = ["run", str(tmp_path / "toy.toml"), "--out", str(tmp_path / "run")]
    assert main(command) == 0
    message = " ".join(capsys.readouterr().out.split())
    assert "raises the unknown pieces of pos dev from " in message
    assert re.search(r"lacks characters that it writes, [ა-ჰ] \(U\+10[DE][0-9A-F]\) \d+, ", message)


def test_a_mixin_for_another_script_is_warned_of_before_training(
    base_folder: Path, toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = "".join(f"{strange}\t{latin}\n" for latin, strange in zip(LATIN, SCRIPT, strict=True))
    (tmp_path / "toy.tsv").write_text(letters, "utf-8")
    (tmp_path / "toy.toml").write_text(
        f'base = "{base_folder}"\n[corpus]\nfiles = ["{toy.corpus}"]\ndev = 0.2\n'
        "[lapt]\nepochs = 1\n[arm.plain]\n"
        '[arm.other]\nmixin = { method = "table", scheme = "cyrillic" }\n'
        '[arm.mixed]\nmixin = { method = "table", file = "toy.tsv" }\n',
        "utf-8",
    )
    assert main(["run", str(tmp_path / "toy.toml"), "--out", str(tmp_path / "run")]) == 0
    found = re.findall(r"warning: (.*) changes nothing in the held-out", capsys.readouterr().err)
    assert found == ["other: table (scheme = 'cyrillic')"]


def test_a_mixin_that_splits_words_does_not_lower_the_pieces_per_word(
    base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    """Pieces are counted for each word of the text as given, or an apostrophe would look good."""
    (tmp_path / "split.tsv").write_text("".join(f"{c}\t{c}'\n" for c in SCRIPT), "utf-8")
    (tmp_path / "toy.toml").write_text(
        f'base = "{base_folder}"\nlapt = false\n[finetune]\nepochs = 0\n[task.pos]\n'
        f'train = "{toy.train}"\ndev = "{toy.dev}"\ntest = "{toy.test}"\n'
        '[arm.plain]\n[arm.split]\nmixin = { method = "table", file = "split.tsv" }\n',
        "utf-8",
    )
    facts = pipeline.specialize(read_recipe(tmp_path / "toy.toml"), tmp_path / "run")
    plain, split = (arm["audit"]["pos test"]["after"] for arm in facts["arms"])
    assert split["words"] > 2 * plain["words"]
    assert split["fertility"] == pytest.approx(split["pieces"] / plain["words"])


def test_characters_that_only_the_test_data_have_are_a_caution(
    base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    text = Path(toy.test).read_text("utf-8")
    (tmp_path / "test.conllu").write_text(text.replace("\t.\t", "\t―\t"), "utf-8")
    (tmp_path / "toy.toml").write_text(
        f'base = "{base_folder}"\nlapt = false\n[finetune]\nepochs = 0\n[task.pos]\n'
        f'train = "{toy.train}"\ndev = "{toy.dev}"\ntest = "test.conllu"\n[arm.plain]\n',
        "utf-8",
    )
    facts = pipeline.specialize(read_recipe(tmp_path / "toy.toml"), tmp_path / "run")
    (caution,) = [c for c in facts["cautions"] if "of the words of pos test" in c]
    assert "% of pos dev; missing: " in caution


def test_a_run_that_is_not_finished_cannot_annotate_yet(
    toy: ToyFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / "stages").mkdir(parents=True)
    assert main(["predict", str(tmp_path / "run"), str(toy.test), "--out", "-"]) == 4
    assert "the run is not finished; run its recipe again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("unknown", "pieces", "little"), [(0, 95, True), (0, 80, False), (5, 95, False)]
)
def test_pieces_that_change_little_are_a_caution(unknown: int, pieces: int, little: bool) -> None:
    before = {"unknown_pieces": unknown, "pieces": 100}
    assert cautions._changes_little(before, {"pieces": pieces}) == little
