"""Two nights never write below the same home at once."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestration import checkup
from orchestration.automation.instance import open_instance
from orchestration.cli import main, readable_errors
from orchestration.errors import HomeInUse, UnusableInput
from orchestration.publishing.lock import home_lock
from orchestration.settings import Settings

HOLD = """
import pathlib, sys, time
from orchestration.publishing.lock import home_lock
with home_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def holder(home: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = holder(home)
    try:
        with pytest.raises(HomeInUse, match=rf"home is in use by process {process.pid} since \d{{4}}-\d\d-\d\dT.*: wait"), home_lock(home):
            pass
        assert issubclass(HomeInUse, UnusableInput)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    # Killed without a chance to clean up, and still no stale lock.
    with home_lock(home):
        pass


def test_the_lock_is_free_again_afterwards_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), home_lock(tmp_path):
        _ = 1 / 0
    with home_lock(tmp_path), pytest.raises(HomeInUse, match=f"process {os.getpid()}"), home_lock(tmp_path):
        pass
    assert (tmp_path / ".lock").read_text() == ""


def test_two_homes_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with home_lock(tmp_path / "a"), home_lock(tmp_path / "b"):
        pass


def test_a_holder_that_has_not_written_its_name_yet(tmp_path: Path) -> None:
    with home_lock(tmp_path):
        (tmp_path / ".lock").write_text("")
        with pytest.raises(HomeInUse, match="in use by another process"), home_lock(tmp_path):
            pass


@pytest.mark.parametrize("home", ["a_file", "a_file/below", "/proc/home"])
def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path, home: str) -> None:
    (tmp_path / "a_file").touch()
    folder = tmp_path / home
    with pytest.raises(UnusableInput, match=rf"{folder} cannot be written \(.+\): choose another folder"), home_lock(folder):
        pass
    told = CliRunner().invoke(main, ["check", "--source", str(tmp_path), "--home", str(folder)])
    assert told.exit_code == 2
    assert f"✗ home: {folder} cannot be written" in told.output


def test_the_checkup_leaves_nothing_in_the_home(tmp_path: Path) -> None:
    assert not checkup._home(tmp_path / "home", tmp_path).is_problem
    assert list(tmp_path.iterdir()) == []


def told(error: Exception) -> tuple[int, str]:
    """The exit code and the words of a command in which this happens, behind an error that says less."""

    @click.command()
    @click.option("--home", default="/data/home")
    @readable_errors
    def verb(home: str) -> None:
        raise RuntimeError("it could not be done") from error

    result = CliRunner().invoke(verb)
    return result.exit_code, result.output


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("disk I/O error")])
def test_a_full_disk_is_one_sentence(error: Exception) -> None:
    code, output = told(error)
    assert code == 1
    assert output.startswith("segments: The disk of /data/home is full, or fails (")
    assert len(output.splitlines()) == 1


def test_a_disk_that_may_only_be_read_is_one_sentence_and_a_mistake_of_the_code_is_none() -> None:
    output = "segments: /data/home/builds cannot be read or written (Read-only file system): let this user do so.\n"
    assert told(OSError(errno.EROFS, "Read-only file system", "/data/home/builds")) == (2, output)
    assert told(FileNotFoundError(errno.ENOENT, "No such file", "/data/home/builds")) == (1, "")


def test_damaged_run_logs_are_said_to_be_dispensable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")  # opening sets it, for this test alone
    settings = Settings(home=tmp_path)
    history = settings.dagster_dir / "history"
    history.mkdir(parents=True)
    (history / "runs.db").write_bytes(b"\xde" * 8192)
    with pytest.raises(Exception, match="file is not a database") as damaged:
        open_instance(settings)
    code, output = told(damaged.value)
    assert code == 1
    assert output.startswith(
        "segments: Dagster's run logs in /data/home/dagster cannot be used (file is not a database): remove that folder"
    )
    assert len(output.splitlines()) == 1
