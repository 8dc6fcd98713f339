"""Jobs of one source, day by day in this process: one parse of the project and one Dagster instance for all of them."""

import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.automation.instance import open_instance
from orchestration.automation.job import build_definitions
from orchestration.errors import STOPPED_BY_SIGNAL, SegmentsError
from orchestration.ingest.landing import land
from orchestration.ingest.source import Source
from orchestration.night import NightKeeper
from orchestration.progress import Progress
from orchestration.publishing import builds
from orchestration.publishing.builds import Build
from orchestration.settings import Settings
from orchestration.transform import dbt
from orchestration.transform.rules import rules_of_working_tables, why_to_build_anew

# What came in when, and about which days, with all that it reads.
ARRIVALS = "+event_arrivals"


@dataclass(frozen=True)
class DayResult:
    """What a job made of one day. `cause` is the message of the first step that failed."""

    build: Build
    succeeded: bool
    cause: str
    seconds: float

    @property
    def is_published(self) -> bool:
        """Whether readers of the serving database see this build; what came after the swap may have failed."""
        return self.build.status == builds.PUBLISHED

    @property
    def reason(self) -> str:
        """Why it did not succeed."""
        return self.build.failure or self.cause


class DayRunner(contextlib.AbstractContextManager["DayRunner"]):
    """Runs jobs of one source, each for one day. The caller holds the lock of the home."""

    def __init__(self, settings: Settings, source: Source, *, full_refresh: bool = False, progress: Progress | None = None) -> None:
        self.progress = progress or Progress()
        self._settings = settings
        self._source = source
        self._keeper = NightKeeper(settings, source, holds_lock=True, full_refresh=full_refresh)
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "DayRunner":
        # It says of every dbt test that runs after the gate that the step before the gate did not run it.
        logging.getLogger("dagster._core.execution.plan.active").setLevel(logging.ERROR)
        self.progress.stage("preparing")
        self._definitions = build_definitions(self._settings, self._source, self._keeper, self.progress)
        self._instance = self._closing.enter_context(open_instance(self._settings))
        self.progress.finish()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.close()

    def look_ahead(self, last_recorded: date) -> bool:
        """Land what is new and stage it, so that the working database knows which recorded days it outdates; no build is begun by that.

        Nothing is staged where working tables have to be built anew: then the night itself finds what came late, and False is returned.

        Raises UnusableInput when something cannot be landed, DbtFailed when staging failed.
        """
        self.progress.stage("look for late rows")
        settings, source = self._settings, self._source
        landed = self._keeper.land(lambda: land(source, settings.landing(source.name), datetime.now(UTC)))
        rules = rules_of_working_tables(dbt.parse(settings, source), dbt.variables(source))
        builds_anew = why_to_build_anew(settings.database(source.name), rules, asked=self._keeper.full_refresh) is not None
        if landed.rows_landed and not builds_anew:
            # Of a day that the working tables may stand at already, so that no window moves for this.
            arguments = ["run", "--select", ARRIVALS]
            dbt.run(arguments, settings=settings, source=source, as_of_date=last_recorded, build_id=None)
        self.progress.finish(f"{landed.rows_landed:,} new rows")
        return not (landed.rows_landed and builds_anew)

    def run(self, job: str, day: date) -> DayResult:
        """Run a job for one day, as the UI would.

        Raises UnusableInput when something cannot be landed, SegmentsError when landing failed otherwise: nothing was begun then.
        """
        home = self._settings.home
        started, clock = datetime.now(UTC), time.monotonic()
        self._keeper.failure = None
        result = self._definitions.resolve_job_def(job).execute_in_process(
            partition_key=day.isoformat(),
            instance=self._instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        begun = [build for build in builds.list_builds(home) if build.started_at >= started]
        # Dagster keeps texts only; what this project raised on purpose says more than what caused it.
        failure = self._keeper.failure if isinstance(self._keeper.failure, SegmentsError) else None
        if not begun and failure is not None:
            raise failure
        if not begun:
            raise SegmentsError(f"landing failed, nothing was changed: {_first_failure(result)}")
        cause = _first_failure(result) if failure is None else str(failure)
        return DayResult(begun[-1], result.success, cause, time.monotonic() - clock)


def _first_failure(result: object) -> str:
    """The message of the first step that failed, without Dagster's wrapping."""
    for event in getattr(result, "all_events", []):
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            while error.cause is not None:
                error = error.cause
            if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                return STOPPED_BY_SIGNAL
            return " ".join(str(error.message).split())
    return "no step says why"
