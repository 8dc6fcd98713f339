"""`make ui`: Dagster on loopback, on the home and source that are given, with the run history of the nights."""

import argparse
import os
import sys
from pathlib import Path

from orchestration.automation.instance import prepare_instance
from orchestration.settings import DEFAULT_HOME, DEFAULT_SOURCE, PROJECT_DIR, Settings

LOOPBACK = "127.0.0.1"


def main() -> None:
    """Replace this process by `dagster dev`; nobody outside this machine can reach it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", default=DEFAULT_HOME)
    parser.add_argument("--source", default=DEFAULT_SOURCE)
    parser.add_argument("--port", default="3000")
    options = parser.parse_args()
    settings = Settings(home=Path(options.home).resolve(), source=options.source, publish=Settings.from_environment().publish)
    settings.to_environment()
    prepare_instance(settings)
    os.chdir(PROJECT_DIR)
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.execv(dagster, [dagster, "dev", "-m", "orchestration.definitions", "-h", LOOPBACK, "-p", options.port])  # noqa: S606


if __name__ == "__main__":
    main()
