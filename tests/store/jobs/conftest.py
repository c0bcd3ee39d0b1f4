"""Whole runs in homes of their own."""

from pathlib import Path

import pytest

from tests.make.installation import Installation, make_city


@pytest.fixture(scope="session")
def city(tmp_path_factory) -> Path:
    """A fictional city of 2,000, made once."""
    return make_city(tmp_path_factory.mktemp("city"), residents=2000)


@pytest.fixture
def installation(tmp_path, city):
    """A fresh installation."""
    made = Installation(tmp_path / "home", city, tmp_path / "tmp")
    yield made
    made.stop()


@pytest.fixture
def another(tmp_path, city):
    """A second fresh installation, to compare with."""
    made = Installation(tmp_path / "other", city, tmp_path / "tmp2")
    yield made
    made.stop()
