"""How the working database is opened and written."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration import working_database
from orchestration.errors import UnusableInput
from orchestration.settings import DEFAULT_MEMORY_LIMIT, MEMORY_LIMIT, PROJECT_DIR, Settings


def megabytes(database: Path) -> float:
    with working_database.connect(database, read_only=False) as connection:
        (limit,) = connection.execute("select current_setting('memory_limit')").fetchone() or ("",)
    number, unit = str(limit).split()
    return float(number) * {"MiB": 1.048576, "GiB": 1073.741824}[unit]


def test_the_night_takes_as_much_memory_as_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MEMORY_LIMIT, raising=False)
    assert megabytes(tmp_path / "by_default.duckdb") == pytest.approx(6000, rel=0.05)
    for limit in ("500MB", "0.5GB"):
        monkeypatch.setenv(MEMORY_LIMIT, limit)
        assert megabytes(tmp_path / f"{limit}.duckdb") == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize("limit", ["", "lots", "6", "0GB", "0.0GB", "80%", "-1GB"])
def test_no_command_begins_with_a_limit_that_is_no_amount(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MEMORY_LIMIT, limit)
    with pytest.raises(UnusableInput, match=f"{MEMORY_LIMIT} is '{limit}': write a number and a unit, like 6GB"):
        Settings(home=Path("/data/segments"))


def test_dbt_and_everything_else_have_the_same_default() -> None:
    profile = (PROJECT_DIR / "profiles.yml").read_text(encoding="utf-8")
    assert re.findall(rf"env_var\('{MEMORY_LIMIT}', '(\w+)'\)", profile) == [DEFAULT_MEMORY_LIMIT]


def test_rows_are_inserted_by_name_with_whatever_is_missing(tmp_path: Path) -> None:
    with working_database.connect(tmp_path / "warehouse.duckdb", read_only=False) as connection:
        connection.execute("create table facts (day date, share double, amount decimal(18, 4), never_given string)")
        working_database.insert(connection, "facts", [])
        rows = [
            {"amount": Decimal("1.2345"), "day": None, "share": 1},
            {"amount": None, "day": None, "share": 2.5},
            {"amount": Decimal("100"), "day": None, "share": None},
        ]
        working_database.insert(connection, "facts", rows)
        working_database.insert(connection, "facts", [{"day": date(2024, 2, 29)}])
        assert connection.execute("from facts").fetchall() == [
            (None, 1.0, Decimal("1.2345"), None),
            (None, 2.5, None, None),
            (None, None, Decimal("100.0000"), None),
            (date(2024, 2, 29), None, None, None),
        ]
