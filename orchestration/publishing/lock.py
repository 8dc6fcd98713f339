"""One night at a time: the lock on a home folder."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from orchestration.errors import DISK_FULL, HomeInUse, UnusableInput

LOCK_FILE = ".lock"


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """Hold `home` for this process: every run that writes below it does, so that no two write at once.

    The lock is the operating system's and ends with the process, however it ends: there is no stale lock to remove. The file
    itself stays. It is not re-entrant: take it once, at the top.

    Raises HomeInUse, naming the process that holds it and since when; UnusableInput when nothing can be written there.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        opened = (home / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        raise UnusableInput(f"{home} cannot be written ({error.strerror}): choose another folder, or let this user write it.") from error
    with opened as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUse(f"{home} is in use by {_holder(file.name)}: wait until it has finished, or stop it.") from None
        file.truncate(0)
        json.dump({"process": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds")}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def _holder(lock_file: str) -> str:
    try:
        holder = json.loads(Path(lock_file).read_text(encoding="utf-8"))
        return f"process {holder['process']} since {holder['since']}"
    except (ValueError, KeyError, TypeError):
        return "another process"
