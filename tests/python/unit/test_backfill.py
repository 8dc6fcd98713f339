"""Which days are recorded, in which order, which one is published, and what is told; the days themselves are played."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
from click.testing import CliRunner

from orchestration.audiences.macros import Macros
from orchestration.automation import days
from orchestration.automation.days import DayResult
from orchestration.automation.job import FIT_JOB, NIGHTLY_JOB, PUBLISH_JOB, RECORD_JOB, build_definitions
from orchestration.backfill import EVENT_DATES, day_to_publish, days_asked_for, first_event_day, run_backfill
from orchestration.cli import main
from orchestration.corrections import Corrections, after_the_night, correct_history, correction_days, lost_days, outdated_days
from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.ingest.source import Source, resolve_source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.publishing.postgres import publish_to_postgres
from orchestration.publishing.summary import describe_builds, describe_corrections
from orchestration.reproduction import begin_reproduction, end_reproduction
from orchestration.settings import Settings
from orchestration.transform.dbt import DbtFailed

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def day(number: int, month: int = 1) -> date:
    return date(2026, month, number)


def a_source(**about: Any) -> Source:
    return Source(name="shop", folder=Path("/nowhere"), **about)


class PlayedDays:
    """In place of the runner: enters builds as jobs do, and fails on the days it is told to."""

    def __init__(self, home: Path, source: str, fails: Sequence[tuple[str, date]] = ()) -> None:
        self.progress = Progress(enabled=False)
        self.runs: list[tuple[str, date]] = []
        self.looked_ahead: list[date] = []
        self.cannot_look: str | None = None
        self.builds_anew = False
        self._home, self._source, self._fails = home, source, list(fails)

    def look_ahead(self, last_recorded: date) -> bool:
        self.looked_ahead.append(last_recorded)
        if self.cannot_look:
            raise DbtFailed(self.cannot_look)
        return not self.builds_anew

    def __enter__(self) -> "PlayedDays":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def run(self, job: str, as_of_date: date) -> DayResult:
        self.runs.append((job, as_of_date))
        build = builds.start_build(self._home, self._source, as_of_date, "v1")
        if (job, as_of_date) in self._fails:
            return DayResult(builds.fail_build(self._home, build.id, "2 checks of the gate failed"), False, "a step failed", 1.0)
        build = builds.mark_recorded(self._home, build.id)
        if job == NIGHTLY_JOB:
            (builds.build_dir(self._home, build.id) / builds.DATABASE_FILE).write_bytes(b"tables")
            builds.swap(self._home, build.id)
            build = builds.mark_published(self._home, build.id, {})
        return DayResult(build, True, "", 1.0)


@pytest.fixture
def settings(tmp_path: Path, five_customers: Path) -> Settings:
    """A source that can be landed, and a working database whose log says that two moved, one came and one left on 2 January."""
    settings = Settings(home=tmp_path / "home", source=str(five_customers))
    database = settings.database(resolve_source(settings.source).name)
    database.parent.mkdir(parents=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema history; create table history.outdated_days (as_of_date date)")
        connection.execute("create table history.recorded_days as select date '2026-01-09' as as_of_date")
        connection.execute(
            """
            create table history.segment_membership_changes as select * from (values
                (date '2026-01-02', null, null, null), (date '2026-01-02', 'a', 'new', 'loyal'),
                (date '2026-01-02', 'a', 'steady', 'rising'),
                (date '2026-01-02', 'b', null, 'new'), (date '2026-01-02', 'b', null, 'steady'), (date '2026-01-02', 'c', 'lost', null)
            ) as log (as_of_date, customer_id, segment_before, segment_after)
            """
        )
    return settings


@pytest.fixture
def five_customers(tmp_path: Path) -> Path:
    folder = tmp_path / "five"
    folder.mkdir()
    (folder / "customers.csv").write_text("customer_id\nann\n", encoding="utf-8")
    (folder / "transactions.csv").write_text(
        "order_id,line_id,customer_id,ordered_at,amount\n1,1,ann,2025-11-01 10:00:00,10.00\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def play(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PlayedDays]:
    """Put played days in place of real ones."""

    def put(*fails: tuple[str, date]) -> PlayedDays:
        played = PlayedDays(settings.home, resolve_source(settings.source).name, fails)
        monkeypatch.setattr(days, "DayRunner", lambda *arguments, **options: played)
        return played

    return put


def outdate(settings: Settings, *outdated: date) -> None:
    with duckdb.connect(str(settings.database(resolve_source(settings.source).name))) as connection:
        connection.executemany("insert into history.outdated_days values (?)", [[found] for found in outdated])


def test_both_ends_are_included_and_a_leap_day_is_a_day() -> None:
    assert days_asked_for(a_source(), date(2024, 2, 28), date(2024, 3, 1), NOW) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert days_asked_for(a_source(), day(31), day(31), NOW) == [day(31)]


def test_days_the_wrong_way_round_not_begun_or_before_the_first_are_wrong_usage() -> None:
    with pytest.raises(UnusableInput, match="--from 2026-01-02 is after --to 2026-01-01"):
        days_asked_for(a_source(), day(2), day(1), NOW)
    with pytest.raises(UnusableInput, match="--to 2026-03-01 has not begun in America/New_York"):
        days_asked_for(a_source(business_timezone="America/New_York"), day(1), date(2026, 3, 1), NOW)
    with pytest.raises(UnusableInput, match="before 1990-01-01"):
        days_asked_for(a_source(), date(1989, 12, 31), day(1), NOW)


def stage(database: Path, table: str, *rows: tuple[str, str]) -> None:
    """Plant staged rows of a raw table: (date, status)."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists staging")
        connection.execute(f"create table staging.base_{table} ({EVENT_DATES.get(table, 'signed_up_date')} date, row_status text)")
        connection.executemany(f"insert into staging.base_{table} values (?, ?)", rows)


def test_a_mistyped_year_is_refused_before_anything_is_landed(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    database = settings.database(resolve_source(settings.source).name)
    stage(database, "transactions", ("1971-01-01", "quarantined"), ("2017-01-02", "used"), ("2016-03-01", "superseded"))
    stage(database, "customers", ("1999-01-01", "used"))  # of one customer, and it does not count
    before = database.read_bytes()
    with pytest.raises(UnusableInput, match=r"--from 1999-01-01 is more than a year before 2017-01-02, .*: begin at 2016-01-02 or later"):
        run_backfill(settings, date(1999, 1, 1), date(2017, 1, 3))
    assert played.runs == [] and database.read_bytes() == before
    assert not settings.landing(resolve_source(settings.source).name).exists()


def test_the_empty_beginning_before_the_first_event_may_be_recorded(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    database = settings.database(resolve_source(settings.source).name)
    stage(database, "transactions", ("2017-06-01", "used"))
    stage(database, "web_events", ("2017-01-02", "used"))
    with pytest.raises(UnusableInput, match="--from 2016-01-01 is more than a year before 2017-01-02"):
        run_backfill(settings, date(2016, 1, 1), date(2016, 1, 3))
    assert run_backfill(settings, date(2016, 1, 2), date(2016, 1, 3)).succeeded
    assert played.runs == [(RECORD_JOB, date(2016, 1, 2)), (NIGHTLY_JOB, date(2016, 1, 3))]


def test_where_nothing_is_known_yet_no_first_day_is(tmp_path: Path) -> None:
    assert first_event_day(tmp_path / "warehouse.duckdb") is None
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    assert first_event_day(tmp_path / "warehouse.duckdb") is None
    stage(tmp_path / "warehouse.duckdb", "transactions", ("2017-01-02", "quarantined"))
    assert first_event_day(tmp_path / "warehouse.duckdb") is None


def test_first_days_are_asked_of_dates_that_events_have() -> None:
    tables = Macros({}, lambda model: model).call("event_tables")
    assert {table: tables[table]["moments"][0]["date"] for table in EVENT_DATES} == EVENT_DATES


def test_readers_never_go_back_in_time() -> None:
    def served(as_of_date: date, source: str = "shop") -> builds.Build:
        return builds.Build("b", source, as_of_date, "v1", builds.PUBLISHED, NOW)

    asked = [day(1), day(2), day(3)]
    assert day_to_publish(a_source(), asked, None) == day(3)
    assert day_to_publish(a_source(), asked, served(day(2))) == day(3)
    assert day_to_publish(a_source(), asked, served(day(9))) == day(9)
    # Another source describes other customers.
    assert day_to_publish(a_source(), asked, served(day(9), "another")) == day(3)


def test_days_are_recorded_in_order_and_the_last_is_published(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    outcome = run_backfill(settings, day(1), day(3))
    assert played.runs == [(RECORD_JOB, day(1)), (RECORD_JOB, day(2)), (NIGHTLY_JOB, day(3))]
    assert outcome.succeeded
    assert "2026-01-02" in outcome.summary and "as of 2026-01-03" in outcome.summary
    moved, arrived, left = next(line.split()[1:4] for line in outcome.summary.splitlines() if line.strip().startswith("2026-01-02"))
    assert (moved, arrived, left) == ("2", "1", "1")


def test_the_day_that_readers_saw_is_published_again_when_it_is_later(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    played.run(NIGHTLY_JOB, day(9))
    assert run_backfill(settings, day(1), day(2)).succeeded
    assert played.runs[1:] == [(RECORD_JOB, day(1)), (RECORD_JOB, day(2)), (NIGHTLY_JOB, day(9))]
    served = builds.current_build(settings.home)
    assert served is not None and served.as_of_date == day(9)


def test_a_day_that_is_stopped_ends_the_backfill_and_keeps_what_was_served(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play((RECORD_JOB, day(2)))
    before = played.run(NIGHTLY_JOB, day(9)).build
    outcome = run_backfill(settings, day(1), day(3))
    assert not outcome.succeeded
    assert played.runs[1:] == [(RECORD_JOB, day(1)), (RECORD_JOB, day(2))]
    assert builds.current_build(settings.home) == before
    for said in ("as of 2026-01-02 was not published", "2 checks of the gate failed", f"Still served, unchanged: build {before.id}"):
        assert said in outcome.summary
    assert "1 of 3 days are recorded and stay so: 2026-01-01." in outcome.summary


def test_a_backfill_that_postgres_did_not_take_is_published_all_the_same(
    settings: Settings, play: Callable[..., PlayedDays], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step after the swap fails, here because what is served is no database."""
    monkeypatch.setenv("SEGMENTS_POSTGRES_URL", "postgresql://segments@127.0.0.1:1/warehouse")
    monkeypatch.setenv("SEGMENTS_PUBLISH", "")  # so that what the backfill leaves there ends with this test
    played = play()
    run = played.run

    def run_with_postgres(job: str, as_of_date: date) -> DayResult:
        result = run(job, as_of_date)
        if job == NIGHTLY_JOB:
            with pytest.raises(PublishingFailed) as failed:
                publish_to_postgres(settings.home, result.build.id)
            return replace(result, succeeded=False, cause=str(failed.value))
        return result

    monkeypatch.setattr(played, "run", run_with_postgres)
    outcome = run_backfill(replace(settings, publish="postgres"), day(1), day(2))
    assert not outcome.succeeded
    for said in (
        "2026-01-01, 2026-01-02 recorded",
        "Published as of 2026-01-02",
        "PostgreSQL serves no build of this home. PostgreSQL could",
    ):
        assert said in outcome.summary


def test_outdated_days_alone(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    assert "nothing to do" in run_backfill(settings, None, None).summary
    assert played.runs == []
    outdate(settings, day(5), day(3))
    run_backfill(settings, None, None)
    assert played.runs == [(RECORD_JOB, day(3)), (NIGHTLY_JOB, day(5))]


def leave_unfinished(settings: Settings, *unfinished: date) -> None:
    with duckdb.connect(str(settings.database(resolve_source(settings.source).name))) as connection:
        connection.execute("alter table history.recorded_days add column is_finished boolean default true")
        connection.executemany("insert into history.recorded_days values (?, false)", [[found] for found in unfinished])


def test_days_in_which_a_night_broke_off_are_recorded_before_later_ones(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    leave_unfinished(settings, day(6), day(20))
    outcome = run_backfill(settings, day(7), day(8))
    assert played.runs == [(RECORD_JOB, day(6)), (RECORD_JOB, day(7)), (NIGHTLY_JOB, day(8))]
    assert "Recorded again as well, because a night broke off in them: 2026-01-06\n" in outcome.summary
    # Also where it lies between the days asked for and the one that readers see; a day that is asked for is no surprise.
    played.runs.clear()
    outcome = run_backfill(settings, day(1), day(2))
    assert played.runs == [(RECORD_JOB, day(1)), (RECORD_JOB, day(2)), (RECORD_JOB, day(6)), (NIGHTLY_JOB, day(8))]
    assert "Recorded again" not in run_backfill(settings, day(6), day(6)).summary


@pytest.mark.parametrize("arguments", [[], ["--from", "2026-01-01"], ["--to", "2026-01-01"], ["--outdated", "--from", "2026-01-01"]])
def test_half_a_request_is_wrong_usage(arguments: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["backfill", *arguments, "--home", str(tmp_path)])
    assert done.exit_code == 2
    assert "--outdated" in done.output


def show_recorded_days(settings: Settings, build: builds.Build, *days_shown: date) -> None:
    """Let the tables of a build say which days are recorded."""
    database = builds.build_dir(settings.home, build.id) / builds.DATABASE_FILE
    database.unlink()
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema published; create table published.recorded_days (as_of_date date)")
        connection.executemany("insert into published.recorded_days values (?)", [[shown] for shown in days_shown])


def test_a_night_says_which_recorded_days_were_lost_with_the_working_database(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    source = resolve_source(settings.source)
    build = played.run(NIGHTLY_JOB, day(9)).build
    assert lost_days(settings, source, day(10)) == ()  # what it shows cannot be read
    show_recorded_days(settings, build, day(9), day(8), day(1))
    # A copy of before the 8th was restored; the day described now is recorded by this very night.
    assert lost_days(settings, source, day(8)) == (day(1),)
    shutil.rmtree(settings.home / "working")
    corrections = correct_history(cast(Any, played), settings, source, day(10))
    assert corrections == Corrections(lost=(day(1), day(8), day(9)))
    assert describe_corrections(corrections) == [
        "History begins anew: the working database is not the one that recorded 2026-01-01, 2026-01-08, 2026-01-09. "
        "To record what was lost again:",
        "  segments backfill --from 2026-01-01 --to 2026-01-09",
    ]
    # A day as it was known is recorded in a database of its own.
    builds.write_build_file(settings.home, replace(build, as_known_at=NOW))
    assert lost_days(settings, source, day(10)) == ()


def corrected(settings: Settings, played: PlayedDays, as_of_date: date, reach: int) -> Corrections:
    source = resolve_source(settings.source)
    source.vars["history_correction_days"] = reach
    return correct_history(played, settings, source, as_of_date)  # type: ignore[arg-type]


def test_a_night_corrects_the_last_days_in_order(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    outdate(settings, day(9), day(8), day(3), day(2), day(11))
    found = corrected(settings, played, day(10), 7)
    assert played.looked_ahead == [day(9)]
    assert played.runs == [(RECORD_JOB, day(3)), (RECORD_JOB, day(8)), (RECORD_JOB, day(9))]
    assert found == Corrections((day(3), day(8), day(9)), (day(2),))
    told = "\n".join(describe_corrections(found))
    assert "2026-01-08" in told and "segments backfill --outdated" in told and "2026-01-02" in told


def test_nothing_outdated_costs_nothing_and_zero_days_are_never(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    assert corrected(settings, played, day(10), 7) == Corrections()
    assert describe_corrections(Corrections()) == []
    outdate(settings, day(9))
    assert corrected(settings, played, day(10), 0) == Corrections((), (day(9),))
    assert played.looked_ahead == [day(9)], "with zero days nobody looks"
    assert played.runs == []


def test_a_correction_that_is_stopped_leaves_the_rest_outdated(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play((RECORD_JOB, day(8)))
    outdate(settings, day(7), day(8), day(9))
    found = corrected(settings, played, day(10), 7)
    assert found == Corrections((day(7),), (day(8), day(9)), "2026-01-08 could not be corrected: 2 checks of the gate failed")
    assert "published without that" in "\n".join(describe_corrections(found))


def test_where_nobody_knows_what_came_late_nothing_is_corrected(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    played.cannot_look = "dbt stopped at base_transactions: full"
    outdate(settings, day(9))
    found = corrected(settings, played, day(10), 7)
    assert found == Corrections((), (day(9),), "what came late is not known: dbt stopped at base_transactions: full")
    assert played.runs == []


def test_a_night_that_builds_everything_anew_names_what_it_found_outdated(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    database = settings.database(resolve_source(settings.source).name)
    looked = corrected(settings, played, day(10), 7)
    played.builds_anew = True
    not_looked = corrected(settings, played, day(10), 7)
    outdate(settings, day(9), day(11))  # as the night does that follows
    assert after_the_night(looked, database, day(10)) == Corrections()
    assert after_the_night(not_looked, database, day(10)) == Corrections(left=(day(9),))


def test_before_the_first_recorded_day_there_is_nothing_to_correct(settings: Settings, play: Callable[..., PlayedDays]) -> None:
    played = play()
    with duckdb.connect(str(settings.database(resolve_source(settings.source).name))) as connection:
        connection.execute("delete from history.recorded_days")
    assert corrected(settings, played, day(10), 7) == Corrections()
    assert played.looked_ahead == []


def test_the_project_says_how_far_back_and_a_source_may_say_otherwise() -> None:
    assert correction_days(a_source()) == 7
    assert correction_days(a_source(vars={"history_correction_days": 0})) == 0


def test_without_a_night_nothing_is_outdated(tmp_path: Path) -> None:
    assert outdated_days(tmp_path / "warehouse.duckdb") == []
    duckdb.connect(str(tmp_path / "warehouse.duckdb")).close()
    assert outdated_days(tmp_path / "warehouse.duckdb") == []


def test_a_recorded_build_is_listed_and_is_never_served(tmp_path: Path) -> None:
    played = PlayedDays(tmp_path, "shop")
    first = played.run(NIGHTLY_JOB, day(9)).build
    recorded = played.run(RECORD_JOB, day(1)).build
    second = played.run(NIGHTLY_JOB, day(9)).build
    assert builds.current_build(tmp_path) == second
    with pytest.raises(UnusableInput, match="is recorded, not published"):
        builds.rollback(tmp_path, recorded.id)
    assert builds.rollback(tmp_path) == first
    assert "recorded" in describe_builds(tmp_path)


def test_a_month_of_recorded_builds_stays_listed_without_tables(tmp_path: Path) -> None:
    played = PlayedDays(tmp_path, "shop")
    recorded = [played.run(RECORD_JOB, day(1)).build for _ in range(builds.RECORDED_BUILDS_KEPT + 2)]
    half_published = builds.build_dir(tmp_path, recorded[-1].id) / builds.DATABASE_FILE
    half_published.write_bytes(b"half")
    served = played.run(NIGHTLY_JOB, day(2)).build
    assert builds.prune(tmp_path, 1) == [recorded[0].id, recorded[1].id]
    assert builds.current_build(tmp_path) == served
    assert not half_published.exists()


def test_a_recorded_build_that_is_not_published_says_why_and_stays_recorded(tmp_path: Path) -> None:
    keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=True)
    keeper.open_build(day(1))
    keeper.record_day()
    # A step of the next night that fails before it has begun a build says nothing about this one.
    with pytest.raises(ZeroDivisionError), keeper.step():
        _ = 1 / 0
    assert builds.read_build(tmp_path, keeper.build_id).failure is None
    with pytest.raises(ZeroDivisionError), keeper.step(fails=(builds.BUILDING, builds.RECORDED)):
        _ = 1 / 0
    left = builds.read_build(tmp_path, keeper.build_id)
    assert (left.status, left.failure) == (builds.RECORDED, "division by zero")


def test_a_recorded_build_left_between_swap_and_entry_is_published(tmp_path: Path) -> None:
    left = builds.mark_recorded(tmp_path, builds.start_build(tmp_path, "shop", day(1), "v1").id)
    (builds.build_dir(tmp_path, left.id) / builds.DATABASE_FILE).write_bytes(b"tables")
    builds.swap(tmp_path, left.id)
    builds.start_build(tmp_path, "shop", day(2), "v1")
    assert builds.read_build(tmp_path, left.id).status == builds.PUBLISHED


def test_one_command_lands_once(tmp_path: Path) -> None:
    landed: list[int] = []

    def bring_in() -> Any:
        landed.append(1)
        return len(landed)

    several = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=True)
    assert [several.land(bring_in), several.land(bring_in)] == [1, 1]
    one_by_one = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=False)
    assert [one_by_one.land(bring_in), one_by_one.land(bring_in)] == [2, 3]


def test_a_reproduction_gets_what_is_recorded_and_nothing_else(tmp_path: Path) -> None:
    current = Settings(home=tmp_path).database("shop")
    current.parent.mkdir(parents=True)
    with duckdb.connect(str(current)) as connection:
        for schema, table in (
            ("history", "recorded_days"),
            ("operations", "builds"),
            ("operations", "roll_up_state"),
            ("staging", "base_customers"),
        ):
            connection.execute(f"create schema if not exists {schema}; create table {schema}.{table} as select 1 as a")
    before = current.read_bytes()
    known = Settings(home=tmp_path, as_known_at=NOW)
    for _ in range(2):  # what an earlier one left is replaced
        begin_reproduction(known, a_source())
    with duckdb.connect(str(known.database("shop")), read_only=True) as connection:
        tables = connection.execute("select schema_name || '.' || table_name from duckdb_tables() order by 1").fetchall()
    assert tables == [("history.recorded_days",), ("operations.builds",)]
    end_reproduction(known, a_source())
    assert current.read_bytes() == before
    assert sorted(path.name for path in current.parent.iterdir()) == ["warehouse.duckdb"]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02 03:04:05.6", datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)),
        ("2026-01-02T03:00+02:00", datetime(2026, 1, 2, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_utc_unless_it_says_its_zone(written: str, moment: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[datetime | None] = []
    monkeypatch.setattr("orchestration.night.run_night", lambda settings, day, **options: asked.append(settings.as_known_at) or 1 / 0)
    CliRunner().invoke(main, ["nightly", "--as-known-at", written, "--home", str(tmp_path)])
    assert asked == [moment]


def test_a_moment_before_anything_was_loaded_or_to_come_is_refused(tmp_path: Path, five_customers: Path) -> None:
    arguments = ["nightly", "--source", str(five_customers), "--home", str(tmp_path / "home"), "--as-of", "2026-01-01", "--as-known-at"]
    early = CliRunner().invoke(main, [*arguments, "2026-01-01"])
    assert early.exit_code == 2 and "had been loaded by" in early.output
    late = CliRunner().invoke(main, [*arguments, "2999-01-01"])
    assert late.exit_code == 2 and "has not come" in late.output
    assert not (tmp_path / "home").exists()


def test_jobs_of_days_have_partitions_by_day(tmp_path: Path, five_customers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGMENTS_PUBLISH", "")
    settings = Settings(home=tmp_path / "home", source=str(five_customers), publish="postgres")
    source = resolve_source(settings.source)
    definitions = build_definitions(settings, source, NightKeeper(settings, source, holds_lock=False), Progress(enabled=False))
    steps = {}
    for job in (NIGHTLY_JOB, RECORD_JOB, PUBLISH_JOB, FIT_JOB):
        resolved = definitions.resolve_job_def(job)
        assert resolved.partitions_def is not None and resolved.partitions_def.has_partition_key("2024-02-29"), job
        steps[job] = {node.name for node in resolved.nodes}
    assert steps[NIGHTLY_JOB] - steps[RECORD_JOB] == steps[PUBLISH_JOB]
    assert "serving__postgres" in steps[PUBLISH_JOB]
    parts = {"land", "build_features", "model_fits__bg_nbd", "score_states", "build_segments", "gate", "build_reporting"}
    assert parts <= steps[RECORD_JOB]
    assert steps[FIT_JOB] == {step for step in steps[RECORD_JOB] if step.startswith("model_fits__")}
