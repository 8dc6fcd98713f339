"""A serving database as large as asked for, shaped by the contracts of the published models: the numbers follow simple waves.

Nothing here is random: the same sizes give the same rows. A column that the page asks for and no contract has is missing here too.
"""

import datetime
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

from orchestration.report.catalogue import SEGMENTATIONS

PROJECT = Path(__file__).resolve().parents[3]
LAST_DAY = datetime.date(2026, 1, 1)
BUILD_ID = "2026-01-01T20260101T030000Z"
TYPES = {"string": "varchar"}
# A segment that has a few customers on some days, and one that nobody is ever in.
FEW, EMPTY = "few", "empty"


@dataclass(frozen=True)
class Size:
    """How large: segmentations, recorded days, customers; with what later parts of the project publish, or without."""

    segmentations: int = 6
    days: int = 40
    customers: int = 3000
    segments: int = 7
    with_predictions: bool = False
    audiences: int = 0


@cache
def published_columns() -> dict[str, dict[str, str]]:
    """Columns and types of every published table, from the contracts in the project's YAML."""
    found = {}
    folders = (PROJECT / "models" / layer for layer in ("published", "segments", "audiences/shared"))
    for path in (path for folder in folders for path in folder.glob("*.yml")):
        for model in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).get("models", []):
            # Beside what is published stands what is not, without types.
            if not all("data_type" in column for column in model["columns"]):
                continue
            types = {column["name"]: TYPES.get(column["data_type"], column["data_type"]) for column in model["columns"]}
            found[model["name"].removeprefix("published_")] = types
    return found


def segmentation_names(count: int) -> list[str]:
    """The catalogue's names, then made-up ones."""
    return [*SEGMENTATIONS, *(f"made_up_{number}" for number in range(count))][:count]


def segment_names(size: Size) -> list[str]:
    """The segments of every segmentation; the last three are small, empty, and of those who cannot be placed."""
    return [*(f"segment_{number}" for number in range(size.segments - 3)), FEW, EMPTY, "unknown"]


def sizes_of(size: Size, segmentation: int, day: int) -> list[int]:
    """Customers by segment on a day: waves that add up to all customers."""
    large = size.segments - 3
    few = 14 - day % 12
    weights = [2 + math.sin(day / 45 + 1.7 * segment + segmentation) for segment in range(large)] + [1.0]
    rest = size.customers - few
    counts = [int(rest * weight / sum(weights)) for weight in weights]
    counts[-1] += rest - sum(counts)
    return [*counts[:-1], few, 0, counts[-1]]


def make_serving(path: Path, size: Size) -> Path:
    """Write the database of one build to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema published")
        for table, columns in published_columns().items():
            connection.execute(f"create table published.{table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        for table, rows in _tables(size).items():
            connection.register("rows_of_table", pd.DataFrame(rows))
            connection.execute(f"insert into published.{table} by name select * from rows_of_table")
        _fill_kpis(connection)
        _fill_profiles(connection, size)
        if size.with_predictions:
            _predictions(connection)
        if size.audiences:
            _audiences(connection, size)
    return path


def _days(size: Size) -> list[datetime.date]:
    return [LAST_DAY - datetime.timedelta(days=size.days - 1 - number) for number in range(size.days)]


def _tables(size: Size) -> dict[str, list[dict[str, Any]]]:
    names, segments, days = segmentation_names(size.segmentations), segment_names(size), _days(size)
    started = datetime.datetime(2026, 1, 1, 3)
    counts = {"rows_in": 1000, "rows_used": 985, "rows_superseded": 10, "rows_quarantined": 5}
    return {
        "segment_definitions": [
            {
                "segmentation": name,
                "segment": segment,
                "label": f"Segment <b>{segment}</b> & co" if segment == FEW else segment.replace("_", " ").capitalize(),
                "meaning": f"What a customer of {segment} is like, in a sentence of ordinary length",
                "rule": f"How a customer gets into {segment} of {name}: a threshold here and another one there",
                "owner": "customer analytics",
                "last_reviewed": datetime.date(2025, 9, 1),
                "next_review": datetime.date(2026, 9, 1),
                "expected_share_min": 0.0,
                "expected_share_max": 0.5,
            }
            for name, segment in itertools.product(names, segments)
        ],
        "segment_sizes": list(_size_rows(size, names, segments, days)),
        "segment_migrations": list(_moves(names, segments, days)),
        "segment_reviews": [
            {
                "as_of_date": LAST_DAY,
                "segmentation": name,
                "segment": segment,
                "is_due": place == 0,
                "is_drifting": place == 0,
                "is_out_of_range": False,
                "is_kpi_stalled": False,
                "is_overdue": False,
                "owner": "customer analytics",
                "last_reviewed": datetime.date(2025, 9, 1),
                "next_review": datetime.date(2026, 9, 1),
                "customers": sizes_of(size, number, size.days - 1)[place],
                "base_date": days[0],
                "base_share": 0.1,
                "population_stability_index": 0.31,
                "kpi": "retention_rate",
                "kpi_value": 0.5,
                "base_kpi_value": 0.4,
            }
            for number, name in enumerate(names)
            for place, segment in enumerate(segments)
        ],
        "builds": [
            {
                "build_id": BUILD_ID if day == LAST_DAY else f"{day}T20260101T020000Z",
                "as_of_date": day,
                "source": "shop",
                "code_version": "1.0",
                "status": "published" if day == LAST_DAY else "recorded",
                "started_at": started,
                "finished_at": started + datetime.timedelta(seconds=75),
                **counts,
            }
            for day in days
        ],
        "build_row_counts": [
            {"build_id": BUILD_ID, "table_name": "transactions", **counts},
            {"build_id": BUILD_ID, "table_name": "referrals", **dict.fromkeys(counts, 0)},
        ],
        "recorded_days": [{"as_of_date": day, "known_to": started, "is_outdated": day == days[0]} for day in days],
        "quarantine_summary": [
            {"table_name": "transactions", "quarantine_reason": f"missing column_{number}", "source_file": file, "quarantined_rows": 1}
            for number in range(3)
            for file in ("a.csv", "b.csv")
        ],
        "data_quality_results": [
            {
                "build_id": BUILD_ID,
                "as_of_date": LAST_DAY,
                "suite": f"{name}_segments",
                "expectation": f"expect_something_{number}",
                "expected": "always",
                "observed": "so in all rows" if number else "not in 3 rows",
                "passed": not (number == 0 and name == names[0]),
                "severity": "warning" if number == 0 else "error",
                "checked_at": started,
            }
            for name in names
            for number in range(16)
        ],
    }


def _size_rows(size: Size, names: Sequence[str], segments: Sequence[str], days: Sequence[datetime.date]) -> Iterator[dict[str, Any]]:
    for number, name in enumerate(names):
        for at, day in enumerate(days):
            for segment, count in zip(segments, sizes_of(size, number, at), strict=True):
                share = count / size.customers
                yield {"as_of_date": day, "segmentation": name, "segment": segment, "customers": count, "share": share}


def _fill_kpis(connection: duckdb.DuckDBPyConnection) -> None:
    """Key figures that follow from the size of the segment; who has nobody has none."""
    connection.execute(
        """
        insert into published.segment_kpis by name
        select
            as_of_date, segmentation, segment, customers, share, customers * 6 // 10 as active_customers,
            customers * 6 // 10 as active_before_customers, customers * 3 // 10 as retained_customers, customers * 2 as orders,
            customers * 62.74 as revenue, customers / 3000 as revenue_share, customers // 3 as contacted_customers,
            customers * 0.2 as campaign_cost, customers * 10 as points_redeemed,
            case when customers > 1 then 0.5 + customers / 100000 end as retention_rate,
            case when customers > 1 then 0.4 + customers / 100000 end as repeat_purchase_rate,
            case when customers > 1 then customers * 2 / (customers * 6 // 10) end as orders_per_customer,
            case when customers > 0 then 31.37 end as average_order_value,
            case when customers > 1 then 0.2 + customers / 100000 end as margin_rate,
            case when customers > 1 then 0.3 + customers / 100000 end as promotion_share,
            case when customers > 2 then 0.123456789 end as campaign_response_rate,
            case when customers > 2 then customers / 200000 end as campaign_conversion_rate,
            case when customers > 2 then customers / 1000 - 0.4 end as campaign_return,
            case when customers > 0 then 3 + customers / 1000 end as satisfaction
        from published.segment_sizes
        """
    )


def _moves(names: Sequence[str], segments: Sequence[str], days: Sequence[datetime.date]) -> Iterator[dict[str, Any]]:
    """Moves of every kind of period: some too few to be told, one of newcomers."""
    starts = {
        "week": sorted({day - datetime.timedelta(days=day.weekday()) for day in days})[-13:],
        "month": sorted({day.replace(day=1) for day in days})[-13:],
        "quarter": sorted({day.replace(month=day.month - (day.month - 1) % 3, day=1) for day in days})[-5:],
    }
    for name, (kind, periods) in itertools.product(names, starts.items()):
        for at, start in enumerate(periods):
            for source, target in itertools.permutations(range(len(segments) - 2), 2):
                yield {
                    "period_type": kind,
                    "period_start": start,
                    "segmentation": name,
                    "from_segment": segments[source],
                    "to_segment": segments[target],
                    "customers": 4 + 7 * source + 3 * target + at,
                    "revenue": 100,
                }
            newcomers = {"from_segment": "not_a_customer", "to_segment": segments[0], "customers": 900, "revenue": 0}
            yield {"period_type": kind, "period_start": start, "segmentation": name, **newcomers}


def _fill_profiles(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Customers whose segments and figures follow from their number; and their RFM scores."""
    segments = segment_names(size)
    present = published_columns()["customer_profiles"]
    figures = [name for name, kind in present.items() if kind in ("double", "bigint", "integer", "decimal(18,2)")]
    of_segment = f"list_value({', '.join(repr(name) for name in segments)})[1 + (number + length(name)) % {len(segments)}]"
    columns = [f"{of_segment.replace('name', repr(name))} as {name}" for name in present if name.endswith("_segment")]
    columns += [f"((number * {7 + at}) % 100) / 10.0 + (number % {len(segments)}) as {name}" for at, name in enumerate(figures)]
    columns += ["list_value('card', 'cash', 'voucher')[1 + number % 3] as leading_payment_method", "'store' as leading_channel"]
    columns += [f"(number % 11) / 10.0 as {name}" for name in ("holiday_spend_share", "leading_payment_share", "leading_channel_share")]
    columns = [column for column in columns if not column.startswith("((") or column.rsplit(" ", 1)[1] not in SHARES]
    connection.execute(
        f"""
        insert into published.customer_profiles by name
        select 'c' || number as customer_id, date '{LAST_DAY}' as as_of_date, {", ".join(columns)}
        from range({size.customers}) as numbers (number)
        """
    )
    connection.execute(
        f"""
        insert into published.rfm_segments by name
        select
            'c' || number as customer_id, date '{LAST_DAY}' as as_of_date, 'segment_0' as segment, number % 300 as recency_days,
            number % 50 as order_count, number % 1000 as monetary_value, 1 + number % 5 as recency_score, 1 + number % 5 as monetary_score,
            case when number % 5 = 4 and number > 40 then 5 else 1 + (number // 5) % 4 end as frequency_score
        from range({size.customers}) as numbers (number)
        """
    )
    for measure, values in (("recency_days", (5, 20, 60, 180)), ("order_count", (1, 3, 8, 20)), ("monetary_value", (30, 90, 250, 700))):
        for cut, value in enumerate(values, start=1):
            connection.execute("insert into published.segment_cut_points values (?, 'rfm', ?, ?, ?)", [LAST_DAY, measure, cut, value])


SHARES = ("holiday_spend_share", "leading_payment_share", "leading_channel_share")


def _predictions(connection: duckdb.DuckDBPyConnection) -> None:
    """What the lifetime-value models publish, by the data contract."""
    connection.execute(
        """
        insert into published.customer_lifetime_values by name
        select customer_id, as_of_date, 100 * exp(-row_number() over (order by customer_id) / 700.0) as customer_lifetime_value
        from published.customer_profiles
        """
    )
    connection.execute(
        """
        insert into published.model_validations by name
        select
            'bg_nbd' as model, measure, position, case when measure = 'week' then date '2025-01-06' + 7 * position::int end as starts_on,
            position > 26 or measure <> 'week' as is_holdout,
            case when measure = 'frequency' and position = 7 then 9 else 500 end as customers,
            100 + position as observed, 103 + position as predicted, 3 / (100 + position) as relative_error
        from (
            select 'total' as measure, 0 as position
            union all
            select 'frequency', number from range(8) as classes (number)
            union all
            select 'week', number from range(1, 40) as weeks (number)
        )
        """
    )
    connection.execute(
        "insert into published.model_parameters by name select 'bg_nbd' as model, 'r' as parameter, 0.2426 as value, 0.01 as standard_error"
    )


def _audiences(connection: duckdb.DuckDBPyConnection, size: Size) -> None:
    """Audiences by the data contract: every one holds the customers whose number it divides."""
    number = "cast(substring(customer_id, 2) as integer)"
    connection.execute(
        f"""
        create or replace table published.audience_memberships as
        select
            customer_id as person_id, 'audience_' || step as audience_id, {number} % 3 = 0 as is_contactable,
            case {number} % 3 when 1 then 'no_consent' when 2 then 'contact_limit' end as suppressed_reason, {number} % 10 = 0 as is_holdout
        from published.customer_profiles
        inner join range(2, {size.audiences + 2}) as steps (step) on {number} % step = 0
        """
    )
    connection.execute(
        """
        create or replace table published.audiences as
        select
            audience_id, 'Audience ' || audience_id as name, 'What it is for' as description, 'customer relations' as owner,
            count(*) as size, count(*) filter (where is_contactable) as contactable_size, 'email' as channel, 25 as minimum_size,
            1 as messages_per_day, 3 as contact_days_per_week, '21:00' as quiet_from, '08:00' as quiet_until
        from published.audience_memberships
        group by audience_id
        """
    )
    connection.execute(
        """
        create or replace table published.audience_overlaps as
        select one.audience_id, other.audience_id as other_audience_id, count(*) as customers, 0.25 as jaccard
        from published.audience_memberships as one
        inner join published.audience_memberships as other on one.person_id = other.person_id and one.audience_id < other.audience_id
        group by all
        """
    )
    # Four conditions: the second takes nobody away, the third fewer than may be told.
    connection.execute(
        f"""
        insert into published.audience_funnels by name
        select
            audience_id, step, date '{LAST_DAY}' as as_of_date,
            'segment rfm_' || step || ', is <b>high</b> or a_rather_long_condition_that_goes_on_for_a_while' as condition_text,
            size + [900, 900, 4, 0][step] as customers_left, case step when 3 then size + 400 else size + 900 end as customers_meeting,
            [{size.customers} - size - 900, 0, 896, 4][step] as customers_removed
        from published.audiences
        cross join range(1, 5) as steps (step)
        """
    )
    # Campaigns of every kind: one of each verdict, and one with a side that is too small to be told.
    connection.execute(
        f"""
        insert into published.audience_lift by name
        select
            'K' || number as campaign_id, 'audience_' || (2 + number % 2) as audience_id, date '{LAST_DAY}' as as_of_date,
            case when number <> 4 then 'Win <i>back</i> ' || number end as campaign_name, date '2025-10-01' + number as starts_on,
            date '2025-10-29' + number as window_ends_on, 900 + number as treated_customers, if(number = 5, 9, 100) as holdout_customers,
            0.25 as treated_response_rate, 0.125 as holdout_response_rate, 8.5 as treated_revenue_per_customer,
            4.25 as holdout_revenue_per_customer, verdict, verdict as revenue_verdict, reason as verdict_reason,
            case when reason is null then middle end as response_difference,
            case when reason is null then middle - 0.05 end as response_difference_lower,
            case when reason is null then middle + 0.05 end as response_difference_upper,
            case when reason is null then 10 * middle end as revenue_difference,
            case when reason is null then 10 * middle - 2 end as revenue_difference_lower,
            case when reason is null then 10 * middle + 2 end as revenue_difference_upper
        from (
            values
            (0, 'positive', null, 0.125), (1, 'negative', null, -0.08), (2, 'no_difference', null, 0.01),
            (3, 'not_enough_yet', 'window_open', null), (4, 'not_comparable', 'sides_differed_before', null),
            (5, 'not_enough_yet', 'too_few_customers', null)
        ) as campaigns (number, verdict, reason, middle)
        """
    )
