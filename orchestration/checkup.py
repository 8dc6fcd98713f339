"""`segments check`: what is wrong with this installation or with this source, before anything runs or is written."""

import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from orchestration.audiences.definitions import check_definitions
from orchestration.errors import SegmentsError, UnusableInput
from orchestration.ingest.inspection import TableReport, describe_columns, inspect_source
from orchestration.ingest.source import resolve_source
from orchestration.mistakes import Mistake
from orchestration.night import day_to_describe
from orchestration.publishing.postgres import is_made_here, postgres_url
from orchestration.settings import POSTGRES, PROJECT_DIR, Settings
from orchestration.transform.rule_tables import check_rule_tables

GIGABYTE = 1024**3
# Below this a night of a few million order lines runs out of disk.
LOW_DISK_GIGABYTES = 5


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, worth knowing, or in the way of a night."""

    subject: str
    state: str
    is_problem: bool = False

    def __str__(self) -> str:
        return f"  {'✗' if self.is_problem else '✓'} {self.subject}: {self.state}"


@dataclass(frozen=True)
class Checkup:
    """All findings, as a person reads them."""

    findings: list[tuple[str, list[Finding]]]

    @property
    def is_usable(self) -> bool:
        """Whether a night can run."""
        return not any(finding.is_problem for _, group in self.findings for finding in group)

    @property
    def text(self) -> str:
        """Every finding by group, then the verdict."""
        lines = []
        for title, group in self.findings:
            lines += [title, *map(str, group), ""]
        verdict = "Ready for a night." if self.is_usable else "Not ready: mend what is marked ✗, then run `segments check` again."
        return "\n".join([*lines, verdict])


def check_installation(settings: Settings) -> Checkup:
    """Look at the installation and at the source without writing anything."""
    postgres = [("PostgreSQL", [_postgres(settings)])] if settings.publish == POSTGRES else []
    return Checkup(
        [
            ("Installation", _installation(settings)),
            *postgres,
            ("Rule tables", _rule_tables()),
            ("Audiences", _audiences()),
            (f"Source {settings.source}", _source(settings)),
        ]
    )


def _postgres(settings: Settings) -> Finding:
    from orchestration.publishing.postgres_load import served_build

    try:
        served = served_build(postgres_url())
    except SegmentsError as error:
        return Finding("server", str(error), is_problem=True)
    if served is None:
        return Finding("server", "answers, serves no build yet")
    serves = f"answers, serves build {served.build_id} of {served.source}"
    if is_made_here(settings.home, served.build_id, served.started_at):
        return Finding("server", serves)
    return Finding("server", f"{serves}, from another home: no night of this one replaces it unless told to (docs/bi.md)", is_problem=True)


def _rule_tables() -> list[Finding]:
    return _told(check_rule_tables()) or [Finding("seeds", "no mistake")]


def _audiences() -> list[Finding]:
    definitions, mistakes = check_definitions()
    return _told(mistakes) or [Finding("definitions", f"{len(definitions)} audiences, no mistake")]


def _told(mistakes: list[Mistake]) -> list[Finding]:
    return [Finding(f"{mistake.file}:{mistake.line}", mistake.text, is_problem=True) for mistake in mistakes]


def _installation(settings: Settings) -> list[Finding]:
    python = ".".join(map(str, sys.version_info[:3]))
    findings = [Finding("Python", python, is_problem=sys.version_info[:2] != (3, 11))]
    wrong = _packages_other_than_locked()
    findings.append(
        Finding("packages", "; ".join(wrong) + ": run `make install`" if wrong else "as requirements.lock has them", bool(wrong))
    )
    parent = next(folder for folder in (settings.home, *settings.home.parents) if folder.exists())
    findings.append(_home(settings.home, parent))
    free = shutil.disk_usage(parent).free / GIGABYTE
    low = free < LOW_DISK_GIGABYTES
    findings.append(Finding("disk", f"{free:,.0f} GB free{' - a large night may not fit' if low else ''}", is_problem=False))
    return findings


def _home(home: Path, parent: Path) -> Finding:
    """Whether a file can be made in the home, or in the folder where it would be: rights alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=parent):
            return Finding("home", f"{home} can be written")
    except OSError as error:
        return Finding("home", f"{home} cannot be written ({error.strerror}): choose another folder", is_problem=True)


def _packages_other_than_locked() -> list[str]:
    """Packages this project names itself whose installed version is not the locked one."""
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (PROJECT_DIR / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    wrong = []
    for name in ("dbt-core", "dbt-duckdb", "duckdb", "dagster", "dagster-dbt", "great-expectations", "duckdb-engine", "sqlalchemy"):
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "not installed"
        if installed != locked.get(name):
            wrong.append(f"{name} is {installed}, locked is {locked.get(name)}")
    return wrong


def _source(settings: Settings) -> list[Finding]:
    try:
        source = resolve_source(settings.source)
        day_to_describe(source, None, datetime.now(UTC))
        report = inspect_source(source)
    except UnusableInput as error:
        return [Finding("source", str(error), is_problem=True)]
    except SegmentsError as error:
        return [Finding("source", f"could not be read: {error}", is_problem=True)]
    findings = [Finding("source", problem, is_problem=True) for problem in report.problems]
    for table in report.tables:
        if not table.is_present:
            findings.append(Finding(table.table, "absent: what depends on it alone stays empty or unknown"))
        elif table.inputs:
            findings.append(Finding(table.table, _brought(table)))
            findings += [Finding(table.table, f"not like its other files: {difference}") for difference in table.column_differences]
    findings += [Finding(name, f"ignored: {reason}") for name, reason in report.files_ignored]
    return findings


def _brought(table: TableReport) -> str:
    """What a present table brings, and which columns none of its files does."""
    brought = f"{len(table.inputs)} files" if len(table.inputs) > 1 else table.inputs[0].file
    columns = describe_columns(table.columns_missing, table.columns_ignored)
    return f"{brought}; {columns}" if columns else brought
