"""Quiet hours: over midnight, within a day, none at all, and on the days on which the clocks change."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from orchestration.delivery.contact_hours import ContactHours, contact_hours
from orchestration.errors import UnusableInput

BERLIN = "Europe/Berlin"
NIGHT = (time(21), time(8))
NOON = (time(12), time(14))
# Quiet that ends, or begins, in the hour that the clocks skip in spring and show twice in autumn.
ENDS_AT_HALF_PAST_TWO = (time(22), time(2, 30))
BEGINS_AT_HALF_PAST_TWO = (time(2, 30), time(6))


@pytest.mark.parametrize(
    ("quiet", "now", "not_before", "not_after"),
    [
        (NIGHT, "2025-10-27 10:00", "2025-10-27 10:00", "2025-10-27 21:00"),
        (NIGHT, "2025-10-27 07:59", "2025-10-27 08:00", "2025-10-27 21:00"),
        (NIGHT, "2025-10-27 08:00", "2025-10-27 08:00", "2025-10-27 21:00"),
        (NIGHT, "2025-10-27 20:59", "2025-10-27 20:59", "2025-10-27 21:00"),
        (NIGHT, "2025-10-27 21:00", "2025-10-28 08:00", "2025-10-28 21:00"),
        (NIGHT, "2025-10-27 00:00", "2025-10-27 08:00", "2025-10-27 21:00"),
        (NOON, "2025-10-27 11:59", "2025-10-27 11:59", "2025-10-27 12:00"),
        (NOON, "2025-10-27 13:00", "2025-10-27 14:00", "2025-10-28 12:00"),
        (NOON, "2025-10-27 14:00", "2025-10-27 14:00", "2025-10-28 12:00"),
        # The night of autumn has an hour more, that of spring an hour less: it ends by the clock.
        (NIGHT, "2025-10-25 22:00", "2025-10-26 08:00", "2025-10-26 21:00"),
        (NIGHT, "2025-03-29 22:00", "2025-03-30 08:00", "2025-03-30 21:00"),
    ],
)
def test_quiet_hours_by_the_clock_of_the_business(quiet: tuple[time, time], now: str, not_before: str, not_after: str) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)

    assert ContactHours(BERLIN, *quiet).window(moment(now)) == (moment(not_before), moment(not_after))


@pytest.mark.parametrize(
    ("quiet", "now", "not_before", "not_after"),
    [
        # Half past two comes twice, at 00:30 and 01:30 UTC: quiet ends with the second and begins with the first.
        (ENDS_AT_HALF_PAST_TWO, "2025-10-26 00:40", "2025-10-26 01:30", "2025-10-26 21:00"),
        (BEGINS_AT_HALF_PAST_TWO, "2025-10-26 00:20", "2025-10-26 00:20", "2025-10-26 00:30"),
        (BEGINS_AT_HALF_PAST_TWO, "2025-10-26 00:40", "2025-10-26 05:00", "2025-10-27 01:30"),
        # It does not come at all: 01:00 UTC is three o'clock.
        (ENDS_AT_HALF_PAST_TWO, "2025-03-30 00:40", "2025-03-30 01:30", "2025-03-30 20:00"),
        (BEGINS_AT_HALF_PAST_TWO, "2025-03-30 00:20", "2025-03-30 00:20", "2025-03-30 00:30"),
    ],
)
def test_where_the_clock_shows_a_time_twice_or_never_quiet_is_longer(
    quiet: tuple[time, time], now: str, not_before: str, not_after: str
) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert ContactHours(BERLIN, *quiet).window(moment(now)) == (moment(not_before), moment(not_after))


def test_the_same_time_twice_is_no_quiet() -> None:
    now = datetime(2025, 10, 27, 23, tzinfo=UTC)
    assert ContactHours(BERLIN, time(0), time(0)).window(now) == (now, None)


def test_the_hours_of_a_channel_are_those_of_the_rule_table() -> None:
    assert contact_hours("sms", BERLIN) == ContactHours(BERLIN, time(20), time(9))
    assert contact_hours("post", BERLIN).window(datetime(2025, 1, 1, tzinfo=UTC))[1] is None
    with pytest.raises(UnusableInput, match="no row for the channel 'smoke'"):
        contact_hours("smoke", BERLIN)
