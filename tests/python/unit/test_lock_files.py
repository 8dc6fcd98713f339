"""Lock files name versions and hashes, and no address to fetch them from."""

import re
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR

LOCK_FILES = sorted(PROJECT_DIR.glob("requirements*.lock"))


def test_there_is_one_for_each_environment() -> None:
    assert [path.name for path in LOCK_FILES] == [f"requirements{name}.lock" for name in ("-duckdb-1", "-page", "-superset", "")]


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.name)
def test_every_package_is_pinned_by_hash_and_none_by_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert all(re.match(r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==\S+", entry) and "--hash=sha256:" in entry for entry in entries)
