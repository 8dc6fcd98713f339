"""PostgreSQL beside the serving database of a home: which build of this home it serves, and bringing one there.

    <home>/postgres.json    the build that was last brought into PostgreSQL, and why a later one was not

The serving database comes first and never depends on PostgreSQL: what fails here takes nothing back. Where PostgreSQL is, only the
environment says (SEGMENTS_POSTGRES_URL), so that no password is ever in a file or in the list of processes.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.files import write_json
from orchestration.publishing.builds import DATABASE_FILE, build_dir, list_builds, read_build, served_build_id

POSTGRES_FILE = "postgres.json"
URL_VARIABLE = "SEGMENTS_POSTGRES_URL"
SCHEMES = ("postgresql", "postgres")


@dataclass(frozen=True)
class PostgresState:
    """What this home knows of PostgreSQL: the build it brought there last, and why PostgreSQL has not got the served one."""

    build_id: str | None = None
    failure: str | None = None


def postgres_url() -> str:
    """Where PostgreSQL is. Raises UnusableInput, without repeating what it may hold, when the environment does not say."""
    url = os.environ.get(URL_VARIABLE, "")
    example = f"{URL_VARIABLE}=postgresql://USER:PASSWORD@HOST:5432/DATABASE"
    if not url:
        raise UnusableInput(f"--publish postgres needs the address of PostgreSQL in the environment: set {example}")
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in SCHEMES:
        raise UnusableInput(f"What {URL_VARIABLE} holds is no address of PostgreSQL: set {example}")
    return url


def publish_to_postgres(home: Path, build_id: str, *, on_purpose: bool = False) -> None:
    """Let PostgreSQL serve a published build of this home; `on_purpose` also when it serves a newer one, or one of another home.

    The caller holds the lock of the home. Raises PublishingFailed when it goes on serving what it served, and enters the reason;
    UnusableInput when nobody says where PostgreSQL is.
    """
    from orchestration.publishing.postgres_load import load_build

    url = postgres_url()
    database = build_dir(home, build_id) / DATABASE_FILE
    if not database.is_file():
        raise PublishingFailed(
            f"The build {build_id} has no {DATABASE_FILE} to bring into PostgreSQL: `segments builds` lists what is kept."
        )
    try:
        load_build(url, database, read_build(home, build_id), made_here=partial(is_made_here, home), on_purpose=on_purpose)
    except PublishingFailed as failed:
        _enter(home, PostgresState(read_state(home).build_id, str(failed)))
        raise
    _enter(home, PostgresState(build_id))


def is_made_here(home: Path, build_id: str, started_at: datetime) -> bool:
    """Whether a build is one of this home: of those that it keeps, or the one that it brought into PostgreSQL last, however long ago.

    Its id alone does not tell: another home may have begun one in the same second, as nights do that one clock starts.
    """
    kept = {build.id: build.started_at for build in list_builds(home)}
    return kept[build_id] == started_at if build_id in kept else build_id == read_state(home).build_id


def read_state(home: Path) -> PostgresState:
    """What this home knows of PostgreSQL; nothing where it has never brought a build there."""
    try:
        return PostgresState(**json.loads((home / POSTGRES_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return PostgresState()
    except (ValueError, TypeError):  # what PostgreSQL serves is written there as well; this file only saves the question
        return PostgresState(failure=f"{home / POSTGRES_FILE} is damaged: the next build that is brought there writes it again.")


def serves_the_same(home: Path) -> bool:
    """Whether PostgreSQL serves what the serving database of this home serves."""
    served = served_build_id(home)
    return served is not None and read_state(home).build_id == served


def describe_postgres(home: Path) -> str | None:
    """What PostgreSQL serves, as far as this home knows, in a line; None where it has never brought a build there."""
    state = read_state(home)
    if state == PostgresState():
        return None
    served = served_build_id(home)
    serves = f"serves build {state.build_id}" if state.build_id else "serves no build of this home"
    if serves_the_same(home):
        return f"PostgreSQL {serves} as well."
    if state.failure:
        return f"PostgreSQL {serves}. {state.failure}"
    return f"PostgreSQL {serves}, not the served one: `segments rollback {served} --publish postgres` brings that there."


def _enter(home: Path, state: PostgresState) -> None:
    write_json(home / POSTGRES_FILE, asdict(state))
