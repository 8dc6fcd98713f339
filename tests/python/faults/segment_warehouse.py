"""A small working database, made without dbt, in which every suite of the gate passes: the ground in which faults are planted.

The facts are invented by arithmetic; features and segments are derived from them by plain SQL of its own, so that the suites
are not compared with the models they guard. Rule tables and definitions are the project's own seeds.
"""

import datetime
import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from orchestration.quality.gate import CheckResult
from orchestration.quality.suites import COMMON_SUITE

PROJECT_DIR = Path(__file__).resolve().parents[3]
SUITES_DIR = PROJECT_DIR / "orchestration" / "quality" / "suites"
SEEDS_DIR = PROJECT_DIR / "seeds"
AS_OF_DATE = datetime.date(2018, 1, 1)
SEGMENT_TABLES = ["rfm_segments", "loyalty_status_segments", "value_trend_segments", "promotion_affinity_segments"]
CUSTOMERS = 400

# Every tenth customer never bought. The others have 1 to 13 orders, 5 to 24 days apart, the last one 1 to 300 days ago.
FACTS = """
create table intermediate.int_customers as
select 'customer-' || lpad(cast(number as varchar), 7, '0') as customer_id, {as_of_date} as as_of_date, number
from range({customers}) as numbers(number);

create table intermediate.int_orders as
with orders as (
    select
        customer_id,
        number,
        unnest(range(1 + (number % 7) * 2)) as place
    from intermediate.int_customers
    where number % 10 <> 0
)
select
    customer_id || '-' || place as order_id,
    customer_id,
    {as_of_date} - cast(1 + (number * 13) % 300 + place * (5 + number % 20) as integer) as order_date,
    true as is_purchase,
    (place + number) % 3 = 0 as is_promoted,
    cast(10 + (number * 7 + place * (number % 5) * 3) % 90 + 0.25 as decimal(18, 2)) as net_amount
from orders
union all
-- Takes money back and is no purchase; one of these customers never bought.
select customer_id || '-return', customer_id, {as_of_date} - 3, false, false, cast(-5.50 as decimal(18, 2))
from intermediate.int_customers
where number in (10, 11, 12);
"""

FEATURES = """
create table features.customer_order_features as
select
    customers.customer_id,
    customers.as_of_date,
    min(orders.order_date) filter (where orders.is_purchase) as first_order_date,
    cast({as_of_date} - max(orders.order_date) filter (where orders.is_purchase) as integer) as recency_days,
    cast({as_of_date} - min(orders.order_date) filter (where orders.is_purchase) as integer) as buyer_days,
    count(*) filter (where orders.is_purchase) as order_count,
    cast(coalesce(sum(orders.net_amount), 0) as decimal(18, 2)) as net_amount,
    cast(round(sum(orders.net_amount) / nullif(count(*) filter (where orders.is_purchase), 0), 2) as decimal(18, 2)) as mean_order_amount
from intermediate.int_customers as customers
left join intermediate.int_orders as orders on customers.customer_id = orders.customer_id
group by all;

create table features.customer_trend_features as
select
    customers.customer_id,
    count(*) filter (where orders.is_purchase and {as_of_date} - orders.order_date <= 91) as last_window_orders,
    count(*) filter (where orders.is_purchase and {as_of_date} - orders.order_date between 92 and 182) as previous_window_orders,
    cast(coalesce(sum(orders.net_amount) filter (where {as_of_date} - orders.order_date <= 91), 0) as decimal(18, 2)) as last_window_amount,
    cast(coalesce(sum(orders.net_amount) filter (where {as_of_date} - orders.order_date between 92 and 182), 0) as decimal(18, 2))
        as previous_window_amount,
    cast(case when customers.number % 4 = 0
        then coalesce(sum(orders.net_amount) filter (where {as_of_date} - orders.order_date between 365 and 455), 0)
    end as decimal(18, 2)) as year_ago_window_amount
from intermediate.int_customers as customers
left join intermediate.int_orders as orders on customers.customer_id = orders.customer_id
group by customers.customer_id, customers.number;

create table features.customer_promotion_features as
select
    customers.customer_id,
    sum(orders.net_amount) filter (where orders.is_promoted) / cast(sum(orders.net_amount) as double) as spend_share,
    case when count(orders.order_id) > 0 then coalesce(spend_share, 0) end as promoted_spend_share,
    count(*) filter (where orders.is_promoted) / nullif(count(orders.order_id), 0) as promoted_order_share,
    case when count(orders.order_id) > 0 then 0.25 + (customers.number % 4) / 20.0 end as expected_promoted_share,
    3 * count(orders.order_id) as promotion_lines
from intermediate.int_customers as customers
left join intermediate.int_orders as orders on customers.customer_id = orders.customer_id and orders.is_purchase
group by customers.customer_id, customers.number;

create table features.value_trend_cut_points as
with comparable as (
    select sum(greatest(trend.last_window_amount, 0)) / sum(greatest(trend.previous_window_amount, 0)) as previous_index
    from features.customer_trend_features as trend
    inner join features.customer_order_features as orders on trend.customer_id = orders.customer_id
    where trend.last_window_orders > 0 and trend.previous_window_orders > 0 and orders.buyer_days >= 182
)
select 'previous_amount_index' as measure, 1 as cut, cast(previous_index as decimal(18, 4)) as value from comparable
union all
select 'year_ago_amount_index', 1, 1.5;
"""

SEGMENTS = """
create table segments.rfm_segments as
with scored as (
    select
        customer_id, as_of_date, recency_days, order_count, net_amount as monetary_value,
        case when order_count > 0 then cast(5 - least(recency_days // 60, 4) as integer) end as recency_score,
        case when order_count > 0 then cast(least(1 + order_count // 3, 5) as integer) end as frequency_score,
        case when order_count > 0 then cast(greatest(1, least(1 + net_amount // 150, 5)) as integer) end as monetary_score
    from features.customer_order_features
)
select
    scored.customer_id,
    scored.as_of_date,
    coalesce(
        (
            select min_by(rules.segment, rules.priority) from rules.rfm_rules as rules
            where scored.recency_score between rules.recency_min and rules.recency_max
            and scored.frequency_score between rules.frequency_min and rules.frequency_max
            and scored.monetary_score between rules.monetary_min and rules.monetary_max
        ),
        'none'
    ) as segment,
    scored.recency_days, scored.order_count, scored.monetary_value,
    scored.recency_score, scored.frequency_score, scored.monetary_score
from scored;

create table segments.loyalty_status_segments as
with measured as (
    select *, cast(case when order_count > 0 then 30 + order_count end as decimal(18, 2)) as usual_gap_days
    from features.customer_order_features
)
select
    customer_id,
    as_of_date,
    case
        when order_count = 0 then 'none'
        when recency_days >= 8 * usual_gap_days then 'lost'
        when recency_days >= 4 * usual_gap_days then 'lapsed'
        when recency_days >= 2 * usual_gap_days then 'at_risk'
        when buyer_days < 90 then 'new'
        when order_count >= 6 then 'loyal'
        when order_count >= 3 then 'regular'
        else 'occasional'
    end as segment,
    order_count, buyer_days, recency_days, usual_gap_days,
    cast(recency_days as double) / cast(usual_gap_days as double) as silence_ratio
from measured;

create table segments.value_trend_segments as
with measured as (
    select
        orders.customer_id, orders.as_of_date, orders.first_order_date, trend.* exclude (customer_id),
        greatest(trend.previous_window_amount, coalesce(trend.year_ago_window_amount, 0), 0) as baseline_amount,
        trend.previous_window_amount
            * (select value from features.value_trend_cut_points where measure = 'previous_amount_index') as from_previous,
        trend.year_ago_window_amount
            * (select value from features.value_trend_cut_points where measure = 'year_ago_amount_index') as from_year_ago
    from features.customer_order_features as orders
    inner join features.customer_trend_features as trend on orders.customer_id = trend.customer_id
),
named as (
    select
        *,
        case
            when first_order_date is null then 'none'
            when last_window_orders + previous_window_orders = 0 then 'inactive'
            when last_window_amount > 1.25 * greatest(from_previous, coalesce(from_year_ago, 0), 0) then 'rising'
            when greatest(last_window_amount, 0) < 0.75 * least(from_previous, coalesce(from_year_ago, from_previous))
                then case when baseline_amount > 400 then 'declining_from_high' else 'declining' end
            else 'steady'
        end as segment
    from measured
)
select
    customer_id, as_of_date, segment,
    first_order_date, last_window_orders, previous_window_orders, last_window_amount, previous_window_amount,
    year_ago_window_amount, baseline_amount,
    cast(case segment when 'rising' then 2 when 'declining' then -2.5 else 0 end as double) as visit_evidence,
    cast(case segment when 'rising' then 0.4 when 'declining_from_high' then -2 else 0 end as double) as basket_evidence
from named;

create table segments.promotion_affinity_segments as
with measured as (
    select
        orders.customer_id, orders.as_of_date, orders.order_count,
        promotion.promoted_spend_share, promotion.promoted_order_share, promotion.expected_promoted_share,
        promotion.promotion_lines,
        promotion.promoted_spend_share / promotion.expected_promoted_share as promotion_index,
        1 + (promotion_index - 1) * promotion.promotion_lines / (promotion.promotion_lines + 20) as leaning_index
    from features.customer_order_features as orders
    inner join features.customer_promotion_features as promotion on orders.customer_id = promotion.customer_id
)
select
    customer_id,
    as_of_date,
    case
        when order_count < 5 then 'unknown'
        when leaning_index >= 1.2 then 'promotion_driven'
        when leaning_index <= 0.8 then 'full_price'
        else 'mixed'
    end as segment,
    order_count, promoted_spend_share, promoted_order_share, expected_promoted_share, promotion_index,
    promotion_lines, leaning_index
from measured;
"""

OTHERS = """
create schema reporting;
create view reporting.segment_memberships as
select customer_id, 'rfm' as segmentation, segment, as_of_date from segments.rfm_segments;
create schema staging;
create table staging.row_reconciliation as
select * from (values ('customers', 410, 400, 6, 4), ('transactions', 2500, 2480, 0, 20))
    as counts(table_name, rows_in, rows_used, rows_superseded, rows_quarantined);
"""


def copy_suites(folder: Path, tables: Iterable[str] = SEGMENT_TABLES) -> Path:
    """The project's own suites of these tables alone, in a folder; returns the folder."""
    for name in (COMMON_SUITE, *tables):
        shutil.copy(SUITES_DIR / f"{name}.yml", folder)
    return folder


def failed(results: Iterable[CheckResult]) -> set[tuple[str, str]]:
    """Suite and expectation of every check that failed; a check that could not be made is no failure but a mistake of the test."""
    results = list(results)
    assert all(result.error is None for result in results), [result for result in results if result.error]
    return {(result.suite, result.expectation) for result in results if not result.passed}


def failed_expectations(results: Iterable[CheckResult]) -> set[str]:
    """The expectations of every check that failed, whichever the suite."""
    return {expectation for _, expectation in failed(results)}


def make_warehouse(database: Path, customers: int = CUSTOMERS) -> Path:
    """Write a clean working database and return its path."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database)) as connection:
        for schema in ("intermediate", "features", "segments", "rules"):
            connection.execute(f"create schema {schema}")
        for seed in ("segment_definitions", "thresholds", "rfm_rules"):
            connection.read_csv(str(SEEDS_DIR / f"{seed}.csv"), header=True).create(f"rules.{seed}")
        for script in (FACTS, FEATURES, SEGMENTS, OTHERS):
            connection.execute(script.format(as_of_date=f"date '{AS_OF_DATE}'", customers=customers))
    return database
