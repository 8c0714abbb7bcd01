"""Nearest neighbours: weights by hand, WECHSEL's rotation, and what is missing."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specialize.embed import knn
from specialize.embed._blocks import nearest
from specialize.embed._rows import Tables
from specialize.errors import DataError, UsageError
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "cat", "dog", "and", "##s", *"abcdefg"])
CHANGE = OLD.place(["gata", "kone"])
TABLES = Tables(torch.eye(len(OLD.pieces)), None, torch.arange(float(len(OLD.pieces))))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """An old space, the new one rotated by 90 degrees against it, and a dictionary."""
    texts = {
        "new.vec": "4 2\ngata 0 1\nkone -1 .2\ne -1 1\nand 1 1\n",
        "old.vec": "3 2\ncat 2 0\ndog 0 1\nand 1 1\n",
        "dict.tsv": "and\te\ncat\tgata\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    return {name.partition(".")[0]: tmp_path / name for name in texts}


def test_weights_are_a_softmax_of_cosines(tmp_path: Path) -> None:
    file = tmp_path / "a.vec"
    file.write_text("4 2\ngata 3 0\ncat 4 3\ndog 0 2\n##s -1 0\n", "utf-8")
    rows = knn.init(TABLES, CHANGE, [], vectors=file, neighbours=2, temperature=0.5)
    cat = 1 / (1 + torch.tensor(-0.8 / 0.5).exp())
    assert rows.input[0, OLD.ids["cat"]] == pytest.approx(cat)
    assert rows.input[0, OLD.ids["dog"]] == pytest.approx(1 - cat)
    assert rows.input[0].count_nonzero() == 2
    assert rows.bias[0] == pytest.approx(cat * OLD.ids["cat"] + (1 - cat) * OLD.ids["dog"])


def test_a_dictionary_rotates_the_old_space_onto_the_new(files: dict[str, Path]) -> None:
    rows = knn.init(
        TABLES,
        CHANGE,
        [],
        vectors=files["new"],
        old_vectors=files["old"],
        dictionary=files["dict"],
        neighbours=1,
    )
    assert rows.sources == ("copied from cat", "copied from dog")


@given(st.integers(0, 99))
def test_the_rotation_is_found_again(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(9, 4, generator=generator)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
    assert torch.allclose(knn.rotation(rows, rows @ turn), turn, atol=1e-4)


def test_neighbours_are_those_of_all_cosines() -> None:
    generator = torch.Generator().manual_seed(1)
    queries, rows = (torch.randn(n, 5, generator=generator) for n in (600, 30))
    cosines, places = nearest(queries, rows, 3)
    every = torch.cosine_similarity(queries[:, None], rows[None], dim=2)
    expected = every.topk(3)
    assert torch.allclose(cosines, expected.values, atol=1e-6)
    assert torch.equal(places, expected.indices)


def test_what_is_missing_or_wrong_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"together, got only some; fasttext\.cc"):
        knn.init(TABLES, CHANGE, [], vectors=files["new"], dictionary=files["dict"])
    with pytest.raises(UsageError, match="neighbours of 1 or more"):
        knn.init(TABLES, CHANGE, [], neighbours=0)
    wide, bad, other = (tmp_path / name for name in ("wide.vec", "bad.tsv", "other.tsv"))
    wide.write_text("1 3\ncat 1 2 3\n", "utf-8")
    bad.write_text("and\te\ncat gata\n", "utf-8")
    other.write_text("e\tand\n", "utf-8")
    for change, message in (
        ({"old": wide}, "vectors of 2 dimensions, as in .*, got 3"),
        ({"dict": bad}, r"bad\.tsv:2: expected an old word, a tab and a new word, got 'cat gata'"),
        ({"dict": other}, "is the language of old_vectors the first?"),
    ):
        given = files | change
        with pytest.raises(DataError, match=message):
            knn.init(
                TABLES,
                CHANGE,
                [],
                vectors=given["new"],
                old_vectors=given["old"],
                dictionary=given["dict"],
            )
