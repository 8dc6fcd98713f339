"""Two nights never write below the same home at once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.errors import HomeInUse, UnusableInput
from orchestration.publishing.lock import home_lock

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
