"""The checks on segments of value and behaviour, proved twice: each passes on what the models build, and fails on the fault it is to find.

The models build them from a small shop made by arithmetic, large and varied enough that every segmentation has something to say.
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from orchestration.ingest.landing import land
from orchestration.ingest.source import resolve_source
from orchestration.prediction.bg_nbd import BgNbd
from orchestration.prediction.clusters import Clusters, Scale, to_parameters
from orchestration.prediction.facts import Fit, FitKey, Parameter, record_fit, transaction
from orchestration.prediction.scoring import expected_orders
from orchestration.quality.gate import audit
from orchestration.quality.suites import load_suites
from tests.python.faults.segment_warehouse import PROJECT_DIR, copy_suites, failed

AS_OF_DATE = datetime.date(2018, 1, 1)
SEGMENT_TABLES = [
    f"{name}_segments"
    for name in (
        "purchase_rhythm",
        "growth_potential",
        "value_tier",
        "churn_risk",
        "price_sensitivity",
        "quality_preference",
        "payment_preference",
        "channel_preference",
        "category_affinity",
        "holiday_buying",
        "behaviour_cluster",
    )
]

# Every tenth customer never bought; the others differ in rhythm, taste, price, method, channel and country by the digits of their number.
SHOP = {
    "customers": """
        select 'customer-' || number as customer_id, ['DE', 'US', 'ZZ', null][1 + number % 4] as country
        from range(300) as numbers (number)
    """,
    "products": """
        select
            category || '-' || tier as product_id,
            ['toys', 'books', 'garden', 'food', 'music', 'tools'][1 + category] as category,
            ['budget', 'standard', 'premium'][1 + tier] as quality_tier,
            tier = 0 as is_private_label
        from range(6) as categories (category)
        cross join range(3) as tiers (tier)
    """,
    "transactions": """
        with customers as (
            select number from range(300) as numbers (number) where number % 10 <> 0
        ),
        orders as (
            select
                number,
                place,
                case
                    -- Every December; twice a month, for the last year; now and then, until some time ago.
                    when number % 7 = 0 then date '2015-12-02' + cast(place % 3 as integer) * 366 + cast(place // 3 as integer) * 4
                    when number % 7 < 4 then date '2017-12-30' - cast(place * 14 as integer)
                    else date '2017-12-30' - cast(number % 200 + place * (20 + number % 60) as integer)
                end as day
            from customers
            cross join range(26) as places (place)
            where place < case when number % 7 = 0 then 9 when number % 7 < 4 then 26 else 1 + number % 9 end
        ),
        lines as (
            select
                *,
                -- Half of the customers have a category of their own.
                case when number % 2 = 0 and line < 2 then number // 2 % 6 else (number + place + line) % 6 end as category,
                case number % 3 when 0 then line % 3 when 1 then 2 else 0 end as tier,
                case when (place + line) % 3 = 0 and number % 5 > 0 then [0.1, 0.2, 0.3, 0.4][1 + number % 4] else 0.0 end as depth
            from orders
            cross join range(3) as lines (line)
        )
        select
            number || '-' || place as order_id,
            line as line_id,
            'customer-' || number as customer_id,
            day + interval 12 hour as ordered_at,
            category || '-' || tier as product_id,
            1 + (number + line) % 2 as quantity,
            cast((2 + category + 3 * tier) * (1 + (number + line) % 2) * (1 - depth) as decimal(18, 2)) as amount,
            cast((2 + category + 3 * tier) * (1 + (number + line) % 2) * depth as decimal(18, 2)) as discount_amount,
            case
                when number % 11 = 0 then null
                when number % 4 = 3 and place % 2 = 0 then 'gift card'
                else ['card', 'cash', 'invoice', 'card'][1 + number % 4]
            end as payment_method,
            case
                when number % 5 = 4 and place % 2 = 0 then 'store'
                else ['store', 'web', 'app', 'store', 'web'][1 + number % 5]
            end as channel
        from lines
    """,
    "web_events": """
        select
            number || '-' || visit as event_id,
            'customer-' || number as customer_id,
            timestamp '2017-11-01 09:00:00' + to_days(cast(visit as integer)) as occurred_at,
            'visit' as event_name,
            'web' as channel
        from range(300) as numbers (number)
        cross join range(5) as visits (visit)
        where number % 3 = 0
    """,
}


def one(segment: str) -> str:
    """The first customer of a segment."""
    return f"where customer_id = (select min(customer_id) from {{table}} where segment = '{segment}')"


def one_with(condition: str) -> str:
    """The first customer of whom something is true."""
    return f"where customer_id = (select min(customer_id) from {{table}} where {condition})"


PREDICTED = "update prediction.customer_lifetime_values set"
A_BUYER = "where customer_id = (select min(customer_id) from prediction.customer_lifetime_values where frequency > 0)"

# Table, check, fault. One customer is enough wherever one customer can be wrong.
FAULTS = [
    ("purchase_rhythm", "expect_purchase_days_to_be_present", f"set purchase_days = null {one('permanent')}"),
    ("purchase_rhythm", "expect_active_periods_within_the_year", f"set active_periods = 13 {one('permanent')}"),
    ("purchase_rhythm", "expect_season_concentration_between_zero_and_one", f"set season_concentration = 1.1 {one('seasonal')}"),
    ("purchase_rhythm", "expect_peak_month_of_the_year", f"set season_peak_month = 0 {one('seasonal')}"),
    ("purchase_rhythm", "expect_gap_variation_not_to_be_negative", f"set gap_variation = -0.1 {one('permanent')}"),
    ("purchase_rhythm", "expect_no_more_active_than_observed_periods", f"set active_periods = observed_periods + 1 {one('occasional')}"),
    ("purchase_rhythm", "expect_no_more_active_than_observed_periods", "set active_periods = 1 where segment = 'none'"),
    ("purchase_rhythm", "expect_none_and_one_off_by_their_purchase_days", f"set segment = 'permanent' {one('one_off')}"),
    ("purchase_rhythm", "expect_none_and_one_off_by_their_purchase_days", f"set segment = 'none' {one('occasional')}"),
    ("purchase_rhythm", "expect_seasons_to_be_shown", f"set segment = 'seasonal' {one('permanent')}"),
    ("purchase_rhythm", "expect_seasons_to_be_shown", f"set season_evidence = 2.4 {one('seasonal')}"),
    ("purchase_rhythm", "expect_purchase_days_to_agree_with_the_facts", f"set purchase_days = purchase_days + 1 {one('permanent')}"),
    ("value_tier", "expect_customer_lifetime_value_not_to_be_negative", f"set customer_lifetime_value = -1 {one('low')}"),
    ("value_tier", "expect_expected_orders_not_to_be_negative", f"set expected_orders = -0.1 {one('low')}"),
    ("value_tier", "expect_predictions_to_be_numbers", f"{PREDICTED} expected_orders = 'nan' {A_BUYER}"),
    ("value_tier", "expect_predictions_to_be_numbers", f"{PREDICTED} probability_alive = 'inf' {A_BUYER}"),
    ("value_tier", "expect_probability_alive_to_be_a_probability", f"{PREDICTED} probability_alive = 1.1 {A_BUYER}"),
    ("value_tier", "expect_probability_alive_to_be_a_probability", f"{PREDICTED} probability_alive = 0.5 where frequency = 0"),
    ("value_tier", "expect_a_value_exactly_where_there_is_a_tier", f"set segment = 'none' {one('low')}"),
    ("value_tier", "expect_a_value_exactly_where_there_is_a_tier", f"set segment = 'low' {one('none')}"),
    ("value_tier", "expect_a_value_exactly_where_there_is_a_tier", f"set customer_lifetime_value = 1000000 {one('top')}"),
    ("value_tier", "expect_everybody_with_a_purchase_to_have_a_value", f"{PREDICTED} customer_lifetime_value = null {A_BUYER}"),
    ("value_tier", "expect_tiers_in_the_order_of_their_values", f"set segment = 'low' {one('top')}"),
    ("value_tier", "expect_the_top_to_hold_its_share", "set segment = 'high' where segment = 'top'"),
    ("churn_risk", "expect_probability_alive_to_be_a_share", f"set probability_alive = 1.1 {one('low')}"),
    ("churn_risk", "expect_recency_in_the_past", f"set recency_days = 0 {one('low')}"),
    ("churn_risk", "expect_none_exactly_without_a_probability", f"set segment = 'none' {one('low')}"),
    ("churn_risk", "expect_none_exactly_without_a_probability", f"set segment = 'low' {one('none')}"),
    ("churn_risk", "expect_nobody_at_risk_too_soon", f"set segment = 'high' {one_with('recency_days < 28')}"),
    ("churn_risk", "expect_nobody_at_risk_too_soon", f"set segment = 'gone' {one_with('recency_days between 28 and 89')}"),
    ("churn_risk", "expect_risk_to_follow_the_signs", f"set segment = 'low' {one('gone')}"),
    (
        "churn_risk",
        "expect_risk_to_follow_the_signs",
        f"set segment = 'medium' {one_with('probability_alive < 0.5 and recency_days >= 28')}",
    ),
    ("churn_risk", "expect_silence_to_agree_with_the_orders", f"set recency_days = recency_days + 1 {one('low')}"),
    ("growth_potential", "expect_growth_gap_to_be_a_share", f"set growth_gap = 1.1 {one('high')}"),
    ("growth_potential", "expect_amount_gap_not_to_be_negative", f"set amount_gap = -1 {one('low')}"),
    ("growth_potential", "expect_growth_gap_to_be_the_mean_of_its_gaps", f"set order_gap = order_gap + 0.1 {one('medium')}"),
    (
        "growth_potential",
        "expect_growth_gap_to_be_the_mean_of_its_gaps",
        f"set category_gap = null {one_with('category_gap > growth_gap')}",
    ),
    ("growth_potential", "expect_the_segment_to_follow_the_gap", f"set segment = 'high' {one('low')}"),
    ("growth_potential", "expect_the_segment_to_follow_the_gap", f"set segment = 'low' {one('none')}"),
    ("growth_potential", "expect_the_segment_to_follow_the_gap", f"set is_level_with_peers = false {one('high')}"),
    ("growth_potential", "expect_enough_peers", f"set segment = 'medium' {one('none')}"),
    ("price_sensitivity", "expect_discounted_lines_to_be_present", f"set discounted_lines = null {one('high')}"),
    ("price_sensitivity", "expect_discount_depth_to_be_a_share", f"set discount_depth = 1.2 {one('high')}"),
    ("price_sensitivity", "expect_expected_discount_depth_to_be_a_share", f"set expected_discount_depth = 1.2 {one('high')}"),
    ("price_sensitivity", "expect_no_more_discounted_lines_than_lines", f"set discounted_lines = discountable_lines + 1 {one('high')}"),
    (
        "price_sensitivity",
        "expect_no_more_discounted_lines_than_lines",
        f"set expected_discounted_lines = discountable_lines + 1 {one('low')}",
    ),
    (
        "price_sensitivity",
        "expect_depth_index_between_one_and_depth_over_expected_depth",
        f"set discount_depth_index = 0.9 {one('high')}",
    ),
    (
        "price_sensitivity",
        "expect_depth_index_between_one_and_depth_over_expected_depth",
        f"set discount_depth_index = discount_depth / expected_discount_depth + 0.01 {one('high')}",
    ),
    (
        "price_sensitivity",
        "expect_depth_index_between_one_and_depth_over_expected_depth",
        f"set discount_depth_index = null {one('medium')}",
    ),
    ("price_sensitivity", "expect_high_and_medium_with_evidence_only", f"set segment = 'medium' {one('unknown')}"),
    (
        "price_sensitivity",
        "expect_high_above_medium",
        "set segment = 'high' " + one_with("discount_depth_index < 1 and segment = 'medium'"),
    ),
    (
        "price_sensitivity",
        "expect_discounted_lines_to_agree_with_the_roll_up",
        f"set discounted_lines = discounted_lines - 1 {one('high')}",
    ),
    (
        "price_sensitivity",
        "expect_discounted_lines_to_agree_with_the_roll_up",
        "set expected_discounted_lines = expected_discounted_lines * 0.9",
    ),
    ("quality_preference", "expect_quality_score_between_minus_one_and_one", f"set quality_score = 2 {one('quality')}"),
    ("quality_preference", "expect_unit_price_index_above_zero", f"set unit_price_index = 0 {one('quality')}"),
    ("quality_preference", "expect_premium_share_to_be_a_share", f"set premium_share = 1.1 {one('quality')}"),
    ("quality_preference", "expect_private_label_share_to_be_a_share", f"set private_label_share = -0.1 {one('quality')}"),
    ("quality_preference", "expect_units_index_above_zero", f"set units_index = 0 {one('quality')}"),
    ("quality_preference", "expect_the_segment_to_follow_the_score", f"set segment = 'quantity' {one('quality')}"),
    ("quality_preference", "expect_the_segment_to_follow_the_score", f"set segment = 'balanced' {one('unknown')}"),
    ("quality_preference", "expect_the_segment_to_follow_the_score", f"set segment = 'unknown' {one('quantity')}"),
    ("quality_preference", "expect_prices_around_their_standard", f"set unit_price_index = 0.5 {one('quality')}"),
    ("payment_preference", "expect_payment_known_orders_to_be_present", f"set payment_known_orders = null {one('card')}"),
    ("payment_preference", "expect_leading_payment_share_to_be_a_share", f"set leading_payment_share = 1.1 {one('card')}"),
    ("payment_preference", "expect_leading_share_not_below_an_equal_split", f"set leading_payment_share = 0.1 {one('mixed')}"),
    ("payment_preference", "expect_leading_share_not_below_an_equal_split", f"set payment_method_count = 99 {one('card')}"),
    ("payment_preference", "expect_unknown_exactly_without_evidence", f"set segment = 'card' {one('unknown')}"),
    ("payment_preference", "expect_unknown_exactly_without_evidence", f"set segment = 'unknown' {one('card')}"),
    ("payment_preference", "expect_named_segments_to_be_the_leading_method", f"set segment = 'cash' {one('card')}"),
    (
        "payment_preference",
        "expect_named_segments_to_be_the_leading_method",
        f"set segment = leading_payment_method {one('mixed')}",
    ),
    (
        "payment_preference",
        "expect_methods_of_the_data",
        "set segment = 'sea_shells', leading_payment_method = 'sea_shells' " + one("card"),
    ),
    ("payment_preference", "expect_other_exactly_where_rare_methods_lead", f"set segment = 'other' {one('card')}"),
    (
        "payment_preference",
        "expect_other_exactly_where_rare_methods_lead",
        f"set rare_payment_orders = payment_known_orders {one('mixed')}",
    ),
    ("payment_preference", "expect_orders_to_agree_with_the_facts", f"set payment_known_orders = payment_known_orders + 1 {one('card')}"),
    ("channel_preference", "expect_channel_known_orders_to_be_present", f"set channel_known_orders = null {one('web')}"),
    ("channel_preference", "expect_channel_known_visit_days_to_be_present", f"set channel_known_visit_days = null {one('web')}"),
    ("channel_preference", "expect_leading_channel_share_to_be_a_share", f"set leading_channel_share = 1.1 {one('web')}"),
    ("channel_preference", "expect_unknown_exactly_without_evidence", f"set segment = 'web' {one('unknown')}"),
    ("channel_preference", "expect_unknown_exactly_without_evidence", f"set segment = 'unknown' {one('web')}"),
    ("channel_preference", "expect_named_segments_to_be_the_leading_channel", f"set segment = 'store' {one('web')}"),
    ("channel_preference", "expect_named_segments_to_be_the_leading_channel", f"set segment = leading_channel {one('omnichannel')}"),
    ("channel_preference", "expect_channels_of_the_data", "set segment = 'pigeon', leading_channel = 'pigeon' " + one("web")),
    (
        "channel_preference",
        "expect_contacts_to_agree_with_the_roll_up",
        f"set channel_known_orders = channel_known_orders + 1 {one('web')}",
    ),
    (
        "channel_preference",
        "expect_contacts_to_agree_with_the_roll_up",
        f"set channel_known_visit_days = channel_known_visit_days + 1 {one('web')}",
    ),
    ("category_affinity", "expect_categorised_lines_to_be_present", f"set categorised_lines = null {one('toys')}"),
    ("category_affinity", "expect_affinity_spend_share_to_be_a_share", f"set affinity_spend_share = 1.1 {one('toys')}"),
    ("category_affinity", "expect_affinity_population_share_to_be_a_share", f"set affinity_population_share = 0 {one('toys')}"),
    ("category_affinity", "expect_lift_to_be_share_over_population_share", f"set affinity_lift = affinity_lift + 0.1 {one('toys')}"),
    ("category_affinity", "expect_unknown_without_evidence", f"set segment = 'broad' {one('unknown')}"),
    ("category_affinity", "expect_unknown_without_evidence", f"set segment = 'unknown' {one('broad')}"),
    ("category_affinity", "expect_named_segments_to_stand_out", f"set segment = 'books' {one('toys')}"),
    ("category_affinity", "expect_named_segments_to_stand_out", f"set segment = affinity_category {one('broad')}"),
    ("category_affinity", "expect_categories_of_the_data", "set segment = 'unicorns', affinity_category = 'unicorns' " + one("toys")),
    ("category_affinity", "expect_lines_to_agree_with_the_roll_up", f"set categorised_lines = categorised_lines + 1 {one('toys')}"),
    ("holiday_buying", "expect_observed_days_within_the_window", f"set observed_days = 9999 {one('ordinary')}"),
    ("holiday_buying", "expect_holiday_day_share_to_be_a_share", f"set holiday_day_share = 1.1 {one('ordinary')}"),
    ("holiday_buying", "expect_holiday_spend_share_to_be_a_share", f"set holiday_spend_share = -0.1 {one('ordinary')}"),
    (
        "holiday_buying",
        "expect_no_more_holiday_than_purchase_days",
        f"set holiday_purchase_days = observed_purchase_days + 1 {one('ordinary')}",
    ),
    ("holiday_buying", "expect_no_more_holiday_than_purchase_days", f"set holidays_bought_in = 0 {one('holiday_only')}"),
    (
        "holiday_buying",
        "expect_holiday_lift_to_be_spend_share_over_day_share",
        f"set holiday_lift = holiday_lift + 0.1 {one('holiday_only')}",
    ),
    ("holiday_buying", "expect_unknown_exactly_without_evidence", f"set segment = 'ordinary' {one('unknown')}"),
    ("holiday_buying", "expect_unknown_exactly_without_evidence", f"set segment = 'unknown' {one('ordinary')}"),
    ("holiday_buying", "expect_holiday_heavy_above_its_lift", f"set segment = 'holiday_heavy' {one('ordinary')}"),
    (
        "holiday_buying",
        "expect_the_day_to_be_covered_by_the_holidays",
        "update intermediate.int_holiday_calendar set is_covered = false where country = 'FR' and year(calendar_date) >= 2017",
    ),
    ("behaviour_cluster", "expect_purchase_days_to_be_present", f"set purchase_days = null {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_purchase_days_to_agree_with_the_facts", f"set purchase_days = purchase_days + 1 {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_purchase_days_to_agree_with_the_facts", f"set recency_days = recency_days + 1 {one('unknown')}"),
    ("behaviour_cluster", "expect_none_and_unknown_to_follow_what_was_bought", f"set segment = 'none' {one('unknown')}"),
    ("behaviour_cluster", "expect_none_and_unknown_to_follow_what_was_bought", f"set segment = 'rare_buyers' {one('unknown')}"),
    ("behaviour_cluster", "expect_none_and_unknown_to_follow_what_was_bought", f"set segment = 'unknown' {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_clusters_to_be_those_of_the_fit", f"set segment = 'promotion_buyers' {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_cluster_distance_to_be_a_distance", f"set cluster_distance = 'inf' {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_cluster_distance_to_be_a_distance", f"set cluster_distance = 'nan' {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_the_nearest_cluster", f"set next_cluster_distance = cluster_distance - 0.1 {one('rare_buyers')}"),
    ("behaviour_cluster", "expect_the_nearest_cluster", f"set cluster_distance = null {one('rare_buyers')}"),
    (
        "behaviour_cluster",
        "expect_clusters_about_as_large_as_in_the_fit",
        "update prediction.behaviour_cluster_parameters set value = 0.9 where name = 'rare_buyers' and figure = 'share'",
    ),
]


def plant_fits(database: Path) -> None:
    """What fits would have given: parameters of everyday shops, and what follows from them for all states that the shop can have."""
    purchases = BgNbd(0.8, 10.0, 0.8, 1.2)
    scales = {"purchase_days": Scale(1.0, 3.5, 2.5, 0.8)}
    clusters = Clusters(scales, np.array([[1.0], [-1.0]]), (0.5, 0.5), agreement=0.9, silhouette=0.7, is_found_anew=True)
    fits = {
        "bg_nbd": ("day", {"r": 0.8, "alpha": 10.0, "a": 0.8, "b": 1.2}),
        "gamma_gamma": ("", {"p": 5.0, "q": 4.0, "gamma": 20.0}),
        "behaviour_cluster": ("365 days", to_parameters(clusters, ["frequent_buyers", "rare_buyers"])),
    }
    frequency, age_days = (grid.ravel() for grid in np.meshgrid(np.arange(0.0, 30.0), np.arange(0.0, 900.0)))
    expected, discounted = expected_orders(purchases, frequency, age_days, 365.0, 1.0, 0.1)
    with transaction(database) as connection:
        for model, (fitted_with, parameters) in fits.items():
            fit = Fit(True, None, 270, -1.0, tuple(Parameter(name, value, value / 10) for name, value in parameters.items()))
            record_fit(connection, FitKey(model, AS_OF_DATE, fitted_with), fit, 2000, datetime.datetime.now(datetime.UTC))
        connection.register("states", {"frequency": frequency, "age_days": age_days, "expected": expected, "discounted": discounted})
        connection.execute("insert into prediction.expected_orders select * from states")


def build_warehouse(folder: Path) -> Path:
    """Land the shop and let dbt build the segment tables; returns the working database."""
    source_folder = folder / "shop"
    for table, query in SHOP.items():
        (source_folder / table).mkdir(parents=True)
        duckdb.sql(query).write_parquet(str(source_folder / table / "rows.parquet"))
    landing = folder / "landing"
    land(resolve_source(source_folder), landing, datetime.datetime(2018, 1, 1, 6, tzinfo=datetime.UTC))
    database = folder / "warehouse.duckdb"
    variables = json.dumps({"as_of_date": AS_OF_DATE.isoformat(), "holiday_country": "DE"})
    environment = {**os.environ, "SEGMENTS_DATABASE": str(database), "SEGMENTS_LANDING": str(landing), "DO_NOT_TRACK": "1"}
    for verb in (["seed"], ["run", "--select", *(f"+{table}" for table in SEGMENT_TABLES)]):
        done = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), "--quiet", *verb, "--vars", variables, "--profiles-dir", str(PROJECT_DIR)),
                *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--no-use-colors"),
            ],
            cwd=PROJECT_DIR,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        if verb == ["seed"]:
            plant_fits(database)
    return database


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once; to be read only."""
    return build_warehouse(tmp_path_factory.mktemp("value_and_behaviour"))


@pytest.fixture
def warehouse(built: Path, tmp_path: Path) -> Path:
    """A copy of its own for one test."""
    return Path(shutil.copyfile(built, tmp_path / "warehouse.duckdb"))


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The suites of these segmentations alone."""
    return copy_suites(tmp_path_factory.mktemp("suites"), SEGMENT_TABLES)


def test_what_the_models_build_passes_every_check(built: Path, suites: Path) -> None:
    results = audit(built, AS_OF_DATE, suites, SEGMENT_TABLES)
    assert failed(results) == set()


def test_the_shop_has_every_segment_that_is_not_named_by_the_data(built: Path) -> None:
    """A fault planted in a segment that nobody is in would plant nothing."""
    with duckdb.connect(str(built), read_only=True) as connection:
        empty = [
            (table, segment)
            for table in SEGMENT_TABLES
            for (segment,) in connection.execute(
                f"""
                select segment from rules.segment_definitions
                where
                    segmentation = ? and segment not in ('*', 'other') and segment not in (select segment from segments.{table})
                    and segment not in (select segment from rules.behaviour_cluster_names)
                """,
                [table.removesuffix("_segments")],
            ).fetchall()
        ]
    assert empty == []


@pytest.mark.parametrize(("segmentation", "expectation", "fault"), FAULTS)
def test_planted_faults_are_found(warehouse: Path, tmp_path: Path, segmentation: str, expectation: str, fault: str) -> None:
    table = f"{segmentation}_segments"
    statement = fault if fault.startswith("update") else f"update {{table}} {fault}"
    with duckdb.connect(str(warehouse)) as connection:
        changed = connection.execute(statement.format(table=f"segments.{table}")).fetchone()
    assert changed is not None
    assert changed[0] > 0, "the fault changed nothing"
    suite = tmp_path / "suite"
    suite.mkdir()
    assert (table, expectation) in failed(audit(warehouse, AS_OF_DATE, copy_suites(suite, [table]), [table]))


def test_no_check_is_without_its_fault(suites: Path) -> None:
    common = {check.name for check in load_suites(suites, SEGMENT_TABLES)[0].checks}
    common &= {check.name for check in load_suites(suites, SEGMENT_TABLES)[1].checks}
    own = {
        (suite.segmentation, check.name)
        for suite in load_suites(suites, SEGMENT_TABLES)
        for check in suite.checks
        if check.name not in common
    }
    assert own - {(segmentation, expectation) for segmentation, expectation, _ in FAULTS} == set()
