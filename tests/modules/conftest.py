"""Hosts of the shapes that modules can be attached to."""

from typing import Any

import pytest
from module_hosts import HOSTS, new_host


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Any:
    """A host of each shape in turn."""
    return new_host(request.param)


@pytest.fixture
def bert() -> Any:
    return new_host("bert")
