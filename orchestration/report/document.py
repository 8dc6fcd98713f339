"""The numbers of the page as one JSON document, from the published tables of one build and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import SegmentsError
from orchestration.report.catalogue import FEATURES
from orchestration.report.night import read_night
from orchestration.report.reading import WITHHELD, Tables, plain
from orchestration.report.segmentations import Detail, read_segmentations
from orchestration.report.views import read_audiences, read_budget, read_habits, read_lifetime, read_rfm

# What publishing may use too: the page never needs more of a machine than the night before it.
MEMORY_LIMIT = "2GB"


class ReportFailed(SegmentsError):
    """The page could not be made; what is served stays served."""


@dataclass(frozen=True)
class ReportOptions:
    """What the published tables do not say.

    Attributes:
        minimum_group_size: figures of fewer customers are withheld.
        currency: ISO code for amounts of money; None where the source names none.
    """

    minimum_group_size: int
    currency: str | None = None


def read_document(database: Path, build_id: str, options: ReportOptions, detail: Detail) -> dict[str, Any]:
    """Everything the page shows.

    Raises ReportFailed when the serving database cannot be read or lacks a table that every build publishes.
    """
    try:
        with duckdb.connect(str(database), read_only=True, config={"memory_limit": MEMORY_LIMIT}) as connection:
            connection.execute("set timezone = 'UTC'")
            return _document(Tables(connection, options.minimum_group_size), build_id, options, detail)
    except duckdb.Error as error:
        raise ReportFailed(f"{database} does not hold what the page is made from: {' '.join(str(error).split())}") from error


def _document(tables: Tables, build_id: str, options: ReportOptions, detail: Detail) -> dict[str, Any]:
    names = ["build_id", "as_of_date", "source", "code_version", "started_at", "finished_at", "as_known_at"]
    found = tables.rows(f"select {', '.join(names)} from published.builds where build_id = ?", [build_id])
    if not found:
        raise ReportFailed(f"the table builds does not know the build {build_id}")
    as_of_date = found[0][1]
    return {
        "build": dict(zip(names, map(plain, found[0]), strict=True)),
        "minimum_group_size": options.minimum_group_size,
        "withheld": WITHHELD,
        "currency": options.currency,
        "features": [vars(figure) for figure in FEATURES],
        **read_segmentations(tables, as_of_date, detail),
        "rfm": read_rfm(tables),
        "lifetime": read_lifetime(tables),
        "habits": read_habits(tables),
        "budget": read_budget(tables),
        "audiences": read_audiences(tables),
        "night": read_night(tables, build_id, as_of_date),
    }
