"""`segments …`: the front door for people and for schedulers. Each verb is thin: it reads options, calls one function, prints.

Exit codes: 0 success, 1 a check stopped the build (what was served before is still served), 2 wrong usage or unusable input.
Heavy libraries are imported inside the verbs that need them, so that `segments builds` answers at once.
"""

import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click

from orchestration.errors import SegmentsError, UnusableInput
from orchestration.settings import DEFAULT_HOME, DEFAULT_SOURCE, DEFAULT_TARGET, Settings

EXIT_STOPPED = 1
EXIT_UNUSABLE = 2


def readable_errors(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Turn this project's own errors into one line on standard error and the contracted exit code."""

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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="customer-segments", prog_name="segments")
def main() -> None:
    """Customer Segments: reviewed rules, guarded nights, explained memberships."""


@main.command()
@source_option
@click.option("--as-of", type=DayType(), default=None, help="The day whose opening state is described; default: the source's, or today.")
@click.option("--target", type=click.Choice(["duckdb"]), default=DEFAULT_TARGET, show_default=True, help="The engine that runs the SQL.")
@home_option
@readable_errors
def nightly(source: str, as_of: date | None, target: str, home: str) -> None:
    """One whole night: land, build, audit, publish, report."""
    from orchestration.night import run_night

    settings = Settings(home=Path(home).resolve(), source=source, target=target)
    outcome = run_night(settings, as_of)
    click.echo(outcome.summary)
    sys.exit(0 if outcome.is_published else EXIT_STOPPED)


@main.command()
@source_option
@home_option
@readable_errors
def check(source: str, home: str) -> None:
    """What is wrong with this installation or with this source, before any run."""
    from orchestration.checkup import check_installation

    report = check_installation(Settings(home=Path(home).resolve(), source=source))
    click.echo(report.text)
    sys.exit(0 if report.is_usable else EXIT_UNUSABLE)


@main.command()
@home_option
@readable_errors
def builds(home: str) -> None:
    """What is kept: every build, whether it was published, and which one is served."""
    from orchestration.publishing.summary import describe_builds

    click.echo(describe_builds(Path(home).resolve()))


@main.command()
@click.argument("build", required=False)
@home_option
@readable_errors
def rollback(build: str | None, home: str) -> None:
    """Serve an earlier build again: BUILD, or the one published before what is served now."""
    from orchestration.publishing.builds import rollback as serve_earlier_build
    from orchestration.publishing.lock import home_lock

    folder = Path(home).resolve()
    with home_lock(folder):
        served = serve_earlier_build(folder, build)
    click.echo(f"Serving build {served.id} (as of {served.as_of_date}) again. `segments builds` lists what else is kept.")


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--customers", required=True, type=int, help="How many customers.")
@click.option("--months", required=True, type=int, help="How many months of history, up to 2026-01-01.")
@click.option("--seed", default=1, show_default=True, type=int, help="The same sizes and seed give the same rows.")
@readable_errors
def generate(folder: Path, customers: int, months: int, seed: int) -> None:
    """A synthetic retailer in FOLDER that fills every raw table, with the planted truth beside it."""
    from orchestration.progress import Progress
    from orchestration.synthetic.generate import generate as write_retailer

    progress = Progress()
    progress.stage(f"a synthetic retailer of {customers:,} customers and {months} months")
    report = write_retailer(folder.resolve(), customers, months, seed, progress.step)
    progress.finish(f"{sum(report.rows.values()):,} rows")
    for table, rows in report.rows.items():
        click.echo(f"  {table:<20}{rows:>14,} rows")
    click.echo(f"Run a night on it: segments nightly --source {folder} --home {folder}_home")


if __name__ == "__main__":
    main()
