"""A night: which build is being made, what became of it, and `segments nightly` from the first row to the summary."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.errors import GateClosed, SegmentsError, UnusableInput
from orchestration.ingest.inspection import inspect_source
from orchestration.ingest.source import Source, resolve_source
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.publishing.lock import home_lock
from orchestration.quality import operations
from orchestration.quality.verdict import Verdict
from orchestration.settings import PROJECT_DIR, Settings


class NightKeeper:
    """Knows which build the working database of a source belongs to, and enters what becomes of it.

    The steps of a night may run in one process or, from Dagster's UI, one by one: the build they work on is therefore named in a
    file beside the working database.
    """

    def __init__(self, settings: Settings, source: Source, *, holds_lock: bool) -> None:
        self._settings = settings
        self._source = source
        self._holds_lock = holds_lock
        self._database = settings.database(source.name)
        self._pointer = self._database.with_name("build_id")

    @property
    def build_id(self) -> str:
        """The build that the working database belongs to.

        Raises GateClosed when no night was begun: there is nothing to audit or publish.
        """
        if not self._pointer.is_file():
            raise GateClosed(f"no build was begun for source {self._source.name}: run `segments nightly` first")
        return self._pointer.read_text(encoding="utf-8").strip()

    @property
    def build_dir(self) -> Path:
        """The folder of that build."""
        return builds.build_dir(self._settings.home, self.build_id)

    def open_build(self, as_of_date: date) -> None:
        """Begin a build: from here on the working database is this build's, and every earlier verdict is about other rows."""
        build = builds.start_build(self._settings.home, self._source.name, as_of_date, builds.code_version(PROJECT_DIR))
        self._pointer.parent.mkdir(parents=True, exist_ok=True)
        self._pointer.write_text(build.id + "\n", encoding="utf-8")
        operations.record_build_started(self._database, build.id, as_of_date, build.source, build.code_version, build.started_at)

    def record_verdict(self, verdict: Verdict) -> None:
        """Enter row counts and check results; a verdict that did not pass ends the build."""
        operations.record_row_counts(self._database, verdict.build_id)
        operations.record_check_results(self._database, verdict.build_id, verdict.as_of_date, verdict.checked_at, verdict.results)
        if not verdict.passed:
            self._fail(f"{len(verdict.blocking)} checks of the gate failed")

    @contextlib.contextmanager
    def step(self) -> Iterator[None]:
        """Run one step of a night: alone in this home, and with its failure entered as the build's."""
        lock = contextlib.nullcontext() if self._holds_lock else home_lock(self._settings.home)
        with lock:
            try:
                yield
            except Exception as error:
                if self._pointer.is_file():
                    self._fail(" ".join(str(error).split()) or type(error).__name__)
                raise

    def _fail(self, reason: str) -> None:
        build = builds.read_build(self._settings.home, self.build_id)
        if build.status != builds.BUILDING:
            return
        failed = builds.fail_build(self._settings.home, build.id, reason)
        with contextlib.suppress(Exception):  # the working database may be what failed; build.json has the reason
            operations.record_build_finished(self._database, build.id, builds.FAILED, failed.finished_at or datetime.now(UTC))


@dataclass(frozen=True)
class Outcome:
    """How a night ended, and what to tell."""

    is_published: bool
    summary: str


def day_to_describe(source: Source, asked: date | None, now: datetime) -> date:
    """The as_of_date of a night: what was asked for, what the source says, or today in the business timezone.

    Raises UnusableInput for a day that has not begun there.
    """
    today = now.astimezone(ZoneInfo(source.business_timezone)).date()
    day = asked or source.as_of_date or today
    if day > today:
        raise UnusableInput(f"--as-of {day} has not begun in {source.business_timezone}, where it is {today}: choose a day up to today")
    return day


def run_night(settings: Settings, asked: date | None) -> Outcome:
    """Run the nightly job for one day in this process and tell what became of it.

    Raises UnusableInput before anything is written when the source cannot be used, SegmentsError when a step failed.
    """
    settings.to_environment()
    source = resolve_source(settings.source)
    day = day_to_describe(source, asked, datetime.now(UTC))
    if problems := inspect_source(source).problems:
        raise UnusableInput(problems[0])
    with home_lock(settings.home):
        return _run_job(settings, source, day)


def _run_job(settings: Settings, source: Source, day: date) -> Outcome:
    # Imported here: what cannot be used is refused before a second is spent on loading Dagster and dbt.
    from orchestration.automation.instance import open_instance
    from orchestration.automation.job import NIGHTLY_JOB, build_definitions
    from orchestration.publishing.summary import describe_failure, describe_published

    home = settings.home
    started = datetime.now(UTC)
    served_before = builds.current_build(home)
    progress = Progress()
    progress.stage("preparing")
    keeper = NightKeeper(settings, source, holds_lock=True)
    definitions = build_definitions(settings, source, keeper, progress)
    progress.finish()
    with open_instance(settings) as instance:
        result = definitions.resolve_job_def(NIGHTLY_JOB).execute_in_process(
            partition_key=day.isoformat(),
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    begun = [build for build in builds.list_builds(home) if build.started_at >= started]
    if not begun:
        raise SegmentsError(f"landing failed, nothing was changed: {_first_failure(result)}")
    build = begun[-1]
    if result.success and build.status == builds.PUBLISHED:
        return Outcome(True, describe_published(settings, source, build, served_before))
    return Outcome(False, describe_failure(settings, build, served_before, _first_failure(result)))


def _first_failure(result: object) -> str:
    """The message of the first step that failed, without Dagster's wrapping."""
    for event in getattr(result, "all_events", []):
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            while error.cause is not None:
                error = error.cause
            return " ".join(str(error.message).split())
    return "no step says why"
