"""The data quality of the night as the page tells it: builds, rows, checks, quarantine, freshness."""

from datetime import date
from typing import Any

from orchestration.report.reading import Tables, records

BUILDS_TOLD = 30
REASONS_TOLD = 200
ROW_COUNTS = ("rows_in", "rows_used", "rows_superseded", "rows_quarantined")
BUILD_COLUMNS = ("build_id", "as_of_date", "source", "status", "started_at", "finished_at", *ROW_COUNTS)
CHECK_COLUMNS = ("suite", "expectation", "column_name", "expected", "observed", "severity", "error")


def read_night(tables: Tables, build_id: str, as_of_date: date) -> dict[str, Any]:
    """What the night read, what it put aside, what it checked, and how fresh what it knew was."""
    return {
        "builds": records(
            BUILD_COLUMNS,
            tables.rows(
                f"select {', '.join(BUILD_COLUMNS)} from published.builds order by as_of_date desc, started_at desc limit {BUILDS_TOLD}"
            ),
        ),
        "rows": records(
            ("table_name", *ROW_COUNTS),
            tables.rows(
                f"""
                select table_name, {", ".join(ROW_COUNTS)}
                from published.build_row_counts
                where build_id = ?
                order by rows_in desc, table_name
                """,
                [build_id],
            ),
        ),
        "suites": records(
            ["suite", "checks", "passed"],
            tables.rows(
                """
                select suite, count(*), count(*) filter (where passed)
                from published.data_quality_results
                where build_id = ?
                group by suite
                order by suite
                """,
                [build_id],
            ),
        ),
        "not_passed": records(
            CHECK_COLUMNS,
            tables.rows(
                f"""
                select {", ".join(CHECK_COLUMNS)}
                from published.data_quality_results
                where build_id = ? and not passed
                order by severity, suite, expectation
                """,
                [build_id],
            ),
        ),
        "quarantine": records(
            ["table_name", "reason", "rows"],
            tables.rows(
                f"""
                select table_name, quarantine_reason, sum(quarantined_rows)::bigint as quarantined
                from published.quarantine_summary
                group by table_name, quarantine_reason
                order by quarantined desc, table_name, quarantine_reason
                limit {REASONS_TOLD}
                """
            ),
        ),
        "freshness": _freshness(tables, as_of_date),
    }


def _freshness(tables: Tables, as_of_date: date) -> dict[str, Any] | None:
    if not tables.has("recorded_days", "known_to", "is_outdated"):
        return None
    ((recorded, outdated, known_to),) = tables.rows(
        """
        select count(*), count(*) filter (where is_outdated), max(known_to) filter (where as_of_date = ?)
        from published.recorded_days
        """,
        [as_of_date],
    )
    return records(["recorded_days", "outdated_days", "known_to"], [(recorded, outdated, known_to)])[0]
