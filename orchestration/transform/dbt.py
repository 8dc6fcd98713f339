"""dbt, run inside this process: one parse per night, no new interpreter per step."""

import gc
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, date, datetime
from functools import cache
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import duckdb

from orchestration import working_database
from orchestration.audiences.definitions import check_definitions
from orchestration.errors import STOPPED_BY_SIGNAL, SegmentsError
from orchestration.files import copy_file
from orchestration.ingest.contract import read_contract
from orchestration.ingest.landing import damaged_batches
from orchestration.ingest.source import Source
from orchestration.mistakes import Mistake, refuse
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.sql import quote_literal
from orchestration.transform.manifest import checksum

# What dbt has parsed, for every home; dbt itself finds out what has changed since.
PARSED = PROJECT_DIR / "target" / "parsed"

DbtEvent = dict[str, Any]
# What became of a model, a seed, a test: of the thousands of events of a run, those that anybody here reads.
RESULTS = ("LogModelResult", "LogSeedResult", "LogTestResult")
# The log, in the dbt folder of the home, and what goes there. dbt's own would take a tenth of a small night: it formats every event,
# and then drops most of them.
LOG = Path("logs") / "dbt.log"
LOGGED_LEVELS = ("info", "warn", "error")
LOG_BYTES, LOGS_KEPT = 10_000_000, 5
# New objects before Python looks for garbage among them, 700 unless told: dbt makes millions that live on, or die unlooked-for.
OBJECTS_BEFORE_COLLECTING = 50_000
# How much is told of what a data test found.
SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_CHARACTERS = 3, 6, 60
# What reads the landed batches of a raw table: base_<table>.
BASE = "base_"


class DbtFailed(SegmentsError):
    """A dbt command did not succeed; the message names the nodes that failed and why."""


def bind_environment(settings: Settings, source: Source) -> None:
    """Point dbt's profile and the landing source at this home and this source; telemetry stays off."""
    os.environ["SEGMENTS_DATABASE"] = str(settings.database(source.name))
    os.environ["SEGMENTS_LANDING"] = str(settings.landing(source.name))
    os.environ["DO_NOT_TRACK"] = "1"


def variables(
    source: Source, as_of_date: date | None = None, build_id: str | None = None, as_known_at: datetime | None = None
) -> dict[str, Any]:
    """The dbt variables of one night: what the source says about itself, its overrides, the day described, the build made.

    as_known_at: rows loaded later do not count; models get it as UTC, without saying so.
    """
    own = {"business_timezone": source.business_timezone, "currency": source.currency, "holiday_country": source.holiday_country}
    settled: dict[str, Any] = {**source.vars, **{name: value for name, value in own.items() if value is not None}}
    if as_of_date is not None:
        settled["as_of_date"] = as_of_date.isoformat()
    if build_id is not None:
        settled["build_id"] = build_id
    if as_known_at is not None:
        settled["as_known_at"] = as_known_at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return settled


def common_arguments(settings: Settings, dbt_variables: Mapping[str, Any]) -> list[str]:
    """The flags every dbt command of this project gets."""
    return [
        *("--project-dir", str(PROJECT_DIR)),
        *("--profiles-dir", str(PROJECT_DIR)),
        *("--target", settings.target),
        *("--target-path", str(settings.dbt_dir / "target")),
        *("--log-path", str(settings.dbt_dir / "logs")),
        *("--log-level", "none"),
        *("--log-level-file", "none"),
        "--no-use-colors",
        # What stands in a schema is looked up when the first model of it is made: a third of what starting a run takes.
        "--no-populate-cache",
        *("--vars", json.dumps(dict(dbt_variables))),
    ]


def build_arguments(selection: Sequence[str], *, full_refresh: bool = False) -> list[str]:
    """Arguments of one `dbt build` step of a night. With `full_refresh` incremental working tables are built anew; history never is.

    Unit tests describe rules, not last night's data: they run in `make test`. A data test runs in the first step in which
    everything it reads exists (`buildable`).
    """
    anew = ["--full-refresh"] if full_refresh else []
    return ["build", *selection, "--exclude-resource-type", "unit_test", "--indirect-selection", "buildable", *anew]


def _manifest(settings: Settings, source: Source) -> Any:
    bind_environment(settings, source)
    own = variables(source)
    # All that dbt parses differently for, but for files.
    name = checksum([settings.target, own])
    return _parsed_manifest(tuple(common_arguments(settings, own)), settings.dbt_dir, name)


@cache
def _parsed_manifest(arguments: tuple[str, ...], dbt_dir: Path, name: str) -> Any:
    """Parse once per process; and what another home has parsed already is not parsed again, but for files that have changed since.

    Where the data are is no part of a manifest, but dbt would parse everything anew for other paths.
    """
    parsed, shared = dbt_dir / "target" / "partial_parse.msgpack", PARSED / f"{name}.msgpack"
    if not parsed.exists() and shared.exists():
        parsed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared, parsed)
    paths = {variable: os.environ[variable] for variable in ("SEGMENTS_DATABASE", "SEGMENTS_LANDING")}
    os.environ.update({"SEGMENTS_DATABASE": Path(paths["SEGMENTS_DATABASE"]).name, "SEGMENTS_LANDING": "landing"})
    try:
        result = invoke(["parse", *arguments], log=dbt_dir / LOG)
    finally:
        os.environ.update(paths)
    if not result.success:
        refuse(_wrong_audiences())
        raise DbtFailed(f"the dbt project cannot be parsed: {result.exception}")
    _share(parsed, shared)
    return result.result


def _wrong_audiences() -> list[Mistake]:
    """The mistakes in definitions of audiences: dbt does not say in which line of the definition it stopped."""
    with suppress(Exception):  # of macros that cannot be read dbt says more
        return check_definitions()[1]
    return []


def _share(parsed: Path, shared: Path) -> None:
    """Leave what was parsed to other homes. Where the project may not be written to, each home parses for itself."""
    with suppress(OSError):
        shared.parent.mkdir(parents=True, exist_ok=True)
        copy_file(parsed, shared)


def parse(settings: Settings, source: Source) -> dict[str, Any]:
    """Parse the project and return its manifest, which Dagster builds its assets from.

    Raises UnusableInput when it is a definition of an audience that cannot be parsed, DbtFailed when it is anything else.
    """
    _manifest(settings, source)
    manifest: dict[str, Any] = json.loads((settings.dbt_dir / "target" / "manifest.json").read_text())
    return manifest


def run(
    arguments: Sequence[str],
    *,
    settings: Settings,
    source: Source,
    as_of_date: date,
    build_id: str | None,
    on_result: Callable[[DbtEvent], None] | None = None,
) -> None:
    """Run one dbt command in this process and hand each of its structured events of RESULTS to `on_result`, if anybody asks.

    Raises:
        DbtFailed: when any node failed; the message names the first ones.
    """
    from google.protobuf.json_format import MessageToDict

    manifest = _manifest(settings, source)
    common = common_arguments(settings, variables(source, as_of_date, build_id, settings.as_known_at))

    def hear(message: Any) -> None:
        if on_result is not None and message.info.name in RESULTS:
            on_result(MessageToDict(message, preserving_proto_field_name=True))

    # Nobody reads what a run would write about itself: its events say it all. Writing it takes a second a run.
    result = invoke([*arguments, "--no-write-json", *common], manifest, log=settings.dbt_dir / LOG, callbacks=[hear])
    if not result.success:
        raise DbtFailed(_failure_message(result, settings.database(source.name), settings.landing(source.name)))


def invoke(
    arguments: Sequence[str], manifest: Any = None, *, log: Path | None = None, callbacks: Sequence[Callable[[Any], None]] = ()
) -> Any:
    """Run one dbt command in this process, on a parsed manifest if there is one, and return dbt's own result.

    The connection to the working database is closed before this returns, so that the next step may open the file its own way.

    log: the file that what dbt has to say is added to.
    callbacks: what is told each of dbt's events.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with ExitStack() as until_done:
        until_done.callback(DuckDBConnectionManager.close_all_connections)
        until_done.enter_context(_collecting_seldom())
        told = list(callbacks)
        if log is not None:
            told.append(until_done.enter_context(_writing_to(log)))
        return dbtRunner(manifest=manifest, callbacks=told).invoke(list(arguments))


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BEFORE_COLLECTING, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _writing_to(log: Path) -> Iterator[Callable[[Any], None]]:
    """What adds those of dbt's events that people read to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with closing(RotatingFileHandler(log, maxBytes=LOG_BYTES, backupCount=LOGS_KEPT, encoding="utf-8")) as handler:
        handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)-5s] %(message)s"))

        def write(message: Any) -> None:
            if message.info.level in LOGGED_LEVELS:
                handler.emit(logging.makeLogRecord({"levelname": message.info.level, "msg": message.info.msg}))

        yield write


def _failure_message(result: Any, database: Path, landing_dir: Path) -> str:
    if result.exception is not None:
        # Only what ends the process is no Exception, and it has no words of its own.
        return f"dbt stopped: {result.exception}" if isinstance(result.exception, Exception) else STOPPED_BY_SIGNAL
    failures = [r for r in result.result.results if str(r.status) in ("error", "fail")]
    named = "; ".join(_failure(failure, database) for failure in failures[:3])
    more = f" (and {len(failures) - 3} more)" if len(failures) > 3 else ""
    # The engine does not say which file it could not read.
    read = [r.node.name.removeprefix(BASE) for r in failures if r.node.resource_type == "model" and r.node.name.startswith(BASE)]
    if damaged := [str(file) for table in read for file in damaged_batches(landing_dir, table)]:
        return f"{', '.join(damaged)} cannot be read; restore what was landed from a backup (dbt stopped at {named}{more})"
    return f"dbt stopped at {named}{more}; the whole log is in the dbt/logs folder of the home"


def _failure(failure: Any, database: Path) -> str:
    """What failed and why: of a data test the first rows that it found, which dbt only counts."""
    node = failure.node
    if str(failure.status) != "fail" or not getattr(node, "compiled_code", None):
        return f"{node.name}: {' '.join((failure.message or '').split())}"
    generic, tested = getattr(node, "test_metadata", None), getattr(node, "attached_node", None)
    test = f"{generic.name} of {tested.rpartition('.')[2]}" if generic and tested else node.name
    try:
        rows = _rows_found(node.compiled_code, database)
    except (duckdb.Error, SegmentsError) as error:
        rows = f"(cannot be read: {' '.join(str(error).split())})"
    return f"{test}: {failure.failures} row{'s' if failure.failures != 1 else ''} found{rows and f', such as {rows}'}"


def _rows_found(sql: str, database: Path) -> str:
    """The first rows of a data test, in words. They are kept with the build and would outlive an erasure: they name no customer."""
    with working_database.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"set file_search_path = {quote_literal(os.environ['SEGMENTS_LANDING'])}")
        cursor = connection.execute(f"select * from ({sql}\n) as found limit {SHOWN_ROWS}")
        names = [column[0] for column in cursor.description or []]
        rows = cursor.fetchall()
    told = []
    for row in rows:
        shown = [(name, value) for name, value in zip(names, row, strict=True) if not _is_personal(name)]
        told.append([f"{name} {str(value)[:SHOWN_CHARACTERS]}" for name, value in shown[:SHOWN_COLUMNS]])
    return " and ".join(f"({', '.join(values)})" for values in told if values)


def _is_personal(column: str) -> bool:
    classified = {each.name for table in read_contract().tables.values() for each in table.columns if each.classification}
    return column in classified | {"row_as_it_came"} or column.endswith(("customer_id", "person_id"))
