"""The builds of a home: one folder each, what is known about it in `build.json`, and which one is served.

    <home>/builds/<build id>/build.json          what, when, from what, how it ended
                             verdict.json        what the gate found
                             segments.duckdb     the published tables, once written
                             parquet/<table>/    the same
    <home>/serving -> builds/<build id>          what readers see: a relative link, replaced at one instant

Functions that write expect the caller to hold `lock.home_lock(home)`. All times are UTC.
"""

import contextlib
import datetime
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.files import sync_folder, write_json

BUILD_FILE = "build.json"
DATABASE_FILE = "segments.duckdb"
PARQUET_DIR = "parquet"
# A recorded build is in the history, but has no tables that readers could be served: a day that was recorded without publishing it.
BUILDING, FAILED, RECORDED, PUBLISHED = "building", "failed", "recorded", "published"
# A backfill of a month stays listed.
RECORDED_BUILDS_KEPT = 31
REMOVED_PREFIX = ".removed-"


@dataclass(frozen=True)
class Build:
    """One night's result. `rows` are the rows of each published table, `bytes` the size of everything written for readers.

    `as_known_at` is there when the build describes its day as it was known at that moment. `business_timezone` says by whose clock its
    day begins; builds of before it was entered do not say.
    """

    id: str
    source: str
    as_of_date: datetime.date
    code_version: str
    status: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    bytes: int | None = None
    failure: str | None = None
    as_known_at: datetime.datetime | None = None
    business_timezone: str | None = None


def start_in(build_id: str) -> str:
    """The part of a build's id that tells when it was started: builds sort by it, whatever day they describe."""
    return build_id.partition("T")[2]


def builds_dir(home: Path) -> Path:
    """Where the builds of a home are."""
    return home / "builds"


def build_dir(home: Path, build_id: str) -> Path:
    """The folder of one build. Raises UnusableInput when the id could lead anywhere else."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]*", build_id):
        raise UnusableInput(f"{build_id!r} is not a build id: `segments builds` lists them.")
    return builds_dir(home) / build_id


def start_build(
    home: Path,
    source: str,
    as_of_date: datetime.date,
    code_version: str,
    started_at: datetime.datetime | None = None,
    as_known_at: datetime.datetime | None = None,
    business_timezone: str | None = None,
) -> Build:
    """Make the folder of a new build and enter it as building.

    The id is `<as_of_date>T<start, UTC>Z`: it sorts by day and then by start, is unique in this home and safe as a file name.
    Builds that an earlier process left unfinished are closed first: nobody else can be building while the home is locked.
    """
    started_at = started_at or datetime.datetime.now(datetime.UTC)
    _close_unfinished(home)
    stem = f"{as_of_date.isoformat()}T{started_at.astimezone(datetime.UTC):%Y%m%dT%H%M%S}Z"
    builds_dir(home).mkdir(parents=True, exist_ok=True)
    for number in range(1, 1000):
        build_id = stem if number == 1 else f"{stem}-{number:03d}"
        try:
            build_dir(home, build_id).mkdir()
        except FileExistsError:
            continue
        build = Build(
            build_id, source, as_of_date, code_version, BUILDING, started_at, as_known_at=as_known_at, business_timezone=business_timezone
        )
        write_build_file(home, build)
        return build
    raise UnusableInput(f"{builds_dir(home)} already holds 999 builds of this very second: wait a moment.")


def fail_build(home: Path, build_id: str, reason: str, finished_at: datetime.datetime | None = None) -> Build:
    """Enter a build as failed, with the reason in one sentence. One that is recorded stays so, with the reason why it is not published."""
    build = read_build(home, build_id)
    status = RECORDED if build.status == RECORDED else FAILED
    failed = replace(build, status=status, failure=reason, finished_at=finished_at or _now())
    write_build_file(home, failed)
    return failed


def mark_recorded(home: Path, build_id: str, finished_at: datetime.datetime | None = None) -> Build:
    """Enter a build as recorded: its day is in the history."""
    recorded = replace(read_build(home, build_id), status=RECORDED, finished_at=finished_at or _now(), failure=None)
    write_build_file(home, recorded)
    return recorded


def mark_published(home: Path, build_id: str, rows: Mapping[str, int], finished_at: datetime.datetime | None = None) -> Build:
    """Enter a build as published, with the rows of its tables and its size."""
    folder = build_dir(home, build_id)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    published = replace(
        read_build(home, build_id), status=PUBLISHED, finished_at=finished_at or _now(), rows=dict(rows), bytes=size, failure=None
    )
    write_build_file(home, published)
    return published


def write_build_file(home: Path, build: Build) -> None:
    """Write what is known about a build, whole or not at all."""
    document = {
        **asdict(build),
        "as_of_date": build.as_of_date.isoformat(),
        "started_at": build.started_at.isoformat(),
        "finished_at": build.finished_at and build.finished_at.isoformat(),
        "as_known_at": build.as_known_at and build.as_known_at.isoformat(),
    }
    write_json(build_dir(home, build.id) / BUILD_FILE, document)


def read_build(home: Path, build_id: str) -> Build:
    """What is known about one build. Raises UnusableInput when there is no such build or its file is damaged."""
    path = build_dir(home, build_id) / BUILD_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        finished_at, as_known_at = document["finished_at"], document.get("as_known_at")
        return Build(
            **{
                **document,
                "as_of_date": datetime.date.fromisoformat(document["as_of_date"]),
                "started_at": datetime.datetime.fromisoformat(document["started_at"]),
                "finished_at": finished_at and datetime.datetime.fromisoformat(finished_at),
                "as_known_at": as_known_at and datetime.datetime.fromisoformat(as_known_at),
            }
        )
    except FileNotFoundError:
        gone = served_and_gone(home)
        if gone is not None and served_build_id(home) == build_id:
            raise UnusableInput(gone) from None
        raise UnusableInput(f"There is no build {build_id} in {home}: `segments builds` lists them.") from None
    except (ValueError, KeyError, TypeError) as error:
        cure = "remove the folder, or restore the file"
        if served_build_id(home) == build_id:
            cure = "readers see this build, so restore the file, or serve another one with `segments rollback BUILD` and remove the folder"
        raise UnusableInput(f"{path} is damaged ({error!r}): {cure}.") from error


def list_builds(home: Path) -> list[Build]:
    """Every build of the home, in the order in which they were started. Folders without a `build.json` are no builds."""
    builds = [read_build(home, path.parent.name) for path in builds_dir(home).glob(f"*/{BUILD_FILE}") if path.parent.name[0] != "."]
    return sorted(builds, key=lambda build: (build.started_at, build.id))


def served_build_id(home: Path) -> str | None:
    """The id of the build that readers see, or None before the first publishing.

    Raises UnusableInput when `<home>/serving` is not the link that publishing makes.
    """
    serving = home / "serving"
    if serving.is_symlink():
        return serving.readlink().name
    if serving.exists():
        raise UnusableInput(f"{serving} is not a link to a build: move it away, publishing puts its own there.")
    return None


def current_build(home: Path) -> Build | None:
    """The build that readers see; None before the first publishing, and when its folder is gone: then they see nothing."""
    served = served_build_id(home)
    return None if served is None or served_and_gone(home) else read_build(home, served)


def served_and_gone(home: Path) -> str | None:
    """What to do when the build that is to be served is no longer there; None when it is, or when none is to be served."""
    served = served_build_id(home)
    if served is None or (build_dir(home, served) / BUILD_FILE).exists():
        return None
    return (
        f"The served build {served} is gone from {builds_dir(home)}: `segments rollback` serves the last published one that is kept, "
        "and the next night publishes a new one."
    )


def swap(home: Path, build_id: str) -> None:
    """Let readers see this build, and nothing of another one, from one instant to the next.

    `<home>/serving` is replaced by a new link in one rename. Raises PublishingFailed when the build has nothing to serve.
    """
    served_build_id(home)  # refuses to replace anything but a link
    if not (build_dir(home, build_id) / DATABASE_FILE).is_file():
        raise PublishingFailed(f"The build {build_id} has no {DATABASE_FILE} to serve.")
    temporary = home / f".serving.{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(Path("builds") / build_id)
    temporary.replace(home / "serving")
    sync_folder(home)


def rollback(home: Path, build_id: str | None = None) -> Build:
    """Serve an earlier published build again; without an id, the one published before the served one, or the last when that is gone.

    Raises UnusableInput when there is no such build, or when it was never published or is no longer kept.
    """
    with contextlib.suppress(UnusableInput):  # a damaged entry of the served build keeps nobody from serving another one
        _enter_served(home)
    if build_id is None:
        served_id = served_build_id(home)
        if served_id is None:
            raise UnusableInput(f"Nothing is served in {home} yet: there is nothing to roll back from.")
        served = current_build(home)
        earlier = [build for build in published_builds(home) if served is None or _age(build) < _age(served)]
        if not earlier:
            raise UnusableInput(f"No build published before {served_id} is kept: there is nothing to roll back to.")
        build = earlier[-1]
    else:
        build = read_build(home, build_id)
        if build.status != PUBLISHED:
            reason = f" ({build.failure})" if build.failure else ""
            raise UnusableInput(f"The build {build_id} is {build.status}{reason}, not published: choose a published one.")
    if not (build_dir(home, build.id) / DATABASE_FILE).is_file():
        raise UnusableInput(f"The tables of the build {build.id} are gone from {build_dir(home, build.id)}: choose another one.")
    swap(home, build.id)
    return build


def prune(home: Path, keep: int) -> list[str]:
    """Remove what is no longer kept; returns the ids of the builds removed.

    Kept are the `keep` last published builds and, whatever its age, the served one; of the `keep` last failed ones, and of the
    RECORDED_BUILDS_KEPT last recorded ones, only what says what became of them (`build.json`, `verdict.json`). A build still building
    is left alone. Readers that have a file open keep it.
    """
    if keep < 1:
        raise UnusableInput(f"At least one build must be kept, not {keep}.")
    served = served_build_id(home)
    for leftover in builds_dir(home).glob(f"{REMOVED_PREFIX}*"):
        shutil.rmtree(leftover)
    unserved = [build for build in list_builds(home) if build.id != served]
    failed = [build for build in unserved if build.status == FAILED]
    recorded = [build for build in unserved if build.status == RECORDED]
    for build in (*failed, *recorded):
        _remove_tables(build_dir(home, build.id))
    too_many = (*published_builds(home)[:-keep], *failed[:-keep], *recorded[:-RECORDED_BUILDS_KEPT])
    dispensable = [build.id for build in too_many if build.id != served]
    for build_id in dispensable:
        folder = build_dir(home, build_id)
        # Renamed first: a crash in the middle leaves nothing that looks like a build.
        removed = folder.rename(folder.with_name(REMOVED_PREFIX + build_id))
        shutil.rmtree(removed)
    return dispensable


def code_version(project_dir: Path) -> str:
    """Which code this is: git's description of the project folder (with -dirty when it was changed), else the package's version."""
    git = shutil.which("git")
    if git is not None:
        # The ceiling keeps git from describing a repository that merely contains this folder.
        described = subprocess.run(  # noqa: S603
            [git, "-C", str(project_dir), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(project_dir.resolve().parent)},
        )
        if described.returncode == 0:
            return described.stdout.strip()
    try:
        return importlib.metadata.version("customer-segments")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def published_builds(home: Path) -> list[Build]:
    """Published builds whose tables are kept, the last published last."""
    builds = [build for build in list_builds(home) if build.status == PUBLISHED]
    return sorted((build for build in builds if (build_dir(home, build.id) / DATABASE_FILE).is_file()), key=_age)


def _age(build: Build) -> tuple[datetime.datetime, str]:
    return (build.finished_at or build.started_at, build.id)


def _close_unfinished(home: Path) -> None:
    _enter_served(home)
    for build in list_builds(home):
        if build.status == BUILDING:
            fail_build(home, build.id, "the process ended before the build was finished")


def _enter_served(home: Path) -> None:
    """What the link serves is published, also where the process ended after the swap and before it could say so."""
    served = current_build(home)
    if served is not None and served.status in (BUILDING, RECORDED):
        swapped_at = datetime.datetime.fromtimestamp((home / "serving").lstat().st_mtime, datetime.UTC)
        mark_published(home, served.id, served.rows, swapped_at)


def _remove_tables(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name in (BUILD_FILE, "verdict.json"):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
