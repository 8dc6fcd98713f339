"""A PostgreSQL of its own for the tests: a temporary folder, loopback, a port that was free, and passwords that are asked for."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as postgres

LOOPBACK = "127.0.0.1"
STARTING_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server, and its administrator's password."""

    port: int
    password: str

    def url(self, database: str = "postgres") -> str:
        """Where a database is, for the administrator."""
        return f"postgresql://administrator:{self.password}@{LOOPBACK}:{self.port}/{database}"


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's own programs; Debian keeps them off the path, by version."""
    on_path = shutil.which("initdb")
    folders = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if (folder / "initdb").is_file()), None)


@contextlib.contextmanager
def running_server(programs: Path) -> Iterator[Server]:
    """A new, empty server until the end of the block."""
    # PostgreSQL refuses to run as root; its package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="segments_postgres_"))
    try:
        password = secrets.token_hex(8)
        (folder / "password").write_text(password, encoding="utf-8")
        if user:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        data = str(folder / "data")
        initdb = [str(programs / "initdb"), "-D", data, "--no-sync"]
        options = ["--username=administrator", "--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*initdb, *options], user=user, cwd=folder, check=True, capture_output=True)
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = probe.getsockname()[1]
        settings = [f"listen_addresses={LOOPBACK}", "unix_socket_directories=", "fsync=off", "log_statement=none"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(programs / "postgres"), "-D", data, "-p", str(port), *(f"--{setting}" for setting in settings)],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        try:
            running = Server(port, password)
            _wait_for(running, server, folder / "log")
            yield running
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(running: Server, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            query(running.url(), "select 1")
            return
        except postgres.Error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(encoding='utf-8')}") from None
            time.sleep(0.05)


def query(url: str, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of one statement, on a connection of its own."""
    with contextlib.closing(postgres.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(url: str, *statements: str) -> None:
    """Statements, each for itself."""
    with contextlib.closing(postgres.connect(url, autocommit=True)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
