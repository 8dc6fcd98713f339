"""`segments backfill`: days of the past into the history, one after the other, and one build published at the end."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from orchestration import working_database
from orchestration.errors import UnusableInput
from orchestration.ingest.source import Source
from orchestration.night import Outcome, everywhere, require_begun, usable_source
from orchestration.publishing import builds
from orchestration.publishing.builds import Build
from orchestration.publishing.lock import home_lock
from orchestration.settings import Settings

# The earliest day that is described; literature data sets begin in 1997.
FIRST_DAY = date(1990, 1, 1)
# What a system dates when it happens, {raw table: its date}. Sign-ups, permissions and answers do not count: they carry what somebody
# has entered, and one customer with a date that stands for none (2000-01-01) would let every day pass.
EVENT_DATES = {
    "transactions": "order_date",
    "campaign_contacts": "sent_date",
    "coupon_redemptions": "redeemed_date",
    "loyalty_ledger": "occurred_date",
    "web_events": "occurred_date",
    "support_tickets": "opened_date",
}
# How long before the first event a backfill may begin: whoever wants the empty beginning, and those who only signed up, gets it.
EMPTY_BEGINNING = timedelta(days=366)


@dataclass(frozen=True)
class RecordedDay:
    """A day that was recorded: how many memberships changed against the recorded day before it, and how long it took.

    moved: from one segment to another; arrived and left: customers.
    """

    day: date
    moved: int
    arrived: int
    left: int
    seconds: float


def days_asked_for(source: Source, first: date, last: date, now: datetime) -> list[date]:
    """Every day from `first` to `last`. Raises UnusableInput when they are the wrong way round, have not begun, or are too early."""
    if first > last:
        raise UnusableInput(f"--from {first} is after --to {last}: give the earlier day first")
    if first < FIRST_DAY:
        raise UnusableInput(f"--from {first} is before {FIRST_DAY}, the earliest day there is")
    require_begun(source, last, now, "--to")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def first_event_day(database: Path) -> date | None:
    """The day of the first event that has been landed and staged; None where nothing is known yet.

    Raises UnusableInput when the working database is in use or damaged.
    """
    if not database.is_file():
        return None
    with working_database.readable_errors(database), working_database.connect(database) as connection:
        staged = connection.execute("select table_name from information_schema.tables where table_schema = 'staging'").fetchall()
        tables = [table for table in EVENT_DATES if (f"base_{table}",) in staged]
        queries = [f"select min({EVENT_DATES[table]}) as day from staging.base_{table} where row_status = 'used'" for table in tables]
        row = connection.execute(f"select min(day) from ({' union all '.join(queries)}) as firsts").fetchone() if queries else None
    return row[0] if row else None


def require_something_to_describe(source: Source, first: date, first_event: date | None) -> None:
    """Raise UnusableInput when a backfill would begin long before anything happened: its days would be recorded and say nothing."""
    if first_event is not None and first < (earliest := first_event - EMPTY_BEGINNING):
        raise UnusableInput(
            f"--from {first} is more than a year before {first_event}, the day of the first event known of {source.name}: begin at "
            f"{earliest} or later, or, if the source has brought earlier events since, run `segments nightly` first"
        )


def day_to_publish(source: Source, days: list[date], served: Build | None) -> date:
    """The day that readers see afterwards: the last of these, or the one they see now when that is later. They never go back in time."""
    if served is None or served.source != source.name:
        return days[-1]
    return max(days[-1], served.as_of_date)


def run_backfill(settings: Settings, first: date | None, last: date | None) -> Outcome:
    """Record every day from `first` to `last`, or without them every outdated day; then publish one build.

    Days before it that a run which broke off has recorded in part are recorded again with them.
    A day that is stopped ends it: the days before it stay recorded, and what was served is still served.

    Raises UnusableInput when the source or the days cannot be used, as far as that is known: nothing was landed then.
    """
    source = usable_source(settings)
    asked = None if first is None or last is None else days_asked_for(source, first, last, datetime.now(UTC))
    with home_lock(settings.home):
        from orchestration.automation.days import DayRunner
        from orchestration.automation.job import NIGHTLY_JOB, RECORD_JOB
        from orchestration.corrections import outdated_days, unfinished_days
        from orchestration.publishing.summary import describe_backfill, describe_stopped_backfill, unfinished_in_words

        database = settings.database(source.name)
        if asked:
            require_something_to_describe(source, asked[0], first_event_day(database))
        days = asked or outdated_days(database)
        if not days:
            return Outcome(True, f"No recorded day of {source.name} is outdated: nothing to do.")
        served = builds.current_build(settings.home)
        shown = day_to_publish(source, days, served)
        # With half a day in the history no later one adds up.
        unfinished = [day for day in unfinished_days(database) if day < shown and day not in days]
        days = sorted([*unfinished, *days])
        recorded: list[RecordedDay] = []
        with DayRunner(settings, source) as runner:
            progress = runner.progress
            if unfinished:
                progress.note(unfinished_in_words(unfinished))
            for number, day in enumerate(days, start=1):
                progress.prefix = f"day {number} of {len(days)}, {day}: "
                result = runner.run(NIGHTLY_JOB if day == shown else RECORD_JOB, day)
                if not (result.succeeded or result.is_published):
                    return Outcome(False, describe_stopped_backfill(settings, recorded, len(days), result.build, result.cause, served))
                recorded.append(recorded_day(database, day, result.seconds))
                rest = (len(days) - number) * sum(done.seconds for done in recorded) / number
                progress.prefix = ""
                progress.note(
                    f"day {number} of {len(days)}, {day}: recorded in {result.seconds:.0f} s" + (f"; about {rest:.0f} s to go" * (rest > 0))
                )
            if shown > days[-1]:
                progress.prefix = f"{shown}, which readers see: "
                result = runner.run(NIGHTLY_JOB, shown)
                if not result.is_published:
                    return Outcome(False, describe_stopped_backfill(settings, recorded, len(days), result.build, result.cause, served))
        return Outcome(everywhere(settings), describe_backfill(settings, recorded, result.build, outdated_days(database), unfinished))


def recorded_day(database: Path, day: date, seconds: float) -> RecordedDay:
    """What the log says about a day that was just recorded."""
    with working_database.connect(database) as connection:
        row = connection.execute(
            """
            select
                count(*) filter (where segment_before is not null and segment_after is not null),
                count(distinct customer_id) filter (where segment_before is null),
                count(distinct customer_id) filter (where segment_after is null)
            from history.segment_membership_changes
            where as_of_date = ? and customer_id is not null
            """,
            [day],
        ).fetchone()
    moved, arrived, left = row or (0, 0, 0)
    return RecordedDay(day, moved, arrived, left, seconds)
