"""A whole study of one pair and one seed, and what a second call does again: nothing."""

import json
from pathlib import Path

import pytest
from small_treebanks import write_recipe

from specialize.errors import UsageError
from specialize.progress import Silent
from specialize.store import Store
from specialize.studies.sharing import cells as module
from specialize.studies.sharing import report
from specialize.studies.sharing.cells import cells
from specialize.studies.sharing.recipe import read_study
from specialize.studies.sharing.run import plan, run, scores_of
from specialize.studies.sharing.sharing import GRID, NOTHING
from specialize.tasks._udeval import evaluate_conllu


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The recipe and the folder of a finished study."""
    folder = tmp_path_factory.mktemp("study")
    recipe, out = write_recipe(folder), folder / "out"
    report.write(run([read_study(recipe)], out, command="specialize study"), out)
    return recipe, out


def test_every_cell_and_each_language_alone_is_trained(done: tuple[Path, Path]) -> None:
    (study,) = json.loads((done[1] / "results.json").read_text("utf-8"))["studies"]
    assert sum(row["sharing"] is None for row in study["runs"]) == 2
    shared = [tuple(row["sharing"]) for row in study["runs"] if row["sharing"]]
    assert sorted(shared) == sorted(GRID)
    assert {row["updates"] for row in study["runs"]} == {2}
    assert all(0 <= own["las"] <= 100 for row in study["runs"] for own in row["scores"].values())


def test_the_cell_that_shares_nothing_scores_as_the_languages_alone(
    done: tuple[Path, Path],
) -> None:
    scores = scores_of(json.loads((done[1] / "results.json").read_text("utf-8"))["studies"][0])
    own = scores.shared[("aa", "bb"), 1, NOTHING]
    assert own == {name: scores.alone[name, 1] for name in ("aa", "bb")}


def test_only_what_is_missing_is_trained(
    done: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out = done
    before = (out / "runs.csv").read_bytes()
    seeds = plan([read_study(recipe, ["seeds=[1,2]"])], out)
    assert "aa-bb, seed 1  27 of 27 done" in seeds
    assert "aa-bb, seed 2  0 of 27 done, about" in seeds
    assert "29 parsers to train" in seeds
    monkeypatch.setattr(module, "train", None)  # would fail
    report.write(run([read_study(recipe)], out), out)
    assert (out / "runs.csv").read_bytes() == before


def test_a_changed_treebank_is_trained_again(done: tuple[Path, Path], tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path)
    store = Store(done[1])
    assert all(store.done(cell.stage) for cell in cells(read_study(recipe)))  # same content
    test = tmp_path / "bb-test.conllu"
    test.write_text(test.read_text("utf-8").replace("nmod", "obl"), "utf-8")
    store = Store(done[1])
    found = cells(read_study(recipe))
    assert [c.languages for c in found if store.done(c.stage)] == [("aa",)]


def test_scores_are_the_official_ones(
    done: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out = done
    study, store = read_study(recipe), Store(out)
    (cell,) = [c for c in cells(study) if c.languages == ("aa",)]
    files = study.treebanks["aa"]
    kept = out.parent / "kept.conllu"

    def keeping(gold: Path, system: Path) -> object:
        kept.write_bytes(system.read_bytes())
        return evaluate_conllu(gold, system)

    monkeypatch.setattr(module, "evaluate_conllu", keeping)
    folder = out.parent / "again"
    folder.mkdir()
    cell.stage.make(folder, log=Silent(), **store._resolved(cell.stage.arguments))
    found = json.loads((folder / "scores.json").read_text("utf-8"))
    official = evaluate_conllu(files.test, kept)["LAS"].f1
    assert found["scores"]["aa"]["las"] == official
    same = json.loads((store.folder(cell.stage) / "scores.json").read_text("utf-8"))
    assert found == same  # and the same again


def test_a_folder_of_something_else_is_refused(done: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="is not an empty folder"):
        run([read_study(done[0])], tmp_path)
