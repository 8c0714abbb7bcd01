"""A folder holds the results of one study, or of transfer and interference."""

import json
from pathlib import Path

import pytest

from specialize.errors import UsageError
from specialize.studies.running import check_out

FACTS = {"transfer": "between_tasks", "sharing": "studies", "zeroshot": "systems"}


def write_results(out: Path, kind: str) -> None:
    (out / "stages" / ".locks").mkdir(parents=True, exist_ok=True)
    name = "interference.json" if kind == "interference" else "results.json"
    (out / name).write_text(json.dumps({FACTS.get(kind, "alone"): {}}), "utf-8")


@pytest.mark.parametrize("held", ["transfer", "interference", "sharing", "zeroshot"])
@pytest.mark.parametrize("kind", ["transfer", "interference", "sharing", "zeroshot"])
def test_results_of_another_study_are_not_replaced(held: str, kind: str, tmp_path: Path) -> None:
    write_results(tmp_path, held)
    if held == kind or {held, kind} == {"transfer", "interference"}:
        check_out(tmp_path, kind)
        return
    with pytest.raises(UsageError, match=f"holds results of study {held}; choose another --out"):
        check_out(tmp_path, kind)


def test_a_new_folder_and_one_without_results_are_free(tmp_path: Path) -> None:
    check_out(tmp_path / "new", "sharing")
    (tmp_path / "stages" / ".locks").mkdir(parents=True)
    check_out(tmp_path, "sharing")
