"""docs/studies.md lists every key of the recipes."""

from pathlib import Path

from specialize.studies.reference import reference

PAGE = Path(__file__).parent.parent.parent / "docs" / "studies.md"


def test_the_page_ends_with_the_current_keys() -> None:
    command = "python -m specialize.studies.reference"
    assert PAGE.read_text("utf-8").endswith(reference()), (
        f"out of date; put in the output of {command}"
    )
