"""What last night found, for a person: read back from the published build, never from what the night meant to write."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from orchestration.ingest.source import Source
from orchestration.publishing.builds import (
    DATABASE_FILE,
    PARQUET_DIR,
    RECORDED,
    Build,
    build_dir,
    list_builds,
    served_and_gone,
    served_build_id,
)
from orchestration.publishing.postgres import describe_postgres
from orchestration.quality.verdict import VERDICT_FILE, read_verdict
from orchestration.report.files import describe_page
from orchestration.settings import Settings
from orchestration.transform.dbt import LOG
from orchestration.working_database import what_is_wrong

if TYPE_CHECKING:
    from orchestration.backfill import RecordedDay
    from orchestration.corrections import Corrections

CORRECT_COMMAND = "segments backfill --outdated"
# More recorded days than these are not listed one by one.
DAYS_LISTED = 31


@dataclass(frozen=True)
class SegmentChange:
    """One segment's customers now and in the build served before (None: it was not there)."""

    segmentation: str
    segment: str
    customers: int
    share: float
    before: int | None


def render(*parts: Any) -> str:
    """Plain text of rich parts, 110 columns wide, the same on a terminal and in a log."""
    console = Console(width=110, record=True, file=io.StringIO(), color_system=None, highlight=False)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def segment_changes(database: Path, as_of_date: date, database_before: Path | None) -> list[SegmentChange]:
    """Sizes of every segment on `as_of_date`, beside the latest sizes of the build served before."""
    before = _latest_sizes(database_before) if database_before is not None and database_before.exists() else {}
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            """
            select sizes.segmentation, sizes.segment, sizes.customers, sizes.share
            from published.segment_sizes as sizes
            where sizes.as_of_date = ?
            order by sizes.segmentation, sizes.customers desc, sizes.segment
            """,
            [as_of_date],
        ).fetchall()
    return [
        SegmentChange(segmentation, segment, customers, share or 0.0, before.get((segmentation, segment)))
        for segmentation, segment, customers, share in rows
    ]


def _latest_sizes(database: Path) -> dict[tuple[str, str], int]:
    """Sizes by segmentation and segment; nothing for a build of an older version that did not publish them."""
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            rows = connection.execute(
                """
                select segmentation, segment, customers
                from published.segment_sizes
                where as_of_date = (select max(as_of_date) from published.segment_memberships)
                """
            ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {(segmentation, segment): customers for segmentation, segment, customers in rows}


# What a segmentation says of a customer it cannot place.
UNPLACED = frozenset({"unknown", "none", "not_permitted"})


def unplaced(changes: list[SegmentChange]) -> list[str]:
    """Segmentations that place nobody: the source has nothing to decide them by."""
    placed = {change.segmentation for change in changes if change.customers and change.segment not in UNPLACED}
    return sorted({change.segmentation for change in changes} - placed)


def percent(share: float) -> str:
    """A share as a percentage of one digit, halves up: as the page writes it, and not by what lies behind the last digit of a float."""
    return f"{(Decimal(str(share)) * 100).quantize(Decimal('0.1'), ROUND_HALF_UP)}%"


def segments_table(changes: list[SegmentChange]) -> Table:
    """Every segmentation that places somebody, with its segments, largest first; segments that are and were empty are left out."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Segmentation")
    table.add_column("Segment")
    for heading in ("Customers", "Share", "Change"):
        table.add_column(heading, justify="right")
    nobody = unplaced(changes)
    for segmentation in dict.fromkeys(change.segmentation for change in changes if change.segmentation not in nobody):
        label = segmentation
        members = [change for change in changes if change.segmentation == segmentation]
        for change in members:
            if not change.customers and not change.before:
                continue
            moved = "new" if change.before is None else f"{change.customers - change.before:+,}".replace("+0", "0")
            table.add_row(label, change.segment, f"{change.customers:,}", percent(change.share), moved)
            label = ""
    return table


def rows_table(counts: list[tuple[str, int, int, int, int]]) -> Table:
    """Rows in, used, superseded and quarantined of every raw table that brought rows."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Raw table")
    for heading in ("Rows in", "Used", "Superseded", "Quarantined"):
        table.add_column(heading, justify="right")
    for name, *numbers in counts:
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table


def row_counts(database: Path, build_id: str) -> list[tuple[str, int, int, int, int]]:
    """(table, rows in, used, superseded, quarantined) of one build, from the published tables."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(
            """
            select table_name, rows_in, rows_used, rows_superseded, rows_quarantined
            from published.build_row_counts
            where build_id = ?
            order by rows_in desc, table_name
            """,
            [build_id],
        ).fetchall()


def check_counts(database: Path, build_id: str) -> tuple[int, list[str]]:
    """(checks passed, a line for each check that did not) of one published build; what did not pass is a warning."""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            """
            select passed, suite || ': ' || expectation || ': expected ' || expected || ', observed ' || observed
            from published.data_quality_results
            where build_id = ?
            order by suite, expectation
            """,
            [build_id],
        ).fetchall()
    return sum(passed for passed, _ in rows), [line for passed, line in rows if not passed]


def page_line(home: Path, build: Build) -> str:
    """The last line of a summary: the page to open. A path is never wrapped."""
    return f"\n  page      {describe_page(home, build.id)}"


def describe_published(
    settings: Settings, source: Source, build: Build, served_before: Build | None, corrections: "Corrections | None" = None
) -> str:
    """The summary of a night that was published: rows, segments with what changed, checks, history corrected, where to look."""
    home = settings.home
    database = build_dir(home, build.id) / DATABASE_FILE
    before = None
    # A build of another source describes other customers: nothing to compare.
    if served_before is not None and served_before.source == build.source:
        before = build_dir(home, served_before.id) / DATABASE_FILE
    counts = row_counts(database, build.id)
    changes = segment_changes(database, build.as_of_date, before)
    customers = sum(change.customers for change in changes if change.segmentation == changes[0].segmentation)
    passed, warnings = check_counts(database, build.id)
    seconds = (build.finished_at - build.started_at).total_seconds() if build.finished_at else 0
    absent = [name for name, rows_in, *_ in counts if rows_in == 0]
    compared = (
        f"change since build {served_before.id}" if before is not None and served_before is not None else "the first build of this source"
    )
    parts: list[Any] = [
        "",
        f"{build.source} as of {build.as_of_date}: {customers:,} customers, published as build {build.id} in {seconds:.0f} s",
        "",
        rows_table([count for count in counts if count[1] > 0]),
    ]
    if absent:
        parts.append(f"Absent raw tables, so what depends on them alone is empty or unknown: {', '.join(absent)}")
    if any(count[4] for count in counts):
        parts.append("Rows in quarantine, with the reason: table staging.quarantine of the working database.")
    parts += ["", f"Segments ({compared})", segments_table(changes)]
    if nobody := unplaced(changes):
        parts.append(f"Everybody unknown for want of data: {', '.join(nobody)}")
    parts.append(f"Checks: {passed} passed" + (f", {len(warnings)} warned" if warnings else ", none failed"))
    parts += [f"  warning: {warning}" for warning in warnings]
    if build.as_known_at is not None:
        parts.append(
            f"As known at {build.as_known_at:%Y-%m-%d %H:%M:%S} UTC: rows loaded later do not count. `segments rollback` leads back."
        )
    if corrections is not None:
        parts += describe_corrections(corrections)
    parts += postgres_lines(home)
    parts += [
        "",
        "Where to look next",
        f"  query     {settings.serving / DATABASE_FILE}   (schema published; open read-only)",
        f"  Parquet   {settings.serving / PARQUET_DIR}",
        f"  rules     {settings.serving / DATABASE_FILE}: published.segment_definitions; the files are in seeds/",
        "  lineage   make ui",
    ]
    return render(*parts) + page_line(home, build)


def postgres_lines(home: Path) -> list[str]:
    """What PostgreSQL serves, where this home brings its builds there."""
    line = describe_postgres(home)
    return [] if line is None else [line]


def describe_corrections(corrections: "Corrections") -> list[str]:
    """Recorded days that were lost, and what a night did about those outdated or not recorded as a whole; nothing where there was none."""
    lines = []
    if lost := corrections.lost:
        lines += [
            f"History begins anew: the working database is not the one that recorded {days_in_words(lost)}. To record what was lost again:",
            f"  segments backfill --from {lost[0]} --to {lost[-1]}",  # a command that is wrapped cannot be copied
        ]
    if corrections.corrected:
        lines.append(f"History corrected, because rows came late or a night broke off: {days_in_words(corrections.corrected)}")
    if corrections.failure:
        lines.append(f"STOPPED while correcting history, tonight's build is published without that: {corrections.failure}")
    if corrections.left:
        lines.append(outdated_in_words(corrections.left))
    return lines


def days_in_words(days: Sequence[date]) -> str:
    """Days as a text: all of a few, the number and both ends of many."""
    if len(days) <= 5:
        return ", ".join(map(str, days))
    return f"{len(days)} days from {days[0]} to {days[-1]}"


def outdated_in_words(days: Sequence[date]) -> str:
    """Which recorded days late rows have outdated, and the command that corrects them."""
    return f"Outdated by late rows: {days_in_words(days)}. To record them again: {CORRECT_COMMAND}"


def unfinished_in_words(days: Sequence[date]) -> str:
    """Which days a backfill records although nobody asked for them."""
    return f"Recorded again as well, because a night broke off in them: {days_in_words(days)}"


def recorded_table(recorded: "Sequence[RecordedDay]") -> Table:
    """Each recorded day with what changed on it, the last ones of many."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Recorded day")
    for heading in ("Moves", "Customers arrived", "Left", "Seconds"):
        table.add_column(heading, justify="right")
    if len(recorded) > DAYS_LISTED:
        table.add_row(f"{len(recorded) - DAYS_LISTED} earlier ones")
    for day in recorded[-DAYS_LISTED:]:
        table.add_row(str(day.day), f"{day.moved:,}", f"{day.arrived:,}", f"{day.left:,}", f"{day.seconds:.0f}")
    return table


def describe_backfill(
    settings: Settings, recorded: "Sequence[RecordedDay]", build: Build, outdated: Sequence[date], unfinished: Sequence[date] = ()
) -> str:
    """The summary of a backfill: days recorded, what changed on each, what readers see now."""
    seconds = sum(day.seconds for day in recorded)
    parts: list[Any] = [
        "",
        f"{build.source}: {days_in_words([day.day for day in recorded])} recorded in {seconds:.0f} s",
        f"Published as of {build.as_of_date}, as build {build.id}",
        "",
        recorded_table(recorded),
    ]
    if unfinished:
        parts.append(unfinished_in_words(unfinished))
    if outdated:
        parts.append(outdated_in_words(outdated))
    parts += postgres_lines(settings.home)
    parts += [
        "Where to look next",
        f"  query     {settings.serving / DATABASE_FILE}: published.segment_membership_history, segment_sizes, segment_migrations",
        "  builds    segments builds",
        "  runs      make ui",
    ]
    return render(*parts) + page_line(settings.home, build)


def describe_stopped_backfill(
    settings: Settings, recorded: "Sequence[RecordedDay]", asked: int, build: Build, cause: str, served: Build | None
) -> str:
    """The summary of a backfill that was stopped at a day: what stopped it, which days are recorded all the same."""
    lines = [describe_failure(settings, build, served, cause)]
    if recorded:
        lines.append(f"{len(recorded)} of {asked} days are recorded and stay so: {days_in_words([day.day for day in recorded])}.")
        lines.append("The next night that is published shows them.")
    else:
        lines.append(f"None of the {asked} days was recorded.")
    return "\n".join(lines)


def describe_failure(settings: Settings, build: Build, served_before: Build | None, cause: str) -> str:
    """The summary of a night that was stopped: what stopped it, and what is served meanwhile."""
    lines = ["", f"STOPPED: build {build.id} of {build.source} as of {build.as_of_date} was not published."]
    verdict_file = build_dir(settings.home, build.id) / VERDICT_FILE
    if verdict_file.exists() and (blocking := read_verdict(verdict_file.parent).blocking):
        lines.append(f"{len(blocking)} checks of the gate failed:")
        lines += [f"  {result}" for result in blocking]
    else:
        reason = build.failure or cause
        lines.append(f"  {reason}")
        if problem := what_is_wrong(settings.database(build.source), reason):
            lines.append(problem)
    if gone := served_and_gone(settings.home):
        lines.append(gone)
    elif served_before is None:
        lines.append("Nothing was served before, and nothing is served now.")
    else:
        lines.append(f"Still served, unchanged: build {served_before.id}, as of {served_before.as_of_date}.")
    lines.append(f"The log of every model and test: {settings.dbt_dir / LOG}; every step: make ui")
    return "\n".join(lines)


def describe_builds(home: Path) -> str:
    """Every build of a home as a table, the served one marked."""
    served = served_build_id(home)
    kept = list_builds(home)
    if not kept:
        return f"No build in {home} yet: `segments nightly` makes one."
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("Build", "Source", "As of", "Status", "Finished (UTC)", "Code"):
        table.add_column(heading, overflow="fold")
    for build in kept:
        finished = build.finished_at.strftime("%Y-%m-%d %H:%M:%S") if build.finished_at else ""
        status = "published, served" if build.id == served else build.status
        known = f", as known at {build.as_known_at:%Y-%m-%d %H:%M:%S}" if build.as_known_at else ""
        table.add_row(build.id, build.source, f"{build.as_of_date}{known}", status, finished, build.code_version)
    failures = [f"{build.id}: {build.failure}" for build in kept if build.failure]
    hints = [gone] if (gone := served_and_gone(home)) else []
    hints.append("`segments rollback BUILD` serves a published one again.")
    if any(build.status == RECORDED for build in kept):
        hints.append("A recorded one is in the history, but was never served by itself.")
    return render(table, *failures, *postgres_lines(home), *hints)
