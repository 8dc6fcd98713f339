"""Landing: what is landed, in which types, exactly once, whole or not at all."""

import hashlib
import itertools
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from orchestration.errors import UnusableInput
from orchestration.ingest.contract import read_contract
from orchestration.ingest.landing import LandingReport, damaged_batches, inspect_source, land, read_batches_landed
from orchestration.ingest.source import resolve_source
from tests.python.unit.ingest_tools import CUSTOMERS, LANDED_COLUMNS, NIGHT, contract_of, land_folder, landed, tree, write, write_parquet

LATER = NIGHT + timedelta(days=1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "source")


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


# -- what a landing looks like -----------------------------------------------------------------------------------------------------


def test_every_table_has_every_column_of_the_contract_in_its_type(source: Path, landing: Path) -> None:
    report = land_folder(source, landing)
    assert report.absent_tables == tuple(name for name in read_contract().tables if name not in ("customers", "transactions"))
    for table in read_contract().tables.values():
        files = f"read_parquet('{landing}/{table.name}/*/*.parquet', union_by_name = true, hive_partitioning = true)"
        described = {row[0]: row[1] for row in duckdb.sql(f"describe from {files}").fetchall()}
        assert list(described) == [*table.column_names, *LANDED_COLUMNS]
        for column in table.columns:
            assert described[column.name].lower().replace(" ", "") == column.duckdb_type
        assert [described[name] for name in LANDED_COLUMNS] == ["TIMESTAMP", "VARCHAR", "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR"]


def test_a_batch_says_where_it_came_from(source: Path, landing: Path) -> None:
    report = land_folder(source, landing)
    (batch,) = read_batches_landed(landing, "customers")
    assert report.new_batches[0] == batch
    assert (batch.table, batch.source_file, batch.rows, batch.rows_unreadable, batch.loaded_at) == (
        "customers",
        "customers.csv",
        2,
        0,
        NIGHT,
    )
    assert batch.batch == f"20240101T000000000000Z-{batch.sha256[:12]}"
    assert batch.sha256 == hashlib.sha256(CUSTOMERS.encode()).hexdigest()
    assert "city" not in batch.columns_missing
    assert "email" in batch.columns_missing
    manifest = json.loads((landing / "customers" / f"batch={batch.batch}" / "_manifest.json").read_text())
    assert manifest["schema"]["customer_id"] == "VARCHAR"
    assert manifest["source"] == resolve_source(source).name


def test_the_report_counts(source: Path, landing: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    write(source, stores_csv="store_id\n1\n2\n3\n", notes_txt="x")
    report = land(resolve_source(source), landing, NIGHT, lambda *progress: seen.append(progress))
    by_name = {table.table: table for table in report.tables}
    assert report.rows_landed == 6
    assert (by_name["stores"].rows_landed, by_name["stores"].rows_in_landing, by_name["stores"].is_present) == (3, 3, True)
    assert (by_name["products"].rows_landed, by_name["products"].is_present) == (0, False)
    assert report.files_ignored == (("notes.txt", "not one of .parquet, .csv, .csv.gz"),)
    assert seen[:3] == [("comparing customers.csv", 0, 3), ("landing customers.csv", 0, 3), ("comparing transactions.csv", 1, 3)]
    assert seen[-2:] == [("landing stores.csv", 2, 3), ("landed", 3, 3)]


def test_nothing_but_batches_is_left_in_the_landing(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    assert {path.name for path in landing.iterdir()} == {*read_contract().tables, "_landing.lock"}


def test_loaded_at_is_utc_and_increases_whatever_the_clock_says(source: Path, landing: Path) -> None:
    land(resolve_source(source), landing, datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert [batch.loaded_at for batch in read_batches_landed(landing, "customers")] == [NIGHT]
    write(source, customers_csv=CUSTOMERS + "3,Hamar\n")
    land(resolve_source(source), landing, datetime(2023, 1, 1, tzinfo=UTC))
    first, second = read_batches_landed(landing, "customers")
    (transactions,) = read_batches_landed(landing, "transactions")
    assert first.loaded_at < transactions.loaded_at < second.loaded_at


def test_files_of_a_folder_are_batches_in_the_order_of_their_names(source: Path, landing: Path) -> None:
    for name in ("2023-02.csv", "2023-01.csv"):
        (source / "web_events").mkdir(exist_ok=True)
        (source / "web_events" / name).write_text(f"event_id,customer_id,occurred_at\n{name},1,2023-01-01\n")
    land_folder(source, landing)
    assert landed(landing, "web_events", "event_id, source_file") == [
        ("2023-01.csv", "web_events/2023-01.csv"),
        ("2023-02.csv", "web_events/2023-02.csv"),
    ]


# -- exactly once ------------------------------------------------------------------------------------------------------------------


def test_the_same_files_add_nothing(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    before = tree(landing)
    report = land_folder(source, landing, LATER)
    assert (report.new_batches, report.rows_landed) == ((), 0)
    assert [table.batches_already_landed for table in report.tables[:2]] == [1, 1]
    assert report.tables[0].rows_in_landing == 2
    assert tree(landing) == before


def test_a_renamed_or_copied_file_adds_nothing(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    (source / "customers").mkdir()
    (source / "customers.csv").rename(source / "customers" / "january.csv")
    (source / "customers" / "copy.csv").write_bytes((source / "customers" / "january.csv").read_bytes())
    assert land_folder(source, landing, LATER).new_batches == ()


def test_two_equal_files_land_once(source: Path, landing: Path) -> None:
    (source / "customers").mkdir()
    (source / "customers" / "copy.csv").write_text(CUSTOMERS)
    assert land_folder(source, landing).tables[0].rows_landed == 2


def test_a_changed_file_is_a_new_batch(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    write(source, customers_csv=CUSTOMERS.replace("Oslo", "Moss"))
    report = land_folder(source, landing, LATER)
    assert [(batch.table, batch.rows) for batch in report.new_batches] == [("customers", 2)]
    assert report.tables[0].rows_in_landing == 4
    assert landed(landing, "customers", "city") == [("Oslo",), ("Bergen",), ("Moss",), ("Bergen",)]


def test_a_file_that_goes_back_to_what_it_was_has_the_last_word(source: Path, landing: Path) -> None:
    for number, city in enumerate(["Oslo", "Moss", "Oslo", "Oslo"]):
        write(source, customers_csv=f"customer_id,city\n1,{city}\n")
        land_folder(source, landing, NIGHT + timedelta(days=number))
    assert landed(landing, "customers", "city") == [("Oslo",), ("Moss",), ("Oslo",)]


def test_old_content_under_a_new_name_does_not_undo_a_correction(source: Path, landing: Path) -> None:
    """Files that move down a row of names, as log files do."""
    (source / "customers.csv").unlink()
    (source / "customers").mkdir()
    for number, contents in enumerate([["first"], ["second", "first"], ["third", "second", "first"]]):
        for position, city in enumerate(contents):
            (source / "customers" / f"{position}.csv").write_text(f"customer_id,city\n1,{city}\n")
        land_folder(source, landing, NIGHT + timedelta(days=number))
    assert landed(landing, "customers", "city") == [("first",), ("second",), ("third",)]


def test_another_business_timezone_reads_the_files_again_in_their_old_order(source: Path, landing: Path) -> None:
    (source / "source.yml").write_text("name: shop")
    (source / "customers").mkdir()
    (source / "customers" / "b.csv").write_text("customer_id,signed_up_at\n9,2023-06-01\n")
    land_folder(source, landing)
    (source / "customers" / "a.csv").write_text("customer_id,signed_up_at\n9,2023-06-02\n")
    land_folder(source, landing, LATER)
    (source / "source.yml").write_text("name: shop\nbusiness_timezone: America/New_York")
    land_folder(source, landing, LATER + timedelta(days=1))
    rows = [row for row in landed(landing, "customers", "customer_id, signed_up_at") if row[0] == "9"]
    assert [moment for _, moment in rows] == [
        datetime(2023, 6, 1),
        datetime(2023, 6, 2),
        datetime(2023, 6, 1, 4),
        datetime(2023, 6, 2, 4),
    ]
    assert land_folder(source, landing, LATER + timedelta(days=2)).new_batches == ()


# -- whole or not at all -----------------------------------------------------------------------------------------------------------


def crash_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Make the given renaming of a batch fail, as a machine that stops there would."""
    rename = Path.replace
    calls = itertools.count(1)

    def stop(path: Path, target: Path) -> Path:
        if path.is_dir() and next(calls) >= call:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", stop)


@pytest.mark.parametrize("call", [1, 2, 4, 9])
def test_a_crash_between_batches_leaves_whole_batches_and_the_next_night_the_rest(
    source: Path, landing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    write(source, stores_csv="store_id\n1\n")
    with monkeypatch.context() as broken:
        crash_at(broken, call)
        with pytest.raises(KeyboardInterrupt):
            land_folder(source, landing)
    for folder in landing.glob("*/batch=*"):
        assert {path.name for path in folder.iterdir()} == {"rows.parquet", "_manifest.json"}
    land_folder(source, landing, LATER)
    land_folder(source, tmp_path / "undisturbed", LATER)
    for table in read_contract().tables:
        columns = "* exclude (loaded_at, batch)"
        assert landed(landing, table, columns) == landed(tmp_path / "undisturbed", table, columns)
    assert not (landing / "_incoming").exists()


def test_what_a_killed_landing_left_is_cleaned_up(source: Path, landing: Path) -> None:
    half = landing / "_incoming" / "customers" / "batch=x"
    half.mkdir(parents=True)
    (half / "rows.parquet").write_bytes(b"half")
    land_folder(source, landing)
    assert not (landing / "_incoming").exists()
    assert len(landed(landing, "customers")) == 2


def test_one_bad_file_keeps_all_of_them_out(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    before = tree(landing)
    write(source, customers_csv=CUSTOMERS + "3,Hamar\n", stores_csv="name\nx\n")
    with pytest.raises(UnusableInput, match=r"stores\.csv has no column store_id, which stores requires; add it"):
        land_folder(source, landing, LATER)
    assert tree(landing) == before


def test_a_file_that_fails_while_it_is_read_keeps_all_of_them_out(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    before = tree(landing)
    write(source, customers_csv=CUSTOMERS + "3,Hamar\n")
    file = write_parquet(source / "stores.parquet", "select 'store ' || i as store_id from range(100000) as numbers(i)")
    content = bytearray(file.read_bytes())
    content[1000:5000] = b"\x00" * 4000
    file.write_bytes(content)
    with pytest.raises(UnusableInput, match=r"stores\.parquet cannot be landed"):
        land_folder(source, landing, LATER)
    assert tree(landing) == before


def test_a_file_that_changes_while_it_is_landed_is_refused(source: Path, landing: Path) -> None:
    def meddle(what: str, done: int, total: int) -> None:
        if what == "landing transactions.csv":
            (source / "customers.csv").write_text(CUSTOMERS + "3,Hamar\n")

    with pytest.raises(UnusableInput, match=r"customers\.csv changed while it was being landed; run again"):
        land(resolve_source(source), landing, NIGHT, meddle)
    assert not list(landing.glob("customers/*"))


def test_two_landings_at_once_are_refused(source: Path, landing: Path) -> None:
    def second(what: str, done: int, total: int) -> None:
        with pytest.raises(UnusableInput, match="is being landed into by another run"):
            land_folder(source, landing)

    land(resolve_source(source), landing, NIGHT, second)
    assert len(landed(landing, "customers")) == 2


def test_a_manifest_that_cannot_be_read_is_named(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    (manifest,) = (path for path in landing.glob("customers/*/_manifest.json") if "contract" not in str(path))
    manifest.write_text("{")
    with pytest.raises(UnusableInput, match=r"_manifest\.json cannot be read .*; restore this batch from a backup"):
        land_folder(source, landing)


def test_batches_that_cannot_be_read_are_found(source: Path, landing: Path) -> None:
    land_folder(source, landing)
    write(source, customers_csv=CUSTOMERS + "3,Hamar\n")
    land_folder(source, landing, LATER)
    assert damaged_batches(landing, "customers") == []
    batch = sorted(landing.glob("customers/batch=2*/rows.parquet"))[1]
    content = bytearray(batch.read_bytes())
    content[4:60] = b"\xff" * 56
    batch.write_bytes(content)
    assert damaged_batches(landing, "customers") == [batch]


def test_a_new_column_of_the_contract_reaches_old_batches_as_null(source: Path, landing: Path) -> None:
    contract = read_contract()
    stores = contract.tables["stores"]
    shorter = type(contract)({**contract.tables, "stores": type(stores)("stores", False, stores.columns[:-1])})
    write(source, stores_csv="store_id,climate\n1,mild\n")
    land(resolve_source(source), landing, NIGHT, contract=shorter)
    write(source, stores_csv="store_id,climate\n1,wet\n")
    land(resolve_source(source), landing, LATER)
    assert landed(landing, "stores", "store_id, climate") == [("1", None), ("1", "wet")]


# -- refused before anything is written --------------------------------------------------------------------------------------------


def refused(folder: Path, landing: Path) -> str:
    with pytest.raises(UnusableInput) as error:
        land_folder(folder, landing)
    assert not landing.exists()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_table_is_named_with_the_fix(source: Path, landing: Path) -> None:
    (source / "customers.csv").unlink()
    assert refused(source, landing) == f"{source} has no file for the required table customers; add customers.parquet or customers.csv"
    (source / "Customers.csv").write_text(CUSTOMERS)
    assert refused(source, landing).endswith("add customers.parquet or customers.csv (Customers.csv looks like it: rename it)")


def test_a_missing_column_is_named_with_the_fix(source: Path, landing: Path) -> None:
    write(source, transactions_csv="order_id,line_id,customer_id,order_at,amount\n")
    file = source / "transactions.csv"
    assert refused(source, landing) == f"{file} has no column ordered_at, which transactions requires; rename its column order_at"
    write(source, transactions_csv="order_id,line_id,customer_id,ordered_at,total\n")
    assert refused(source, landing) == f"{file} has no column amount, which transactions requires; add it"


def test_every_file_of_a_table_needs_the_required_columns(source: Path, landing: Path) -> None:
    write_parquet(source / "customers" / "more.parquet", "select 'Oslo' as city")
    assert refused(source, landing) == f"{source}/customers/more.parquet has no column customer_id, which customers requires; add it"


def test_more_than_one_problem_is_counted_and_all_are_listed(source: Path, landing: Path) -> None:
    write(source, customers_csv="city\n", stores_csv="", products_parquet=b"PAR1")
    message = refused(source, landing)
    assert message.endswith("requires; add it (and 2 more: `segments check` lists them)")
    problems = inspect_source(resolve_source(source)).problems
    assert len(problems) == 3
    assert "products.parquet cannot be read as Parquet" in problems[1]
    assert "stores.csv is empty" in problems[2]


def test_files_that_are_not_like_the_others_are_named_together(source: Path, landing: Path) -> None:
    stores = source / "stores"
    stores.mkdir()
    (stores / "a.csv").write_text("store_id,city,note\n1,Oslo,x\n")
    assert land_folder(source, landing).tables[-1].column_differences == ()
    for name in "bcdef":
        (stores / f"{name}.csv").write_text(f"store_id,town,note\n{name},Oslo,x\n")
    (stores / "g.csv").write_text("store_id,city,note,region\ng,Oslo,x,south\n")
    (report,) = (table for table in inspect_source(resolve_source(source)).tables if table.table == "stores")
    assert report.columns_ignored == ("note",)
    assert "climate" in report.columns_missing and not {"city", "region"} & set(report.columns_missing)
    told = [
        "stores/a.csv: without region",
        "stores/b.csv, stores/c.csv, stores/d.csv and 2 more: without city, region; not in the contract, so not landed: town",
    ]
    assert list(map(str, report.column_differences)) == told
    # A night tells of them when they are new.
    (landed_stores,) = (table for table in land_folder(source, landing, LATER).tables if table.table == "stores")
    assert list(map(str, landed_stores.column_differences)) == told[1:]


def test_columns_that_differ_in_case_only_are_refused(source: Path, landing: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"store_id": ["1"], "City": ["a"], "city": ["b"]}), source / "stores.parquet")
    assert "stores.parquet names the column city twice" in refused(source, landing)


def test_a_source_is_seen_before_it_is_landed(source: Path) -> None:
    write(source, customers_csv="Customer_ID,town\n1,Oslo\n", market_csv="x\n")
    write_parquet(source / "stores.parquet", "select 1 as store_id, 'x' as name from range(7)")
    report = inspect_source(resolve_source(source))
    assert report.problems == ()
    customers, _, _, stores = report.tables[:4]
    assert (customers.is_present, customers.is_required, customers.inputs[0].columns_ignored) == (True, True, ("town",))
    assert customers.inputs[0].columns_missing == tuple(
        name for name in read_contract().tables["customers"].column_names if name != "customer_id"
    )
    assert (stores.inputs[0].file, stores.inputs[0].rows, stores.inputs[0].columns_ignored) == ("stores.parquet", 7, ("name",))
    assert report.files_ignored == (("market.csv", "market is not a table of the raw contract"),)
    assert "products" in report.absent_tables


# -- types -------------------------------------------------------------------------------------------------------------------------


def read_values(tmp_path: Path, table: str, column: str, select: str, zone: str = "UTC") -> list[tuple[Any, str | None]]:
    """Land one column of a Parquet file; returns each value with the names of what could not be read."""
    others = [name for name in read_contract().tables[table].required_columns if name != column]
    filled = [f"{'current_timestamp' if name == 'ordered_at' else 1} as {name}" for name in others]
    folder = write(tmp_path / "source")
    (folder / "source.yml").write_text(f"name: shop\nbusiness_timezone: {zone}")
    (folder / f"{table}.csv").unlink(missing_ok=True)
    write_parquet(folder / f"{table}.parquet", f"select {', '.join([*filled, f'value as {column}'])} from ({select}) as given(value)")
    land_folder(folder, tmp_path / "landing", contract=contract_of(table))
    return landed(tmp_path / "landing", table, f"{column}, unreadable_columns")


def values(*expressions: str) -> str:
    return "values " + ", ".join(f"({expression})" for expression in expressions)


def test_amounts_in_every_type(tmp_path: Path) -> None:
    cases: dict[str, list[Decimal | None]] = {
        "1": [Decimal("1.00")],
        "1.005::double": [Decimal("1.01")],
        "-1.005::double": [Decimal("-1.01")],
        "2.675::double": [Decimal("2.68")],
        "19.99::float": [Decimal("19.99")],
        "1.004::decimal(9,3)": [Decimal("1.00")],
        "-1.005::decimal(9,3)": [Decimal("-1.01")],
        "170141183460469231731687303715884105727::hugeint": [None],
        "'nan'::double": [None],
        "'-inf'::float": [None],
        "1e300::double": [None],
        "true": [None],
        "date '2023-01-01'": [None],
        "[1.5]": [None],
    }
    for number, (expression, expected) in enumerate(cases.items()):
        got = read_values(tmp_path / str(number), "transactions", "amount", values(expression))
        assert got == [(expected[0], None if expected[0] is not None else "amount")], expression


def test_amounts_as_text(tmp_path: Path) -> None:
    texts = [
        "12.5",
        " 12.50 ",
        "1.005",
        "-1.005",
        "1e3",
        "+5",
        "-0",
        "",
        "  ",
        "nan",
        "inf",
        "1,234.50",
        "12,50",
        "$5",
        "0x10",
        "1e30",
        "٣",
    ]
    got = read_values(tmp_path, "transactions", "amount", values(*(f"'{text}'" for text in texts)))
    read = ["12.50", "12.50", "1.01", "-1.01", "1000.00", "5.00", "0.00"]
    assert got == [(Decimal(text), None) for text in read] + [(None, None)] * 2 + [(None, "amount")] * 8


def test_quantities_keep_three_places(tmp_path: Path) -> None:
    assert read_values(tmp_path, "transactions", "quantity", values("0.4535", "1")) == [(Decimal("0.454"), None), (Decimal("1.000"), None)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("timestamp '2023-06-01 10:00:00.123456'", datetime(2023, 6, 1, 10, 0, 0, 123456)),
        ("timestamp_s '2023-06-01 10:00:00'", datetime(2023, 6, 1, 10)),
        ("timestamp_ms '2023-06-01 10:00:00.5'", datetime(2023, 6, 1, 10, 0, 0, 500000)),
        ("timestamp_ns '2023-06-01 10:00:00.123456789'", datetime(2023, 6, 1, 10, 0, 0, 123456)),
        ("timestamptz '2023-06-01 10:00:00+02'", datetime(2023, 6, 1, 8)),
        ("date '2023-06-01'", datetime(2023, 6, 1, 4)),
        ("'2023-06-01'", datetime(2023, 6, 1, 4)),
        ("'2023-01-01'", datetime(2023, 1, 1, 5)),
        ("'2023-06-01 00:00:00'", datetime(2023, 6, 1)),
        ("' 2023-06-01T10:00:00Z '", datetime(2023, 6, 1, 10)),
        ("'2023-06-01 10:00:00+02:00'", datetime(2023, 6, 1, 8)),
        ("'2023-06-01T10:00:00.5-0530'", datetime(2023, 6, 1, 15, 30, 0, 500000)),
        ("'2023-06-01 10:00 Europe/Oslo'", datetime(2023, 6, 1, 8)),
        ("''", None),
        ("null::varchar", None),
    ],
)
def test_timestamps_become_utc(tmp_path: Path, expression: str, expected: datetime | None) -> None:
    got = read_values(tmp_path, "transactions", "ordered_at", values(expression), zone="America/New_York")
    assert got == [(expected, None)]


def test_timestamps_that_cannot_be_read(tmp_path: Path) -> None:
    texts = [
        "2023-02-30",
        "01/02/2023",
        "20230601",
        "1685613600",
        "yesterday",
        "epoch",
        "infinity",
        "23-06-01",
        "99999-01-01",
        "0044-01-01 (BC)",
    ]
    got = read_values(tmp_path, "transactions", "ordered_at", values(*(f"'{text}'" for text in texts)), zone="America/New_York")
    assert got == [(None, "ordered_at")] * len(texts)
    for number, expression in enumerate(
        ["1685613600", "1.5::double", "'infinity'::timestamp", "'-infinity'::timestamptz", "date '0001-01-01'", "true", "[1]"]
    ):
        assert read_values(tmp_path / str(number), "transactions", "ordered_at", values(expression)) == [(None, "ordered_at")], expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("date '1980-05-17'", date(1980, 5, 17)),
        ("timestamp '1980-05-17 00:00:00'", date(1980, 5, 17)),
        ("timestamptz '1980-05-17 02:00:00+00'", date(1980, 5, 16)),
        ("'1980-05-17'", date(1980, 5, 17)),
        ("'1980-05-17 00:00:00'", date(1980, 5, 17)),
        ("'1980-05-17T02:00:00Z'", date(1980, 5, 16)),
        ("'1980-05-17 00:00:00+02'", date(1980, 5, 16)),
    ],
)
def test_dates_are_the_day_that_is_written(tmp_path: Path, expression: str, expected: date) -> None:
    assert read_values(tmp_path, "customers", "birth_date", values(expression), zone="America/New_York") == [(expected, None)]


def test_dates_that_cannot_be_read(tmp_path: Path) -> None:
    texts = ["1980-13-01", "17.05.1980", "80-05-17", "1980", "epoch", "1980-05-17 10:00:00 PM", "1980-05-17 nonsense"]
    got = read_values(tmp_path, "customers", "birth_date", values(*(f"'{text}'" for text in texts)))
    assert got == [(None, "birth_date")] * len(texts)


def test_flags(tmp_path: Path) -> None:
    texts = {
        "true": True,
        "FALSE": False,
        "t": True,
        "F": False,
        "yes": True,
        " No ": False,
        "y": True,
        "n": False,
        "1": True,
        "0": False,
        "": None,
    }
    got = read_values(tmp_path / "text", "products", "is_private_label", values(*(f"'{text}'" for text in texts)))
    assert got == [(flag, None) for flag in texts.values()]
    got = read_values(tmp_path / "words", "products", "is_private_label", values("'2'", "'on'", "'maybe'"))
    assert got == [(None, "is_private_label")] * 3
    assert read_values(tmp_path / "integers", "products", "is_private_label", values("1", "0", "2", "null")) == [
        (True, None),
        (False, None),
        (None, "is_private_label"),
        (None, None),
    ]
    assert read_values(tmp_path / "flags", "products", "is_private_label", values("true", "null")) == [(True, None), (None, None)]
    assert read_values(tmp_path / "floats", "products", "is_private_label", values("1.0::double", "0.5::double")) == [
        (True, None),
        (None, "is_private_label"),
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("12", "12"),
        ("12.0::double", "12"),
        ("-12.0::float", "-12"),
        ("123456789012.0::double", "123456789012"),
        ("12.5::double", "12.5"),
        ("'nan'::double", None),
        ("12.00::decimal(9,2)", "12"),
        ("12.50::decimal(9,2)", "12.50"),
        ("12345678901234567890123456789012345678::decimal(38,0)", "12345678901234567890123456789012345678"),
        ("' a b '", "a b"),
        ("'   '", None),
        ("chr(9) || 'a' || chr(10)", "a"),
        ("'12.0'", "12.0"),
        ("'007'", "007"),
        ("true", "true"),
        ("date '2023-01-01'", "2023-01-01"),
        ("['a', 'b']", '["a","b"]'),
        ("{'k': 1}", '{"k":1}'),
        ("'x'::enum('x', 'y')", "x"),
        ("'a''b'::blob", "a'b"),
        ("uuid '00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_text_of_every_type(tmp_path: Path, expression: str, expected: str | None) -> None:
    assert read_values(tmp_path, "customers", "customer_id", values(expression)) == [(expected, None)]


def test_an_infinite_number_is_no_name(tmp_path: Path) -> None:
    assert read_values(tmp_path, "customers", "home_store_id", values("'inf'::double")) == [(None, "home_store_id")]


def test_the_whole_row_is_kept_when_something_in_it_cannot_be_read(source: Path, landing: Path) -> None:
    content = 'order_id,line_id,customer_id,ordered_at,amount,note\n1,1,1,soon,much,"a ""b"""\n2,1,1,2023-01-01,5,x\n'
    write(source, transactions_csv=content)
    land_folder(source, landing)
    (bad, good) = landed(landing, "transactions", "order_id, ordered_at, amount, unreadable_columns, row_as_it_came")
    assert bad[:4] == ("1", None, None, "ordered_at,amount")
    assert json.loads(bad[4]) == {
        "order_id": "1",
        "line_id": "1",
        "customer_id": "1",
        "ordered_at": "soon",
        "amount": "much",
        "note": 'a "b"',
    }
    assert good == ("2", datetime(2023, 1, 1), Decimal("5.00"), None, None)


def test_a_number_that_json_cannot_write_is_kept_as_text(tmp_path: Path) -> None:
    read_values(tmp_path, "transactions", "amount", values("'nan'::double"))
    ((text,),) = landed(tmp_path / "landing", "transactions", "row_as_it_came")
    assert json.loads(text)["amount"] == "nan"


# -- Parquet -----------------------------------------------------------------------------------------------------------------------


def test_rows_keep_their_position_in_a_file_of_many_row_groups(source: Path, landing: Path) -> None:
    (source / "customers.csv").unlink()
    write_parquet(source / "customers.parquet", "select i as customer_id from range(400000) as numbers(i)")
    report = land_folder(source, landing)
    assert report.tables[0].rows_landed == 400_000
    assert landed(landing, "customers", "customer_id, source_row")[::99_999] == [(str(i), i + 1) for i in range(0, 400_000, 99_999)]


def test_a_column_that_is_called_like_one_of_the_engine_does_not_disturb(source: Path, landing: Path) -> None:
    (source / "customers.csv").unlink()
    write_parquet(
        source / "customers.parquet",
        "select 'a' as customer_id, 7 as file_row_number, 'x' as filename, 'y' as \"c0\", 'z' as source_row, 'w' as unreadable",
    )
    land_folder(source, landing)
    assert landed(landing, "customers", "customer_id, source_row, source_file") == [("a", 1, "customers.parquet")]


def test_folders_called_like_partitions_add_no_columns(source: Path, landing: Path) -> None:
    write_parquet(source / "stores" / "city=Oslo" / "part-0.parquet", "select 1 as store_id")
    land_folder(source, landing)
    assert landed(landing, "stores", "store_id, city, source_file") == [("1", None, "stores/city=Oslo/part-0.parquet")]


@pytest.mark.parametrize("name", ["it's", 'a "quoted" one', "a[1]*?", "ünï", "{x}", "semi;colon", "{{ source }}"])
def test_paths_with_every_kind_of_character(tmp_path: Path, name: str) -> None:
    source = write(tmp_path / name / "source")
    (source / "stores").mkdir()
    (source / "stores" / f"{name}.csv").write_text("store_id,city\n1,Oslo\n")
    write_parquet(source / "products" / f"{name}.parquet", "select 1 as product_id")
    land_folder(source, tmp_path / name / "landing")
    (batch,) = read_batches_landed(tmp_path / name / "landing", "stores")
    assert (batch.source_file, batch.rows) == (f"stores/{name}.csv", 1)
    assert len(read_batches_landed(tmp_path / name / "landing", "products")) == 1


# -- mappings ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    folder = tmp_path / "mapping"
    folder.mkdir()
    write_parquet(tmp_path / "exports" / "sales" / "1.parquet", "select 1 as receipt, 'c1' as who, date '2023-06-01' as day, 9.5 as total")
    (tmp_path / "exports" / "people.csv").write_text("who,town\nc1,Oslo\n")
    (folder / "source.yml").write_text("folder: ../exports\nbusiness_timezone: America/New_York\n")
    (folder / "customers.sql").write_text("select who as customer_id, town as city from '{{ source }}/people.csv'")
    (folder / "transactions.sql").write_text(
        "-- One receipt is one line.\n"
        "select total as amount, receipt as order_id, 1 as line_id, who as customer_id, day as ordered_at\n"
        "from '{{source}}/sales/*.parquet' -- every month\norder by receipt;\n"
    )
    return folder


def test_a_mapping_fills_the_contract(mapping: Path, landing: Path) -> None:
    report = land_folder(mapping, landing)
    assert [table.table for table in report.tables if table.is_present] == ["customers", "transactions"]
    assert landed(landing, "transactions", "order_id, line_id, customer_id, ordered_at, amount, source_file, source_row") == [
        ("1", "1", "c1", datetime(2023, 6, 1, 4), Decimal("9.50"), "transactions.sql", 1)
    ]


def changed_tables(report: LandingReport) -> list[str]:
    return [batch.table for batch in report.new_batches]


def test_a_mapping_lands_again_when_its_result_may_have_changed(mapping: Path, landing: Path, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    assert changed_tables(land_folder(mapping, landing)) == ["customers", "transactions"]
    assert changed_tables(land_folder(mapping, landing)) == []
    # Files that no query reads, and other names for the same content, change nothing.
    (exports / "other.csv").write_text("x\n1\n")
    (exports / "sales" / "1.parquet").rename(exports / "sales" / "01.parquet")
    assert changed_tables(land_folder(mapping, landing)) == []
    write_parquet(exports / "sales" / "2.parquet", "select 2 as receipt, 'c1' as who, date '2023-06-02' as day, 1 as total")
    assert changed_tables(land_folder(mapping, landing)) == ["transactions"]
    with (mapping / "customers.sql").open("a") as file:
        file.write("\nwhere who is not null")
    assert changed_tables(land_folder(mapping, landing)) == ["customers"]
    (mapping / "source.yml").write_text("folder: ../exports\nbusiness_timezone: UTC\n")
    assert changed_tables(land_folder(mapping, landing)) == ["customers", "transactions"]


def test_a_path_that_is_put_together_counts_for_every_file(mapping: Path, landing: Path, tmp_path: Path) -> None:
    (mapping / "customers.sql").write_text("select who as customer_id from read_csv('{{ source }}/' || 'people' || '.csv')")
    land_folder(mapping, landing)
    (tmp_path / "exports" / "people.csv").write_text("who,town\nc2,Oslo\n")
    assert changed_tables(land_folder(mapping, landing)) == ["customers"]


def test_a_mapping_can_land_each_file_by_itself(mapping: Path, landing: Path, tmp_path: Path) -> None:
    sales = tmp_path / "exports" / "sales"
    sql = (mapping / "transactions.sql").read_text()
    (mapping / "transactions.sql").write_text(sql.replace("{{source}}", "{{ each_file_in_source }}"))
    write_parquet(sales / "it's 2.parquet", "select 2 as receipt, 'c1' as who, date '2023-06-02' as day, 1 as total")
    assert changed_tables(land_folder(mapping, landing)) == ["customers", "transactions", "transactions"]
    write_parquet(sales / "3.parquet", "select 3 as receipt, 'c1' as who, date '2023-06-03' as day, 1 as total")
    (sales / "1.parquet").rename(sales / "01.parquet")
    report = land_folder(mapping, landing)
    assert [(batch.source_file, batch.rows) for batch in report.new_batches] == [("transactions.sql (sales/3.parquet)", 1)]
    assert landed(landing, "transactions", "order_id, source_file, source_row") == [
        ("1", "transactions.sql (sales/1.parquet)", 1),
        ("2", "transactions.sql (sales/it's 2.parquet)", 1),
        ("3", "transactions.sql (sales/3.parquet)", 1),
    ]


@pytest.mark.parametrize("manifests_tell_the_content", [True, False])
@pytest.mark.parametrize("change", ["business_timezone", "query"])
def test_another_query_or_timezone_reads_each_file_again_in_the_old_order(
    mapping: Path, landing: Path, tmp_path: Path, change: str, manifests_tell_the_content: bool
) -> None:
    sales = tmp_path / "exports" / "sales"
    query = mapping / "transactions.sql"
    query.write_text(query.read_text().replace("{{source}}", "{{ each_file_in_source }}"))
    sale = "select 1 as receipt, 'c1' as who, date '2023-06-01' as day"
    (sales / "1.parquet").unlink()
    for number, (name, total) in enumerate([("c", 1), ("b", 2), ("a", 3)]):
        write_parquet(sales / f"{name}.parquet", f"{sale}, {total} as total")
        land_folder(mapping, landing, NIGHT + timedelta(days=number))
    for manifest in landing.glob("transactions/*/_manifest.json"):
        if not manifests_tell_the_content:
            written = json.loads(manifest.read_text())
            del written["each_file_sha256"]
            manifest.write_text(json.dumps(written))
    if change == "query":
        query.write_text("-- A comment.\n" + query.read_text())
    else:
        (mapping / "source.yml").write_text("folder: ../exports\nbusiness_timezone: UTC\n")
    if manifests_tell_the_content:
        (sales / "c.parquet").rename(sales / "0.parquet")
    # A file whose content is new comes last, whatever the content was that came by its name.
    write_parquet(sales / "d.parquet", f"{sale}, 4 as total")
    assert len(land_folder(mapping, landing, LATER + timedelta(days=9)).new_batches) == (4 if change == "query" else 5)
    assert [int(amount) for (amount,) in landed(landing, "transactions", "amount")] == [1, 2, 3, 1, 2, 3, 4]
    if manifests_tell_the_content:
        write_parquet(sales / "b.parquet", f"{sale}, 5 as total")
        query.write_text("-- Another comment.\n" + query.read_text())
        land_folder(mapping, landing, LATER + timedelta(days=10))
        assert [int(amount) for (amount,) in landed(landing, "transactions", "amount")][7:] == [1, 3, 4, 5]


def test_the_business_timezone_can_be_used_in_a_mapping(mapping: Path, landing: Path) -> None:
    (mapping / "customers.sql").write_text("select who as customer_id, '{{ business_timezone }}' as city from '{{ source }}/people.csv'")
    land_folder(mapping, landing)
    assert landed(landing, "customers", "city") == [("America/New_York",)]


def test_a_value_of_a_mapping_that_cannot_be_read_is_kept(mapping: Path, landing: Path) -> None:
    (mapping / "customers.sql").write_text("select who as customer_id, town as birth_date from '{{ source }}/people.csv'")
    land_folder(mapping, landing)
    assert landed(landing, "customers", "birth_date, unreadable_columns, row_as_it_came") == [
        (None, "birth_date", '{"customer_id":"c1","birth_date":"Oslo"}')
    ]


@pytest.mark.parametrize(
    ("name", "sql", "message"),
    [
        ("customers", "select 1 as customer_id, 'x' as citty", r"customers\.sql: customers has no column citty; did you mean city\?"),
        ("customers", "select 1 as customer_id, 'x' as zzz", r"customers\.sql: customers has no column zzz; take it out of the SELECT"),
        ("customers", "select 'x' as city", r"customers\.sql has no column customer_id, which customers requires; add it"),
        ("customers", "select 1 as customer_id, 2 as customer_id", "customers"),
        ("customers", "selec 1", r"customers\.sql does not run: Parser Error"),
        ("customers", "select * from '{{ source }}/nothing.csv'", r"customers\.sql does not run: IO Error: No files found"),
        ("customers", "select * from '{{ folder }}/people.csv'", r"unknown placeholder \{\{ folder \}\}; use \{\{ source \}\}"),
        (
            "customers",
            "select who as customer_id from '{{ each_file_in_source }}/none/*.csv'",
            r"no file matches the literal '/none/\*\.csv'",
        ),
        (
            "customers",
            "select who as customer_id from '{{ each_file_in_source }}/a.csv' union select who from '{{ each_file_in_source }}/b.csv'",
            r"more than one literal starts with \{\{ each_file_in_source \}\}; name the files in one literal",
        ),
        ("customers", "create table x (i int)", r"customers\.sql must be exactly one SELECT"),
        ("customers", "select 1 as customer_id; select 2 as customer_id", r"customers\.sql must be exactly one SELECT"),
        ("customers", "-- nothing yet", r"customers\.sql must be exactly one SELECT"),
        (
            "customers",
            "select cast('x' as integer) as customer_id from '{{ source }}/people.csv'",
            r"customers\.sql cannot be landed: Conversion Error",
        ),
        ("costumers", "select 1", r"costumers is not a table of the raw contract; did you mean customers\?"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(mapping: Path, landing: Path, name: str, sql: str, message: str) -> None:
    (mapping / f"{name}.sql").write_text(sql)
    with pytest.raises(UnusableInput, match=message) as refused_mapping:
        land_folder(mapping, landing)
    assert "\n" not in str(refused_mapping.value)
    assert not list(landing.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("1 as receipt, 'c1' as customer_id, date '2023-06-02' as day", " does not run: Binder Error: .*total"),
        ("1 as receipt, 'c1' as customer_id, date '2023-06-02' as day, 'much' as total", " cannot be landed: Conversion Error: .*much"),
        ("1 as receipt, 'c1' as customer_id, date '2023-06-02' as day, 1 as total, 1 as tax", ": transactions has no column tax"),
        ("1 as receipt, date '2023-06-02' as day, 1 as total", " has no column customer_id, which transactions requires"),
    ],
)
def test_the_file_that_a_query_for_each_file_cannot_use_is_named(
    mapping: Path, landing: Path, tmp_path: Path, columns: str, message: str
) -> None:
    (mapping / "transactions.sql").write_text(
        "select receipt as order_id, 1 as line_id, day as ordered_at, cast(total as double) as amount, * exclude (receipt, day, total)\n"
        "from '{{ each_file_in_source }}/sales/*.parquet'"
    )
    sales = tmp_path / "exports" / "sales"
    write_parquet(sales / "1.parquet", "select 1 as receipt, 'c1' as customer_id, date '2023-06-01' as day, 9.5 as total")
    write_parquet(sales / "2.parquet", f"select {columns}")
    with pytest.raises(UnusableInput, match=rf"/mapping/transactions\.sql \(sales/2\.parquet\){message}"):
        land_folder(mapping, landing)


def test_a_comment_may_follow_the_final_semicolon(mapping: Path, landing: Path) -> None:
    (mapping / "customers.sql").write_text("select 'ü; é' as customer_id -- ü;\n; -- That is all; é\n/* really; */\n")
    land_folder(mapping, landing)
    assert landed(landing, "customers", "customer_id") == [("ü; é",)]


def test_a_mapping_without_a_required_table_is_refused(mapping: Path, landing: Path) -> None:
    (mapping / "transactions.sql").unlink()
    assert refused(mapping, landing) == f"{mapping} has no transactions.sql, and transactions is required; write a SELECT that fills it"
