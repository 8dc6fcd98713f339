"""The dates in seeds/holidays.csv follow their rules, and the rules agree with calendars made by others."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from dateutil.easter import easter

from orchestration.transform import holidays

SEED = Path(__file__).parents[3] / "seeds" / "holidays.csv"


def seed_rows() -> list[dict[str, str]]:
    with SEED.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_seed_is_what_the_rules_give() -> None:
    computed = io.StringIO()
    holidays.write(computed)

    assert SEED.read_text(encoding="utf-8") == computed.getvalue(), "run: python -m orchestration.transform.holidays > seeds/holidays.csv"


def test_easter_agrees_with_an_implementation_of_others() -> None:
    for year in range(1583, 4100):
        assert holidays.easter_sunday(year) == easter(year)


@pytest.mark.parametrize(
    ("holiday", "country", "year", "start", "last_day"),
    [
        # From the printed calendars of these years.
        ("black_friday", "US", 2017, date(2017, 11, 20), date(2017, 11, 27)),
        ("black_friday", "DE", 2024, date(2024, 11, 25), date(2024, 12, 2)),
        ("easter", "GB", 2018, date(2018, 3, 18), date(2018, 3, 31)),
        ("mothers_day", "GB", 2018, date(2018, 3, 4), date(2018, 3, 11)),
        ("mothers_day", "US", 2017, date(2017, 5, 7), date(2017, 5, 14)),
        ("mothers_day", "FR", 2019, date(2019, 5, 19), date(2019, 5, 26)),
        # 31 May 2020 was Pentecost, so France kept 7 June.
        ("mothers_day", "FR", 2020, date(2020, 5, 31), date(2020, 6, 7)),
        ("valentines_day", "BR", 2022, date(2022, 6, 5), date(2022, 6, 12)),
        ("christmas", "FR", 1997, date(1997, 12, 1), date(1997, 12, 24)),
    ],
)
def test_windows_are_where_the_calendar_has_them(holiday: str, country: str, year: int, start: date, last_day: date) -> None:
    (row,) = [row for row in seed_rows() if (row["holiday"], row["country"], row["year"]) == (holiday, country, str(year))]

    assert date.fromisoformat(row["window_start"]) == start
    # Half open: the window ends before window_end.
    assert date.fromisoformat(row["window_end"]) == last_day + timedelta(days=1)


def test_every_country_has_the_shared_holidays_in_every_year() -> None:
    seen = {(row["holiday"], row["country"], int(row["year"])) for row in seed_rows()}

    shared = ("christmas", "black_friday", "easter", "mothers_day", "valentines_day")
    assert {(holiday, country, year) for holiday in shared for country in holidays.COUNTRIES for year in holidays.YEARS} <= seen
    assert len(seen) == len(seed_rows())
