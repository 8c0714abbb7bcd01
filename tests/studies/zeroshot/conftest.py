"""A study of toy languages, run once for the tests that read its results."""

from pathlib import Path

import pytest
from small_zeroshot import Ran, write_recipe

from specialize.studies.zeroshot.recipe import read_study
from specialize.studies.zeroshot.run import run


@pytest.fixture(scope="session")
def ran(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("zeroshot")
    recipe = write_recipe(folder, base_folder)
    study = read_study(recipe)
    return Ran(recipe, study, folder / "out", run(study, folder / "out"))
