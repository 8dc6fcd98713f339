"""PostgreSQL serves what the serving database serves: the same values, whole builds only, and nothing that others built on it breaks."""

import contextlib
import dataclasses
import datetime
import math
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgres
import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner

from orchestration.checkup import check_installation
from orchestration.cli import main
from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.ingest.source import resolve_source
from orchestration.night import NightKeeper, everywhere
from orchestration.progress import Progress
from orchestration.publishing import postgres_load
from orchestration.publishing.assets import build_postgres_asset
from orchestration.publishing.builds import PUBLISHED, Build, build_dir, current_build, start_build, write_build_file
from orchestration.publishing.postgres import (
    URL_VARIABLE,
    PostgresState,
    describe_postgres,
    postgres_url,
    publish_to_postgres,
    read_state,
    serves_the_same,
)
from orchestration.publishing.postgres_load import Change, change_of, load_build, postgres_type, reason, served_build
from orchestration.publishing.summary import describe_builds
from orchestration.settings import Settings
from tests.python.bi.conftest import LOADER_PASSWORD, Mart, make_mart
from tests.python.bi.documentation import blocks, statements
from tests.python.bi.postgres_server import Server, execute, query
from tests.python.bi.values import TYPES
from tests.python.faults.toy_builds import TABLES, publish, served_marker
from tests.python.page.serving import Size, make_serving

PUBLISHINGS = 20
# Nothing listens there.
NOWHERE = "postgresql://segments:s%3Dcret%20word@127.0.0.1:1/warehouse"
STARTED = datetime.datetime(2026, 1, 1, 3, tzinfo=datetime.UTC)


def serving_file(folder: Path, *sql: str) -> Path:
    """A serving database made by statements."""
    path = folder / "serving.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema published")
        for statement in sql:
            connection.execute(statement)
    return path


def a_build(name: str = "build", minute: int = 0, source: str = "toy") -> Build:
    return Build(name, source, datetime.date(2018, 1, 1), "v1", PUBLISHED, STARTED + datetime.timedelta(minutes=minute))


def comparable(value: Any) -> Any:
    """Decimals come from PostgreSQL's driver as texts, and nothing equals NaN."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    return value.astimezone(datetime.UTC) if isinstance(value, datetime.datetime) and value.tzinfo else value


def comparable_rows(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted((tuple(map(comparable, row)) for row in rows), key=repr)


def rows_of_duckdb(path: Path, table: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return comparable_rows(connection.execute(f"from published.{table}").fetchall())


def columns_of(url: str, table: str) -> list[tuple[Any, ...]]:
    return query(
        url,
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
        [f"published.{table}"],
    )


def test_every_type_keeps_its_values(mart: Mart, tmp_path: Path) -> None:
    path = serving_file(tmp_path, TYPES.format(table="published.types"))
    load_build(mart.loader, path, a_build())
    assert comparable_rows(query(mart.loader, "select * from published.types")) == rows_of_duckdb(path, "types")
    assert dict(columns_of(mart.loader, "types")) == {
        "words": "text",
        "flag": "boolean",
        "small": "smallint",
        "ordinary": "integer",
        "big": "bigint",
        "money": "numeric(18,2)",
        "figure": "numeric(18,4)",
        "float": "double precision",
        "day": "date",
        "moment": "timestamp without time zone",
        "instant": "timestamp with time zone",
        "list": "text[]",
        "numbers": "bigint[]",
        "clock": "time without time zone",
    }
    # Also where PostgreSQL itself counts them.
    assert query(mart.loader, "select sum(money)::text, max(cardinality(list)) from published.types") == [("12345.66", 3)]


def test_everything_that_is_published_comes_across(mart: Mart, tmp_path: Path) -> None:
    """Every table of the contracts, with its types; what is served as a view is a table there."""
    path = make_serving(tmp_path / "segments.duckdb", Size(segmentations=3, days=3, customers=60, with_predictions=True, audiences=2))
    with duckdb.connect(str(path)) as connection:
        connection.execute("create view published.a_view as select segmentation, customers from published.segment_sizes")
        connection.execute("comment on view published.a_view is 'Seen.'")
        tables = [name for (name,) in connection.execute("select table_name from information_schema.tables").fetchall()]
    load_build(mart.loader, path, a_build())
    assert query(mart.analyst, "select obj_description('published.a_view'::regclass)") == [("Seen.",)]
    assert len(tables) > 40
    with contextlib.closing(postgres.connect(mart.loader)) as connection, connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"select * from published.{table}")
            assert comparable_rows(cursor.fetchall()) == rows_of_duckdb(path, table), table
    assert query(mart.analyst, "select sum(customers) from published.segment_sizes where as_of_date = '2026-01-01'") == [("180",)]


def test_descriptions_are_comments_in_both(mart: Mart, tmp_path: Path) -> None:
    build = publish(tmp_path, "first")
    publish_to_postgres(tmp_path, build.id)
    in_postgres = query(
        mart.analyst,
        "select relname, obj_description(oid), col_description(oid, 1) from pg_class "
        "where relnamespace = 'published'::regnamespace order by 1",
    )
    assert in_postgres == [
        ("rfm_segments", "Grain: one row per customer.", "The customer."),
        ("segment_memberships", "It's a view.", None),
        ("value_segments", None, None),
    ]
    with duckdb.connect(str(tmp_path / "serving" / "segments.duckdb"), read_only=True) as connection:
        in_duckdb = connection.execute(
            """
            select tables.table_name, tables.comment, columns.comment
            from duckdb_tables() as tables
            inner join duckdb_columns() as columns using (schema_name, table_name)
            where columns.column_index = 1
            order by 1
            """
        ).fetchall()
    assert in_postgres == in_duckdb
    # What a release says otherwise, or no more, is said otherwise.
    with duckdb.connect(str(copy_of(tmp_path, build))) as connection:
        connection.execute(
            "comment on table published.rfm_segments is 'Anew.'; comment on column published.rfm_segments.customer_id is null"
        )
    load_build(mart.loader, copy_of(tmp_path, build, again=False), build)
    assert query(mart.analyst, "select obj_description(oid), col_description(oid, 1) from pg_class where relname = 'rfm_segments'") == [
        ("Anew.", None)
    ]


def copy_of(home: Path, build: Build, *, again: bool = True) -> Path:
    """The serving database of a build, where it may be changed."""
    copy = home / "copy.duckdb"
    if again:
        shutil.copyfile(home / "builds" / build.id / "segments.duckdb", copy)
    return copy


# Each question is about three tables, and one build must answer it: in one statement, in a transaction of several, or through a view.
READER = """
import pathlib, sys, time
import adbc_driver_postgresql.dbapi as postgres
url, stop, kind = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
names = sys.argv[4].split(",")
parts = [f"select marker from published.{name}" for name in names]
one = f"select min(marker), max(marker), count(*) from ({' union all '.join(parts)}) as every"
seen, reads = [], 0
connection = postgres.connect(url, autocommit=kind != "transaction")
while True:
    last = stop.exists()
    if kind == "fresh":
        connection.close()
        connection = postgres.connect(url, autocommit=True)
    with connection.cursor() as cursor:
        if kind == "transaction":
            cursor.execute("set transaction isolation level repeatable read")
            answers = set()
            for name in names:
                cursor.execute(f"select min(marker), max(marker), count(*) from published.{name}")
                answers.add(cursor.fetchone())
            ((low, high, count),) = answers
            count *= len(names)
            connection.commit()
        else:
            cursor.execute("select * from analysis.builds_seen" if kind == "view" else one)
            ((low, high, count),) = cursor.fetchall()
    assert low == high and count == 150, (low, high, count)
    if low not in seen:
        seen.append(low)
        print("saw", low, flush=True)
    reads += 1
    if last:
        break
    time.sleep(0.05)
connection.close()
print("reads", reads)
"""


def make_view(mart: Mart) -> None:
    """A view of an analyst's own, over every table."""
    every = " union all ".join(f"select marker from published.{table.name}" for table in TABLES)
    execute(
        mart.administrator,
        "create schema analysis authorization analyst",
        f"create view analysis.builds_seen as select min(marker), max(marker), count(*) from ({every}) as every",
        "alter view analysis.builds_seen owner to analyst",
    )


def test_readers_see_whole_builds_only_while_20_are_published(mart: Mart, tmp_path: Path) -> None:
    home, stop = tmp_path / "home", tmp_path / "stop"
    publish_to_postgres(home, publish(home, "build-00").id)
    make_view(mart)
    names = ",".join(table.name for table in TABLES)
    kinds = ("fresh", "kept", "transaction", "view")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, mart.analyst, str(stop), kind, names], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for kind in kinds
    ]
    try:
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "saw build-00\n", reader.stderr.read() if reader.stderr else ""
        for number in range(1, PUBLISHINGS + 1):
            if number % 7 == 0:  # as if the release before had no such column: this publishing has to lock the table
                execute(mart.loader, "alter table published.value_segments drop column amount")
            publish_to_postgres(home, publish(home, f"build-{number:02d}").id)
        stop.touch()
        outcomes = [(*reader.communicate(timeout=120), reader.returncode) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
    last = f"build-{PUBLISHINGS:02d}"
    for kind, (out, err, code) in zip(kinds, outcomes, strict=True):
        assert (code, err) == (0, ""), kind
        *lines, reads = out.splitlines()
        seen = [line.removeprefix("saw ") for line in lines]
        assert seen == sorted(seen), f"{kind} went back in time"
        assert seen[-1] == last, f"{kind} never saw the last build"
        assert len(seen) > 2, f"{kind} read too seldom to have read during a publishing"
        assert int(reads.removeprefix("reads ")) > len(seen)
    assert len(columns_of(mart.loader, "value_segments")) == 3
    served = query(mart.analyst, "select build_id, source, as_of_date from segments_publishing.served_build")
    assert served == [(current_build(home).id, "toy", datetime.date(2018, 1, 1))]  # type: ignore[union-attr]


def test_a_reader_does_not_wait_for_a_build_that_is_being_brought_in(mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is written and not yet committed: readers read the build before, and whoever cannot wait has not to."""
    publish_to_postgres(tmp_path, publish(tmp_path, "first").id)
    second = publish(tmp_path, "second")
    read: list[Any] = []
    enter = postgres_load._Loading._enter

    def look(loading: Any) -> None:
        monkeypatch.setattr(postgres_load._Loading, "_enter", enter)
        enter(loading)
        read.append(query(mart.analyst + "?options=-c%20lock_timeout%3D1", "select distinct marker from published.rfm_segments"))
        with pytest.raises(PublishingFailed, match=r"is being loaded by somebody else: build .* was not loaded, try again"):
            load_build(mart.loader, tmp_path / "serving" / "segments.duckdb", second)

    monkeypatch.setattr(postgres_load._Loading, "_enter", look)
    publish_to_postgres(tmp_path, second.id)
    assert read == [[("first",)]]
    assert query(mart.analyst, "select distinct marker from published.rfm_segments") == [("second",)]


def test_what_others_built_on_it_survives(mart: Mart, tmp_path: Path) -> None:
    publish_to_postgres(tmp_path, publish(tmp_path, "first").id)
    make_view(mart)
    execute(mart.administrator, "create index by_customer on published.rfm_segments (customer_id)")
    execute(mart.administrator, "create role auditor login", "grant usage on schema published to auditor")
    execute(mart.administrator, "grant select on published.value_segments to auditor")
    try:
        publish_to_postgres(tmp_path, publish(tmp_path, "second", rows=60).id)
        assert query(mart.analyst, "select * from analysis.builds_seen") == [("second", "second", 180)]
        assert query(mart.loader, "select indisvalid from pg_index where indexrelid = 'published.by_customer'::regclass") == [(True,)]
        assert query(mart.administrator, "select has_table_privilege('auditor', 'published.value_segments', 'select')") == [(True,)]
    finally:
        execute(mart.administrator, "drop owned by auditor", "drop role auditor")


def test_grants_of_the_page_after_the_first_build(postgres_server: Server, tmp_path: Path) -> None:
    """Where nobody thought of readers before the first build."""
    mart = make_mart(postgres_server)
    execute(mart.administrator, "alter default privileges for role segments revoke usage on schemas from analyst")
    execute(mart.administrator, "alter default privileges for role segments revoke select on tables from analyst")
    path = serving_file(tmp_path, "create table published.numbers as select 1 as n")
    load_build(mart.loader, path, a_build())
    with pytest.raises(postgres.Error, match="permission denied"):
        query(mart.analyst, "select n from published.numbers")
    execute(mart.administrator, *statements(blocks("PostgreSQL", "sql")[2]))
    assert query(mart.analyst, "select n from published.numbers") == [(1,)]
    with pytest.raises(postgres.Error, match="permission denied"):
        execute(mart.analyst, "delete from published.numbers")


def test_columns_that_change(mart: Mart, tmp_path: Path) -> None:
    """A column comes, one goes, one has another type; a table comes, one goes. Views of what stays go on."""
    before = serving_file(
        tmp_path,
        "create table published.changing as select 'a' as id, 1::integer as score, 1.5::decimal(18,2) as gone",
        "create table published.leaving as select 1 as n",
    )
    load_build(mart.loader, before, a_build("first"))
    execute(mart.administrator, "create schema analysis", "create view analysis.ids as select id from published.changing")
    after = serving_file(
        tmp_path,
        "create table published.changing as select ['x'] as came, 2::bigint as score, 'b' as id",
        "create table published.coming as select 2 as n",
    )
    load_build(mart.loader, after, a_build("second", minute=1))
    assert sorted(columns_of(mart.loader, "changing")) == [("came", "text[]"), ("id", "text"), ("score", "bigint")]
    assert query(mart.analyst, "select id, score, came from published.changing") == [("b", 2, ["x"])]
    assert query(mart.administrator, "select id from analysis.ids") == [("b",)]
    assert query(mart.analyst, "select relname from pg_class where relnamespace = 'published'::regnamespace order by 1") == [
        ("changing",),
        ("coming",),
    ]


@pytest.mark.parametrize(
    ("after", "message"),
    [
        ("create table published.scores as select 'b' as id", r"needs scores\.score, which build second no longer has"),
        (
            "create table published.scores as select 'b' as id, 2::bigint as score",
            r"needs scores\.score, which build second has with another",
        ),
        ("create table published.others as select 1 as n", r"needs the table scores, which build second no longer has"),
    ],
)
def test_a_view_that_needs_what_goes_keeps_the_build_out(mart: Mart, tmp_path: Path, after: str, message: str) -> None:
    before = serving_file(tmp_path, "create table published.scores as select 'a' as id, 1::integer as score")
    load_build(mart.loader, before, a_build("first"))
    execute(mart.administrator, "create schema analysis", "create view analysis.best as select max(score) as best from published.scores")
    path = serving_file(tmp_path, after, "create table published.more as select 1 as n")
    with pytest.raises(PublishingFailed, match=rf"The view analysis\.best in PostgreSQL {message}.*change or drop the view"):
        load_build(mart.loader, path, a_build("second", minute=1))
    served = served_build(mart.loader)
    assert served is not None
    assert (served.build_id, served.tables) == ("first", ("scores",))
    assert query(mart.analyst, "select id, score from published.scores") == [("a", 1)]
    assert query(mart.administrator, "select to_regclass('published.more')::text") == [(None,)]
    execute(mart.administrator, "drop view analysis.best")
    load_build(mart.loader, path, a_build("second", minute=1))
    assert query(mart.loader, "select n from published.more") == [(1,)]


def test_columns_wait_for_no_reader_for_ever(mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody reads a table whose columns have to change, and does not end: the build stays out; afterwards it comes in."""
    monkeypatch.setattr(postgres_load, "LOCK_SECONDS", 0.2)
    load_build(mart.loader, serving_file(tmp_path, "create table published.numbers as select 1 as n"), a_build("first"))
    path = serving_file(tmp_path, "create table published.numbers as select 2 as n, 'new' as word")
    with postgres.connect(mart.analyst) as reader, reader.cursor() as cursor:
        cursor.execute("select n from published.numbers")
        assert cursor.fetchall() == [(1,)]
        with pytest.raises(
            PublishingFailed, match=r"The columns of numbers .* somebody was reading there for 0 s: load build second later"
        ):
            load_build(mart.loader, path, a_build("second", minute=1))
        cursor.execute("select n from published.numbers")
        assert cursor.fetchall() == [(1,)]
        reader.commit()
    load_build(mart.loader, path, a_build("second", minute=1))
    assert query(mart.analyst, "select n, word from published.numbers") == [(2, "new")]


def test_no_build_replaces_a_newer_one_or_another_source_by_accident(mart: Mart, tmp_path: Path) -> None:
    path = serving_file(tmp_path, "create table published.numbers as select 1 as n")
    load_build(mart.loader, path, a_build("newer", minute=5))
    with pytest.raises(PublishingFailed, match="serves build newer, which is newer than older, and goes on doing so"):
        load_build(mart.loader, path, a_build("older"))
    for on_purpose in (False, True):
        with pytest.raises(PublishingFailed, match="serves the source toy and was not loaded with build other of shop"):
            load_build(mart.loader, path, a_build("other", minute=9, source="shop"), on_purpose=on_purpose)
    assert served_build(mart.loader).build_id == "newer"  # type: ignore[union-attr]
    load_build(mart.loader, path, a_build("older"), on_purpose=True)
    assert served_build(mart.loader).build_id == "older"  # type: ignore[union-attr]


def test_what_another_home_serves_is_replaced_on_purpose_only(mart: Mart, tmp_path: Path) -> None:
    """A home that somebody tries something in may know the address of everybody's PostgreSQL; one clock may start the nights of both."""
    everybodys, mine = tmp_path / "everybodys", tmp_path / "mine"
    marker = "select distinct marker from published.rfm_segments"
    first = publish(everybodys, "first")
    publish_to_postgres(everybodys, first.id)
    tried = publish(mine, "tried")
    build_dir(mine, tried.id).rename(build_dir(mine, first.id))
    tried = dataclasses.replace(tried, id=first.id)
    write_build_file(mine, tried)
    with pytest.raises(PublishingFailed, match=f"serves build {first.id}, which another home has brought there, and goes on doing so"):
        publish_to_postgres(mine, tried.id)
    assert query(mart.analyst, marker) == [("first",)]
    # Its own home goes on, also where nothing is kept any more of the build that it brought there.
    second = publish(everybodys, "second")
    shutil.rmtree(build_dir(everybodys, first.id))
    publish_to_postgres(everybodys, second.id)
    assert query(mart.analyst, marker) == [("second",)]
    publish_to_postgres(mine, tried.id, on_purpose=True)
    assert query(mart.analyst, marker) == [("tried",)]


def test_tables_of_others_are_left_alone(mart: Mart, tmp_path: Path) -> None:
    execute(mart.loader, "create schema published", "create table published.numbers (mine text)", "create table published.diary (day date)")
    path = serving_file(tmp_path, "create table published.numbers as select 1 as n")
    with pytest.raises(PublishingFailed, match=r"published\.numbers in PostgreSQL was not made by this project and is not overwritten"):
        load_build(mart.loader, path, a_build())
    assert columns_of(mart.loader, "numbers") == [("mine", "text")]
    execute(mart.loader, "drop table published.numbers")
    load_build(mart.loader, path, a_build())
    load_build(mart.loader, serving_file(tmp_path, "create table published.letters as select 'a' as n"), a_build(minute=1))
    names = query(mart.loader, "select relname from pg_class where relnamespace = 'published'::regnamespace order by 1")
    assert names == [("diary",), ("letters",)]


def test_a_value_that_postgres_cannot_hold_changes_nothing(mart: Mart, tmp_path: Path) -> None:
    load_build(mart.loader, serving_file(tmp_path, "create table published.words as select 'a' as word"), a_build("first"))
    path = serving_file(tmp_path, "create table published.words as select 'a' || chr(0) as word")
    with pytest.raises(PublishingFailed, match=r"with build second and goes on with what it served: invalid byte sequence.*tries again"):
        load_build(mart.loader, path, a_build("second", minute=1))
    assert query(mart.analyst, "select word from published.words") == [("a",)]
    with pytest.raises(PublishingFailed, match=r"words\.word is STRUCT\(n INTEGER\), which PostgreSQL has no type for"):
        load_build(mart.loader, serving_file(tmp_path, "create table published.words as select {'n': 1} as word"), a_build("third"))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address at which nothing listens."""
    monkeypatch.setenv(URL_VARIABLE, NOWHERE)
    return NOWHERE


def test_postgres_that_is_down_harms_nothing_else(nowhere: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, source="toy", publish="postgres")
    build = publish(tmp_path, "first")
    with pytest.raises(PublishingFailed, match=r"goes on with what it served: .*Connection refused") as failed:
        publish_to_postgres(tmp_path, build.id)
    assert "cret" not in str(failed.value)
    assert current_build(tmp_path) == build
    assert served_marker(tmp_path) == "first"
    assert not everywhere(settings)
    assert everywhere(dataclasses.replace(settings, publish=None))
    assert "Connection refused" in describe_builds(tmp_path)
    assert read_state(tmp_path) == PostgresState(None, str(failed.value))


def test_a_password_is_never_repeated(mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, mart.loader.replace("p%40ss", "guess%40ed"))
    build = publish(tmp_path, "first")
    with pytest.raises(PublishingFailed, match='password authentication failed for user "segments"') as failed:
        publish_to_postgres(tmp_path, build.id)
    assert "guess" not in str(failed.value)
    written = "loader%27s%20p%40ss%2Fword"
    assert written in mart.loader
    for form in (LOADER_PASSWORD, written, mart.loader):
        assert reason(ValueError(f"nobody knows {form} here"), mart.loader) == "nobody knows *** here."
    assert reason(ValueError("is pw"), "postgresql://h/d?password=pw") == "is ***."


@pytest.mark.parametrize("url", ["", "mysql://somebody:secret@host/db", "host=somewhere password=secret", "postgresql://[secret"])
def test_an_address_that_is_none_is_wrong_usage(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before a night begins."""
    monkeypatch.setenv(URL_VARIABLE, url)
    with pytest.raises(UnusableInput, match=URL_VARIABLE):
        postgres_url()
    for command in (["nightly", "--source", str(tmp_path)], ["backfill", "--outdated", "--source", str(tmp_path)], ["rollback"]):
        ended = CliRunner().invoke(main, [*command, "--publish", "postgres", "--home", str(tmp_path / "home")])
        assert ended.exit_code == 2
        assert URL_VARIABLE in ended.output
        assert "secret" not in ended.output
    assert not (tmp_path / "home").exists()


def test_rollback_leads_both_back(mart: Mart, tmp_path: Path) -> None:
    first = publish(tmp_path, "first")
    publish_to_postgres(tmp_path, first.id)
    second = publish(tmp_path, "second")
    publish_to_postgres(tmp_path, second.id)
    assert serves_the_same(tmp_path)

    def rollback(*options: str) -> tuple[int, str]:
        ended = CliRunner().invoke(main, ["rollback", "--home", str(tmp_path), *options], env={"SEGMENTS_PUBLISH": ""})
        return ended.exit_code, ended.output

    code, said = rollback()
    assert code == 0
    hint = f"`segments rollback {first.id} --publish postgres` brings that there"
    assert f"PostgreSQL serves build {second.id}, not the served one: {hint}" in said
    assert served_marker(tmp_path) == "first"
    assert query(mart.analyst, "select distinct marker from published.rfm_segments") == [("second",)]
    code, said = rollback(first.id, "--publish", "postgres")
    assert (code, f"PostgreSQL serves build {first.id} as well." in said) == (0, True)
    assert query(mart.analyst, "select distinct marker from published.rfm_segments") == [("first",)]
    # The next night goes on from there.
    publish_to_postgres(tmp_path, publish(tmp_path, "third").id)
    assert query(mart.analyst, "select distinct marker from published.rfm_segments") == [("third",)]


def test_a_rollback_that_postgres_does_not_follow_says_so(nowhere: str, tmp_path: Path) -> None:
    publish(tmp_path, "first")
    publish(tmp_path, "second")
    ended = CliRunner().invoke(main, ["rollback", "--publish", "postgres", "--home", str(tmp_path)])
    assert ended.exit_code == 1
    assert "Connection refused" in ended.output
    assert served_marker(tmp_path) == "first"


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_the_step_of_the_night(mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The asset brings the build of the night; when it fails, it alone does."""
    settings = Settings(tmp_path, source=str(a_source(tmp_path)), publish="postgres")
    source = resolve_source(settings.source)
    keeper = NightKeeper(settings, source, holds_lock=False)
    days = dg.DailyPartitionsDefinition(start_date="2018-01-01")
    asset = build_postgres_asset(settings=settings, partitions=days, keeper=keeper, progress=Progress(enabled=False))

    def night(marker: str) -> tuple[Build, bool]:
        build = publish(tmp_path, marker)
        pointer = settings.database(source.name).with_name("build_id")
        pointer.parent.mkdir(parents=True, exist_ok=True)
        pointer.write_text(build.id)
        return build, dg.materialize([asset], partition_key="2018-01-01", raise_on_error=False).success

    first, succeeded = night("first")
    assert succeeded
    assert everywhere(settings)
    assert describe_postgres(tmp_path) == f"PostgreSQL serves build {first.id} as well."
    monkeypatch.setenv(URL_VARIABLE, NOWHERE)
    second, succeeded = night("second")
    assert not succeeded
    assert not everywhere(settings)
    assert current_build(tmp_path) == second
    assert second.status == PUBLISHED
    said = str(describe_postgres(tmp_path))
    assert said.startswith(f"PostgreSQL serves build {first.id}. PostgreSQL could not be loaded with build {second.id}")


def a_source(folder: Path) -> Path:
    source = folder / "source"
    source.mkdir()
    return source


def test_the_checkup_says_whether_postgres_answers(mart: Mart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> str:
        settings = Settings(tmp_path, source=str(tmp_path / "no such source"), publish="postgres")
        return check_installation(settings).text

    assert "✓ server: answers, serves no build yet" in check()
    build = publish(tmp_path, "mine")
    publish_to_postgres(tmp_path, build.id)
    assert f"✓ server: answers, serves build {build.id} of toy" in check()
    load_build(mart.loader, tmp_path / "serving" / "segments.duckdb", a_build(), on_purpose=True)
    assert "✗ server: answers, serves build build of toy, from another home: no night of this one replaces it unless told to" in check()
    monkeypatch.setenv(URL_VARIABLE, NOWHERE)
    assert "✗ server: PostgreSQL does not answer: " in check()
    monkeypatch.delenv(URL_VARIABLE)
    assert f"✗ server: --publish postgres needs the address of PostgreSQL in the environment: set {URL_VARIABLE}=" in check()


def test_a_build_without_tables_is_not_brought_anywhere(mart: Mart, tmp_path: Path) -> None:
    build = start_build(tmp_path, "toy", datetime.date(2018, 1, 1), "v1")
    with pytest.raises(PublishingFailed, match=r"has no segments\.duckdb"):
        publish_to_postgres(tmp_path, build.id)


def test_types_and_changes() -> None:
    assert postgres_type("DECIMAL(9,0)[]", "t.c") == "numeric(9,0)[]"
    with pytest.raises(PublishingFailed, match=r"t\.c is HUGEINT"):
        postgres_type("HUGEINT", "t.c")
    have = {"a": "text", "b": "integer", "c": "date"}
    assert change_of(have, {"c": "date", "a": "text", "b": "integer"}) == Change((), ())
    assert change_of(have, {"a": "text", "b": "bigint", "d": "text"}) == Change(("b", "c"), ("b", "d"))
