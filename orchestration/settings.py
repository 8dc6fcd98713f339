"""Where a run reads and writes: one small object, from the environment or the command line, handed to everything else."""

import os
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestration.errors import UnusableInput

PROJECT_DIR = Path(__file__).resolve().parent.parent

DEFAULT_HOME = "warehouse"
DEFAULT_SOURCE = "complete_journey"
DEFAULT_TARGET = "duckdb"
DEFAULT_BUILDS_KEPT = 7
# What can be published to beside the serving database.
POSTGRES = "postgres"
PUBLISH_TARGETS = (POSTGRES,)
# dbt's profile has the same default.
MEMORY_LIMIT = "SEGMENTS_MEMORY_LIMIT"
DEFAULT_MEMORY_LIMIT = "6GB"


@dataclass(frozen=True)
class Settings:
    """One installation: its home folder, the source it reads and the engine it runs on.

    Attributes:
        home: everything a run writes lives below this folder.
        source: a name below `mappings/`, or a folder of files.
        target: the dbt target, `duckdb` unless one machine is too small.
        builds_kept: how many published builds stay ready for `segments rollback`.
        as_known_at: a moment in UTC when this process describes a day as it was known then. It works on a database of its own, and
            no other process is told.
        publish: `postgres` when each build is also brought into PostgreSQL.

    Raises UnusableInput for a home that DuckDB cannot be pointed at, or a limit of memory that it cannot read.
    """

    home: Path
    source: str = DEFAULT_SOURCE
    target: str = DEFAULT_TARGET
    builds_kept: int = DEFAULT_BUILDS_KEPT
    as_known_at: datetime | None = None
    publish: str | None = None

    def __post_init__(self) -> None:
        if "," in str(self.home):
            raise UnusableInput(f"The home {self.home} has a comma in its path, which DuckDB takes for two folders: choose another name.")
        memory_limit()

    @classmethod
    def from_environment(cls) -> "Settings":
        """The settings of this process.

        They are `SEGMENTS_HOME`, `SEGMENTS_SOURCE`, `SEGMENTS_TARGET`, `SEGMENTS_BUILDS_KEPT` and `SEGMENTS_PUBLISH`.
        """
        return cls(
            home=Path(os.environ.get("SEGMENTS_HOME", DEFAULT_HOME)).resolve(),
            source=os.environ.get("SEGMENTS_SOURCE", DEFAULT_SOURCE),
            target=os.environ.get("SEGMENTS_TARGET", DEFAULT_TARGET),
            builds_kept=int(os.environ.get("SEGMENTS_BUILDS_KEPT", DEFAULT_BUILDS_KEPT)),
            publish=os.environ.get("SEGMENTS_PUBLISH") or None,
        )

    def to_environment(self) -> None:
        """Make these the settings of this process, so that Dagster's definitions and dbt's profile read the same ones."""
        os.environ["SEGMENTS_HOME"] = str(self.home)
        os.environ["SEGMENTS_SOURCE"] = self.source
        os.environ["SEGMENTS_TARGET"] = self.target
        os.environ["SEGMENTS_BUILDS_KEPT"] = str(self.builds_kept)
        os.environ["SEGMENTS_PUBLISH"] = self.publish or ""

    def landing(self, source_name: str) -> Path:
        """The landed batches of one source."""
        return self.home / "landing" / source_name

    def database(self, source_name: str) -> Path:
        """The working database of one source: dbt writes it, no reader is pointed at it."""
        folder = self.home / "working" / source_name
        # Views name the database by the stem of its file, so it is the folder that differs.
        return (folder if self.as_known_at is None else folder / "as_known_at") / "warehouse.duckdb"

    @property
    def dbt_dir(self) -> Path:
        """dbt's artefacts and logs."""
        return self.home / "dbt"

    @property
    def dagster_dir(self) -> Path:
        """Dagster's run history."""
        return self.home / "dagster"

    @property
    def serving(self) -> Path:
        """What readers open: `segments.duckdb` and `parquet/`."""
        return self.home / "serving"


def memory_limit() -> str:
    """How much memory DuckDB may take for the working database: `SEGMENTS_MEMORY_LIMIT`. Raises UnusableInput when that is no amount."""
    limit = os.environ.get(MEMORY_LIMIT, DEFAULT_MEMORY_LIMIT)
    if not re.fullmatch(r"(?=.*[1-9])[0-9]+(\.[0-9]+)? ?[MGT]i?B", limit, re.IGNORECASE):
        raise UnusableInput(f"{MEMORY_LIMIT} is '{limit}': write a number and a unit, like {DEFAULT_MEMORY_LIMIT} or 500MB.")
    return limit
