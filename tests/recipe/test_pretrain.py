"""Recipes of `specialize pretrain`."""

from pathlib import Path

import pytest

from specialize.errors import MissingError, UsageError
from specialize.recipe.pretrain import read_pretrain


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of a recipe and its data."""
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("one\n\ntwo\n", "utf-8")
    return tmp_path


def test_a_pretraining_recipe_has_files_relative_to_itself(folder: Path) -> None:
    path = folder / "pretrain.toml"
    path.write_text('steps = 10\nremove = ["b.txt"]\n[languages]\nxx = ["a.txt"]\n', "utf-8")
    recipe = read_pretrain(path, ["batch=2"])
    assert recipe.languages == {"xx": (str(folder / "a.txt"),)}
    assert recipe.remove == (str(folder / "b.txt"),)
    assert (recipe.steps, recipe.batch) == (10, 2)
    assert list(
        read_pretrain(path, ['languages.yy=["b.txt"]', "languages.xx=false"]).languages
    ) == ["yy"]
    path.write_text("steps = 10\n", "utf-8")
    with pytest.raises(UsageError, match=r"expected a table \[languages\]"):
        read_pretrain(path)
    path.write_text('[languages]\nxx = "a.txt"\n', "utf-8")
    with pytest.raises(UsageError, match=r"pretrain\.toml:2: languages\.xx = 'a\.txt': expected a"):
        read_pretrain(path)


def test_a_recipe_of_word_vectors_may_name_a_file_beside_itself(folder: Path) -> None:
    path = folder / "pretrain.toml"
    path.write_text('shape = "bilstm"\nvectors = "a.txt"\n', "utf-8")
    assert read_pretrain(path).vectors == str(folder / "a.txt")  # type: ignore[union-attr]
    with pytest.raises(MissingError, match=r"vectors: .*none: no such file"):
        read_pretrain(path, ['vectors="none"'])
    with pytest.raises(UsageError, match="got neither"):
        read_pretrain(path, ['vectors=""'])


@pytest.mark.parametrize("seed", ["-1", str(2**31), str(2**64), "false"])
def test_an_odd_seed_of_a_base_is_refused(folder: Path, seed: str) -> None:
    path = folder / "base.toml"
    path.write_text(f'seed = {seed}\n[languages]\nug = ["a.txt"]\n', "utf-8")
    with pytest.raises(UsageError, match=r"base\.toml:1: seed = .*: expected a "):
        read_pretrain(path)


def test_a_language_that_is_not_there_or_has_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pretrain.toml"
    path.write_text('[languages]\nxx = ["a.txt"]\n', "utf-8")
    (tmp_path / "a.txt").write_text("text\n", "utf-8")
    with pytest.raises(UsageError, match="unknown name 'xy' in languages; known: xx"):
        read_pretrain(path, ["languages.xy=false"])
    with pytest.raises(UsageError, match=r"languages\.xx has no file: name one, or leave it out"):
        read_pretrain(path, ["languages.xx=[]"])
