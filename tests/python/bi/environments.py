"""Environments of their own, made of a lock file: what runs there is not what the project itself runs on."""

import os
import subprocess
import sys
from pathlib import Path

from orchestration.settings import PROJECT_DIR

INSTALLING_SECONDS = 900


def make_environment(folder: Path, lock_file: str) -> Path:
    """A virtual environment with the packages of a lock file, hashes checked; returns its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    installed = subprocess.run(
        [*pip, "install", "--quiet", "--no-compile", "--require-hashes", "--no-deps", "-r", str(PROJECT_DIR / lock_file)],
        capture_output=True,
        text=True,
        timeout=INSTALLING_SECONDS,
    )
    assert installed.returncode == 0, f"{lock_file} could not be installed: {installed.stderr}"
    return python


def clean_environment(**variables: str) -> dict[str, str]:
    """The variables of this process without those that would lead a Python elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return {**kept, **variables}
