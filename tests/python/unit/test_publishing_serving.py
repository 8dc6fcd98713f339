"""What readers get: the tables as they were, documented, ordered, in a file that older clients read."""

from pathlib import Path

import duckdb
import pytest

from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.publishing.builds import build_dir, current_build, prune
from orchestration.publishing.serving import (
    PublishedTable,
    parquet_file,
    publish_build,
    storage_version,
    verify_build,
    write_build,
)
from tests.python.faults.toy_builds import TABLES, audited, contents, pass_audit, publish, served_marker


def test_a_night_is_published(tmp_path: Path) -> None:
    build = publish(tmp_path, "first")
    assert current_build(tmp_path) == build
    assert build.rows == {"rfm_segments": 50, "value_segments": 50, "segment_memberships": 50}
    assert served_marker(tmp_path) == "first"
    assert sorted(contents(tmp_path / "serving")) == [
        "build.json",
        "parquet/rfm_segments/rfm_segments.parquet",
        "parquet/segment_memberships/segment_memberships.parquet",
        "parquet/value_segments/value_segments.parquet",
        "segments.duckdb",
        "verdict.json",
    ]


def test_both_forms_hold_the_rows_of_the_working_database_in_order(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first", rows=5000)
    publish_build(tmp_path, build.id, database, TABLES)
    folder = build_dir(tmp_path, build.id)
    with duckdb.connect(str(database), read_only=True) as connection:
        expected = connection.execute("from segments.rfm_segments order by customer_id").fetchall()
        types = connection.execute("describe segments.rfm_segments").fetchall()
    with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as connection:
        assert connection.execute("from published.rfm_segments").fetchall() == expected
        assert connection.execute("describe published.rfm_segments").fetchall() == types
        tables = connection.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        assert tables == [("published", name) for name in ("rfm_segments", "segment_memberships", "value_segments")]
        assert connection.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)
    with duckdb.connect() as connection:
        assert connection.execute("from read_parquet(?)", [str(parquet_file(folder, "rfm_segments"))]).fetchall() == expected


def with_view(home: Path) -> tuple[Path, list[PublishedTable]]:
    """A build in which one relation is served as a view over another."""
    build, database = audited(home, "first")
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table reporting.wide as select range as customer_id, 'a' || range as rfm, 'b' as needs from range(3)")
        connection.execute(
            """
            create view reporting.long as
            with wide as (select * from warehouse.reporting.wide)
            select customer_id, 'rfm' as segmentation, rfm as segment from wide
            union all select customer_id, 'reporting.needs' as segmentation, needs as segment from wide
            """
        )
    tables = [
        PublishedTable("long", "reporting", "long", "Grain: one row.", {"segment": "The segment."}, is_view=True),
        PublishedTable("wide", "reporting", "wide", order_by=("customer_id",)),
    ]
    publish_build(home, build.id, database, [*TABLES, *tables])
    return build_dir(home, build.id), tables


def test_a_view_is_served_as_one_over_what_is_served(tmp_path: Path) -> None:
    folder, _ = with_view(tmp_path)
    expected = [(n, *rest) for rest in (("rfm", "a"), ("reporting.needs", "b")) for n in range(3)]
    expected = [(n, name, f"a{n}" if name == "rfm" else segment) for n, name, segment in expected]
    with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as connection:
        assert connection.execute("from published.long").fetchall() == expected
        described = connection.execute("select comment from duckdb_views() where view_name = 'long'").fetchall()
        described += connection.execute("select comment from duckdb_columns() where table_name = 'long'").fetchall()
        assert described == [("Grain: one row.",), (None,), (None,), ("The segment.",)]
    with duckdb.connect() as connection:
        assert connection.execute("from read_parquet(?)", [str(parquet_file(folder, "long"))]).fetchall() == expected
        connection.execute(f"attach '{folder / 'segments.duckdb'}' as another_name (read_only)")
        assert connection.execute("from another_name.published.long").fetchall() == expected


def test_what_is_served_on_demand_is_in_the_serving_database_alone(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table reporting.figures as select range as customer_id, range * 2 as seen from range(3)")
        connection.execute(
            "create view reporting.pairs as select a.customer_id, b.seen from reporting.figures as a, reporting.figures as b"
        )
    on_demand = [
        PublishedTable("pairs", "reporting", "pairs", "Grain: one row per pair.", {"seen": "Seen."}, is_view=True, is_on_demand=True),
        PublishedTable("figures", "reporting", "figures", order_by=("customer_id",), is_on_demand=True),
    ]
    published = publish_build(tmp_path, build.id, database, [*on_demand, *TABLES])
    folder = build_dir(tmp_path, build.id)
    assert set(published.rows) == {table.name for table in TABLES}
    assert not parquet_file(folder, "pairs").exists()
    assert not parquet_file(folder, "figures").exists()
    with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as connection:
        present = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'on_demand' order by 1"
        ).fetchall()
        assert present == [("figures",), ("pairs",)]
        assert connection.execute("from on_demand.pairs order by all").fetchall() == [(c, s) for c in range(3) for s in (0, 2, 4)]
        said = connection.execute("select comment from duckdb_columns() where table_name = 'pairs' and comment is not null").fetchall()
        assert said == [("Seen.",)]


def test_a_view_that_reads_what_is_not_served_is_not_published(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    alone = PublishedTable("segment_memberships", "reporting", "memberships", is_view=True)
    with pytest.raises(PublishingFailed, match=r"reporting\.memberships could not be published as segment_memberships"):
        publish_build(tmp_path, build.id, database, [alone])


def test_tables_and_columns_are_documented(tmp_path: Path) -> None:
    publish(tmp_path, "first")
    with duckdb.connect(str(tmp_path / "serving" / "segments.duckdb"), read_only=True) as connection:
        comments = dict(connection.execute("select table_name, comment from duckdb_tables()").fetchall())
        column = connection.execute(
            "select comment from duckdb_columns() where table_name = 'rfm_segments' and column_name = 'customer_id'"
        ).fetchone()
    assert comments == {"rfm_segments": "Grain: one row per customer.", "segment_memberships": "It's a view.", "value_segments": None}
    assert column == ("The customer.",)


def test_older_clients_can_read_the_file(tmp_path: Path) -> None:
    """No 1.x client here: the number in the header is what they look at, 64 is the oldest they know."""
    publish(tmp_path, "first")
    assert storage_version(tmp_path / "serving" / "segments.duckdb") == 64
    today = tmp_path / "today.duckdb"
    with duckdb.connect(str(today)) as connection:
        connection.execute("create table t as select 1 as n")
    assert storage_version(today) != 64
    (tmp_path / "text").write_text("no database, but long enough for a header")
    with pytest.raises(PublishingFailed, match="is not a DuckDB file"):
        storage_version(tmp_path / "text")


def test_the_same_rows_give_the_same_parquet_byte_for_byte(tmp_path: Path) -> None:
    first, second = publish(tmp_path, "same", rows=3000), publish(tmp_path, "same", rows=3000)
    for table in first.rows:
        one, other = (parquet_file(build_dir(tmp_path, build.id), table) for build in (first, second))
        assert one.read_bytes() == other.read_bytes()


def test_an_empty_table_is_published_with_its_columns(tmp_path: Path) -> None:
    publish(tmp_path, "none", rows=0)
    with duckdb.connect() as connection:
        path = str(parquet_file(tmp_path / "serving", "rfm_segments"))
        columns = connection.execute("describe from read_parquet(?)", [path]).fetchall()
    assert [name for name, *_ in columns] == ["customer_id", "marker", "amount"]


def test_names_that_need_quoting(tmp_path: Path) -> None:
    home = tmp_path / "it's a home"
    build, database = audited(home, "first")
    with duckdb.connect(str(database)) as connection:
        connection.execute('create schema "odd schema"')
        connection.execute("""create table "odd schema"."odd ""table\""" as select 1 as "odd 'column" """)
    pass_audit(build_dir(home, build.id), database)
    odd = PublishedTable('a "table"', "odd schema", 'odd "table"', "it's", {"odd 'column": "it's"}, ("odd 'column",))
    assert publish_build(home, build.id, database, [odd]).rows == {'a "table"': 1}


def test_writing_again_starts_over(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    folder = build_dir(tmp_path, build.id)
    write_build(database, folder, TABLES)
    counts = write_build(database, folder, TABLES[:1])
    verify_build(folder, counts)
    assert sorted(path.name for path in (folder / "parquet").iterdir()) == ["rfm_segments"]
    assert sorted(path.name for path in folder.iterdir()) == ["build.json", "parquet", "segments.duckdb", "verdict.json"]


def test_what_is_served_is_never_written_again(tmp_path: Path) -> None:
    build = publish(tmp_path, "first")
    before = contents(tmp_path / "serving")
    with pytest.raises(UnusableInput, match="is being served and is not written again"):
        write_build(tmp_path / "working" / "toy" / "warehouse.duckdb", build_dir(tmp_path, build.id), TABLES)
    assert contents(tmp_path / "serving") == before


def test_the_working_database_is_free_and_unchanged_afterwards(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    before = database.read_bytes()
    publish_build(tmp_path, build.id, database, TABLES)
    assert database.read_bytes() == before
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table later as select 1 as n")


def test_connections_and_swaps_in_one_process(tmp_path: Path) -> None:
    """DuckDB keeps one instance per file and process, but it looks behind the link: a new connection sees the new build at once."""
    path = str(tmp_path / "serving" / "segments.duckdb")

    def marker(connection: duckdb.DuckDBPyConnection) -> str:
        return str(connection.execute("select any_value(marker) from published.rfm_segments").fetchall()[0][0])

    publish(tmp_path, "first")
    with duckdb.connect(path, read_only=True) as old:
        publish(tmp_path, "second")
        with duckdb.connect(path, read_only=True) as new:
            assert (marker(old), marker(new)) == ("first", "second")
            with old.cursor() as of_the_old:
                assert marker(of_the_old) == "first"


def test_a_reader_keeps_its_build_even_when_it_is_pruned(tmp_path: Path) -> None:
    publish(tmp_path, "first", rows=20000)
    with duckdb.connect(str(tmp_path / "serving" / "segments.duckdb"), read_only=True) as reader:
        publish(tmp_path, "second")
        assert len(prune(tmp_path, 1)) == 1
        found = reader.execute("select count(*), min(marker), max(marker) from published.value_segments").fetchall()
    assert found == [(20000, "first", "first")]
