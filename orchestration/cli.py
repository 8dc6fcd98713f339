"""`segments …`: the front door for people and for schedulers. Each verb is thin: it reads options, calls one function, prints.

Exit codes: 0 success, 1 a check stopped the build (what was served before is still served), 2 wrong usage or unusable input.
Heavy libraries are imported inside the verbs that need them, so that `segments builds` answers at once.
"""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from orchestration.errors import SegmentsError, UnusableInput, failure_of_the_machine
from orchestration.settings import DEFAULT_HOME, DEFAULT_SOURCE, DEFAULT_TARGET, POSTGRES, PUBLISH_TARGETS, Settings

EXIT_STOPPED = 1
EXIT_UNUSABLE = 2


def readable_errors(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Turn this project's own errors, and those of the machine, into one line on standard error and the contracted exit code."""

    @wraps(verb)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return verb(*arguments, **options)
        except UnusableInput as error:
            click.echo(f"segments: {error}", err=True)
            sys.exit(EXIT_UNUSABLE)
        except SegmentsError as error:
            click.echo(f"segments: {error}", err=True)
            sys.exit(EXIT_STOPPED)
        except Exception as error:
            failure = failure_of_the_machine(error, str(options.get("home") or options.get("folder")))
            if failure is None:
                raise
            click.echo(f"segments: {failure}", err=True)
            sys.exit(EXIT_UNUSABLE if isinstance(failure, UnusableInput) else EXIT_STOPPED)

    return run


class DayType(click.ParamType[date]):
    """A calendar day, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Parse the day or fail as wrong usage."""
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"'{value}' is not a day; write it as YYYY-MM-DD", param, ctx)


class MomentType(click.ParamType[datetime]):
    """A moment in time, in ISO 8601; UTC unless it says its zone. A day alone is its first moment."""

    name = "timestamp"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Parse the moment, as UTC, or fail as wrong usage."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"'{value}' is not a moment; write it as YYYY-MM-DD or 'YYYY-MM-DD HH:MM:SS', with +HH:MM where it is not UTC", param, ctx
            )
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


home_option = click.option(
    "--home", default=DEFAULT_HOME, envvar="SEGMENTS_HOME", show_default=True, help="Folder that holds everything a run writes."
)
source_option = click.option(
    "--source",
    default=DEFAULT_SOURCE,
    envvar="SEGMENTS_SOURCE",
    show_default=True,
    help="A source below mappings/, or a folder of Parquet or CSV files named like the raw tables.",
)

publish_option = click.option(
    "--publish",
    type=click.Choice(PUBLISH_TARGETS),
    default=None,
    envvar="SEGMENTS_PUBLISH",
    help="Where to serve the build beside the serving database. PostgreSQL is where SEGMENTS_POSTGRES_URL says.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="customer-segments", prog_name="segments")
def main() -> None:
    """Customer Segments: reviewed rules, guarded nights, explained memberships."""


@main.command()
@source_option
@click.option("--as-of", type=DayType(), default=None, help="The day whose opening state is described; default: the source's, or today.")
@click.option(
    "--as-known-at",
    type=MomentType(),
    default=None,
    help="Reproduce the day as it was known then: only rows loaded by this moment count, and the history is the recorded one. "
    "UTC unless it says its zone; a day alone is its midnight UTC, before anything of that day was loaded. Works on a database of its own.",
)
@click.option(
    "--full-refresh", is_flag=True, help="Build the working tables anew. Never needed: a night does it by itself when rules have changed."
)
@click.option("--target", type=click.Choice(["duckdb"]), default=DEFAULT_TARGET, show_default=True, help="The engine that runs the SQL.")
@publish_option
@home_option
@readable_errors
def nightly(
    source: str, as_of: date | None, as_known_at: datetime | None, full_refresh: bool, target: str, publish: str | None, home: str
) -> None:
    """One whole night: land, build, audit, publish, report.

    Recorded days of the last week that late rows have outdated are recorded again afterwards (variable history_correction_days).
    """
    from orchestration.night import run_night

    settings = Settings(home=Path(home).resolve(), source=source, target=target, as_known_at=as_known_at, publish=publish)
    outcome = run_night(settings, as_of, full_refresh=full_refresh)
    click.echo(outcome.summary)
    sys.exit(0 if outcome.succeeded else EXIT_STOPPED)


@main.command()
@click.option("--from", "first", type=DayType(), default=None, help="The first day to record.")
@click.option("--to", "last", type=DayType(), default=None, help="The last day to record, inclusive.")
@click.option("--outdated", is_flag=True, help="Instead of --from and --to: every recorded day that late rows have outdated.")
@source_option
@publish_option
@home_option
@readable_errors
def backfill(first: date | None, last: date | None, outdated: bool, source: str, publish: str | None, home: str) -> None:
    """Record days of the past: land what is new, then build and audit day after day; at the end publish one build.

    The history then holds these days, in place of what it held of them. Readers see the day they saw before, or the last of these when
    it is later. A day that is stopped ends the backfill; the days before it stay recorded.
    """
    from orchestration.backfill import run_backfill

    if outdated == (first is not None or last is not None) or (first is None) != (last is None):
        raise click.UsageError("give --from DAY and --to DAY, or --outdated alone")
    outcome = run_backfill(Settings(home=Path(home).resolve(), source=source, publish=publish), first, last)
    click.echo(outcome.summary)
    sys.exit(0 if outcome.succeeded else EXIT_STOPPED)


@main.command()
@source_option
@publish_option
@home_option
@readable_errors
def check(source: str, publish: str | None, home: str) -> None:
    """What is wrong with this installation or with this source, before any run."""
    from orchestration.checkup import check_installation

    report = check_installation(Settings(home=Path(home).resolve(), source=source, publish=publish))
    click.echo(report.text)
    sys.exit(0 if report.is_usable else EXIT_UNUSABLE)


@main.command()
@click.argument("customer")
@click.option("--audience", default=None, help="An audience of models/audiences.")
@click.option("--segmentation", default=None, help="A segmentation, like rfm.")
@source_option
@home_option
@readable_errors
def explain(customer: str, audience: str | None, segmentation: str | None, source: str, home: str) -> None:
    """Why CUSTOMER is in an audience or segment of the last build, or is not: each condition, what was seen, the events that counted."""
    from orchestration.audiences.explanation import explain_audience, explain_segmentation

    if (audience is None) == (segmentation is None):
        raise click.UsageError("give --audience NAME or --segmentation NAME")
    settings = Settings(home=Path(home).resolve(), source=source)
    click.echo(explain_audience(settings, customer, audience) if audience else explain_segmentation(settings, customer, str(segmentation)))


@main.command()
@click.argument("name")
@source_option
@home_option
@readable_errors
def audience(name: str, source: str, home: str) -> None:
    """What the audience NAME would be on the last build, by its file as it is now: size, contactable, funnel, overlaps, examples."""
    from orchestration.audiences.explanation import preview

    click.echo(preview(Settings(home=Path(home).resolve(), source=source), name))


@main.command()
@click.argument("audience")
@click.option(
    "--to", "address", required=True, metavar="DIR_OR_URL", help="A folder, a URL like s3://bucket/folder, or an http(s) webhook."
)
@click.option("--format", "file_format", type=click.Choice(["parquet", "csv"]), default=None, help="Of files; default: parquet.")
@click.option(
    "--again", is_flag=True, help="Deliver also what was delivered already; a webhook is sent all members instead of the changes."
)
@home_option
@readable_errors
def export(audience: str, address: str, file_format: str | None, again: bool, home: str) -> None:
    """Deliver AUDIENCE of the served build: hashed keys of those who may be contacted, a manifest, and the change since the last delivery.

    One that the build no longer has is delivered a last time where it was delivered before: nobody in it, everybody taken back.

    A webhook that asks for a token is given the one in the environment variable SEGMENTS_WEBHOOK_TOKEN.
    """
    from orchestration.delivery.export import export_audience

    click.echo(export_audience(Path(home).resolve(), audience, address, file_format=file_format, again=again).summary)


@main.command()
@home_option
@readable_errors
def builds(home: str) -> None:
    """What is kept: every build, whether it was published, and which one is served."""
    from orchestration.publishing.summary import describe_builds

    click.echo(describe_builds(Path(home).resolve()))


@main.command()
@click.argument("build", required=False)
@publish_option
@home_option
@readable_errors
def rollback(build: str | None, publish: str | None, home: str) -> None:
    """Serve an earlier build again: BUILD, or the one published before what is served now.

    With --publish postgres PostgreSQL serves it too, whatever it served before.
    """
    from orchestration.publishing.builds import rollback as serve_earlier_build
    from orchestration.publishing.lock import home_lock
    from orchestration.publishing.postgres import describe_postgres, postgres_url, publish_to_postgres
    from orchestration.report.files import describe_page, point_latest

    folder = Path(home).resolve()
    if publish == POSTGRES:
        postgres_url()
    with home_lock(folder):
        served = serve_earlier_build(folder, build)
        point_latest(folder)
        click.echo(f"Serving build {served.id} (as of {served.as_of_date}) again. `segments builds` lists what else is kept.")
        click.echo(f"Its page: {describe_page(folder, served.id)}")
        if publish == POSTGRES:
            publish_to_postgres(folder, served.id, on_purpose=True)
    if line := describe_postgres(folder):
        click.echo(line)


@main.command()
@click.argument("build", required=False)
@source_option
@home_option
@readable_errors
def report(build: str | None, source: str, home: str) -> None:
    """Make the segment explorer page again, from the serving database: of BUILD, or of what is served now."""
    from orchestration.ingest.source import resolve_source
    from orchestration.publishing.builds import served_build_id
    from orchestration.publishing.lock import home_lock
    from orchestration.report.files import describe_page, make_report, report_options

    folder = Path(home).resolve()
    options = report_options(resolve_source(source))
    with home_lock(folder):
        build_id = build or served_build_id(folder)
        if build_id is None:
            raise UnusableInput(f"Nothing is served in {folder} yet: `segments nightly` makes a build and its page.")
        make_report(folder, build_id, options)
    click.echo(describe_page(folder, build_id))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--customers", required=True, type=int, help="How many customers.")
@click.option("--months", required=True, type=int, help="How many months of history, up to 2026-01-01.")
@click.option("--seed", default=1, show_default=True, type=int, help="The same sizes and seed give the same rows.")
@click.option(
    "--audience-campaigns",
    is_flag=True,
    help="Also a campaign each quarter to the audience lapsed_worth_reengaging, with its holdout and a planted uplift.",
)
@readable_errors
def generate(folder: Path, customers: int, months: int, seed: int, audience_campaigns: bool) -> None:
    """A synthetic retailer in FOLDER that fills every raw table, with the planted truth beside it."""
    from orchestration.progress import Progress
    from orchestration.synthetic.generate import generate as write_retailer

    progress = Progress()
    progress.stage(f"a synthetic retailer of {customers:,} customers and {months} months")
    report = write_retailer(folder.resolve(), customers, months, seed, progress.step, audience_campaigns=audience_campaigns)
    progress.finish(f"{sum(report.rows.values()):,} rows")
    for table, rows in report.rows.items():
        click.echo(f"  {table:<20}{rows:>14,} rows")
    click.echo(f"Run a night on it: segments nightly --source {folder} --home {folder}_home")


if __name__ == "__main__":
    main()
