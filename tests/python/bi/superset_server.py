"""Apache Superset on loopback: an environment of its own, metadata in a temporary folder, a key and a password made when it starts."""

import contextlib
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from tests.python.bi.environments import clean_environment, make_environment

LOOPBACK = "127.0.0.1"
STARTING_SECONDS = 300
REQUEST_SECONDS = 120
USER = "administrator"


class Superset:
    """A session of its administrator, through the REST API, as its own pages use it."""

    def __init__(self, address: str, password: str) -> None:
        self._api = f"{address}/api/v1"
        self._session = requests.Session()
        login = {"username": USER, "password": password, "provider": "db", "refresh": False}
        token = self.post("/security/login", login)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._session.headers["Referer"] = address
        self._session.headers["X-CSRFToken"] = self.get("/security/csrf_token/")["result"]

    def get(self, path: str) -> dict[str, Any]:
        """What a resource says of itself."""
        return self._answer(self._session.get(self._api + path, timeout=REQUEST_SECONDS))

    def post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """What comes of a new resource, or of a question."""
        return self._answer(self._session.post(self._api + path, json=document, timeout=REQUEST_SECONDS))

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        assert response.ok, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
        document: dict[str, Any] = response.json()
        return document


@contextlib.contextmanager
def running_superset(folder: Path) -> Iterator[Superset]:
    """Install, set up and start Superset in a folder; it ends with the block."""
    python = make_environment(folder / "environment", "requirements-superset.lock")
    home = folder / "superset"
    home.mkdir()
    config, password = home / "superset_config.py", secrets.token_hex(8)
    config.write_text(
        f"SECRET_KEY = {secrets.token_urlsafe(42)!r}\n"
        f"SQLALCHEMY_DATABASE_URI = {f'sqlite:///{home}/superset.db'!r}\n"
        "PREVENT_UNSAFE_DB_CONNECTIONS = False\n",
        encoding="utf-8",
    )
    variables = clean_environment(SUPERSET_HOME=str(home), SUPERSET_CONFIG_PATH=str(config), FLASK_APP="superset.app:create_app()")
    administrator = ["--username", USER, "--firstname", "The", "--lastname", "administrator", "--email", "administrator@localhost"]
    for command in (["db", "upgrade"], ["fab", "create-admin", *administrator, "--password", password], ["init"]):
        done = subprocess.run([str(python.with_name("superset")), *command], env=variables, cwd=home, capture_output=True, text=True)
        assert done.returncode == 0, f"superset {command[0]}: {done.stderr[-2000:]}"
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    with (home / "log").open("wb") as log:
        options = ["--bind", f"{LOOPBACK}:{port}", "--workers", "1", "--threads", "4", "--timeout", "300"]
        server = subprocess.Popen(
            [str(python.with_name("gunicorn")), *options, "superset.app:create_app()"], env=variables, cwd=home, stdout=log, stderr=log
        )
    try:
        address = f"http://{LOOPBACK}:{port}"
        _wait_for(address, server, home / "log")
        yield Superset(address, password)
        assert server.poll() is None, "it has ended by itself"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder / "environment", ignore_errors=True)  # 740 MB, which nobody looks at afterwards


def _wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            if requests.get(f"{address}/health", timeout=10).ok:
                return
        assert server.poll() is None and time.monotonic() < deadline, log.read_text(encoding="utf-8")[-3000:]
        time.sleep(0.5)
