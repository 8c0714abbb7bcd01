"""Recipes: read, overridden, refused."""

import re
import tomllib
from pathlib import Path

import pytest
import tomli_w

from specialize.errors import MissingError, SpecializeWarning, UsageError
from specialize.recipe.read import read_recipe, recipe_of
from specialize.recipe.recipe import Recipe
from specialize.recipe.table import build
from specialize.toylang import ToyFiles
from specialize.train.lapt import Lapt

CORPUS = '[corpus]\nfiles = ["a.txt"]\n'
POS = '[task.pos]\ntrain = "a.txt"\ndev = "b.txt"\ntest = "b.txt"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a recipe and its data; the working directory is another."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("a.txt", "b.txt", "english.txt"):
        (home / name).write_text("one\n\ntwo\n", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return home


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text('base = "mini"\n' + text, "utf-8")
    return path


def read(folder: Path, text: str, *changes: str) -> Recipe:
    return read_recipe(write(folder, text), changes)


# Arms


def test_a_recipe_without_arms_has_one(folder: Path) -> None:
    recipe = read(folder, 'augment = "tva"\n' + CORPUS)
    (arm,) = recipe.arms
    assert (arm.augment.method, arm.embed.method, arm.lapt) == ("tva", "ridge", {})
    assert (recipe.title, recipe.result, arm.name) == ("recipe", "result", "result")
    assert recipe.corpus
    assert recipe.corpus.files == (str(folder / "a.txt"),)


def test_an_arm_overrides_the_recipe_and_set_overrides_both(folder: Path) -> None:
    text = CORPUS + (
        "[lapt]\nepochs = 3\nrate = 1e-4\n[arm.plain]\nlapt = false\n"
        '[arm.tva]\naugment = { method = "tva", pieces = 7 }\nlapt = { fresh_rate = 5 }\n'
    )
    plain, tva = read(folder, text, "lapt.epochs=9").arms
    assert plain.lapt is None
    assert tva.lapt is not None
    assert build(Lapt, tva.lapt, "lapt") == Lapt(epochs=9, rate=1e-4, fresh_rate=5.0)
    assert tva.augment.options == {"pieces": 7}


def test_set_adds_an_option_to_a_method_given_by_its_name(folder: Path) -> None:
    text = CORPUS + '[arm.tva]\naugment = "tva"\n'
    (arm,) = read(folder, text, "arm.tva.augment.pieces=7").arms
    assert (arm.augment.method, arm.augment.options) == ("tva", {"pieces": 7})


def test_mixins_are_one_method_or_a_list(folder: Path) -> None:
    text = 'mixin = "none"\n' + CORPUS + '[arm.one]\n[arm.two]\nmixin = ["lower", "none"]\n'
    one, two = read(folder, text).arms
    assert [m.method for m in one.mixin] == []
    assert [m.method for m in two.mixin] == ["lower"]


def test_the_result_is_the_named_arm_else_the_last(folder: Path) -> None:
    arms = CORPUS + '[arm.tva]\naugment = "tva"\n[arm.lapt]\n'
    assert read(folder, arms).result == "lapt"
    assert read(folder, 'result = "tva"\n' + arms).result == "tva"
    with pytest.raises(UsageError, match=r"recipe\.toml:2: result = 'x' .*known: tva, lapt"):
        read(folder, 'result = "x"\n' + arms)


SEEDS = {  # a key: the recipe that sets it
    "seeds": "seeds = [1, {}]\n" + CORPUS,
    "arm.one.seeds": CORPUS + "[arm.one]\nseeds = [{}]\n",
    "corpus.seed": CORPUS + "seed = {}\n",
    "embed.seed": 'embed = {{ method = "mean", seed = {} }}\n' + CORPUS,
    "arm.one.embed.seed": CORPUS + '[arm.one]\nembed = {{ method = "random", seed = {} }}\n',
}


@pytest.mark.parametrize("seed", ["-1", str(2**31), str(2**63), str(2**64), "true", "1.0"])
@pytest.mark.parametrize("key", SEEDS)
def test_an_odd_seed_is_refused_with_its_key(folder: Path, key: str, seed: str) -> None:
    with pytest.raises(UsageError, match=rf"recipe\.toml:\d+: {re.escape(key)} = .*: expected "):
        read(folder, SEEDS[key].format(seed))


def test_the_largest_seed_is_taken(folder: Path) -> None:
    assert read(folder, SEEDS["seeds"].format(2**31 - 1)).seeds == (1, 2**31 - 1)


def test_an_arm_has_its_own_tasks_and_seeds(folder: Path) -> None:
    text = "seeds = [1, 2]\n" + CORPUS + POS + POS.replace(".pos", ".dep")
    one, two = read(folder, text + '[arm.one]\n[arm.two]\ntasks = ["dep"]\nseeds = [3]\n').arms
    assert (one.tasks, one.seeds) == (("pos", "dep"), (1, 2))
    assert (two.tasks, two.seeds) == (("dep",), (3,))


def test_lapt_false_turns_it_off_in_every_arm_and_warns_of_tables_ignored(folder: Path) -> None:
    text = CORPUS + POS + "[lapt]\nepochs = 3\n[arm.a]\n[arm.b]\nlapt = { fresh_rate = 3 }\n"
    with pytest.warns(SpecializeWarning, match=r"no arm runs LAPT, arm\.b\.lapt is ignored"):
        recipe = read(folder, text, "lapt=false")
    assert [arm.lapt for arm in recipe.arms] == [None, None]


def test_tasks_and_arms_that_are_false_are_left_out(folder: Path) -> None:
    text = CORPUS + '[task.pos]\ntrain = "a.txt"\n[arm.plain]\n[arm.tva]\naugment = "tva"\n'
    recipe = read(folder, text, "task.pos=false", "arm.plain=false")
    assert [arm.name for arm in recipe.arms] == ["tva"]
    assert not recipe.tasks
    with pytest.raises(
        UsageError, match=r"--set task\.ner=false: unknown name 'ner' in task; know"
    ):
        read(folder, text, "task.ner=false")
    with pytest.raises(UsageError, match=r"unknown name 'tvb' in arm; .* did you mean 'tva'\?"):
        read(folder, text, "arm.tvb=false")


# Tasks, corpus, base


def test_a_recipe_can_have_two_treebanks_of_one_task(folder: Path) -> None:
    text = CORPUS + POS + POS.replace("[task.pos]", '[task.news]\nmethod = "pos"\ncolumn = "upos"')
    pos, news = read(folder, text).tasks
    assert (pos.name, pos.choice.method, pos.choice.options) == ("pos", "pos", {})
    assert (news.name, news.choice.method, news.choice.options) == (
        "news",
        "pos",
        {"column": "upos"},
    )


def test_evaluation_files_are_taken_out_of_the_corpus(folder: Path, toy: ToyFiles) -> None:
    task = f'[task.pos]\ntrain = "{toy.train}"\ndev = "{toy.dev}"\ntest = "{toy.test}"\n'
    recipe = read(folder, CORPUS + task)
    assert recipe.corpus
    assert recipe.corpus.remove == (str(toy.dev), str(toy.test))


def test_a_recipe_without_corpus_fine_tunes(folder: Path) -> None:
    recipe = read(folder, "lapt = false\n" + POS)
    assert recipe.corpus is None
    assert recipe.arms[0].lapt is None


def test_all_files_are_relative_to_the_recipe(folder: Path) -> None:
    (folder / "my_mixin.py").write_text("def mix(line):\n    return line\n", "utf-8")
    text = (
        'mixin = "my_mixin:mix"\naugment = { method = "tva", guard = ["english.txt"] }\n'
        + CORPUS
        + POS
    )
    recipe = read(folder, text)
    assert recipe.arms[0].augment.files() == [folder / "english.txt"]
    assert recipe.arms[0].mixin[0].method == f"{folder / 'my_mixin.py'}:mix"
    assert recipe.tasks[0].train == folder / "a.txt"


@pytest.mark.parametrize("base", ["./model", "model", "ABSOLUTE"])
def test_relative_base_folders_are_resolved_against_the_recipe(folder: Path, base: str) -> None:
    (folder / "model").mkdir()
    base = base.replace("ABSOLUTE", str(folder / "model"))
    (folder / "recipe.toml").write_text(f'base = "{base}"\n' + CORPUS, "utf-8")
    recipe = read_recipe(folder / "recipe.toml")
    assert recipe.base == recipe.table["base"] == str(folder / "model")


def test_a_base_that_is_not_a_folder_is_a_model_name(folder: Path) -> None:
    (folder / "recipe.toml").write_text('base = "org/model"\n' + CORPUS, "utf-8")
    assert read_recipe(folder / "recipe.toml").base == "org/model"
    (folder / "mini").mkdir()
    assert read(folder, CORPUS).base == "mini"


def test_the_resolved_table_reads_as_the_same_recipe_anywhere(folder: Path, tmp_path: Path) -> None:
    text = (
        'title = "T"\nlanguage = "ug"\nresult = "b"\nseeds = [1, 2]\n[lapt]\nepochs = 3\n'
        + CORPUS.replace('"a.txt"', '"a.txt", "english.txt"')
        + "dev = 0.1\n"
        + POS
        + '[arm.a]\nmixin = "none"\nlapt = false\n'
        + '[arm.b]\naugment = { method = "tva", guard = ["english.txt"] }\ntasks = []\n'
    )
    recipe = read(folder, text)
    assert recipe_of(recipe.table, folder=tmp_path) == recipe


def test_methods_within_methods_are_read_again_with_their_files(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "table.tsv").write_text("a\tb\n", "utf-8")
    text = CORPUS + (
        '[arm.a]\naugment = "tva"\n[arm.a.embed]\nmethod = "blend"\nweights = [1, 0]\n'
        'of = [{ method = "transliterated", mixin = { method = "table", file = "table.tsv" } }, '
        '"script"]\n'
    )
    recipe = read(folder, text)
    mixin = {"method": "table", "file": str(folder / "table.tsv")}
    (arm,) = recipe.arms
    assert arm.embed.options["of"] == [{"method": "transliterated", "mixin": mixin}, "script"]
    assert arm.embed.files() == [folder / "table.tsv"]
    written = tomllib.loads(tomli_w.dumps(recipe.table))
    assert recipe_of(written, folder=tmp_path) == recipe


def test_an_arm_may_have_a_base_of_its_own(folder: Path) -> None:
    (folder / "other").mkdir()
    recipe = read(folder, CORPUS + '[arm.one]\n[arm.two]\nbase = "./other"\n')
    assert [arm.base for arm in recipe.arms] == ["mini", str(folder / "other")]
    assert recipe_of(recipe.table, folder=folder) == recipe
    with pytest.raises(MissingError, match=r"recipe\.toml:.*arm\.two\.base: .*none: no such file"):
        read(folder, CORPUS + '[arm.two]\nbase = "./none"\n')


# Errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpsu = 1\n", "recipe.toml:2: unknown key 'corpsu' in the recipe; known: base, "),
        (CORPUS + "fiels = 1\n", "recipe.toml:4: unknown key 'fiels' in corpus; known: files, "),
        (CORPUS + "dev = true\n", "recipe.toml:4: corpus.dev = true: expected a number; "),
        ("[lapt]\nepochs = 'two'\n" + CORPUS, "recipe.toml:3: lapt.epochs = 'two': expected a wh"),
        ("[lapt]\nepoch = 2\n" + CORPUS, "recipe.toml:3: unknown key 'epoch' in lapt; known: "),
        ("[lapt]\nbatch = 0\n" + CORPUS, "recipe.toml:2: expected lapt.batch of at least 1, got 0"),
        (CORPUS + '[arm.x]\naugment = "tav"\n', "recipe.toml:5: unknown augment 'tav'; known: "),
        (CORPUS + "[arm.x]\nlapt = { epochs = 1.5 }\n", "toml:5: arm.x.lapt.epochs = 1.5: expec"),
        (
            CORPUS + '[arm.x]\naugment = { method = "tva", peices = 3 }\n',
            "recipe.toml:5: unknown key 'peices' in the options of augment 'tva'; known: pieces, ",
        ),
        (
            CORPUS + '[arm.x]\naugment = { method = "tva", pieces = "3" }\n',
            "recipe.toml:5: arm.x.augment.pieces = '3': expected a whole number; write 3, without",
        ),
        (CORPUS + "[arm.x]\naugment = { pieces = 3 }\n", "a table with method = 'NAME'"),
        (
            CORPUS + '[arm.x.embed]\nmethod = "blend"\nof = ["mean", "men"]\n',
            "recipe.toml:6: unknown embed 'men'; known: ",
        ),
        (CORPUS + '[arm."a/b"]\n', "recipe.toml:4: arm 'a/b': expected a name of letters, "),
        (CORPUS + '[arm.".."]\n', "arm '..': expected a name of letters, "),
        (
            CORPUS + '[task."dev.json"]\n',
            "recipe.toml:4: task 'dev.json': expected a name without ",
        ),
        (CORPUS + '[task."best-0.pt"]\n', "task 'best-0.pt': expected a name without the ending"),
        ('corpus = "a.txt"\n', "recipe.toml:2: corpus = 'a.txt': expected a table"),
        (
            '[corpus]\nfiles = "a.txt"\n',
            "corpus.files = 'a.txt': expected a list of texts; write [",
        ),
        ("seeds = 1\n" + CORPUS, "recipe.toml:2: seeds = 1: expected a list of whole numbers; wri"),
        ("seeds = []\n" + CORPUS, "seeds = []: expected one number or more, each different"),
        ("seeds = [1, 1]\n" + CORPUS, "seeds = [1, 1]: expected one number or more, each differ"),
        ("seeds = ['a']\n" + CORPUS, "seeds = ['a']: expected a list of whole numbers"),
        ("title = 1\n" + CORPUS, "title = 1: expected text"),
        ("lapt = 3\n" + CORPUS, "lapt = 3: expected true or false or a table"),
        ("task = 'pos'\n" + CORPUS, "task = 'pos': expected a table"),
        (CORPUS + "[task]\npos = 1\n", "task.pos = 1: expected a table or false"),
        (CORPUS + "[arm]\na = 1\n", "arm.a = 1: expected a table or false"),
        ("[corpus\n", "recipe.toml:2"),
        ("", "nothing to do: expected [corpus] or [task.NAME]; add one"),
        (POS, "arm.result: LAPT needs text; add [corpus] with files = ['FILE'], or set lapt = fal"),
        ("lapt = false\naugment = 'tva'\n" + POS, "augment 'tva' needs text; add [corpus]"),
        (CORPUS + "[task.pos]\n", "recipe.toml:4: task.pos: no test file; add test = 'FILE'"),
        (CORPUS + "[task.news]\n", "recipe.toml:4: task.news lacks 'method': expected one of dep"),
        (
            CORPUS + POS + "drop = 1\n",
            "toml:8: unknown key 'drop' in task.pos; known: train, dev, ",
        ),
        (CORPUS + "[arm.x]\ntasks = ['pos']\n", "recipe.toml:5: unknown task 'pos' in arm.x.tasks"),
        (
            CORPUS + POS + "[arm.x]\ntasks = ['pos', 'pos']\n",
            "recipe.toml:9: arm.x.tasks = ['pos', 'pos']: expected each task once",
        ),
        (
            CORPUS + POS + 'column = "XPOS"\n',
            "recipe.toml:8: task.pos.column: unknown column 'XPOS'; known: upos, xpos, feats",
        ),
        (
            CORPUS + POS.replace(".pos", ".ner") + 'scheme = "bio"\n',
            "recipe.toml:8: task.ner.scheme: unknown scheme 'bio'; known: iob1",
        ),
        (CORPUS + POS + "dropout = 1\n", "recipe.toml:8: task.pos.dropout: dropout 1.0 is out of"),
        (
            CORPUS + POS.replace(".pos", ".dep") + "width = 0\n",
            "recipe.toml:8: task.dep.width: width 0 is out of range",
        ),
        (CORPUS + "[arm]\nx = false\n", "every arm is false; leave one in"),
    ],
)
def test_errors_of_a_recipe_name_the_key_its_line_and_the_known_keys(
    folder: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        read(folder, text)


def test_an_error_in_an_override_names_the_override(folder: Path) -> None:
    with pytest.raises(UsageError) as raised:
        read(folder, "seeds = [1]\n" + CORPUS, "lapt.epochs=2", "seeds=1")
    expected = "expected a list of whole numbers; write [1]"
    assert str(raised.value) == f"--set seeds=1: seeds = 1: {expected}"


def test_a_recipe_without_a_base_is_refused(folder: Path) -> None:
    (folder / "recipe.toml").write_text(CORPUS, "utf-8")
    with pytest.raises(UsageError, match="the recipe lacks 'base': expected text"):
        read_recipe(folder / "recipe.toml")


def test_missing_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="no such recipe"):
        read_recipe(folder / "none.toml")
    with pytest.raises(MissingError, match=r"recipe\.toml:3: corpus\.files: .*c\.txt: no such fi"):
        read(folder, '[corpus]\nfiles = ["c.txt"]\n')
    with pytest.raises(MissingError, match=r"recipe\.toml:2: augment\.guard: .*c\.txt: no such f"):
        read(folder, 'augment = { method = "tva", guard = ["c.txt"] }\n' + CORPUS)
    monkeypatch.setenv("SPECIALIZE_DATA", str(folder / "nowhere"))
    with pytest.raises(MissingError, match="set SPECIALIZE_DATA"):
        read(folder, '[corpus]\nfiles = ["$SPECIALIZE_DATA/x.txt"]\n')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[languages]\nmt = ["mt.txt"]\n',
            "expected a recipe of `specialize run`, got one of `pret",
        ),
        ('pairs = [["es", "it"]]\n', "expected a recipe of `specialize run`, got one"),
    ],
)
def test_a_recipe_of_another_command_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=message):
        read_recipe(tmp_path / "other.toml")
