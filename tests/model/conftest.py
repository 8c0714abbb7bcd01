"""A tiny model of every shape, and each with an untied output layer and padded tables."""

from pathlib import Path

import pytest
from tiny_models import SHAPES, write_model


@pytest.fixture(scope="session", params=SHAPES)
def shape(request: pytest.FixtureRequest) -> str:
    """The name of a shape."""
    return request.param


@pytest.fixture(scope="session")
def tiny(shape: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tied model of the shape."""
    return write_model(shape, tmp_path_factory.mktemp(shape) / "model")


@pytest.fixture(scope="session")
def untied(shape: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untied model of the shape with two rows more than pieces."""
    folder = tmp_path_factory.mktemp(f"{shape}-untied") / "model"
    return write_model(shape, folder, tied=False, padding=2)


@pytest.fixture(scope="session", params=["tied", "untied"])
def folder(request: pytest.FixtureRequest, tiny: Path, untied: Path) -> Path:
    """The tied and the untied model in turn."""
    return tiny if request.param == "tied" else untied
