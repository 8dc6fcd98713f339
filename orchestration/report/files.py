"""Where the pages are, and making the one of a build.

    <home>/reports/<build id>/index.html    one page per build that is kept
                             problem.txt    why there is none, where it could not be made
    <home>/reports/latest -> <build id>     the page of what readers see: a relative link, replaced at one instant

A page never decides what is served: it is made after the swap, and what goes wrong here is told and takes nothing back.
"""

import csv
import os
import shutil
from pathlib import Path

from orchestration.errors import UnusableInput
from orchestration.files import sync_file, sync_folder
from orchestration.ingest.source import Source
from orchestration.publishing.builds import DATABASE_FILE, build_dir, served_build_id
from orchestration.report.document import ReportFailed, ReportOptions, read_document
from orchestration.report.page import chart_library, fitting_page
from orchestration.settings import PROJECT_DIR

PAGE_FILE = "index.html"
PROBLEM_FILE = "problem.txt"
LATEST = "latest"
MINIMUM_GROUP_SIZE = "minimum_group_size"


def reports_dir(home: Path) -> Path:
    """Where the pages of a home are."""
    return home / "reports"


def page_file(home: Path, build_id: str) -> Path:
    """The page of one build."""
    return reports_dir(home) / build_dir(home, build_id).name / PAGE_FILE


def latest_page(home: Path) -> Path:
    """The page of what readers see, under a path that stays."""
    return reports_dir(home) / LATEST / PAGE_FILE


def report_options(source: Source) -> ReportOptions:
    """What the page needs to know of the source: the smallest group told (its own number, or the project's) and its currency."""
    own = source.vars.get(MINIMUM_GROUP_SIZE)
    return ReportOptions(int(_project_minimum() if own is None else own), source.currency)


def _project_minimum() -> float:
    with (PROJECT_DIR / "seeds" / "thresholds.csv").open(encoding="utf-8", newline="") as file:
        return next(float(row["value"]) for row in csv.DictReader(file) if row["name"] == MINIMUM_GROUP_SIZE)


def make_report(home: Path, build_id: str, options: ReportOptions) -> Path:
    """Make the page of a build from its serving database; returns its path. The caller holds the lock of the home.

    Raises UnusableInput when the build has no tables, ReportFailed when the page cannot be made: it then stays as it was.
    """
    database = build_dir(home, build_id) / DATABASE_FILE
    if not database.is_file():
        raise UnusableInput(f"The build {build_id} has no {DATABASE_FILE} to make a page from: `segments builds` lists what is kept.")
    page = fitting_page(lambda detail: read_document(database, build_id, options, detail), chart_library())
    path = page_file(home, build_id)
    _write(path, page)
    (path.parent / PROBLEM_FILE).unlink(missing_ok=True)
    prune_reports(home)
    point_latest(home)
    return path


def try_report(home: Path, build_id: str, options: ReportOptions) -> str | None:
    """Make the page of a build that is already published; returns why it could not be made, and never raises.

    Whatever goes wrong with a page must not look like a night that went wrong.
    """
    try:
        make_report(home, build_id, options)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        try:
            folder = page_file(home, build_id).parent
            folder.mkdir(parents=True, exist_ok=True)
            (folder / PROBLEM_FILE).write_text(reason + "\n", encoding="utf-8")
            point_latest(home)
        except OSError:
            pass  # the disk is what failed; the reason is still returned
        return reason
    return None


def describe_page(home: Path, build_id: str) -> str:
    """Where the page of a build is, or why there is none."""
    if page_file(home, build_id).is_file():
        return str(latest_page(home) if served_build_id(home) == build_id else page_file(home, build_id))
    problem = page_file(home, build_id).with_name(PROBLEM_FILE)
    reason = problem.read_text(encoding="utf-8").strip() if problem.is_file() else "it has not been made yet"
    return f"no page: {reason} (`segments report` makes it)"


def point_latest(home: Path) -> None:
    """Let `reports/latest` lead to the page of the served build; without such a page there is no link, rather than one to another build."""
    latest = reports_dir(home) / LATEST
    served = served_build_id(home)
    if served is None or not page_file(home, served).is_file():
        latest.unlink(missing_ok=True)
        return
    temporary = reports_dir(home) / f".{LATEST}.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(served)
    temporary.replace(latest)
    sync_folder(reports_dir(home))


def prune_reports(home: Path) -> None:
    """Remove the pages of builds whose tables are no longer kept."""
    for folder in reports_dir(home).iterdir():
        if folder.is_dir() and not folder.is_symlink() and not (build_dir(home, folder.name) / DATABASE_FILE).is_file():
            shutil.rmtree(folder)


def _write(path: Path, page: str) -> None:
    """Whole or not at all: whoever has the page open sees the one before until they load it again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(page, encoding="utf-8")
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise ReportFailed(f"{path} could not be written: {error.strerror or error}") from error
