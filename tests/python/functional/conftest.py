"""Whole nights, run as a user runs them: the console script, in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

PROJECT_DIR = Path(__file__).resolve().parents[3]
SEGMENTATIONS = re.findall(r"^ +'(\w+)',$", (PROJECT_DIR / "macros" / "segmentations.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    exit_code: int
    output: str
    errors: str


def segments(*arguments: str, project: Path = PROJECT_DIR) -> Run:
    """Run `segments …` with the code, models and seeds of `project`."""
    environment = {**os.environ, "DO_NOT_TRACK": "1", "PYTHONPATH": str(project)}
    for name in ("SEGMENTS_HOME", "SEGMENTS_SOURCE", "SEGMENTS_LANDING", "SEGMENTS_DATABASE", "DAGSTER_HOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Served:
    """The serving database of a home."""

    home: Path

    @property
    def database(self) -> Path:
        return self.home / "serving" / "segments.duckdb"

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, as a BI tool would ask it."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> list[str]:
        """Names of the published tables, views included."""
        return [
            name for (name,) in self.query("select table_name from information_schema.tables where table_schema = 'published' order by 1")
        ]

    def contents(self, without_columns: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Every published table with all its rows, sorted; `without_columns` leaves out build ids and times."""
        contents = {}
        for table in self.tables():
            described = self.query(f"select column_name from duckdb_columns() where table_name = '{table}' and schema_name = 'published'")
            columns = ", ".join(f'"{name}"' for (name,) in described if name not in without_columns)
            contents[table] = self.query(f"select {columns} from published.{table} order by all")
        return contents


def plant_segments(database: Path, day: str, members: dict[str, dict[str, str]]) -> None:
    """Plant what the models of the log read: the customers of a day and where they are, by segmentation."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists intermediate; create schema if not exists segments")
        columns = ", ".join(f"{segmentation}_segment varchar" for segmentation in SEGMENTATIONS)
        connection.execute(f"create or replace table segments.planted (customer_id varchar, {columns})")
        rows = [[customer, *(segments_of.get(name) for name in SEGMENTATIONS)] for customer, segments_of in members.items()]
        if rows:
            connection.executemany(f"insert into segments.planted values ({', '.join('?' * (len(SEGMENTATIONS) + 1))})", rows)
        for segmentation in SEGMENTATIONS:
            query = f"select customer_id, {segmentation}_segment as segment from segments.planted"
            connection.execute(f"create or replace view segments.{segmentation}_segments as {query}")
        connection.execute(
            f"create or replace table intermediate.int_customers as select customer_id, date '{day}' as as_of_date from segments.planted"
        )


@pytest.fixture(scope="session")
def complete_journey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, Run]:
    """One night on the real data, shared by the tests that only read it."""
    home = tmp_path_factory.mktemp("complete_journey")
    run = segments("nightly", "--source", "complete_journey", "--home", str(home))
    return Served(home), run


def write_csv(path: Path, header: str, rows: list[str]) -> None:
    """A CSV file of the raw contract."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def write_five_customers(folder: Path) -> Path:
    """The smallest source there can be: customers and transactions as CSV."""
    write_csv(folder / "customers.csv", "customer_id", ["ann", "bob", "cem", "dua", "eve"])
    write_csv(
        folder / "transactions.csv",
        "order_id,line_id,customer_id,ordered_at,amount",
        [
            "1,1,ann,2025-11-01 10:00:00,10.00",
            "2,1,ann,2025-11-20 10:00:00,15.50",
            "2,2,ann,2025-11-20 10:00:00,4.50",
            "3,1,bob,2025-01-05 09:30:00,99.99",
            "4,1,cem,2025-12-24 18:00:00,20.00",
            "5,1,dua,2025-06-01 12:00:00,5.00",
        ],
    )
    (folder / "source.yml").write_text("as_of_date: 2026-01-01\ncurrency: EUR\n", encoding="utf-8")
    return folder


@pytest.fixture
def five_customers(tmp_path: Path) -> Path:
    """The smallest source, for one test."""
    return write_five_customers(tmp_path / "five_customers")


def write_shop_of(folder: Path, customers: int) -> Path:
    """A shop of `customers` customers with spread-out habits, large enough for the share checks to apply."""
    names = [f"customer_{number:04}" for number in range(customers)]
    orders = []
    first_day = date(2024, 1, 1)
    for number, name in enumerate(names):
        gap = 7 + number * 13 % 120
        stops_after = 60 + number * 37 % 670
        for index, day in enumerate(range(number % 50, stops_after, gap)):
            ordered = first_day + timedelta(days=day)
            amount = 5 + (number * 31 + index * 7) % 90
            orders.append(f"{name}-{index},1,{name},{ordered}T12:00:00,{amount}.00")
    write_csv(folder / "customers.csv", "customer_id", names)
    write_csv(folder / "transactions.csv", "order_id,line_id,customer_id,ordered_at,amount", orders)
    (folder / "source.yml").write_text("as_of_date: 2026-01-01\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def write_shop() -> Callable[[Path, int], Path]:
    """What writes a shop."""
    return write_shop_of
