"""On which days models are fitted: a fixed calendar, so that the fit a day uses is a function of that day and of nothing else."""

from datetime import date, timedelta

EVERY = ("month", "week", "day")
# A fit that fails is made up for by the one before it, this many steps back at most: what is older says little about customers of today.
# The macro fit_days_query gives the same days to the views that fits read.
STEPS_BACK = 3


def fit_day(day: date, every: str) -> date:
    """The latest day of the calendar up to `day`: the first of its month, its Monday, or the day itself."""
    if every == "month":
        return day.replace(day=1)
    if every == "week":
        return day - timedelta(days=day.weekday())
    if every == "day":
        return day
    raise ValueError(f"fit_every is {every!r}; it is one of {', '.join(EVERY)}")


def fit_days(day: date, every: str) -> list[date]:
    """That day and the STEPS_BACK before it in the calendar, the latest first."""
    days = [fit_day(day, every)]
    while len(days) <= STEPS_BACK:
        days.append(fit_day(days[-1] - timedelta(days=1), every))
    return days
