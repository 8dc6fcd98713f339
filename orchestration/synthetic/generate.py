"""A synthetic retailer that fills every raw table of the contract, with the truth that was planted in it beside them.

The work is DuckDB SQL (`sql/`), one file for each small family of tables; this module orders it. Customers are made in buckets, so that
memory does not grow with their number. The same customers, months and seed give the same rows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import yaml

from orchestration.errors import UnusableInput
from orchestration.sql import PARQUET, quote_literal
from orchestration.synthetic.disorder import load_raw_tables
from orchestration.synthetic.files import DirtyRows, WrittenTable, collect_rows, parquet_files, write_table
from orchestration.synthetic.parameters import set_parameters, write_parameters

SQL_FOLDER = Path(__file__).parent / "sql"

# The history ends before this day, whatever the clock says: the same call gives the same rows in any year.
AS_OF_DATE = date(2026, 1, 1)
BUSINESS_TIMEZONE = "Europe/Berlin"
CURRENCY = "EUR"
HOLIDAY_COUNTRY = "DE"
DEFAULT_SEED = 1
MOST_CUSTOMERS = 80_000_000
MOST_MONTHS = 120

# Half a million order lines and a million web events: everything about one bucket fits well below the memory limit.
CUSTOMER_MONTHS_IN_A_BUCKET = 600_000
MEMORY_LIMIT = "3GB"

# Once, before the buckets, in this order.
COMMON_SQL = ("random", "reference", "people", "referrals", "totals")
# For the customers of one bucket (table `people`), in this order.
BUCKET_SQL = (
    "permissions",
    "campaign_contacts",
    "order_days",
    "orders",
    "transactions",
    "responses",
    "loyalty_ledger",
    "web_events",
    "support_tickets",
    "survey_answers",
    "consents",
    "bucket_referrals",
    "customers",
    "truth",
    "campaign_totals",
)
# Campaigns to an audience, where they are asked for: after the other campaigns are planned, and after it is known when a customer buys.
AUDIENCE_CAMPAIGNS = "audience_campaigns"
AUDIENCE_CONTACTS = "audience_contacts"
# Once, after the buckets.
CATALOGUE_SQL = ("catalogue",)
CATALOGUE_TABLES = ("products", "stores", "campaigns")
# Planted truth that is made bucket by bucket, and the file it becomes.
TRUTH_OF_BUCKETS = {"truth_customers": "customer_truth", "truth_campaign_assignments": "campaign_assignments"}
# Planted truth that is there once.
TRUTH_OF_ALL = {"truth_campaigns": "campaign_truth", "holiday_windows": "holiday_windows", "survey_traits": "survey_traits"}

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class GenerationReport:
    """What `generate` wrote.

    Attributes:
        folder: the source: a folder for each raw table, `source.yml`, and `truth/`, which is no raw table.
        customers: how many customers.
        months: how many months of history.
        seed: what all chance comes from.
        as_of_date: the day whose opening state the data describes: the day after the last one of the history.
        rows: rows in the files of each raw table, unusable ones included.
        unusable_rows: those of them that belong in quarantine.
        superseded_rows: those of them that a later or equal version of the same key replaces.
    """

    folder: Path
    customers: int
    months: int
    seed: int
    as_of_date: date
    rows: dict[str, int]
    unusable_rows: dict[str, int]
    superseded_rows: dict[str, int]


def generate(
    folder: Path,
    customers: int,
    months: int,
    seed: int = DEFAULT_SEED,
    progress: Step | None = None,
    *,
    audience_campaigns: bool = False,
) -> GenerationReport:
    """Write a synthetic retailer into a folder, as a source in the raw contract.

    Args:
        folder: a folder that is absent or empty. It holds the whole source at the end, or is as it was.
        customers: how many customers, from 1 to 80 million.
        months: how many months of history before 2026-01-01, from 1 to 120. A year shows every season.
        seed: the same customers, months and seed give the same rows.
        progress: called after each piece of work with what it was, how many are done, and how many there are.
        audience_campaigns: also send campaigns to an audience of the project, with its holdout and a planted uplift.

    Raises:
        UnusableInput: a number is out of range, or the folder holds something already; nothing was written.
    """
    _check(folder, customers, months, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made beside the folder and moved into place, so that nobody finds half a source.
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as working:
        source = Path(working) / "source"
        source.mkdir()
        with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(Path(working) / "spill")}) as connection:
            parts = Path(working) / "parts"
            written = _write_source(connection, source, parts, customers, months, seed, progress, audience_campaigns=audience_campaigns)
        if folder.exists():
            folder.rmdir()
        shutil.move(source, folder)
    return GenerationReport(
        folder=folder,
        customers=customers,
        months=months,
        seed=seed,
        as_of_date=AS_OF_DATE,
        rows={name: table.rows for name, table in written.items()},
        unusable_rows=_with_status(written, "quarantined"),
        superseded_rows=_with_status(written, "superseded"),
    )


def first_day(months: int) -> date:
    """The first day of a history of so many months."""
    year, month = divmod(AS_OF_DATE.year * 12 + AS_OF_DATE.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _check(folder: Path, customers: int, months: int, seed: int) -> None:
    if not 1 <= customers <= MOST_CUSTOMERS:
        raise UnusableInput(f"customers is {customers}; give a number from 1 to {MOST_CUSTOMERS}")
    if not 1 <= months <= MOST_MONTHS:
        raise UnusableInput(f"months is {months}; give a number from 1 to {MOST_MONTHS}")
    if not 0 <= seed < 2**63:
        raise UnusableInput(f"seed is {seed}; give a whole number from 0 to {2**63 - 1}")
    if folder.exists() and not folder.is_dir():
        raise UnusableInput(f"{folder} is a file; give a folder that is absent or empty")
    if folder.is_dir() and any(folder.iterdir()):
        raise UnusableInput(f"{folder} is not empty; give another folder, or delete this one first")


def _write_source(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    parts: Path,
    customers: int,
    months: int,
    seed: int,
    progress: Step | None,
    *,
    audience_campaigns: bool,
) -> dict[str, WrittenTable]:
    """Fill the folder `source`; `parts` takes what is only passing through. Returns what was written, by raw table."""
    tables = load_raw_tables()
    bucket_size = max(1, CUSTOMER_MONTHS_IN_A_BUCKET // months)
    first_customers = range(1, customers + 1, bucket_size)
    pieces = len(first_customers) + len(tables) + 1
    done = 0

    def tell(what: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(what, done, pieces)

    prepare(connection, customers, months, seed, audience_campaigns=audience_campaigns)
    bucket_sql = with_audience_contacts(BUCKET_SQL) if audience_campaigns else BUCKET_SQL
    for bucket, first_customer in enumerate(first_customers):
        last_customer = min(first_customer + bucket_size - 1, customers)
        make_people(connection, first_customer, last_customer)
        run_sql(connection, bucket_sql)
        for name, table in tables.items():
            if name not in CATALOGUE_TABLES:
                collect_rows(connection, table, parts, bucket)
        for name in TRUTH_OF_BUCKETS:
            (parts / name).mkdir(parents=True, exist_ok=True)
            _copy(connection, f"select * from {name} order by all", parts / name / f"bucket_{bucket:06}.parquet")
        tell(f"customers {first_customer} to {last_customer}")

    run_sql(connection, CATALOGUE_SQL)
    written = {}
    for name, table in tables.items():
        if name in CATALOGUE_TABLES:
            collect_rows(connection, table, parts, bucket=0)
        written[name] = write_table(connection, table, parts, source)
        shutil.rmtree(parts / name)
        tell(name)

    _write_truth(connection, source / "truth", parts, [flaw for table in written.values() for flaw in table.dirty_rows])
    _write_settings(source, customers, months, seed, audience_campaigns=audience_campaigns)
    tell("truth")
    return written


def with_audience_contacts(steps: tuple[str, ...]) -> tuple[str, ...]:
    """These steps of a bucket, with the contacts of campaigns to an audience where they belong."""
    after = steps.index("order_days") + 1
    return (*steps[:after], AUDIENCE_CONTACTS, *steps[after:])


def prepare(connection: duckdb.DuckDBPyConnection, customers: int, months: int, seed: int, *, audience_campaigns: bool) -> None:
    """Set what the SQL reads of the session, and make all that there is before any customer."""
    start = first_day(months)
    end_at = datetime.combine(AS_OF_DATE, time(), ZoneInfo(BUSINESS_TIMEZONE)).astimezone(UTC).replace(tzinfo=None)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    variables = {
        "seed": seed,
        "customers": customers,
        "months": months,
        "start_date": start,
        "end_date": AS_OF_DATE,
        "window_days": (AS_OF_DATE - start).days,
        # UTC: the midnight of the business timezone, at and after which nothing happens.
        "end_at": end_at,
    }
    for name, value in variables.items():
        connection.execute(f"set variable {name} = ?", [value])
    set_parameters(connection)
    run_sql(connection, (*COMMON_SQL, AUDIENCE_CAMPAIGNS) if audience_campaigns else COMMON_SQL)


def make_people(connection: duckdb.DuckDBPyConnection, first_customer: int, last_customer: int) -> None:
    """Make the table `people` of one bucket: the customers with these numbers."""
    connection.execute("set variable first_customer = ?", [first_customer])
    connection.execute("set variable last_customer = ?", [last_customer])
    connection.execute(
        "create or replace table people as select * from planted_people "
        "where n between getvariable('first_customer') and getvariable('last_customer') order by n"
    )


def run_sql(connection: duckdb.DuckDBPyConnection, names: tuple[str, ...]) -> None:
    """Run files of `sql/`, in this order."""
    for name in names:
        connection.execute((SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def _copy(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> None:
    connection.execute(f"copy ({query}) to {quote_literal(str(file))} ({PARQUET})")


def _write_truth(connection: duckdb.DuckDBPyConnection, folder: Path, parts: Path, dirty_rows: list[DirtyRows]) -> None:
    folder.mkdir()
    for name, file in TRUTH_OF_BUCKETS.items():
        # The buckets are in the order of customers already.
        _copy(connection, f"select * from {parquet_files(parts / name, '*.parquet')}", folder / f"{file}.parquet")
    for name, file in TRUTH_OF_ALL.items():
        _copy(connection, f"select * from {name} order by all", folder / f"{file}.parquet")
    write_parameters(connection, folder / "parameters.parquet")
    connection.execute(
        "create or replace temp table dirty_rows "
        "(table_name varchar, kind varchar, column_name varchar, rows bigint, expected_status varchar, reason_begins varchar)"
    )
    connection.executemany(
        "insert into dirty_rows values (?, ?, ?, ?, ?, ?)",
        [[row.table_name, row.kind, row.column_name, row.rows, row.expected_status, row.reason_begins] for row in dirty_rows],
    )
    _copy(connection, "select * from dirty_rows order by all", folder / "dirty_rows.parquet")


def _write_settings(source: Path, customers: int, months: int, seed: int, *, audience_campaigns: bool) -> None:
    settings = {
        # Two different retailers in one home are two sources.
        "name": f"synthetic_{customers}_customers_{months}_months_seed_{seed}{'_audience_campaigns' if audience_campaigns else ''}",
        "business_timezone": BUSINESS_TIMEZONE,
        "currency": CURRENCY,
        "holiday_country": HOLIDAY_COUNTRY,
        "as_of_date": AS_OF_DATE,
    }
    option = " --audience-campaigns" if audience_campaigns else ""
    text = f"# A synthetic retailer: `segments generate --customers {customers} --months {months} --seed {seed}{option}`\n"
    (source / "source.yml").write_text(text + yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def _with_status(written: dict[str, WrittenTable], status: str) -> dict[str, int]:
    return {name: sum(flaw.rows for flaw in table.dirty_rows if flaw.expected_status == status) for name, table in written.items()}
