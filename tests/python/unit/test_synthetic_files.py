"""The files of the synthetic retailer: the raw contract, the same bytes for the same seed, and flaws that are counted to the row."""

import csv
import hashlib
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.errors import UnusableInput
from orchestration.synthetic import GenerationReport, generate
from orchestration.synthetic.disorder import RawTable, load_raw_tables

PROJECT = Path(__file__).parents[3]
GENERATE_MODULE = sys.modules["orchestration.synthetic.generate"]
TABLES = load_raw_tables()
IMPOSSIBLE = {
    "customers": "birth_date < '1900-01-01' or annual_income < 0",
    "transactions": (
        "status not in ('completed', 'cancelled', 'returned') or currency != 'EUR' "
        "or (quantity < 0 and amount > 0 and status != 'returned')"
    ),
    "campaigns": "ends_on < starts_on or cost_amount < 0",
    "campaign_contacts": "delivered_at < sent_at - interval 1 day",
    "support_tickets": "first_reply_at < opened_at - interval 1 day or satisfaction_score < 0",
    "referrals": "referred_customer_id = referrer_customer_id",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> GenerationReport:
    return generate(tmp_path_factory.mktemp("made") / "retailer", customers=1500, months=12, seed=3)


def _fingerprints(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.*")}


def _parquet_files(folder: Path, table: str) -> list[Path]:
    return sorted((folder / table).glob("*.parquet"))


def test_every_table_of_the_contract_is_there_with_its_columns_and_types(source: GenerationReport) -> None:
    for name, table in TABLES.items():
        expected = [(column.name, "VARCHAR" if column.data_type == "string" else column.data_type.upper()) for column in table.columns]
        assert _parquet_files(source.folder, name), name
        for path in _parquet_files(source.folder, name):
            described = duckdb.execute(f"describe select * from '{path}'").fetchall()
            assert [(row[0], row[1]) for row in described] == expected, path
        for path in (source.folder / name).glob("*.csv"):
            with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                assert next(csv.reader(file)) == [column.name for column in table.columns], path


def test_nothing_but_tables_truth_and_settings_is_there(source: GenerationReport) -> None:
    assert {path.name for path in source.folder.iterdir()} == {*TABLES, "truth", "source.yml"}
    assert "truth" not in TABLES
    assert [path.name for path in source.folder.parent.iterdir()] == ["retailer"]


def test_big_tables_are_filed_by_quarter_and_corrections_come_last(source: GenerationReport) -> None:
    names = [path.name for path in sorted((source.folder / "transactions").iterdir())]
    assert names == [
        "0001_2025q1.parquet",
        "0002_2025q2.parquet",
        "0003_2025q3.parquet",
        "0004_2025q4.parquet",
        "0005_late_and_corrected.parquet",
        "0006_manual.csv",
    ]
    # Sorted by time, so that readers can skip row groups.
    file = source.folder / "transactions" / names[0]
    assert duckdb.execute(
        f"select count(*) from (select ordered_at < lag(ordered_at) over (order by file_row_number) as is_back "
        f"from read_parquet('{file}', file_row_number = true)) where is_back"
    ).fetchall() == [(0,)]


def test_source_settings_say_what_a_night_must_know(source: GenerationReport) -> None:
    settings = yaml.safe_load((source.folder / "source.yml").read_text(encoding="utf-8"))
    assert settings == {
        "name": "synthetic_1500_customers_12_months_seed_3",
        "business_timezone": "Europe/Berlin",
        "currency": "EUR",
        "holiday_country": "DE",
        "as_of_date": source.as_of_date,
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_retailer(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        generate(tmp_path / name, customers=300, months=6, seed=seed)
    one, same, other = (_fingerprints(tmp_path / name) for name in ("one", "same", "other"))
    assert one == same
    assert one.keys() == other.keys()
    assert one["customers/0001_history.parquet"] != other["customers/0001_history.parquet"]


def test_buckets_change_nothing_about_a_customer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path / "one_bucket", customers=400, months=6)
    monkeypatch.setattr(GENERATE_MODULE, "CUSTOMER_MONTHS_IN_A_BUCKET", 600)
    steps: list[tuple[str, int, int]] = []
    generate(tmp_path / "four_buckets", customers=400, months=6, progress=lambda *step: steps.append(step))
    assert [step for step in steps if step[0].startswith("customers ")] == [
        (f"customers {1 + 100 * number} to {100 + 100 * number}", number + 1, 19) for number in range(4)
    ]
    assert steps[-1][1:] == (19, 19)
    for one in sorted((tmp_path / "one_bucket").rglob("*.parquet")):
        four = tmp_path / "four_buckets" / one.relative_to(tmp_path / "one_bucket")
        assert duckdb.execute(f"from '{one}' except all from '{four}'").fetchall() == [], one
        assert duckdb.execute(f"from '{four}' except all from '{one}'").fetchall() == [], one


def test_history_ends_with_the_last_business_day(source: GenerationReport) -> None:
    for name, table in TABLES.items():
        times = [column.name for column in table.columns if column.data_type == "timestamp"]
        for time in times:
            files = [str(path) for path in _parquet_files(source.folder, name) if "late" not in path.name]
            (last,) = duckdb.execute(f"select max({time}) < timestamp '2025-12-31 23:00:00' from read_parquet(?)", [files]).fetchall()[0]
            assert last is not False, (name, time)


def _as_landed(connection: duckdb.DuckDBPyConnection, folder: Path, table: RawTable) -> None:
    """Every row of every file as text and as its type, in the order of landing: what any careful reader would make of the files."""
    casts = ", ".join(
        f"try_cast(nullif(trim({column.name}), '') as {'varchar' if column.data_type == 'string' else column.data_type}) as {column.name}"
        for column in table.columns
    )
    names = ", ".join(f"cast({column.name} as varchar) as {column.name}" for column in table.columns)
    unreadable = " or ".join(
        f"(nullif(trim({column.name}), '') is not null and try_cast({column.name} as {column.data_type}) is null)"
        for column in table.columns
        if column.data_type != "string"
    )
    texts = " union all ".join(
        f"select {names}, {number} as file_number from '{path}'" for number, path in enumerate(_parquet_files(folder, table.name))
    )
    (by_hand,) = (folder / table.name).glob("*.csv")
    whole_lines = by_hand.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    assert whole_lines[-2:] == ["lost in transmission", "caf\udce9" + "," * (len(table.columns) - 1)]
    rows = list(csv.reader(whole_lines[1:-2]))
    connection.execute(f"create or replace table by_hand ({', '.join(f'{column.name} varchar' for column in table.columns)})")
    if rows:
        connection.executemany(f"insert into by_hand values ({', '.join('?' * len(table.columns))})", rows)
    connection.execute(
        f"""
        create or replace table landed_{table.name} as
        with texts as ({texts} union all by name select *, 1000 as file_number from by_hand)
        select {casts}, {unreadable or "false"} as is_unreadable, file_number
        from texts
        """
    )


def _reason(table: RawTable) -> str:
    required = [column.name for column in table.columns if column.required]
    times = [column.name for column in table.columns if column.required and column.data_type == "timestamp"]
    customer = table.disorder.get("customer", "customer_id")
    checked = customer in {column.name for column in table.columns} and table.name not in ("customers", "erasure_requests")
    return (
        "case when is_unreadable then 'unreadable_value' "
        + " ".join(f"when {name} is null then 'missing_value'" for name in required)
        + " ".join(f" when {name} < timestamp '1970-01-02' then 'impossible_value'" for name in times)
        + f" when {IMPOSSIBLE.get(table.name, 'false')} then 'impossible_value'"
        + (f" when {customer} not in (select customer_id from known) then 'unknown_customer'" if checked else "")
        + " end"
    )


def test_every_unusable_and_superseded_row_is_counted(source: GenerationReport) -> None:
    truth = duckdb.read_parquet(str(source.folder / "truth" / "dirty_rows.parquet"))
    counted = {(row[0], row[1]): row[2] for row in truth.aggregate("table_name, kind, sum(rows)::bigint").fetchall()}
    with duckdb.connect() as connection:
        connection.execute(f"create table known as select customer_id from '{source.folder}/truth/customer_truth.parquet'")
        for name, table in TABLES.items():
            _as_landed(connection, source.folder, table)
            for column in ("status", "channel"):
                if column in {each.name for each in table.columns}:
                    connection.execute(f"update landed_{name} set {column} = lower({column})")
            connection.execute(f"create or replace table judged as select *, {_reason(table)} as reason from landed_{name}")
            found = dict(connection.execute("select reason, count(*) from judged where reason is not null group by reason").fetchall())
            kinds = ("missing_value", "impossible_value", "unknown_customer", "unreadable_value")
            assert found == {kind: counted[name, kind] for kind in kinds if (name, kind) in counted}, name
            (usable, keys) = connection.execute(
                f"select count(*), count(distinct ({', '.join(table.disorder['key'])})) from judged where reason is null"
            ).fetchall()[0]
            broken = counted[name, "broken_line"] + counted[name, "broken_bytes"]
            assert sum(found.values()) + broken == source.unusable_rows[name], name
            assert usable - keys == source.superseded_rows[name], name
            assert usable + source.unusable_rows[name] == source.rows[name], name


def test_every_way_of_spoiling_is_in_every_table_that_can_have_it(source: GenerationReport) -> None:
    planted = duckdb.execute(
        f"select table_name, kind, column_name, rows from '{source.folder}/truth/dirty_rows.parquet' where expected_status = 'quarantined'"
    ).fetchall()
    for name, table in TABLES.items():
        ways = {(way.kind, way.column) for way in table.spoilings} | {("broken_line", None), ("broken_bytes", table.columns[0].name)}
        assert {(kind, column) for planted_name, kind, column, _ in planted if planted_name == name} == ways
    assert min(rows for _, kind, _, rows in planted if not kind.startswith("broken")) == 2


def test_rows_come_late_corrected_doubled_and_untidy(source: GenerationReport) -> None:
    planted = dict(
        duckdb.execute(
            f"select kind, sum(rows) from '{source.folder}/truth/dirty_rows.parquet' where expected_status != 'quarantined' group by kind"
        ).fetchall()
    )
    assert planted.keys() == {"late", "late_by_hand", "first_version", "exact_copy", "untidy"}
    assert 0.002 < planted["late"] / sum(source.rows.values()) < 0.006


@pytest.mark.parametrize(
    ("customers", "months", "seed", "message"),
    [
        (0, 12, 1, "customers is 0; give a number from 1 to 80000000"),
        (10, 121, 1, "months is 121; give a number from 1 to 120"),
        (10, 12, -1, "seed is -1; give a whole number from 0 to 9223372036854775807"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, customers: int, months: int, seed: int, message: str) -> None:
    with pytest.raises(UnusableInput, match=message):
        generate(tmp_path / "retailer", customers, months, seed)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UnusableInput, match=r"is not empty; give another folder, or delete this one first"):
        generate(tmp_path, customers=10, months=1)
    with pytest.raises(UnusableInput, match=r"notes\.txt is a file; give a folder that is absent or empty"):
        generate(tmp_path / "notes.txt", customers=10, months=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("customers", "months"), [(1, 1), (3, 2), (40, 5)])
def test_the_smallest_retailers_have_every_file_that_a_source_needs(tmp_path: Path, customers: int, months: int) -> None:
    report = generate(tmp_path, customers, months)
    assert set(report.rows) == set(TABLES)
    (people,) = duckdb.execute(f"select count(distinct customer_id) from '{tmp_path}/truth/customer_truth.parquet'").fetchall()[0]
    assert people == customers


def test_memory_does_not_grow_with_the_number_of_customers(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; import orchestration.synthetic; "
        "module = sys.modules['orchestration.synthetic.generate']; module.CUSTOMER_MONTHS_IN_A_BUCKET = 9_000; "
        "module.generate(Path(sys.argv[1]), int(sys.argv[2]), 12); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", code, str(tmp_path / str(customers)), str(customers)],
                check=True, capture_output=True, text=True, cwd=PROJECT,
            ).stdout
        )
        for customers in (750, 3_000)
    ]  # fmt: skip
    assert peaks[1] < 1.5 * peaks[0]


@pytest.fixture(scope="module")
def with_audience_campaigns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("made") / "retailer", customers=1500, months=12, seed=3, audience_campaigns=True).folder


def test_campaigns_to_an_audience_come_on_top_and_change_no_other_row(source: GenerationReport, with_audience_campaigns: Path) -> None:
    # Points and permissions are not among them: they follow from orders and contacts. Rows spoilt on purpose are copies of others.
    for table, key in (("transactions", "order_id"), ("campaign_contacts", "contact_id"), ("web_events", "event_id")):
        folders = (source.folder, with_audience_campaigns)
        files = [f"(from read_parquet('{folder}/{table}/*.parquet') where {key} not like 'X%')" for folder in folders]
        assert duckdb.execute(f"from {files[0]} except all from {files[1]}").fetchall() == [], table
    settings = (with_audience_campaigns / "source.yml").read_text(encoding="utf-8")
    assert "segments generate --customers 1500 --months 12 --seed 3 --audience-campaigns" in settings


def test_a_campaign_to_an_audience_contacts_nobody_whom_the_project_holds_out(with_audience_campaigns: Path) -> None:
    folder = with_audience_campaigns
    truth, contacts = f"'{folder}/truth/campaign_assignments.parquet'", f"'{folder}/campaign_contacts/*.parquet'"
    campaigns = f"(select distinct campaign_id from '{folder}/campaigns/*.parquet' where target_audience = 'lapsed_worth_reengaging')"
    side = "if(substring(md5('lapsed_worth_reengaging:' || customer_id), 1, 8) < '19999999', 'control', 'treated')"
    ((chosen, wrong_side, uplifts, orders, control_orders),) = duckdb.execute(
        f"""
        select
            count(*), count(*) filter (where assigned_group <> {side}), list(distinct true_uplift), count(caused_order_id),
            count(caused_order_id) filter (where assigned_group = 'control')
        from {truth} semi join {campaigns} using (campaign_id)
        """
    ).fetchall()
    assert chosen > 500 and wrong_side == 0 and uplifts == [0.15] and control_orders == 0
    assert 0.1 < orders / chosen < 0.17
    ((contacted, others),) = duckdb.execute(
        f"""
        select count(distinct customer_id), count(*) filter (where assigned_group is distinct from 'treated')
        from {contacts} as contacts semi join {campaigns} using (campaign_id) left join {truth} using (campaign_id, customer_id)
        where customer_id in (select customer_id from {truth})
        """
    ).fetchall()
    assert contacted > 200 and others == 0
