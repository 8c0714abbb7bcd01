"""Recipes and treebanks of a study are checked before anything is trained."""

from pathlib import Path

import pytest
from small_treebanks import write_recipe

from specialize.errors import DataError, MissingError, UsageError
from specialize.studies.sharing.recipe import read_study
from specialize.studies.sharing.run import read_studies
from specialize.studies.sharing.training import Training
from specialize.studies.sharing.treebanks import check_treebanks, drawn

ROOT = Path(__file__).parent.parent.parent


def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    study = read_study(write_recipe(tmp_path))
    assert (study.title, study.pairs, study.seeds) == ("study", (("aa", "bb"),), (1,))
    assert study.treebanks["aa"].train == tmp_path / "aa-train.conllu"
    assert study.training == Training(steps=2, epochs=1, batch=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("trainig.steps=3", r"unknown key 'trainig' in the recipe; known: pairs"),
        ("training.step=3", r"unknown key 'step' in training.*did you mean 'steps'"),
        ("training.steps=0", r"expected training.steps of at least 1, got 0"),
        ("training.dropout=1.5", r"dropout 1.5 is out of range"),
        ("treebank.aa.tset='x'", r"unknown key 'tset' in treebank.aa"),
        ("pairs=[]", r"pairs is empty"),
        ('pairs=[["aa","aa"]]', r"expected two different treebanks"),
        ('pairs=[["aa","cc"]]', r"unknown treebank 'cc' in pairs; known: aa, bb"),
        ('pairs=[["aa","bb"],["bb","aa"]]', r"twice; remove one"),
        ("seeds=[1,1]", r"expected one number or more, each different"),
    ],
)
def test_faults_are_refused_with_the_change_that_makes_them(
    change: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"^--set .*: .*{message}"):
        read_study(write_recipe(tmp_path), [change])


def test_faults_in_the_file_are_refused_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"study.toml:7: unknown key 'stepz' in training"):
        read_study(write_recipe(tmp_path, training="stepz = 3"))


def test_a_missing_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    (tmp_path / "aa-test.conllu").unlink()
    with pytest.raises(MissingError, match=r"study.toml:\d+: treebank.aa.test: .*no such file"):
        read_study(path)


def test_recipes_of_one_run_have_titles_of_their_own(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(UsageError, match="another recipe's too"):
        read_studies([path, path])


def test_a_treebank_without_forms_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    file = tmp_path / "bb-train.conllu"
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    bare = ["\t".join([r[0], "_", *r[2:]]) if len(r) > 1 else "" for r in rows]
    file.write_text("\n".join([*bare, ""]), "utf-8")
    with pytest.raises(DataError, match=r"bb-train.conllu:1: treebank.bb, train: .*no form"):
        check_treebanks(read_study(path))


def test_test_sentences_that_are_trained_on_are_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    train = (tmp_path / "aa-train.conllu").read_text("utf-8")
    (tmp_path / "bb-test.conllu").write_text(train, "utf-8")
    message = r"bb-test.conllu:\d+: treebank.bb: 12 of 12 test sentences are also trained on"
    with pytest.raises(DataError, match=message):
        check_treebanks(read_study(path))


def test_one_file_for_two_parts_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    with pytest.raises(DataError, match=r"treebank.aa: .* are the same file"):
        check_treebanks(read_study(path, ["treebank.aa.dev=aa-test.conllu"]))


def test_a_few_test_sentences_in_train_are_a_warning(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    blocks = [(tmp_path / f"aa-{part}.conllu").read_text("utf-8") for part in ("train", "test")]
    first = blocks[0].partition("\n\n")[0]
    (tmp_path / "aa-test.conllu").write_text("\n\n".join([first, *[blocks[1].strip()] * 4, ""]))
    (warning,) = check_treebanks(read_study(path))
    assert warning == "treebank.aa: 1 of 17 test sentences also occur in train"


def test_more_sentences_than_a_treebank_has_are_refused(tmp_path: Path) -> None:
    study = read_study(write_recipe(tmp_path), ["training.sentences=13"])
    with pytest.raises(DataError, match=r"treebank.aa has 12 sentences to train on, 13"):
        check_treebanks(study)


def test_sentences_are_drawn_by_the_seed(tmp_path: Path) -> None:
    files = read_study(write_recipe(tmp_path)).treebanks["aa"]
    plan = Training(sentences=8)
    first, second = (drawn("aa", files, plan, seed)[0] for seed in (1, 2))
    assert len(first) == len(second) == 8
    assert first != second
    assert first == drawn("aa", files, plan, 1)[0]
    assert len(drawn("aa", files, plan, 1)[1]) == 2


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/sharing_*.toml")), ids=lambda p: p.stem)
def test_the_recipes_of_the_package_are_sound(path: Path, data: Path) -> None:
    study = read_study(path)
    assert len(study.pairs) == (2 if study.host else 3)
    assert len(study.seeds) == 3


def test_a_pair_of_the_same_treebank_is_refused(tmp_path: Path) -> None:
    path = write_recipe(tmp_path)
    text = path.read_text("utf-8").replace("bb-train", "aa-train")
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"aa-train.conllu:1: a file of both languages of aa-bb"):
        check_treebanks(read_study(path))
