"""Mix-ins copied beside what was trained: tables, functions with their imports, options."""

import shutil
from pathlib import Path

import pytest

from specialize.errors import UsageError
from specialize.mixins._table import scheme_file
from specialize.recipe.carried import bind_carried, carry
from specialize.recipe.methods import Choice, choose


def chosen(folder: Path, method: str, **options: object) -> Choice:
    return choose("mixin", method, options, "mixin", folder=folder)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A folder with a table and a function that imports from beside it."""
    folder = tmp_path / "recipe"
    folder.mkdir()
    (folder / "my.tsv").write_text("а\ta\n", "utf-8")
    (folder / "mine.py").write_text(
        "import mine_helper\n\ndef twice(line, *, end=''):\n"
        "    return mine_helper.both(line) + end\n",
        "utf-8",
    )
    (folder / "mine_helper.py").write_text("def both(line):\n    return line * 2\n", "utf-8")
    return folder


def test_copies_work_when_the_originals_are_gone(recipe: Path, tmp_path: Path) -> None:
    mixins = [
        chosen(recipe, "table", file="my.tsv"),
        chosen(recipe, "mine.py:twice", end="!"),
        chosen(recipe, "unicode", form="NFD"),
    ]
    described = carry(mixins, tmp_path / "head")
    assert described == [
        ["table", {"file": "mixins/1/my.tsv"}],
        ["mixins/2/mine.py:twice", {"end": "!"}],
        ["unicode", {"form": "NFD"}],
    ]
    shutil.rmtree(recipe)
    (tmp_path / "head").rename(tmp_path / "moved")
    table, twice, form = bind_carried(described, tmp_path / "moved", allow_code=True)
    assert (table("аb"), twice("ab"), form("é")) == ("ab", "abab!", "e\u0301")


def test_a_scheme_is_copied_and_decides_the_key(recipe: Path, tmp_path: Path) -> None:
    mari = chosen(recipe, "table", scheme="mari")
    assert mari.key_parts()["options"] == {"file": scheme_file("mari")}
    assert carry([mari], tmp_path / "head") == [["table", {"file": "mixins/1/mari.tsv"}]]
    copied = (tmp_path / "head/mixins/1/mari.tsv").read_bytes()
    assert copied == scheme_file("mari").read_bytes()


def test_files_of_equal_names_are_kept_apart(recipe: Path, tmp_path: Path) -> None:
    (recipe / "other").mkdir()
    (recipe / "other/my.tsv").write_text("а\tb\n", "utf-8")
    mixins = [chosen(recipe, "table", file=name) for name in ("my.tsv", "other/my.tsv")]
    first, second = bind_carried(carry(mixins, tmp_path / "head"), tmp_path / "head")
    assert (first("а"), second("а")) == ("a", "b")


def test_code_is_refused_unless_it_is_allowed(recipe: Path, tmp_path: Path) -> None:
    described = carry([chosen(recipe, "mine.py:twice")], tmp_path)
    with pytest.raises(UsageError, match=r"mixins/1/mine\.py:twice' is code outside .*allow_code"):
        bind_carried(described, tmp_path)
    module = [["their.module:function", {}]]
    with pytest.raises(UsageError, match="is code outside of the package"):
        bind_carried(module, tmp_path)
