"""Run one piece of work in a process of its own and read from the operating system what it cost."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.errors import SegmentsError
from orchestration.settings import PROJECT_DIR

LAST_LINES = 15  # of a failed piece's log, shown to whoever reads the error


class PieceFailed(SegmentsError):
    """A piece of the benchmark did not end well; what it would have shown is not known."""


@dataclass(frozen=True)
class Measured:
    """What one piece cost, start of the interpreter and imports included.

    Attributes:
        cpu: seconds of processor time, user and system, of the process and its children.
        wall: seconds from start to end.
        memory: peak resident bytes.
        disk: bytes of what the piece left behind; None where it leaves nothing.
        found: what the piece itself reported.
    """

    cpu: float
    wall: float
    memory: int
    disk: int | None = None
    found: Mapping[str, Any] = field(default_factory=dict)


def run_piece(name: str, arguments: Mapping[str, Any], leaves: Sequence[Path] = ()) -> Measured:
    """Run a function of `pieces` by name in a new process.

    arguments: its keyword arguments, as JSON can write them.
    leaves: files and folders whose size afterwards is the piece's disk.
    Paths are absolute; what the piece writes without saying where goes to a temporary folder.

    Raises:
        PieceFailed: with the last lines that the process wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        found, log = Path(folder) / "found.json", Path(folder) / "log"
        # The children of one Python process inherit its peak memory until they have started: this one stays small.
        command = [sys.executable, "-m", "benchmarks.performance.pieces", name, json.dumps(dict(arguments)), str(found)]
        environment = {**os.environ, "TMPDIR": folder}
        with log.open("wb") as stream:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, cwd=PROJECT_DIR, env=environment)  # noqa: S603 - our own
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
            raise PieceFailed(f"{name} ended with {process.returncode}:\n" + "\n".join(last))
        return Measured(
            cpu=usage.ru_utime + usage.ru_stime,
            wall=wall,
            memory=usage.ru_maxrss * 1024,  # Linux counts in KiB
            disk=sum(size_of(path) for path in leaves) if leaves else None,
            found=json.loads(found.read_text(encoding="utf-8")),
        )


def middle(runs: Sequence[Measured]) -> Measured:
    """Of several runs of one piece the one with the middle CPU time (the cheaper of two middle ones)."""
    return sorted(runs, key=lambda run: run.cpu)[(len(runs) - 1) // 2]


def size_of(path: Path) -> int:
    """Bytes of a file or of all files below a folder; links are not followed."""
    if path.is_symlink():
        return 0
    if path.is_file():
        return path.stat().st_size
    return sum(size_of(child) for child in path.iterdir()) if path.is_dir() else 0
