"""What a night decides before it starts, and how it fails."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from orchestration.errors import GateClosed, UnusableInput
from orchestration.ingest.source import Source
from orchestration.night import NightKeeper, day_to_describe
from orchestration.publishing import builds
from orchestration.settings import Settings


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


def test_steps_started_one_by_one_lock_the_home(tmp_path: Path) -> None:
    from orchestration.errors import HomeInUse
    from orchestration.publishing.lock import home_lock

    keeper = NightKeeper(Settings(home=tmp_path), a_source(), holds_lock=False)
    with home_lock(tmp_path), pytest.raises(HomeInUse), keeper.step():
        pass
