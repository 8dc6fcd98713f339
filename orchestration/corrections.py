"""Recorded days that late rows have outdated: which they are, and recording them again before a night."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from orchestration import working_database
from orchestration.automation.days import DayRunner
from orchestration.automation.job import RECORD_JOB
from orchestration.ingest.source import Source, project_variables
from orchestration.settings import Settings
from orchestration.sql import quote_identifier
from orchestration.transform.dbt import DbtFailed

CORRECTION_DAYS = "history_correction_days"


@dataclass(frozen=True)
class Corrections:
    """What a night made of outdated days: those recorded again, those left as they are, and what stopped it, if anything did."""

    corrected: tuple[date, ...] = ()
    left: tuple[date, ...] = ()
    failure: str | None = None


def correct_history(runner: DayRunner, settings: Settings, source: Source, day: date) -> Corrections:
    """Bring in what is new and record the days again that it outdates, those of the last `history_correction_days` before `day`.

    This comes before the night of `day`, which then publishes them with it: so days are described in order, each once, and nothing is
    published twice. What fails here does not keep the night from its day; days not corrected stay outdated.

    Raises UnusableInput when something cannot be landed: nothing was begun then.
    """
    database = settings.database(source.name)
    recorded = last_recorded_day(database)
    if recorded is None:
        return Corrections()
    reach, failure = correction_days(source), None
    if reach > 0:
        try:
            runner.look_ahead(recorded)
        except DbtFailed as error:  # the night itself meets it again, and it is the night that is stopped by it
            failure = f"what came late is not known: {error}"
    outdated = [outdated_day for outdated_day in outdated_days(database) if outdated_day < day]
    recent = [] if failure else [outdated_day for outdated_day in outdated if outdated_day >= day - timedelta(days=reach)]
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
    return Corrections(tuple(corrected), left, failure)


def correction_days(source: Source) -> int:
    """How far back a night corrects: what the source says, or the project."""
    return int({**project_variables(), **source.vars}[CORRECTION_DAYS])


def last_recorded_day(database: Path) -> date | None:
    """The latest day in the history; None where no night has recorded any."""
    days = _days(database, "recorded_days")
    return days[-1] if days else None


def outdated_days(database: Path) -> list[date]:
    """Recorded days that rows loaded later have outdated, the earliest first; none where no night has recorded any."""
    return _days(database, "outdated_days")


def _days(database: Path, relation: str) -> list[date]:
    """The days of a relation of the history, in order; none where it is not there yet."""
    if not database.is_file():
        return []
    with working_database.connect(database) as connection:
        known = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'history' and table_name = ?", [relation]
        ).fetchone()
        if known is None:  # no night has ended here since days are judged
            return []
        rows = connection.execute(f"select as_of_date from history.{quote_identifier(relation)} order by as_of_date").fetchall()
    return [day for (day,) in rows]
