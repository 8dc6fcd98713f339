"""Recorded days that late rows have outdated: which they are, and recording them again after a night."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration.automation.days import DayRunner
from orchestration.automation.job import NIGHTLY_JOB, RECORD_JOB
from orchestration.ingest.source import Source, project_variables
from orchestration.settings import Settings

CORRECTION_DAYS = "history_correction_days"


@dataclass(frozen=True)
class Corrections:
    """What a night made of outdated days: those recorded again, those left as they are, and what stopped it, if anything did."""

    corrected: tuple[date, ...] = ()
    left: tuple[date, ...] = ()
    failure: str | None = None


def correct_history(runner: DayRunner, settings: Settings, source: Source, day: date) -> Corrections:
    """Record outdated days again, those of the last `history_correction_days` before `day`, then publish `day` once more with them.

    What fails here takes nothing back: `day` stays published as it was, and days not corrected stay outdated.
    """
    outdated = [outdated_day for outdated_day in outdated_days(settings.database(source.name)) if outdated_day < day]
    reach = day - timedelta(days=correction_days(source))
    corrected: list[date] = []
    failure = None
    for number, outdated_day in enumerate(recent := [found for found in outdated if found >= reach], start=1):
        runner.progress.prefix = f"correction {number} of {len(recent)}, {outdated_day}: "
        result = runner.run(RECORD_JOB, outdated_day)
        if not result.succeeded:
            failure = f"{outdated_day} could not be corrected: {result.reason}"
            break
        corrected.append(outdated_day)
    if corrected:
        runner.progress.prefix = f"with {len(corrected)} corrected: "
        again = runner.run(NIGHTLY_JOB, day)
        if not again.is_published:
            failure = f"{day} could not be published again with the corrected history: {again.reason}"
    runner.progress.prefix = ""
    left = tuple(outdated_day for outdated_day in outdated if outdated_day not in corrected)
    return Corrections(tuple(corrected), left, failure)


def correction_days(source: Source) -> int:
    """How far back a night corrects: what the source says, or the project."""
    return int({**project_variables(), **source.vars}[CORRECTION_DAYS])


def outdated_days(database: Path) -> list[date]:
    """Recorded days that rows loaded later have outdated, the earliest first; none where no night has recorded any."""
    if not database.is_file():
        return []
    with duckdb.connect(str(database), read_only=True) as connection:
        known = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'history' and table_name = 'outdated_days'"
        ).fetchone()
        if known is None:  # no night has ended here since days are judged
            return []
        rows = connection.execute("select as_of_date from history.outdated_days order by as_of_date").fetchall()
    return [day for (day,) in rows]
