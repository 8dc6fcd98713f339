"""From the sums of audience_lift_cells to lift.measurements: a few rows in, a few rows out, the whole table written anew."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lift.statistics import MEASURED, Cell, compare
from orchestration.prediction.fitting import threshold
from orchestration.working_database import insert, transaction_with

LIFT = "lift"
CELLS = "audience_lift_cells"
TABLES = (
    """
    create table if not exists lift.measurements (
        campaign_id string, audience_id string, treated_customers bigint, holdout_customers bigint, treated_contacted bigint,
        holdout_contacted bigint, treated_responses bigint, holdout_responses bigint, treated_response_rate double,
        holdout_response_rate double, response_difference double, response_difference_lower double, response_difference_upper double,
        treated_revenue_per_customer decimal(18, 4), holdout_revenue_per_customer decimal(18, 4), revenue_difference decimal(18, 4),
        revenue_difference_lower decimal(18, 4), revenue_difference_upper decimal(18, 4), spend_before_difference double,
        balance_p_value double
    )
    """,
)
SUMS = """
    select
        campaign_id, audience_id, is_holdout, value_tier, has_bought_before, customers, contacted_customers, responding_customers,
        revenue, squared_revenue, spend_before, squared_spend_before
    from {cells}
    order by campaign_id, audience_id, is_holdout, value_tier, has_bought_before
"""


def measure_lift(database: Path, variables: Mapping[str, Any]) -> int:
    """Measure every campaign of the working database; returns how many.

    Args:
        database: the working database, whose features were built for the day described.
        variables: dbt variables with the overrides of the source.
    """
    with transaction_with(database, LIFT, TABLES) as connection:
        return write_measurements(connection, f"features.{CELLS}", threshold(connection, variables, "lift_confidence"))


def write_measurements(connection: duckdb.DuckDBPyConnection, cells: str, confidence: float) -> int:
    """Write lift.measurements anew from a relation like audience_lift_cells; returns its rows."""
    connection.execute("delete from lift.measurements")
    rows = connection.execute(SUMS.format(cells=cells)).fetchall()
    measured: list[dict[str, Any]] = []
    for (campaign_id, audience_id), group in groupby(rows, key=lambda row: row[:2]):
        measurement = compare([Cell(*row[2:]) for row in group], confidence)
        found = {name: getattr(measurement, name) for name in MEASURED}
        measured.append({"campaign_id": campaign_id, "audience_id": audience_id, **found})
    insert(connection, "lift.measurements", measured)
    return len(measured)
