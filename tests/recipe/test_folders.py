"""Files of tasks: found in folders as people have them, or refused with what is there."""

import re
from pathlib import Path

import pytest

from specialize.errors import MissingError, UsageError
from specialize.recipe.folders import find_parts
from specialize.recipe.read import read_recipe, recipe_of
from specialize.recipe.recipe import Recipe

TREE = "1\ta\t_\tX\tX\t_\t0\troot\t_\t_\n\n"
TAGS = "a\tB-LOC\nb\tO\n\n"


def fill(folder: Path, *names: str, text: str = TREE) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(text, "utf-8")
    return folder


def found(folder: Path, form: str = "CoNLL-U") -> dict[str, str]:
    return {part: path.name for part, path in find_parts(folder, form, "task.x.folder").items()}


def task(tmp_path: Path, text: str, *changes: str, name: str = "pos") -> Recipe:
    path = tmp_path / "recipe.toml"
    path.write_text(f'base = "mini"\nlapt = false\n[task.{name}]\n{text}\n', "utf-8")
    return read_recipe(path, changes)


@pytest.mark.parametrize(
    "names",
    [
        ("ug_udt-ud-train.conllu", "ug_udt-ud-dev.conllu", "ug_udt-ud-test.conllu"),
        ("train.conllu.xz", "dev.conllu.xz", "test.conllu.xz"),
        ("train", "dev", "test"),
        ("train.txt", "valid.txt", "test.txt"),
        ("wikiann-ug_train.tsv", "wikiann-ug_validation.tsv", "wikiann-ug_test.tsv"),
        ("eng.train", "eng.testa", "eng.testb"),
        ("Train.bio", "Val.bio", "Test.bio"),
        ("en_test-ud-train.conllu", "en_test-ud-dev.conllu", "en_test-ud-test.conllu"),
    ],
)
def test_files_are_found_by_their_usual_names(tmp_path: Path, names: tuple[str, ...]) -> None:
    fill(tmp_path, *names, "README.md", "LICENSE.txt", "stats.xml", "extra", ".train.swp")
    (tmp_path / "train-old").mkdir()
    assert found(tmp_path) == dict(zip(("train", "dev", "test"), names, strict=True))


def test_of_several_files_the_one_in_the_format_of_the_task_is_taken(tmp_path: Path) -> None:
    fill(tmp_path, "x-ud-train.txt", "x-ud-dev.txt", "x-ud-test.txt", text="raw text\n")
    fill(tmp_path, "x-ud-train.conllu", "x-ud-dev.conllu", "x-ud-test.conllu")
    assert found(tmp_path)["train"] == "x-ud-train.conllu"
    fill(tmp_path, "train.iob2", "dev.iob2", "test.iob2", text=TAGS)
    assert found(tmp_path, "columns")["train"] == "train.iob2"


def test_several_files_of_a_part_are_listed_unless_one_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "hdt", "a-train-1.conllu", "a-train-2.conllu", "a-dev.conllu", "test")
    text = re.escape(f"folder: several train files in {folder}: a-train-1.conllu, a-train-2.conllu")
    with pytest.raises(UsageError, match=rf"recipe\.toml:4: task\.pos\.{text}; choose one: train"):
        task(tmp_path, 'folder = "hdt"')
    (files,) = task(tmp_path, 'folder = "hdt"\ntrain = "hdt/a-train-2.conllu"').tasks
    assert files.train == folder / "a-train-2.conllu"
    assert files.test == folder / "test"


@pytest.mark.parametrize(
    ("names", "text", "message"),
    [
        (["README.md"], "", "task.pos.folder: no file named train or dev or test in "),
        (["README.md"], "", "it holds README.md"),
        ([], "", "it is empty"),
        (["train", "dev"], "", "task.pos: no test file in "),
        (["train", "dev"], "", "it holds dev, train; add test = 'FILE'"),
        (["x-test"], "", "task.pos: no train and no dev file in "),
        (["train", "dev", "test"], "folds = 5", "folds = 5: expected none where train and dev"),
        (["train", "test"], "folds = 1", "task.pos.folds = 1: expected 2 or more"),
    ],
)
def test_folders_without_what_is_needed_are_refused_with_what_they_hold(
    tmp_path: Path, names: list[str], text: str, message: str
) -> None:
    fill(tmp_path / "data", *names)
    with pytest.raises(UsageError, match=re.escape(message)):
        task(tmp_path, f'folder = "data"\n{text}')


def test_a_folder_beside_all_files_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "data", "train", "dev", "test")
    named = "\n".join(f'{part} = "data/{part}"' for part in ("train", "dev", "test"))
    with pytest.raises(UsageError, match=r"toml:7: task\.pos\.folder is not used: train, dev"):
        task(tmp_path, f'{named}\nfolder = "data"')
    with pytest.raises(UsageError, match=r"task\.pos\.folder: .*train is no folder"):
        task(tmp_path, 'folder = "data/train"')
    with pytest.raises(MissingError, match=r"task\.pos\.folder: .*nowhere: no such file"):
        task(tmp_path, 'folder = "nowhere"')


def test_the_written_recipe_names_the_files_that_were_found(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", "x-ud-dev.conllu", "x-ud-test.conllu")
    recipe = task(tmp_path, 'folder = "data"\nfolds = 3')
    assert recipe.table["task"]["pos"] == {
        "method": "pos",
        "dev": str(folder / "x-ud-dev.conllu"),
        "test": str(folder / "x-ud-test.conllu"),
        "folds": 3,
    }
    assert recipe_of(recipe.table, folder=tmp_path) == recipe


def test_what_is_split_is_cleared_from_the_corpus(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data", "train", "test", "raw")
    recipe = task(tmp_path, 'folder = "data"\n[corpus]\nfiles = ["data/raw"]')
    assert recipe.corpus
    assert recipe.corpus.remove == (str(folder / "train"), str(folder / "test"))


def test_every_folder_of_real_data_is_found(data: Path) -> None:
    treebanks = [*data.glob("ud/UD_*")]
    assert len(treebanks) > 20
    for folder in treebanks:
        assert found(folder).keys() == {
            path.name.partition(".")[0] for path in folder.glob("*.conllu*")
        }
    for folder in data.glob("ner/*/*/"):
        if "sample" not in str(folder):
            assert "test" in found(folder, "columns")
