"""The benchmark's own arithmetic: a retailer that is the same every time, engines that agree, ratios, verdicts, tables."""

import io
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from benchmarks.performance import report, rfm, targets
from benchmarks.performance.measure import Measured, PieceFailed, middle, run_piece, size_of
from benchmarks.performance.pieces import features, rows_that_differ
from benchmarks.performance.retailer import FIRST_DAY, MACROS, SECOND_DAY, files, is_made, link, make, size
from benchmarks.performance.sequence import require_equal
from benchmarks.performance.targets import Judged, Target, judge
from benchmarks.performance.trace import CORRECTIONS, START, Moment, cpu_by_part, parts_of_nodes, watch
from orchestration.progress import Progress

LINES = 3000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    make(folder, size(LINES))
    return folder


@pytest.fixture(scope="module")
def landing(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The history as landing leaves it: with the time of loading and the number of the row."""
    folder = tmp_path_factory.mktemp("landing")
    for file in (shop / "history").rglob("*.parquet"):
        batch = folder / file.parent.name / f"batch={file.stem}" / "rows.parquet"
        batch.parent.mkdir(parents=True)
        loaded_at = f"timestamp '2025-01-01 00:00:00' + interval '{file.stem}' second"
        duckdb.sql(
            f"copy (select *, {loaded_at} as loaded_at, row_number() over () as source_row from '{file}') to '{batch}' (format parquet)"
        )
    return folder


def rows(part: Path, query: str) -> list[tuple[object, ...]]:
    return duckdb.sql(query.format(lines=f"read_parquet('{part}/transactions/*.parquet')")).fetchall()


# --- the retailer ---


def test_the_same_size_gives_the_same_rows(shop: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", size(LINES))
    for file in shop.rglob("*.parquet"):
        again = tmp_path / "again" / file.relative_to(shop)
        assert duckdb.sql(f"from '{file}'").fetchall() == duckdb.sql(f"from '{again}'").fetchall(), file.name


def test_the_history_ends_where_the_delivery_begins(shop: Path) -> None:
    query = "select min(ordered_at)::date, max(ordered_at)::date from {lines}"
    first, last = rows(shop / "history", query)[0]
    assert date(2022, 12, 1) < first < date(2023, 2, 1)  # type: ignore[operator]
    assert last == FIRST_DAY - timedelta(days=1)
    assert rows(shop / "delivery", query)[0][1] < SECOND_DAY  # type: ignore[operator]


def test_a_retailer_is_as_large_as_asked_and_as_disorderly_as_real_ones(tmp_path: Path) -> None:
    make(tmp_path, size(60_000))
    lines, keys, orders, returned, refunds, cancelled, unknown = rows(
        tmp_path / "history",
        """select count(*), count(distinct (order_id, line_id)), count(distinct order_id), count(*) filter (status = 'returned'),
        count(*) filter (amount < 0), count(*) filter (status = 'cancelled'), count(*) filter (customer_id like 'unknown%') from {lines}""",
    )[0]
    assert lines == pytest.approx(60_000, rel=0.02)
    assert lines / orders == pytest.approx(1.8, rel=0.02)  # type: ignore[operator]
    assert 0.003 < (lines - keys) / lines < 0.007  # type: ignore[operator]
    assert returned and refunds and cancelled and unknown
    delivered, late, corrected = rows(
        tmp_path / "delivery",
        f"""select count(*), count(*) filter (ordered_at < '{FIRST_DAY}' and order_id::bigint >= {size(60_000).orders}),
        count(*) filter (order_id::bigint < {size(60_000).orders}) from {{lines}}""",
    )[0]
    assert delivered == pytest.approx(60, abs=25)
    assert late and corrected


def test_more_lines_for_each_customer_leave_as_many_who_seldom_buy(tmp_path: Path) -> None:
    usual, busy = size(20_000), size(100_000_000)
    assert busy.orders / busy.customers == pytest.approx(2 * usual.orders / usual.customers, rel=0.01)
    shares = []
    for name, retailer in (("usual", usual), ("busy", replace(usual, customers=usual.customers // 2, skew=busy.skew))):
        make(tmp_path / name, retailer)
        last_fifth = f"try_cast(customer_id as bigint) >= {retailer.customers * 4 // 5}"
        placed = f"select count(distinct order_id) as orders from {{lines}} where {last_fifth} group by customer_id"
        seldom = rows(tmp_path / name / "history", f"select avg((orders <= 2)::integer) from ({placed})")
        shares.append(seldom[0][0])
    assert shares[1] == pytest.approx(shares[0], abs=0.06)


def test_draws_tell_more_than_a_million_customers_apart() -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS)
        query = "select count(distinct draw(range, 8)), min(draw(range, 8)) >= 0, max(draw(range, 8)) < 1 from range(2000000)"
        assert connection.execute(query).fetchone() == (2_000_000, True, True)


def test_a_corrected_order_is_another_amount_of_the_same_customer_and_time(shop: Path) -> None:
    compared = duckdb.sql(
        f"""select old.customer_id = new.customer_id, old.ordered_at = new.ordered_at, old.amount = new.amount
        from '{shop}/history/transactions/*.parquet' as old
        inner join '{shop}/delivery/transactions/0002_corrected.parquet' as new using (order_id, line_id)"""
    ).fetchall()
    assert compared
    assert set(compared) == {(True, True, False)}


def test_files_of_a_history_are_bounded_and_leave_no_order_out() -> None:
    bounds = files(size(100_000_000))
    assert bounds[0][0] == 0
    assert bounds[-1][1] == size(100_000_000).orders
    assert all(end == following for (_, end), (following, _) in pairwise(bounds))
    assert max(end - first for first, end in bounds) < 8_000_000


def test_kept_data_is_known_and_a_source_is_linked_from_it(shop: Path, tmp_path: Path) -> None:
    assert is_made(shop, size(LINES))
    assert not is_made(shop, size(LINES + 100))
    link(shop / "history", tmp_path / "source")
    link(shop / "delivery", tmp_path / "source")
    names = [file.name for file in sorted((tmp_path / "source" / "customers").iterdir())]
    assert names == ["1_history_0001.parquet", "2_delivery_0001.parquet"]


# --- the opponents ---


def test_engines_agree_about_the_summary_and_with_the_features_by_hand(landing: Path, tmp_path: Path) -> None:
    sums = {engine: summarise(landing, FIRST_DAY) for engine, summarise in rfm.ENGINES.items()}
    require_equal(sums)
    database = tmp_path / "by_hand.duckdb"
    features(str(landing), str(FIRST_DAY), str(database))
    with duckdb.connect(str(database)) as connection:
        customers, days, orders, money = connection.execute(
            """select count(*), sum(recency_days)::bigint, sum(order_count)::bigint, sum(100 * net_amount)::bigint
            from features where order_count > 0"""
        ).fetchall()[0]
    assert sums["duckdb"][:4] == [customers, days, orders, money]


def test_engines_that_disagree_stop_the_benchmark() -> None:
    with pytest.raises(PieceFailed, match=r"polars: \[2\]"):
        require_equal({"duckdb": [1], "polars": [2]})


# --- what is measured ---


def test_a_piece_runs_alone_and_its_cost_is_read(landing: Path) -> None:
    cost = run_piece("scan", {"landing": str(landing)})
    assert cost.found["lines"] == pytest.approx(LINES, rel=0.05)
    assert cost.found["columns"] == 15
    assert cost.cpu > 0
    assert cost.wall > 0
    assert cost.memory > 10_000_000
    assert cost.disk is None


def test_a_piece_that_fails_says_why() -> None:
    with pytest.raises(PieceFailed, match="No files found"):
        run_piece("scan", {"landing": "/nowhere"})


def test_the_middle_run_counts() -> None:
    assert middle([Measured(cpu, 0, 0) for cpu in (3.0, 1.0, 2.0)]).cpu == 2.0
    assert middle([Measured(cpu, 0, 0) for cpu in (3.0, 1.0)]).cpu == 1.0


def test_the_size_of_a_folder_leaves_links_out(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert size_of(tmp_path) == 5


def test_parts_of_a_night_add_up() -> None:
    moments = [
        Moment("stage", "1/7 land raw tables", 4.0),
        Moment("step", "customers", 5.0),
        Moment("finish", "", 5.5),
        Moment("stage", "2/7 build", 6.0),
        Moment("step", "stg_customers", 8.0),
        Moment("step", "not_null_stg_customers", 8.5),
        Moment("finish", "", 9.0),
        Moment("stage", "2/7 build", 9.0, prefix="correction 1 of 1: "),
        Moment("step", "stg_customers", 9.5, prefix="correction 1 of 1: "),
        Moment("finish", "", 9.75, prefix="correction 1 of 1: "),
    ]
    parts = {"stg_customers": "staging", "not_null_stg_customers": "staging tests", "customers": "landing is not a model"}
    spent = cpu_by_part(moments, {name: part for name, part in parts.items() if name != "customers"}, 10.0)
    assert spent == {
        START: 4.5,
        "land raw tables": 1.5,
        "staging": 2.0,
        "staging tests": 0.5,
        "build": 0.5,
        CORRECTIONS: 0.75,
        "end": 0.25,
    }
    assert sum(spent.values()) == 10.0


def test_what_progress_is_told_is_remembered_and_still_told() -> None:
    class Watched(Progress):
        pass

    told = io.StringIO()
    moments = watch(Watched)
    progress = Watched(told)
    progress.stage("1/7 land")
    progress.step("customers", 1, 1)
    progress.finish()
    assert [(moment.kind, moment.what) for moment in moments] == [("stage", "1/7 land"), ("step", "customers"), ("finish", "")]
    assert "1/7 land" in told.getvalue()
    assert moments[0].cpu <= moments[2].cpu


def test_a_test_belongs_to_the_last_layer_that_it_reads() -> None:
    nodes = {
        "seed.s": {"name": "s", "resource_type": "seed", "fqn": ["p", "s"], "depends_on": {"nodes": []}},
        "model.a": {"name": "a", "resource_type": "model", "fqn": ["p", "staging", "a"], "depends_on": {"nodes": []}},
        "model.b": {"name": "b", "resource_type": "model", "fqn": ["p", "features", "b"], "depends_on": {"nodes": ["model.a"]}},
        "test.t": {"name": "t", "resource_type": "test", "fqn": ["p", "t"], "depends_on": {"nodes": ["model.b", "model.a", "seed.s"]}},
    }
    assert parts_of_nodes({"nodes": nodes}) == {"s": "rules", "a": "staging", "b": "features", "t": "features tests"}


def test_rows_that_differ_are_counted_both_ways_with_duplicates(tmp_path: Path) -> None:
    for name, values, more in (("one", "(1), (2), (2)", ""), ("two", "(1), (2), (3)", "create table features.only_here (i integer)")):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema features; create table features.t as from (values {values}) as t (i); {more}")
    found = rows_that_differ(str(tmp_path / "one"), str(tmp_path / "two"), ["features"])
    assert found == {"tables": 2, "rows": 3, "different": {"features.only_here": -1, "features.t": 2}}


# --- what is said about it ---


def measured_run() -> dict[str, Measured]:
    by_part = {START: 1.0, "preparing": 1.0, "land raw tables": 1.0, "audit": 6.0, "publish": 4.0}
    by_part |= {
        "build staging, features": 0.5,
        "build predictions, segments, audiences": 0.5,
        "build history and published tables": 0.0,
        "prediction": 0.0,
    }
    by_part |= dict.fromkeys(("rules", "staging", "intermediate", "features", "segments"), 2.0)
    by_part |= {"features tests": 3.0, "segments tests": 3.0}
    names = ("features by hand", "full build", "later build", "later night", "rfm: models", "rfm: polars", "bare SQL")
    run = {name: Measured(cpu=10.0 * number, wall=5.0, memory=10**9) for number, name in enumerate(names, start=1)}
    return run | {
        "full night": Measured(100.0, 50.0, 3 * 10**9, found={"cpu_by_part": by_part}),
        "later night": Measured(25.0, 5.0, 10**9),
        "correcting night": Measured(60.0, 5.0, 2 * 10**9),
        "night without news": Measured(30.0, 45.0, 10**9),
    }


def test_ratios_are_of_the_right_pieces() -> None:
    values = [one.value for one in judge(measured_run(), rows_that_differ=3)]
    # build / by hand, later build / build, later night / full night, after features
    # (2 + 3 + 6 + 4) / build, rows, models / polars, memory, Dagster and dbt (3 + 5 x 2) / bare, fixed cost.
    assert values == pytest.approx([2.0, 1.5, 0.25, 0.75, 3, 50 / 60, 3.0, 13 / 70, 30.0])


def test_a_night_whose_stage_was_renamed_is_noticed() -> None:
    run = measured_run()
    by_part = {part: cpu for part, cpu in run["full night"].found["cpu_by_part"].items() if not part.startswith("build")}
    with pytest.raises(KeyError):
        targets.up_to_segments(by_part)


@pytest.mark.parametrize(("value", "verdict"), [(1.0, "stretch"), (1.5, "reached"), (2.0, "reached"), (2.01, "not reached")])
def test_a_value_is_judged_by_both_limits(value: float, verdict: str) -> None:
    assert Judged(Target("figure", None, 2.0, 1.0), value).verdict == verdict


def test_nothing_to_divide_by_reaches_no_target() -> None:
    assert Judged(Target("figure", None, 2.0, 1.0), targets.ratio(1.0, 0.0)).verdict == "not reached"


def test_a_table_reads_the_same_in_markdown() -> None:
    sheet = report.verdicts(
        [Judged(Target("peak memory", 1_000_000, 8.0, 4.0, "GB"), 5.256), Judged(Target("rows", None, 0, 0, "rows"), 0)]
    )
    assert sheet.as_markdown().splitlines() == [
        "**Targets**",
        "",
        "| figure | meant at lines | measured | by the clock | at most | stretch |  |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| peak memory | 1,000,000 | 5.26 GB | - | 8 GB | 4 GB | reached |",
        "| rows | any | 0 rows | - | 0 rows | 0 rows | stretch |",
    ]


def test_the_machine_is_described_without_its_name() -> None:
    import socket

    assert "duckdb 2" in report.machine()
    assert socket.gethostname() not in report.machine()


def test_a_section_of_a_document_is_replaced_and_others_stay() -> None:
    document = report.replace_section(report.replace_section("# Title\n", "10 lines", "old"), "20 lines", "other")
    replaced = report.replace_section(document, "10 lines", "new")
    assert "old" not in replaced
    assert replaced.index("new") < replaced.index("other")
    assert report.replace_section(replaced, "10 lines", "old") == document
