"""Recipes of zero-shot studies: what is refused, those of the project, and their reference."""

from pathlib import Path

import pytest
from small_zeroshot import Ran, write_recipe

from specialize.errors import DataError, MissingError, UsageError
from specialize.modules.scope import Scope
from specialize.recipe.reference import meanings
from specialize.recipe.table import keys_of
from specialize.studies.zeroshot import treebanks
from specialize.studies.zeroshot.plans import KINDS, Few, Madx, Mlm, Training
from specialize.studies.zeroshot.recipe import FilesKeys, ZeroshotKeys, read_study
from specialize.studies.zeroshot.treebanks import annotated, check_treebanks

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "studies.md").read_text("utf-8")


@pytest.mark.parametrize("table", [ZeroshotKeys, FilesKeys, Training, Mlm, Few, *KINDS.values()])
def test_every_key_has_a_meaning_that_the_documentation_states(table: type) -> None:
    found = meanings(table)
    assert found.keys() == keys_of(table).keys()
    for key, meaning in found.items():
        assert f"| `{key}` |" in DOCS
        assert f"| {meaning} |" in DOCS


def test_a_recipe_is_read_with_its_defaults(ran: Ran) -> None:
    assert ran.study.languages == ("cc", "aa", "bb")
    assert ran.study.systems["madx"] == Madx(reduction=4)
    seen = {pair.scope for pair in ran.study.part("a").seen}
    assert seen == {Scope("cc", "pos"), Scope("cc", "dep"), Scope("aa", "pos"), Scope("bb", "dep")}


def test_systems_and_languages_that_are_false_are_left_out(ran: Ran) -> None:
    study = read_study(ran.recipe, ["system.psf=false", "treebank.cc=false"])
    assert list(study.systems) == ["full", "madx", "hyperx"]
    assert study.languages == ("aa", "bb")
    assert {pair.language for pair in study.pairs} == {*study.text} == {"aa", "bb"}
    silent = ["text.bb=false", "system.madx=false", "system.hyperx=false"]
    assert [*read_study(ran.recipe, silent).text] == ["aa", "cc"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["tasks=['pos','tag']"], "unknown task 'tag' in tasks; known: pos, dep, ner"),
        (["tasks=['pos','ner']"], "no language has data of the task 'ner'"),
        (["halves=[['aa']]"], "expected two lists of languages"),
        (["halves=[['aa'],['xx']]"], "unknown language 'xx' in halves and both; known: aa, bb, cc"),
        (["halves=[['aa'],['bb','cc']]"], "'cc' is listed twice in halves and both"),
        (
            ["both=[]"],
            "'cc' has annotated data but is neither in halves nor in both.* treebank.cc=false",
        ),
        (["treebank.aa=false"], "expected two lists of languages"),
        (["tasks=['pos']", "text={}"], "model a would see nothing of 'bb'"),
        (["treebank.aa={test='aa/test.conllu'}"], "treebank.aa has no train or dev file"),
        (["treebank.aa={train='aa/train.conllu'}"], "treebank.aa has no test file"),
        (["text.xx=['aa/corpus.txt']"], "unknown language 'xx' in text; known: cc, aa, bb"),
        (["text={cc=['cc/corpus.txt']}"], "system.madx learns languages from text.* none of 'aa'"),
        (
            ["system.mine.kind=madly"],
            "unknown system 'madly' in system.mine; known: full, madx, hyperx, psf",
        ),
        (["system.mine.rate=1"], "unknown system 'mine' in system.mine"),
        (["system.hyperx.by=['layer']"], "expected by = .*or .'task'. for the baseline"),
        (
            ["tasks=['pos']"],
            "system.psf learns languages from annotated .* model a sees none of 'bb",
        ),
        (["system.psf.samples=0"], "system.samples of at least 1, got 0"),
        (["system.full.ratio=1"], "unknown key 'ratio' in system.full; known: rate"),
        (["system={}"], "there is no system"),
        (["training.steps=5"], "training.steps to be a multiple of training.evaluations, got 5"),
        (["training.temperature=0.9"], "expected training.temperature of at least 1"),
        (["few.sentences=[5,5]"], "expected few.sentences above 0, each different"),
        (["mlm.mask=2"], "expected mlm.mask above 0 and at most 1"),
        (["seeds=[1,1]"], "expected one or more, each different"),
    ],
)
def test_recipes_that_cannot_work_are_refused(ran: Ran, changes: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_study(ran.recipe, changes)


def test_a_missing_file_is_named(ran: Ran) -> None:
    with pytest.raises(MissingError, match=r"treebank\.aa\.train: .*none: no such file"):
        read_study(ran.recipe, ["treebank.aa.train=none"])


def test_a_model_without_a_task_is_refused(ran: Ran) -> None:
    """Both models need a language with each task; only the second has parsing in bb alone."""
    changes = ["ner={bb={train='bb/train.conllu', test='bb/test.conllu'}}"]
    with pytest.raises(UsageError, match="model a has no language to learn the task 'ner' from"):
        read_study(ran.recipe, [*changes, "tasks=['ner','pos']"])


def test_test_sentences_that_are_trained_on_are_refused(ran: Ran) -> None:
    """Whichever task they are trained for."""
    (pair, *_) = ran.study.part("a").seen
    study = read_study(ran.recipe, [f'treebank.bb.test="{pair.files["train"]}"'])
    with pytest.raises(DataError, match=r"treebank\.bb: 4 of 6 test sentences are also trained on"):
        check_treebanks(study)


def test_test_sentences_of_the_pair_itself_are_left_out_of_train_and_dev(
    base_folder: Path, tmp_path: Path
) -> None:
    """WikiAnn repeats up to four of ten."""
    recipe = write_recipe(tmp_path, base_folder)
    train, test = tmp_path / "bb" / "train.conllu", tmp_path / "bb" / "test.conllu"
    blocks = train.read_text("utf-8").strip().split("\n\n")
    with test.open("a", encoding="utf-8") as stream:
        stream.write("\n\n".join([*blocks[2:4], ""]))
    study = read_study(recipe)
    (pair,) = (p for p in study.pairs if p.scope == Scope("bb", "pos"))
    test = treebanks.test_sentences(pair, 0)
    (warning,) = check_treebanks(study)
    repeated = "test sentences also occur in train or dev, and are left out there"
    assert warning == f"treebank.bb: 2 of {len(test)} {repeated}"
    own = annotated(pair, 0)
    assert len(own.train) == len(blocks) - 2
    scored = {sentence.words for sentence in test}
    assert not scored & {sentence.words for sentence in [*own.train, *own.dev]}


def test_a_test_file_that_is_mostly_trained_on_is_refused(ran: Ran) -> None:
    (pair,) = (p for p in ran.study.pairs if p.scope == Scope("bb", "pos"))
    study = read_study(ran.recipe, [f'treebank.bb.test="{pair.files["dev"]}"'])
    message = r"treebank.bb: (\d+) of \1 test sentences are also trained on"
    with pytest.raises(DataError, match=message):
        check_treebanks(study)


def test_more_few_shot_sentences_than_there_are_are_refused(ran: Ran) -> None:
    message = "cc has 8 training sentences of pos, 9 are wanted; lower few.sentences"
    with pytest.raises(DataError, match=message):
        check_treebanks(read_study(ran.recipe, ["few.sentences=[2,9]"]))


def test_an_unseen_pair_of_another_annotation_is_refused(base_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    file = tmp_path / "bb" / "test.conllu"
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    lines = ["\t".join([*r[:3], "QQ", *r[4:]]) if len(r) > 1 else r[0] for r in rows]
    file.write_text("\n".join([*lines, ""]), "utf-8")
    message = "bb: no label of its pos data occurs in those that model a is trained on"
    with pytest.raises(DataError, match=message):
        check_treebanks(read_study(recipe))


def test_entities_of_other_types_are_refused(base_folder: Path, tmp_path: Path) -> None:
    """O, which all have, is no entity."""
    recipe = write_recipe(tmp_path, base_folder)
    with recipe.open("a", encoding="utf-8") as stream:
        for name, kind in (("aa", "PER"), ("bb", "person"), ("cc", "PER")):
            for part in ("train", "test"):
                lines = [f"{name}{part}{i}\tB-{kind}\nx\tO\n\n" for i in range(8)]
                (tmp_path / name / f"{part}.tsv").write_text("".join(lines), "utf-8")
            files = "".join(f'{part} = "{name}/{part}.tsv"\n' for part in ("train", "test"))
            stream.write(f"[ner.{name}]\n{files}")
    message = "bb: no label of its ner data occurs in those that model a is trained on"
    with pytest.raises(DataError, match=message):
        check_treebanks(read_study(recipe, ["tasks=['ner','pos']"]))


def test_a_pair_with_nothing_to_train_on_is_refused(base_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    train, test = tmp_path / "bb" / "train.conllu", tmp_path / "bb" / "test.conllu"
    (first, *_) = test.read_text("utf-8").split("\n\n")
    train.write_text(f"{first}\n\n", "utf-8")
    with pytest.raises(DataError, match=r"treebank\.bb has 0 sentences to train on and \d of dev"):
        check_treebanks(read_study(recipe))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tasks=['ner']", "only languages of both have data of the task 'ner'"),
        ("tasks=['pos','ner']", "only languages of both have data of the task 'ner'"),
    ],
)
def test_a_task_without_an_unseen_pair_is_refused(ran: Ran, change: str, message: str) -> None:
    ner = "ner={cc={train='cc/train.conllu', test='cc/test.conllu'}}"
    with pytest.raises(UsageError, match=message):
        read_study(ran.recipe, [ner, change])


def test_a_language_without_data_of_the_tasks_is_refused(ran: Ran) -> None:
    one = "{train='bb/train.conllu', test='bb/test.conllu'}"
    ner = f"ner={{aa={one}, cc={one}}}"
    with pytest.raises(UsageError, match="'bb' has no data of the tasks ner; leave it out"):
        read_study(ran.recipe, [ner, "tasks=['ner']"])


def test_a_base_without_sites_for_modules_is_refused_before_training(
    ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.modules.sites._PRE_NORM", ())
    monkeypatch.setattr("specialize.modules.sites._POST_NORM", ("bert",))
    with pytest.raises(UsageError, match="modules cannot be attached to a "):
        check_treebanks(ran.study)


def test_a_treebank_without_forms_is_refused(base_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    file = tmp_path / "aa" / "dev.conllu"
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    lines = ["\t".join([r[0], "_", *r[2:]]) if len(r) > 1 else r[0] for r in rows]
    file.write_text("\n".join([*lines, ""]), "utf-8")
    with pytest.raises(DataError, match=r"dev.*:\d+: treebank.aa, dev: .* words have no form"):
        check_treebanks(read_study(recipe))


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/*x_mini.toml")), ids=lambda p: p.stem)
def test_the_recipes_of_the_project_have_eight_treebanks_and_two_seeds(
    path: Path, data: Path
) -> None:
    study = read_study(path)
    assert len(study.languages) >= 8
    assert len(study.pairs) >= 2 * len(study.languages)
    assert len(study.seeds) >= 2
    assert 3 <= sum(name in study.known for half in study.halves for name in half) <= 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("system.mad=false", "unknown name 'mad' in system; .*did you mean 'madx'"),
        ("text.zz=false", "unknown name 'zz' in text"),
        ("text.aa=[]", r"text\.aa has no file: name one, or leave it out: text\.aa=false"),
        ("system.foo.kind=3", r"system\.foo\.kind = 3: expected a text"),
    ],
)
def test_slips_in_changes_are_refused(ran: Ran, change: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_study(ran.recipe, [change])
