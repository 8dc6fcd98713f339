"""How the working database is opened and written."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from orchestration import working_database
from orchestration.cli import main
from orchestration.corrections import outdated_days
from orchestration.errors import UnusableInput
from orchestration.ingest.source import resolve_source
from orchestration.publishing.builds import start_build
from orchestration.publishing.summary import describe_failure
from orchestration.reproduction import copy_records
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


def overwrite(database: Path, position: int) -> None:
    with database.open("r+b") as file:
        file.seek(position)
        file.write(b"\xde" * 4096)


def a_database(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "warehouse.duckdb"
    with working_database.connect(database, read_only=False) as connection:
        connection.execute("create schema history; create schema intermediate")
        connection.execute(
            "create table history.outdated_days as select date '2026-01-01' + range::integer as as_of_date from range(200000)"
        )
        connection.execute("create table intermediate.int_customers as from history.outdated_days")
    return database


READERS: list[Callable[[Path], object]] = [
    working_database.connect,
    outdated_days,
    lambda database: copy_records(database, database.parent / "as_known_at" / "warehouse.duckdb"),
]


# The header, the first block, a block of rows: which nobody reads by opening the file.
@pytest.mark.parametrize(("position", "read"), [*product((0, 8192), READERS), *product((12288,), READERS[1:])])
def test_a_damaged_database_is_named_with_what_to_do(tmp_path: Path, position: int, read: Callable[[Path], object]) -> None:
    database = a_database(tmp_path)
    overwrite(database, position)
    with pytest.raises(UnusableInput, match=rf"{database} is damaged: restore a copy .* remove the folder {tmp_path} and .* backfill"):
        read(database)


@pytest.mark.parametrize("read", READERS)
def test_a_database_that_another_process_writes_is_said_to_be_in_use(tmp_path: Path, read: Callable[[Path], object]) -> None:
    database = a_database(tmp_path)
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", hold, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(UnusableInput, match=rf"{database} is in use by process {process.pid}, such as a night: try again"):
            read(database)


def test_what_is_wrong_with_a_query_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(duckdb.CatalogException), working_database.readable_errors(tmp_path), duckdb.connect() as connection:
        connection.execute("from nowhere")


def a_shop(tmp_path: Path) -> tuple[Settings, Path]:
    """The settings of a source of its own and the folder of its working database."""
    folder = tmp_path / "shop"
    folder.mkdir()
    settings = Settings(home=tmp_path / "home", source=str(folder))
    return settings, settings.database(resolve_source(settings.source).name).parent


@pytest.mark.parametrize(
    "verb",
    [("explain", "ann", "--audience", "cart_abandoners"), ("explain", "ann", "--segmentation", "rfm"), ("audience", "cart_abandoners")],
)
@pytest.mark.parametrize(("position", "message"), [(None, "holds no whole build of"), (8192, "is damaged")])
def test_who_asks_about_a_customer_gets_one_sentence(tmp_path: Path, verb: tuple[str, ...], position: int | None, message: str) -> None:
    settings, folder = a_shop(tmp_path)
    if position is None:
        folder.mkdir(parents=True)
        with working_database.connect(folder / "warehouse.duckdb", read_only=False) as connection:
            connection.execute("create schema operations")
    else:
        overwrite(a_database(folder), position)
    told = CliRunner().invoke(main, [*verb, "--source", settings.source, "--home", str(settings.home)])
    assert told.exit_code == 2
    assert message in told.output
    assert len(told.output.splitlines()) == 1


def test_a_night_that_meets_the_damage_on_its_way_says_what_to_do(tmp_path: Path) -> None:
    build = start_build(tmp_path, "shop", date(2026, 1, 1), "v1")
    summary = describe_failure(
        Settings(home=tmp_path), build, None, "dbt stopped at orders: Error Corrupt database file: computed checksum 1"
    )
    assert "dbt stopped at orders" in summary
    assert f"remove the folder {tmp_path}/working/shop" in summary
