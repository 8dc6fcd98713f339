"""The verdict on a build: what the audit found, and a fingerprint of exactly the rows it was about.

It is stored in the build's own folder (`<home>/builds/<build id>/verdict.json`). Publishing asks for the verdict of that very
build and compares the fingerprints: running the publishing step alone does not get past the gate.
"""

import datetime
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration import working_database
from orchestration.errors import GateClosed, UnusableInput
from orchestration.files import write_json
from orchestration.quality.gate import SEGMENTS_SCHEMA, CheckResult, audit
from orchestration.sql import quote_identifier

VERDICT_FILE = "verdict.json"
NAMED_FAILURES = 3


@dataclass(frozen=True)
class Fingerprint:
    """What a table holds, whatever the order of its rows: their number, a hash sum of whole rows, and the columns."""

    rows: int
    content: str
    columns: str


@dataclass(frozen=True)
class Verdict:
    """One audit of one build. `checked_at` is UTC."""

    build_id: str
    as_of_date: datetime.date
    checked_at: datetime.datetime
    passed: bool
    results: tuple[CheckResult, ...]
    fingerprints: Mapping[str, Fingerprint]

    @property
    def blocking(self) -> list[CheckResult]:
        """The results that keep the gate closed."""
        return [result for result in self.results if result.blocks]


def audit_build(
    build_dir: Path,
    database: Path,
    as_of_date: datetime.date,
    suites_dir: Path,
    segment_tables: Sequence[str],
    *,
    checked_at: datetime.datetime,
    variables: Mapping[str, Any] | None = None,
) -> Verdict:
    """Audit the segment tables, fingerprint them and store the verdict in `build_dir`. The folder's name is the build id.

    The database stays open read-only from before the first check until after the last fingerprint, so that nobody can
    write it in between. Arguments and errors are those of `gate.audit`.
    """
    if not database.is_file():
        raise UnusableInput(f"There is no working database {database}: build the segments before auditing them.")
    with working_database.connect(database) as connection:
        results = audit(database, as_of_date, suites_dir, segment_tables, variables)
        fingerprints = fingerprint_tables(connection, segment_tables)
    return store_verdict(build_dir, as_of_date, checked_at, results, fingerprints)


def store_verdict(
    build_dir: Path,
    as_of_date: datetime.date,
    checked_at: datetime.datetime,
    results: Iterable[CheckResult],
    fingerprints: Mapping[str, Fingerprint],
) -> Verdict:
    """Write the verdict of the build that `build_dir` is named after, whole or not at all, and return it."""
    results = tuple(results)
    verdict = Verdict(build_dir.name, as_of_date, checked_at, _passed(results), results, dict(fingerprints))
    document = {
        **asdict(verdict),
        "as_of_date": as_of_date.isoformat(),
        "checked_at": checked_at.isoformat(),
    }
    write_json(build_dir / VERDICT_FILE, document)
    return verdict


def read_verdict(build_dir: Path) -> Verdict:
    """The stored verdict. Raises GateClosed when there is none, or none that can be read."""
    path = build_dir / VERDICT_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Verdict(
            build_id=document["build_id"],
            as_of_date=datetime.date.fromisoformat(document["as_of_date"]),
            checked_at=datetime.datetime.fromisoformat(document["checked_at"]),
            passed=document["passed"] is True,
            results=tuple(CheckResult(**result) for result in document["results"]),
            fingerprints={table: Fingerprint(**fingerprint) for table, fingerprint in document["fingerprints"].items()},
        )
    except FileNotFoundError:
        raise GateClosed(f"The build {build_dir.name} was never audited (no {path}): run the audit before publishing.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GateClosed(f"The verdict {path} cannot be read ({error!r}): audit the build again.") from error


def require_passed_verdict(build_dir: Path, database: Path, segment_tables: Collection[str] = ()) -> Verdict:
    """The verdict of this build, when it passed and is about exactly the rows that `database` holds now.

    Raises GateClosed when there is no verdict, when it failed, when it is of another build, when one of `segment_tables` was
    not audited, or when an audited table has changed since.
    """
    with working_database.connect(database) as connection:
        return require_passed_verdict_on(build_dir, connection, segment_tables)


def require_passed_verdict_on(
    build_dir: Path, connection: duckdb.DuckDBPyConnection, segment_tables: Collection[str] = (), catalog: str | None = None
) -> Verdict:
    """As `require_passed_verdict`, on an open connection (in which the working database is attached as `catalog`)."""
    verdict = read_verdict(build_dir)
    if verdict.build_id != build_dir.name:
        raise GateClosed(f"The verdict in {build_dir} is of the build {verdict.build_id}: audit {build_dir.name} itself.")
    if not verdict.passed or not _passed(verdict.results):
        raise GateClosed(f"The build {verdict.build_id} did not pass its audit: {failures_in_words(verdict)}.")
    if unaudited := sorted(set(segment_tables) - set(verdict.fingerprints)):
        raise GateClosed(f"{SEGMENTS_SCHEMA}.{unaudited[0]} was not audited in the build {verdict.build_id}: run the audit again.")
    now = fingerprint_tables(connection, verdict.fingerprints, catalog)
    if changed := [table for table, fingerprint in verdict.fingerprints.items() if now.get(table) != fingerprint]:
        raise GateClosed(
            f"{SEGMENTS_SCHEMA}.{changed[0]} is not what was audited in the build {verdict.build_id}: audit it again before publishing."
        )
    return verdict


def failures_in_words(verdict: Verdict) -> str:
    """The checks that keep the gate closed, the first ones named."""
    blocking = verdict.blocking
    if not blocking:
        return "no check was run" if not verdict.results else "its verdict says so, though none of its checks does"
    named = "; ".join(map(str, blocking[:NAMED_FAILURES]))
    return named + (f" and {len(blocking) - NAMED_FAILURES} more" if len(blocking) > NAMED_FAILURES else "")


def fingerprint_tables(connection: duckdb.DuckDBPyConnection, tables: Iterable[str], catalog: str | None = None) -> dict[str, Fingerprint]:
    """The fingerprints of tables of the schema segments; a table that does not exist has none."""
    prefix = f"{quote_identifier(catalog)}." if catalog else ""
    fingerprints = {}
    for table in tables:
        with suppress(duckdb.CatalogException):
            fingerprints[table] = fingerprint(connection, f"{prefix}{SEGMENTS_SCHEMA}.{quote_identifier(table)}")
    return fingerprints


def fingerprint(connection: duckdb.DuckDBPyConnection, relation: str) -> Fingerprint:
    """The fingerprint of what `relation` (SQL of a from clause, its names quoted) holds. Reads every value once.

    A whole row is hashed as one value (DuckDB's hash of several arguments is not uniform), and the hashes are added up, so that
    neither the order of the rows nor the number of threads matters but a repeated row does.
    """
    columns = connection.execute(f"describe from {relation}").fetchall()
    sql = f"select count(*), cast(coalesce(sum(hash(whole)), 0) as varchar) from {relation} as whole"
    ((rows, content),) = connection.execute(sql).fetchall()
    return Fingerprint(rows, content, ", ".join(f"{name} {kind}" for name, kind, *_ in columns))


def _passed(results: Sequence[CheckResult]) -> bool:
    return bool(results) and not any(result.blocks for result in results)
