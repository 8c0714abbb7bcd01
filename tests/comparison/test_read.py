"""Folders that are runs, hold some, or are neither."""

import json
from pathlib import Path

import pytest
from compared_runs import arm, write_run

from specialize.comparison.read import open_runs
from specialize.errors import DataError, UsageError


def test_a_folder_of_runs_stands_for_all_of_them(tmp_path: Path) -> None:
    write_run(tmp_path / "grid" / "mt", arm("lapt", 50.0), language="mt")
    write_run(tmp_path / "grid" / "ug", arm("lapt", 40.0))
    (tmp_path / "grid" / "notes").mkdir()
    (tmp_path / "grid" / "wo" / "stages").mkdir(parents=True)
    opened, missing = open_runs([tmp_path / "grid"])
    assert [o.run.language for o in opened] == ["mt", "ug"]
    assert missing == [f"wo: not finished, no report.json in {tmp_path / 'grid' / 'wo'}"]


def test_a_folder_named_twice_is_one_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "ug", arm("lapt", 40.0))
    assert len(open_runs([folder, tmp_path, folder / "." / ".." / "ug"])[0]) == 1


def test_a_run_without_a_language_has_the_name_of_its_folder(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "mine", arm("lapt", 40.0), language="")
    assert open_runs([folder])[0][0].run.language == "mine"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "no such folder"),
        (lambda folder: folder.write_text("x"), "not a folder"),
        (lambda folder: folder.mkdir(), "no run in it: expected report.json"),
        (lambda folder: (folder / "stages").mkdir(parents=True), "no finished run"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, make, message: str) -> None:  # type: ignore[no-untyped-def]
    make(tmp_path / "run")
    with pytest.raises(UsageError, match=message) as error:
        open_runs([tmp_path / "run"])
    assert str(tmp_path / "run") in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "\ufeff",
        "{}",
        '{"arms": 3, "language": "ug", "title": "", "base": "mini", "tasks": {}}',
        '{"arms": [{"name": "a"}], "language": "", "title": "", "base": "", "tasks": {}}',
    ],
)
def test_a_damaged_report_is_named(tmp_path: Path, text: str) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0))
    (folder / "report.json").write_text(text, "utf-8")
    with pytest.raises(DataError, match=r"report\.json: .*run its recipe again"):
        open_runs([folder])


def test_a_damaged_recipe_is_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0))
    (folder / "recipe.toml").write_text("[", "utf-8")
    with pytest.raises(DataError, match=r"recipe\.toml: damaged"):
        open_runs([folder])


def test_seeds_without_scores_are_a_damaged_report(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0, 41.0))
    facts = json.loads((folder / "report.json").read_text("utf-8"))
    facts["arms"][0]["scores"]["dep"]["test"].pop()
    (folder / "report.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(DataError, match=r"report\.json"):
        open_runs([folder])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"machine": None}, r"machine: expected a table, got None"),
        ({"tasks": {}}, r"arm lapt has scores of 'dep', which is no task"),
        ({"same": ["a"]}, r"same: expected a table, got \['a'\]"),
        ({"missing": "all"}, r"missing: expected a list, got 'all'"),
        ({"title": 3}, r"title: expected text, got 3"),
    ],
)
def test_an_edited_report_is_named_with_the_value(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0), **change)
    with pytest.raises(DataError, match=rf"report\.json: .*{message}"):
        open_runs([folder])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 3),
        ("mixin", 0.5),
        ("audit", None),
        ("audit", {"pos dev": {"before": True, "after": {}}}),
        ("bits_per_byte", [10**400]),
        ("pieces_added", "many"),
        ("scores", {"dep": {"metric": ["LAS"], "seeds": [1], "test": [{}], "dev": [{}]}}),
    ],
)
def test_an_edited_arm_is_named_with_the_value(key: str, value: object, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0))
    facts = json.loads((folder / "report.json").read_text("utf-8"))
    facts["arms"][0][key] = value
    (folder / "report.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(DataError, match=rf"report\.json: .*arms\[0\]\.{key}.*: expected"):
        open_runs([folder])


def test_edited_settings_and_hashes_are_named(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0), recipe={"arm": {"lapt": 3}})
    with pytest.raises(DataError, match=r"recipe\.toml: .*arm\.lapt: expected a table, got 3"):
        open_runs([folder])
    folder = write_run(tmp_path / "other", arm("lapt", 40.0), hashes={"a.txt": 3})  # type: ignore[dict-item]
    with pytest.raises(DataError, match=r"provenance\.json: .*inputs\.a\.txt: expected text"):
        open_runs([folder])


def test_a_grid_in_the_folder_of_a_run_is_compared_with_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", arm("lapt", 40.0), language="xx")
    write_run(folder / "aa", arm("lapt", 50.0), language="aa")
    assert [o.run.language for o in open_runs([folder])[0]] == ["xx", "aa"]


def test_points_that_a_grid_names_no_more_are_left_out_unless_given(tmp_path: Path) -> None:
    grid = write_run(tmp_path / "grid", arm("lapt", 40.0), language="xx")
    for point in ("aa", "bb"):
        write_run(grid / point, arm("lapt", 50.0), language=point)
    (grid / "grid.json").write_text('{"points": ["cc", "aa"]}', "utf-8")
    opened, missing = open_runs([grid])
    assert [o.run.language for o in opened] == ["aa"]
    assert missing == [
        f"bb: older results, left out, as the recipe last run in {grid} has no such point; give "
        f"{grid / 'bb'} as well to compare them",
        f"grid: older results without axes, left out: {grid / 'report.json'}",
        f"cc: not finished, no report.json in {grid / 'cc'}",
    ]
    opened, missing = open_runs([grid, grid / "bb"])
    assert [o.run.language for o in opened] == ["aa", "bb"]
    (grid / "grid.json").write_text('{"points": [""]}', "utf-8")
    assert [o.run.language for o in open_runs([grid])[0]] == ["xx"]
    (grid / "grid.json").write_text('{"points": 3}', "utf-8")
    with pytest.raises(DataError, match=r"grid\.json: .*points: expected a list, got 3"):
        open_runs([grid])
