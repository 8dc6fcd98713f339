"""A night: which build is being made, what became of it, and `segments nightly` from the first row to the summary."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.audiences.definitions import read_definitions
from orchestration.delivery.records import list_deliveries
from orchestration.errors import GateClosed, UnusableInput
from orchestration.ingest.inspection import inspect_source
from orchestration.ingest.landing import LandingReport, read_batches_landed
from orchestration.ingest.source import Source, resolve_source
from orchestration.publishing import builds
from orchestration.publishing.lock import home_lock
from orchestration.publishing.postgres import postgres_url, serves_the_same
from orchestration.quality import operations
from orchestration.quality.verdict import Verdict
from orchestration.reproduction import begin_reproduction, end_reproduction
from orchestration.settings import POSTGRES, PROJECT_DIR, Settings
from orchestration.transform.rule_tables import require_sound_rule_tables
from orchestration.transform.rules import forget_rules


class NightKeeper:
    """Knows which build the working database of a source belongs to, and enters what becomes of it.

    The steps of a night may run in one process or, from Dagster's UI, one by one: the build they work on is therefore named in a
    file beside the working database.

    Attributes:
        full_refresh: whether the next build of the working tables was asked to build them anew.
        failure: what the first step that failed has raised, until somebody takes it away.
    """

    def __init__(self, settings: Settings, source: Source, *, holds_lock: bool, full_refresh: bool = False) -> None:
        """With `holds_lock` the caller holds the lock of the home from the first step of the first day to the last step of the last."""
        self.full_refresh = full_refresh
        self._settings = settings
        self._source = source
        self._holds_lock = holds_lock
        # The command line, which holds the lock, has asked before it began.
        self._files_are_sound = holds_lock
        self._database = settings.database(source.name)
        self._pointer = self._database.with_name("build_id")
        self._landed: LandingReport | None = None
        self.failure: Exception | None = None

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

    def require_sound_files(self) -> None:
        """Raise UnusableInput for the first mistake in a rule table or an audience; asked once of a run that Dagster started."""
        if not self._files_are_sound:
            require_sound_files()
            self._files_are_sound = True

    def land(self, bring_in: Callable[[], LandingReport]) -> LandingReport:
        """Land what is new; once, where one command describes several days, so that all of them know the same rows."""
        if self._landed is None or not self._holds_lock:
            self._landed = bring_in()
        return self._landed

    def open_build(self, as_of_date: date) -> None:
        """Begin a build: from here on the working database is this build's, and every earlier verdict is about other rows."""
        as_known_at = self._settings.as_known_at
        build = builds.start_build(
            self._settings.home,
            self._source.name,
            as_of_date,
            builds.code_version(PROJECT_DIR),
            as_known_at=as_known_at,
            business_timezone=self._source.business_timezone,
        )
        self._pointer.parent.mkdir(parents=True, exist_ok=True)
        self._pointer.write_text(build.id + "\n", encoding="utf-8")
        if not self._database.exists():
            forget_rules(self._database)
        operations.record_build_started(
            self._database, build.id, as_of_date, build.source, build.code_version, build.started_at, as_known_at
        )
        operations.correct_builds(self._database, builds.list_builds(self._settings.home))
        with contextlib.suppress(UnusableInput):  # a damaged record stops the next delivery, and no night
            deliveries = [each for each in list_deliveries(self._settings.home) if each.source == build.source]
            operations.record_deliveries(self._database, deliveries)

    def record_verdict(self, verdict: Verdict) -> None:
        """Enter row counts and check results; a verdict that did not pass ends the build."""
        operations.record_row_counts(self._database, verdict.build_id)
        operations.record_check_results(self._database, verdict.build_id, verdict.as_of_date, verdict.checked_at, verdict.results)
        if not verdict.passed:
            self._fail(f"{len(verdict.blocking)} checks of the gate failed")

    def record_day(self) -> None:
        """Enter that the day of this build is in the history. Publishing may follow, or not."""
        build = builds.mark_recorded(self._settings.home, self.build_id)
        operations.record_build_finished(self._database, build.id, builds.RECORDED, build.finished_at or datetime.now(UTC))

    @contextlib.contextmanager
    def step(self, fails: Collection[str] = (builds.BUILDING,)) -> Iterator[None]:
        """Run one step of a night: alone in this home, and with its failure entered as the build's, when its status is in `fails`."""
        lock = contextlib.nullcontext() if self._holds_lock else home_lock(self._settings.home)
        with lock:
            try:
                yield
            except Exception as error:
                self.failure = self.failure or error
                if self._pointer.is_file():
                    self._fail(" ".join(str(error).split()) or type(error).__name__, fails)
                raise

    def _fail(self, reason: str, fails: Collection[str] = (builds.BUILDING,)) -> None:
        build = builds.read_build(self._settings.home, self.build_id)
        if build.status not in fails:
            return
        failed = builds.fail_build(self._settings.home, build.id, reason)
        with contextlib.suppress(Exception):  # the working database may be what failed; build.json has the reason
            operations.record_build_finished(self._database, build.id, failed.status, failed.finished_at or datetime.now(UTC))


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what to tell."""

    succeeded: bool
    summary: str


def day_to_describe(source: Source, asked: date | None, now: datetime) -> date:
    """The as_of_date of a night: what was asked for, what the source says, or today in the business timezone.

    Raises UnusableInput for a day that has not begun there.
    """
    day = asked or source.as_of_date or today(source, now)
    require_begun(source, day, now, "--as-of" if asked else "as_of_date of source.yml,")
    return day


def today(source: Source, now: datetime) -> date:
    """The calendar day in the business timezone."""
    return now.astimezone(ZoneInfo(source.business_timezone)).date()


def require_begun(source: Source, day: date, now: datetime, option: str) -> None:
    """Raise UnusableInput for a day that has not begun in the business timezone."""
    if day > (latest := today(source, now)):
        zone = source.business_timezone
        raise UnusableInput(f"{option} {day} has not begun in {zone}, where it is {latest}: choose a day up to today")


def require_sound_files() -> None:
    """Raise UnusableInput for the first mistake in a rule table or in the definition of an audience."""
    require_sound_rule_tables()
    read_definitions()


def usable_source(settings: Settings) -> Source:
    """The source of these settings, made this process's own.

    Raises UnusableInput, before anything is written, when it cannot be landed, a rule table or a definition of an audience is wrong, or
    nobody says where the PostgreSQL is that is to be published to.
    """
    if settings.publish == POSTGRES:
        postgres_url()
    settings.to_environment()
    source = resolve_source(settings.source)
    if problems := inspect_source(source).problems:
        raise UnusableInput(problems[0])
    require_sound_files()
    return source


def run_night(settings: Settings, asked: date | None, *, full_refresh: bool = False) -> Outcome:
    """Correct recorded days that late rows have outdated, run the nightly job for one day in this process, and tell what became of it.

    With `settings.as_known_at` the day is described as it was known then, on a database of its own, and nothing is corrected.

    Raises UnusableInput when the source cannot be used: nothing was landed then.
    """
    source = usable_source(settings)
    now = datetime.now(UTC)
    day = day_to_describe(source, asked, now)
    require_known(settings, source, now)
    with home_lock(settings.home):
        # Imported here: what cannot be used is refused before a second is spent on loading Dagster and dbt.
        from orchestration.automation.days import DayRunner
        from orchestration.automation.job import NIGHTLY_JOB
        from orchestration.corrections import after_the_night, correct_history
        from orchestration.publishing.summary import describe_failure, describe_published

        reproduces = settings.as_known_at is not None
        served_before = builds.current_build(settings.home)
        if reproduces:
            begin_reproduction(settings, source)
        with DayRunner(settings, source, full_refresh=full_refresh) as runner:
            corrections = None if reproduces else correct_history(runner, settings, source, day)
            night = runner.run(NIGHTLY_JOB, day)
            if not night.is_published:
                return Outcome(False, describe_failure(settings, night.build, served_before, night.cause))
        if reproduces:
            end_reproduction(settings, source)
        if corrections is not None:
            corrections = after_the_night(corrections, settings.database(source.name), day)
        build = builds.current_build(settings.home) or night.build
        return Outcome(everywhere(settings), describe_published(settings, source, build, served_before, corrections))


def everywhere(settings: Settings) -> bool:
    """Whether the served build is served wherever these settings want it."""
    return settings.publish != POSTGRES or serves_the_same(settings.home)


def require_known(settings: Settings, source: Source, now: datetime) -> None:
    """Raise UnusableInput when `settings.as_known_at` has not come, or nothing had been loaded by then."""
    as_known_at = settings.as_known_at
    if as_known_at is None:
        return
    if as_known_at > now:
        raise UnusableInput(f"--as-known-at {as_known_at:%Y-%m-%d %H:%M:%S} UTC has not come: leave it out to describe what is known now")
    loads = [batch.loaded_at for batch in read_batches_landed(settings.landing(source.name), "customers")]
    if not loads or min(loads) > as_known_at.replace(tzinfo=None):
        first = f"; the first batch of customers is of {min(loads):%Y-%m-%d %H:%M:%S} UTC" if loads else ""
        raise UnusableInput(f"nothing of {source.name} had been loaded by --as-known-at {as_known_at:%Y-%m-%d %H:%M:%S} UTC{first}")
