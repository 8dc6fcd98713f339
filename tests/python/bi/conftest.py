"""PostgreSQL as docs/bi.md says that it is set up: one server for all tests, its database empty for each."""

import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from orchestration.publishing.postgres import URL_VARIABLE
from tests.python.bi.documentation import blocks, filled, statements
from tests.python.bi.postgres_server import LOOPBACK, Server, execute, find_postgres, running_server

# What an address has to spell otherwise is part of them.
LOADER_PASSWORD, ANALYST_PASSWORD = "loader's p@ss/word", "analyst's p@ss"
ENCODED = {LOADER_PASSWORD: "loader%27s%20p%40ss%2Fword", ANALYST_PASSWORD: "analyst%27s%20p%40ss"}
NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Mart:
    """A database that builds are brought into: where it is for the loader, for an analyst, and for the server's administrator."""

    loader: str
    analyst: str
    administrator: str


@pytest.fixture(autouse=True)
def publishing_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A night leaves its settings in the environment: those of one test are not the next one's."""
    monkeypatch.setenv("SEGMENTS_PUBLISH", "")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Where checks decide about a change (CI), the absence of PostgreSQL is a failure and no reason to look away."""
    programs = find_postgres()
    if programs is None:
        reason = "no PostgreSQL on this machine: `apt-get install postgresql`, or leave these tests to CI"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running_server(programs) as server:
        for block, password in zip(blocks("PostgreSQL", "sql")[:2], (LOADER_PASSWORD, ANALYST_PASSWORD), strict=True):
            role = statements(block)[0]
            execute(server.url(), filled(role, PASSWORD=password.replace("'", "''")))
        yield server


@pytest.fixture(scope="session")
def database(postgres_server: Server) -> Mart:
    """A database with the roles and grants of the page."""
    return make_mart(postgres_server)


@pytest.fixture
def mart(database: Mart, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mart]:
    """The database with nothing in it, named to this process as the page says."""
    monkeypatch.setenv(URL_VARIABLE, database.loader)
    yield database
    execute(
        database.administrator, *(f"drop schema if exists {schema} cascade" for schema in ("published", "segments_publishing", "analysis"))
    )


def make_mart(server: Server) -> Mart:
    """An empty database; it has a number where the page has one database of that name for a server."""
    administration, reading, *_ = blocks("PostgreSQL", "sql")
    name = f"warehouse_{next(NUMBERS)}"
    execute(server.url(), re.sub(r"\bwarehouse\b", name, statements(administration)[1]))
    execute(server.url(name), *statements(reading)[1:])
    (exported,) = re.findall(rf"export {URL_VARIABLE}='(.*)'", blocks("PostgreSQL", "console")[0])
    (analyst,) = blocks("PostgreSQL", "text")
    place = {"HOST": LOOPBACK, "PORT": server.port, "/warehouse": f"/{name}"}
    return Mart(
        filled(exported, PASSWORD=ENCODED[LOADER_PASSWORD], **place),
        filled(analyst.strip(), PASSWORD=ENCODED[ANALYST_PASSWORD], **place),
        server.url(name),
    )
