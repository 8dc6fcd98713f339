"""What a night decides before it starts, and how it fails."""

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from orchestration import working_database
from orchestration.automation import days
from orchestration.errors import GateClosed, UnusableInput
from orchestration.ingest.source import Source
from orchestration.night import NightKeeper, day_to_describe
from orchestration.publishing import builds
from orchestration.quality import operations
from orchestration.settings import Settings
from orchestration.transform import dbt


def a_source(**about: object) -> Source:
    return Source(name="shop", folder=Path("/nowhere"), **about)  # type: ignore[arg-type]


def test_day_is_what_was_asked_for_then_what_the_source_says_then_today() -> None:
    now = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    ended = a_source(as_of_date=date(2018, 1, 1))
    assert day_to_describe(ended, date(2017, 7, 1), now) == date(2017, 7, 1)
    assert day_to_describe(ended, None, now) == date(2018, 1, 1)
    assert day_to_describe(a_source(), None, now) == date(2026, 3, 1)


def test_today_is_today_in_the_business_timezone() -> None:
    # Two in the morning in UTC is still the evening before in New York.
    now = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    new_york = a_source(business_timezone="America/New_York")
    assert day_to_describe(new_york, None, now) == date(2026, 2, 28)
    with pytest.raises(UnusableInput, match="2026-03-01 has not begun in America/New_York"):
        day_to_describe(new_york, date(2026, 3, 1), now)


def test_a_day_of_the_source_that_has_not_begun_is_named_as_the_sources() -> None:
    now = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    with pytest.raises(UnusableInput, match=r"as_of_date of source\.yml, 2030-01-01 has not begun in UTC"):
        day_to_describe(a_source(as_of_date=date(2030, 1, 1)), None, now)


def test_without_a_begun_build_there_is_nothing_to_audit_or_publish(tmp_path: Path) -> None:
    keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=True)
    with pytest.raises(GateClosed, match="segments nightly"):
        _ = keeper.build_id


def test_rule_tables_and_audiences_are_judged_once_in_each_way_to_start_a_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []
    monkeypatch.setattr("orchestration.night.require_sound_rule_tables", lambda: judged.append("rule tables"))
    monkeypatch.setattr("orchestration.night.read_definitions", lambda: judged.append("audiences"))
    for holds_lock, expected in ((True, []), (False, ["rule tables", "audiences"])):
        judged.clear()
        keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=holds_lock)
        for _ in range(2):  # the steps of one run
            keeper.require_sound_files()
        assert judged == expected


def test_a_failed_step_ends_the_build_with_its_reason(tmp_path: Path) -> None:
    keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=True)
    keeper.open_build(date(2026, 1, 1))
    with pytest.raises(ZeroDivisionError), keeper.step():
        _ = 1 / 0
    failed = builds.read_build(tmp_path, keeper.build_id)
    assert (failed.status, failed.failure) == (builds.FAILED, "division by zero")
    # Whoever fails afterwards does not overwrite why it failed first.
    with pytest.raises(KeyError), keeper.step():
        raise KeyError("later")
    assert builds.read_build(tmp_path, keeper.build_id).failure == "division by zero"


def test_what_was_entered_of_a_build_before_a_kill_is_corrected_by_the_next(tmp_path: Path) -> None:
    """Killed between the entry as published and the swap, or before any end was entered."""
    settings = Settings(home=tmp_path)
    keeper = NightKeeper(settings, a_source(), holds_lock=True)
    keeper.open_build(date(2026, 1, 1))
    keeper.record_day()
    recorded = builds.read_build(tmp_path, keeper.build_id)
    operations.record_build_finished(settings.database("shop"), recorded.id, builds.PUBLISHED, datetime.now(UTC))
    keeper.open_build(date(2026, 1, 2))
    unfinished = keeper.build_id
    keeper.open_build(date(2026, 1, 3))
    with working_database.connect(settings.database("shop")) as connection:
        entered = connection.execute("select build_id, status, finished_at is null from operations.builds order by build_id").fetchall()
        ended = connection.execute("select finished_at from operations.builds where build_id = ?", [recorded.id]).fetchone()
    assert entered == [(recorded.id, "recorded", False), (unfinished, "failed", False), (keeper.build_id, "building", True)]
    assert recorded.finished_at is not None
    assert ended == (working_database.utc(recorded.finished_at),)


def test_steps_started_one_by_one_lock_the_home(tmp_path: Path) -> None:
    from orchestration.errors import HomeInUse
    from orchestration.publishing.lock import home_lock

    keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=False)
    with home_lock(tmp_path), pytest.raises(HomeInUse), keeper.step():
        pass


def test_a_signal_is_named_wherever_it_met_the_night() -> None:
    """In a step of Dagster, or in dbt within one, which both turn it into an error without words."""
    expected = "stopped by a signal (SIGTERM or Ctrl-C): run the night again"
    with pytest.raises(dg.DagsterExecutionInterruptedError) as raised:
        raise dg.DagsterExecutionInterruptedError
    error = serializable_error_info_from_exc_info((raised.type, raised.value, raised.tb))
    failure = SimpleNamespace(is_step_failure=True, step_failure_data=SimpleNamespace(error=error))
    assert days._first_failure(SimpleNamespace(all_events=[failure])) == expected
    for signal in (dg.DagsterExecutionInterruptedError(), KeyboardInterrupt()):
        assert dbt._failure_message(SimpleNamespace(exception=signal), Path(), Path()) == expected
    assert dbt._failure_message(SimpleNamespace(exception=ValueError("no such model")), Path(), Path()) == "dbt stopped: no such model"
