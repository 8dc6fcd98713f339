"""Recorded days that late rows have outdated, or whose recording broke off: which they are, and recording them again before a night."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration import working_database
from orchestration.automation.days import DayRunner
from orchestration.automation.job import RECORD_JOB
from orchestration.ingest.source import Source, project_variables
from orchestration.publishing import builds
from orchestration.settings import Settings
from orchestration.sql import quote_identifier
from orchestration.transform.dbt import DbtFailed

CORRECTION_DAYS = "history_correction_days"


@dataclass(frozen=True)
class Corrections:
    """What a night made of outdated days: those recorded again, those left as they are, and what stopped it, if anything did.

    lost: days that were recorded in another working database, of before it was removed or a copy of it restored.
    is_known: whether it was known before the night what came late; not so where the night builds everything anew.
    """

    corrected: tuple[date, ...] = ()
    left: tuple[date, ...] = ()
    failure: str | None = None
    lost: tuple[date, ...] = ()
    is_known: bool = True


def correct_history(runner: DayRunner, settings: Settings, source: Source, day: date) -> Corrections:
    """Bring in what is new and record the days again that it outdates, those of the last `history_correction_days` before `day`.

    A day whose recording broke off is recorded again however long ago it is: with half a day in the history no later one adds up.
    This comes before the night of `day`, which then publishes them with it: so days are described in order, each once, and nothing is
    published twice. What fails here does not keep the night from its day; days not corrected stay outdated.

    Raises UnusableInput when something cannot be landed: nothing was begun then.
    """
    database = settings.database(source.name)
    lost = lost_days(settings, source, day)
    recorded = last_recorded_day(database)
    if recorded is None:
        return Corrections(lost=lost)
    reach, failure, is_known = correction_days(source), None, True
    if reach > 0:
        try:
            is_known = runner.look_ahead(recorded)
        except DbtFailed as error:  # the night itself meets it again, and it is the night that is stopped by it
            failure = f"what came late is not known: {error}"
    outdated = [outdated_day for outdated_day in outdated_days(database) if outdated_day < day]
    first, unfinished = day - timedelta(days=reach), unfinished_days(database)
    recent = [] if failure else [outdated_day for outdated_day in outdated if outdated_day >= first or outdated_day in unfinished]
    corrected: list[date] = []
    for number, outdated_day in enumerate(recent, start=1):
        runner.progress.prefix = f"correction {number} of {len(recent)}, {outdated_day}: "
        result = runner.run(RECORD_JOB, outdated_day)
        if not result.succeeded:
            failure = f"{outdated_day} could not be corrected: {result.reason}"
            break
        corrected.append(outdated_day)
    runner.progress.prefix = ""
    left = tuple(outdated_day for outdated_day in outdated if outdated_day not in corrected)
    return Corrections(tuple(corrected), left, failure, lost, is_known)


def after_the_night(corrections: Corrections, database: Path, day: date) -> Corrections:
    """With the days that a night found outdated itself, which learned what came late only when it had built everything anew.

    After any other night nothing is asked again.
    """
    if corrections.is_known:
        return corrections
    return replace(corrections, left=tuple(outdated_day for outdated_day in outdated_days(database) if outdated_day < day), is_known=True)


def correction_days(source: Source) -> int:
    """How far back a night corrects: what the source says, or the project."""
    return int({**project_variables(), **source.vars}[CORRECTION_DAYS])


def last_recorded_day(database: Path) -> date | None:
    """The latest day in the history; None where no night has recorded any."""
    days = _days(database, "recorded_days")
    return days[-1] if days else None


def outdated_days(database: Path) -> list[date]:
    """Recorded days that are to be recorded again, the earliest first; none where no night has recorded any.

    Rows that were loaded later have outdated them, or they were not recorded as a whole.
    """
    return sorted({*_days(database, "outdated_days"), *unfinished_days(database)})


def unfinished_days(database: Path) -> list[date]:
    """Days that a run which broke off has recorded in part, the earliest first."""
    return _days(database, "recorded_days", unless="is_finished")


def lost_days(settings: Settings, source: Source, day: date) -> tuple[date, ...]:
    """Days that the last published build shows as recorded and the working database does not, but for the one described now."""
    published = [build for build in builds.published_builds(settings.home) if build.source == source.name and build.as_known_at is None]
    if not published:
        return ()
    serving = builds.build_dir(settings.home, published[-1].id) / builds.DATABASE_FILE
    try:
        with duckdb.connect(str(serving), read_only=True) as connection:
            shown = {recorded for (recorded,) in connection.execute("select as_of_date from published.recorded_days").fetchall()}
    except duckdb.Error:  # of an older version, or damaged: nobody can tell
        return ()
    return tuple(sorted(shown - {day, *_days(settings.database(source.name), "recorded_days")}))


def _days(database: Path, relation: str, unless: str | None = None) -> list[date]:
    """The days of a relation of the history, in order, or those of which a column is false; none where it is not there yet."""
    if not database.is_file():
        return []
    with working_database.readable_errors(database), working_database.connect(database) as connection:
        known = connection.execute(
            "select column_name from information_schema.columns where table_schema = 'history' and table_name = ?", [relation]
        ).fetchall()
        if (unless or "as_of_date",) not in known:  # no night has ended here since days are judged
            return []
        condition = f"where not {quote_identifier(unless)}" if unless else ""
        rows = connection.execute(f"select as_of_date from history.{quote_identifier(relation)} {condition} order by as_of_date").fetchall()
    return [day for (day,) in rows]
