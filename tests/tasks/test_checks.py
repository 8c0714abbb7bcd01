"""Data unusable for training or scoring a task is found before any work."""

import lzma
from pathlib import Path
from typing import Any

import pytest
from corpora import write

from specialize.errors import DataError
from specialize.tasks import dep, ner, pos
from specialize.tasks._checks import check_data, same_files, unseen

ENTITIES = "Dakar\tB-LOC\nla\tO\n\nYoff\tB-LOC\n\n"
NONE = ENTITIES.replace("B-LOC", "O")


def row(number: int, head: int, tag: str, relation: str) -> str:
    return f"{number}\ta{number}\t_\t_\t{tag}\t_\t{head}\t{relation}\t_\t_\n"


TREE = row(1, 0, "X", "root") + row(2, 1, "Y", "obj") + "\n"


def read(task: Any, folder: Path, *texts: str) -> list[Any]:
    paths = [write(folder / f"{number}.conll", text) for number, text in enumerate(texts)]
    return [task.read(Path(path)) for path in paths]


def test_good_data_raises_no_warning(tmp_path: Path) -> None:
    for task, text in ((ner.task(), ENTITIES), (pos.task(), TREE), (dep.task(), TREE)):
        assert check_data(task, *read(task, tmp_path, text, text, text)) == []


def test_training_data_without_an_entity_is_refused_with_its_line(tmp_path: Path) -> None:
    parts = read(ner.task(), tmp_path, "# id\t1\n" + NONE, ENTITIES, ENTITIES)
    with pytest.raises(DataError, match=r"0\.conll:2: no entity to learn"):
        check_data(ner.task(), *parts)


def test_files_without_entities_to_score_are_reported(tmp_path: Path) -> None:
    parts = read(ner.task(), tmp_path, ENTITIES, NONE, NONE)
    assert [warning.partition("conll:")[2] for warning in check_data(ner.task(), *parts)] == [
        "1: no entity in the dev file; its F1 is always 0",
        "1: no entity in the test file; its F1 is always 0",
    ]


@pytest.mark.parametrize("task", [pos.task(), dep.task()])
def test_a_single_label_is_reported_with_its_line(tmp_path: Path, task: Any) -> None:
    text = TREE.replace("Y", "X").replace("obj", "root")
    parts = read(task, tmp_path, "# c\n" + text, TREE, TREE)
    label = "X" if task.name == "pos" else "root"
    (warning,) = check_data(task, *parts)
    assert warning.endswith(f"0.conll:2: all words have the label '{label}', the only one")


def test_a_part_without_sentences_is_refused(tmp_path: Path) -> None:
    (sentences,) = read(pos.task(), tmp_path, TREE)
    for empty in range(3):
        parts = [[] if part == empty else sentences for part in range(3)]
        name = ("train", "dev", "test")[empty]
        with pytest.raises(DataError, match=f"pos: no sentence in the {name} file"):
            check_data(pos.task(), *parts)


def test_equal_files_are_reported_by_name(tmp_path: Path) -> None:
    first, copy, other = (
        Path(write(tmp_path / name, text))
        for name, text in (("a", ENTITIES), ("b", ENTITIES), ("c", NONE))
    )
    packed = tmp_path / "d.xz"
    packed.write_bytes(lzma.compress(ENTITIES.encode()))
    assert same_files({"train": first, "dev": other, "test": packed}) == []
    assert same_files({"train": first, "dev": first, "test": copy}) == [
        f"train and dev are the same file ({first}); the best epoch is chosen on training data",
        f"train and test are the same file ({first} = {copy}); scores on training data say nothing "
        "of new text",
        f"dev and test are the same file ({first} = {copy}); the best epoch is chosen on test, so "
        "its scores are too high",
    ]


def test_sentences_of_test_that_are_not_in_train_are_found_by_their_words(tmp_path: Path) -> None:
    train, test = read(ner.task(), tmp_path, ENTITIES, NONE + NONE + "Thies\tB-LOC\n")
    assert unseen(train, test) == [4]
    assert unseen(train[:1], test) == [1, 3, 4]
    assert unseen([], test) == [0, 1, 2, 3, 4]
