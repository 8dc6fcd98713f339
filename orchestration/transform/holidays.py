"""The dates of seeds/holidays.csv, computed by rule: holidays move, and a date typed by hand is a date typed wrong.

`python -m orchestration.transform.holidays > seeds/holidays.csv` writes the seed again; a test proves that the two agree.
To add a country, a holiday or a year, change the rules below and write the seed again.

Sources of the rules: Easter by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, 1991, chapter 8). Thanksgiving on
the fourth Thursday of November (5 U.S.C. 6103), Black Friday the day after it, wherever it is kept. Mother's Day on the second Sunday
of May (US, DE, BR); in Britain Mothering Sunday, the fourth Sunday in Lent, three weeks before Easter; in France the last Sunday of
May, or the first of June when that one is Pentecost (Code de l'action sociale et des familles, D215-1). Valentine's Day on
14 February; in Brazil Dia dos Namorados on 12 June. The days before each, in which people buy for it, are our own choice.
"""

import csv
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TextIO

# 1997 and 1998 are the years of the CDNOW data, which the literature on customer value is tried on.
YEARS = (1997, 1998, *range(2015, 2031))
COUNTRIES = ("US", "GB", "DE", "FR", "BR")
COLUMNS = ("holiday", "country", "year", "window_start", "window_end", "rule", "owner", "last_reviewed")
OWNER = "customer analytics"
LAST_REVIEWED = date(2026, 1, 15)

SUNDAY = 6
THURSDAY = 3
MAY = 5
JUNE = 6
NOVEMBER = 11


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by the anonymous Gregorian algorithm."""
    a = year % 19
    b, c = divmod(year, 100)
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    ll = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * ll) // 451
    month, day = divmod(h + ll - 7 * m + 114, 31)
    return date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth (1 is the first) given weekday (0 is Monday) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def thanksgiving(year: int) -> date:
    """The fourth Thursday of November."""
    return nth_weekday(year, NOVEMBER, THURSDAY, 4)


def second_sunday_of_may(year: int) -> date:
    """Mother's Day in most countries."""
    return nth_weekday(year, MAY, SUNDAY, 2)


def mothering_sunday(year: int) -> date:
    """The fourth Sunday in Lent: three weeks before Easter."""
    return easter_sunday(year) - timedelta(weeks=3)


def french_mothers_day(year: int) -> date:
    """The last Sunday of May; when that is Pentecost (seven weeks after Easter), the first Sunday of June."""
    first_of_june = nth_weekday(year, JUNE, SUNDAY, 1)
    last_of_may = first_of_june - timedelta(weeks=1)
    return first_of_june if last_of_may == easter_sunday(year) + timedelta(weeks=7) else last_of_may


@dataclass(frozen=True)
class HolidayRule:
    """When people buy for one holiday.

    Attributes:
        holiday: its code.
        countries: where this rule holds.
        window: year → (first day, first day after), half open.
        rule: the same in words, written beside every date.
    """

    holiday: str
    countries: tuple[str, ...]
    window: Callable[[int], tuple[date, date]]
    rule: str


def _up_to(day: Callable[[int], date], days: int) -> Callable[[int], tuple[date, date]]:
    """The window of `days` days that ends with, and includes, the holiday itself."""
    return lambda year: (day(year) - timedelta(days=days - 1), day(year) + timedelta(days=1))


RULES = (
    HolidayRule(
        "valentines_day",
        ("US", "GB", "DE", "FR"),
        _up_to(lambda year: date(year, 2, 14), 8),
        "the 8 days up to 14 February",
    ),
    HolidayRule(
        "valentines_day",
        ("BR",),
        _up_to(lambda year: date(year, 6, 12), 8),
        "the 8 days up to 12 June (Dia dos Namorados)",
    ),
    HolidayRule(
        "easter",
        COUNTRIES,
        lambda year: (easter_sunday(year) - timedelta(days=14), easter_sunday(year)),
        "the 14 days before Easter Sunday",
    ),
    HolidayRule(
        "mothers_day",
        ("US", "DE", "BR"),
        _up_to(second_sunday_of_may, 8),
        "the 8 days up to the second Sunday of May",
    ),
    HolidayRule(
        "mothers_day",
        ("GB",),
        _up_to(mothering_sunday, 8),
        "the 8 days up to the fourth Sunday in Lent",
    ),
    HolidayRule(
        "mothers_day",
        ("FR",),
        _up_to(french_mothers_day, 8),
        "the 8 days up to the last Sunday of May, or the first of June when that is Pentecost",
    ),
    HolidayRule(
        "halloween",
        ("US", "GB"),
        _up_to(lambda year: date(year, 10, 31), 8),
        "the 8 days up to 31 October",
    ),
    HolidayRule(
        "black_friday",
        COUNTRIES,
        lambda year: (thanksgiving(year) - timedelta(days=3), thanksgiving(year) + timedelta(days=5)),
        "Monday before Thanksgiving (the fourth Thursday of November) to Monday after it",
    ),
    HolidayRule(
        "christmas",
        COUNTRIES,
        lambda year: (date(year, 12, 1), date(year, 12, 25)),
        "1 to 24 December",
    ),
)


def windows() -> Iterator[tuple[str, ...]]:
    """The rows of the seed, in COLUMNS, ordered by country and window."""
    found = [(country, *rule.window(year), year, rule.holiday, rule.rule) for rule in RULES for country in rule.countries for year in YEARS]
    for country, start, end, year, holiday, rule_text in sorted(found):
        yield (holiday, country, str(year), start.isoformat(), end.isoformat(), rule_text, OWNER, LAST_REVIEWED.isoformat())


def write(file: TextIO) -> None:
    """Write the seed as CSV, header first."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(windows())


if __name__ == "__main__":
    write(sys.stdout)
