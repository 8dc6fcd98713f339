"""A clean working database for every test that plants a fault in it."""

import shutil
from pathlib import Path

import pytest

from tests.python.faults.segment_warehouse import copy_suites, make_warehouse


@pytest.fixture(scope="session")
def clean_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; to be read only."""
    return make_warehouse(tmp_path_factory.mktemp("clean") / "warehouse.duckdb")


@pytest.fixture
def warehouse(clean_warehouse: Path, tmp_path: Path) -> Path:
    """A copy of its own for one test."""
    copy = tmp_path / "working" / "warehouse.duckdb"
    copy.parent.mkdir()
    return Path(shutil.copyfile(clean_warehouse, copy))


@pytest.fixture(scope="session")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suites of the tables of the clean warehouse."""
    return copy_suites(tmp_path_factory.mktemp("suites"))
