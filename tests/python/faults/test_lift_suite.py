"""The suite of the lift: clean rows pass every check, and each check finds the fault that it is there for."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.quality.gate import audit
from orchestration.quality.suites import load_suites
from tests.python.faults.segment_warehouse import copy_suites, failed_expectations

AS_OF_DATE = date(2026, 1, 1)
TABLE = "audience_lift"
LIFT = "segments.audience_lift"
# Two campaigns that are over, one of them with a verdict and one with too few held out; one that began yesterday, one that begins today,
# and one that nobody recorded. c0 to c49 have bought in the window, c0 to c9 are held out of `over`.
CLEAN = """
create schema segments; create schema intermediate; create schema audiences; create schema features; create schema rules;
create table rules.thresholds (name varchar, value double);
insert into rules.thresholds values ('lift_minimum_customers', 10), ('lift_response_window_days', 28);
create table intermediate.int_customers as select 'c' || number as customer_id from range(100) as numbers (number);
create table audiences.audience_rules as select 'lapsed' as audience_id;
create table features.recorded_campaign_members as
select
    date '2025-11-10' as as_of_date, 'over' as campaign_id, 'lapsed' as audience_id, 'c' || number as customer_id, number < 10 as is_holdout
from range(100) as numbers (number)
union all
select date '2025-11-10', 'few', 'lapsed', 'c' || number, number < 9 from range(60) as numbers (number)
union all
select date '2025-12-31', 'open', 'lapsed', 'c' || number, number < 10 from range(60) as numbers (number)
union all
select date '2025-11-10', null, null, null, null;
create table intermediate.int_orders as
select 'c' || number as customer_id, date '2025-11-10' + cast(number % 28 as integer) as order_date, true as is_purchase
from range(50) as numbers (number)
union all
select 'c' || number, date '2025-12-08', true from range(60, 70) as numbers (number)
union all
select 'c' || number, date '2025-11-09', true from range(70, 80) as numbers (number)
union all
select 'c' || number, date '2025-11-20', false from range(80, 90) as numbers (number)
union all
select 'c1', date '2025-12-31', true
union all
select 'c2', date '2026-01-01', true;
create table segments.audience_lift as
select
    campaign_id, 'lapsed' as audience_id, date '2026-01-01' as as_of_date, cast(starts_on as date) as starts_on,
    cast(window_ends_on as date) as window_ends_on, treated as treated_customers, holdout as holdout_customers,
    treated as treated_contacted, 0::bigint as holdout_contacted, treated_buyers as treated_responses, holdout_buyers as holdout_responses,
    treated_buyers / treated as treated_response_rate, holdout_buyers / holdout as holdout_response_rate,
    case when reason is null then treated_buyers / treated - holdout_buyers / holdout end as response_difference,
    case when reason is null then -0.62 end as response_difference_lower,
    case when reason is null then -0.2 end as response_difference_upper,
    2.5::decimal(18, 4) as treated_revenue_per_customer, 2::decimal(18, 4) as holdout_revenue_per_customer,
    case when reason is null then 0.5::decimal(18, 4) end as revenue_difference,
    case when reason is null then -0.5::decimal(18, 4) end as revenue_difference_lower,
    case when reason is null then 1.5::decimal(18, 4) end as revenue_difference_upper,
    0.01 as spend_before_difference, 0.4 as balance_p_value,
    case when reason is null then 'negative' else 'not_enough_yet' end as verdict,
    case when reason is null then 'no_difference' else 'not_enough_yet' end as revenue_verdict,
    reason as verdict_reason
from (
    values
    ('over', '2025-11-10', '2025-12-08', 90::bigint, 10::bigint, 40::bigint, 10::bigint, null),
    ('few', '2025-11-10', '2025-12-08', 51, 9, 41, 9, 'too_few_customers'),
    ('open', '2025-12-31', '2026-01-28', 50, 10, 0, 1, 'window_open'),
    ('new', '2026-01-01', '2026-01-29', 0, 0, 0, 0, 'window_open'),
    ('unrecorded', '2025-10-10', '2025-11-07', 0, 0, 0, 0, 'members_not_recorded')
) as lifts (campaign_id, starts_on, window_ends_on, treated, holdout, treated_buyers, holdout_buyers, reason);
"""


def changed(assignments: str, campaign: str = "over") -> str:
    return f"update {LIFT} set {assignments} where campaign_id = '{campaign}'"


TOLD_TOO_EARLY = (
    "verdict = 'positive', revenue_verdict = 'positive', verdict_reason = null, response_difference = treated_response_rate - "
    "holdout_response_rate, response_difference_lower = -1, response_difference_upper = 1, revenue_difference = 0.5, "
    "revenue_difference_lower = 0.1, revenue_difference_upper = 1"
)
FAULTS = [
    ("expect_campaign_id_to_be_present", changed("campaign_id = null", "new")),
    ("expect_audience_id_to_be_present", changed("audience_id = null", "new")),
    ("expect_each_campaign_once_for_an_audience", f"insert into {LIFT} from {LIFT} where campaign_id = 'new'"),
    ("expect_audiences_to_be_declared", changed("audience_id = 'another'", "new")),
    ("expect_as_of_date_to_be_the_day_of_the_night", changed("as_of_date = '2025-12-31'")),
    ("expect_a_known_verdict", changed("verdict = 'success'")),
    ("expect_a_known_verdict_about_revenue", changed("revenue_verdict = 'success'")),
    ("expect_differences_exactly_where_there_is_enough", changed("verdict_reason = null", "few")),
    ("expect_differences_exactly_where_there_is_enough", changed("response_difference = 0.1", "few")),
    ("expect_differences_exactly_where_there_is_enough", changed("response_difference_lower = -0.1", "few")),
    ("expect_differences_exactly_where_there_is_enough", changed("revenue_difference_upper = null")),
    ("expect_differences_exactly_where_there_is_enough", changed("verdict = 'positive'", "few")),
    ("expect_differences_exactly_where_there_is_enough", changed("revenue_verdict = 'positive'", "few")),
    ("expect_differences_inside_their_intervals", changed("response_difference_upper = -0.6")),
    ("expect_differences_inside_their_intervals", changed("revenue_difference_lower = 0.6")),
    ("expect_differences_inside_their_intervals", changed("response_difference = -0.5")),
    ("expect_differences_inside_their_intervals", changed("revenue_difference = 0.6")),
    ("expect_verdicts_to_follow_from_intervals", changed("verdict = 'no_difference'")),
    ("expect_verdicts_to_follow_from_intervals", changed("revenue_verdict = 'positive'")),
    ("expect_no_verdict_before_the_end_of_the_window", changed(TOLD_TOO_EARLY, "open")),
    ("expect_no_verdict_before_the_end_of_the_window", changed("window_ends_on = '2025-12-09'")),
    ("expect_no_verdict_on_few_customers", changed(TOLD_TOO_EARLY, "few")),
    ("expect_parts_not_above_their_whole", changed("treated_contacted = 91")),
    ("expect_parts_not_above_their_whole", changed("holdout_responses = 11")),
    ("expect_parts_not_above_their_whole", changed("treated_responses = -1", "new")),
    ("expect_sides_and_responses_as_recorded", changed("treated_customers = 89, holdout_customers = 11")),
    ("expect_sides_and_responses_as_recorded", changed("treated_responses = 39")),
    ("expect_sides_and_responses_as_recorded", changed("holdout_responses = 2", "open")),
    ("expect_sides_and_responses_as_recorded", "delete from features.recorded_campaign_members where customer_id = 'c77'"),
    ("expect_sides_and_responses_as_recorded", "update intermediate.int_orders set is_purchase = true where customer_id = 'c85'"),
    ("expect_nobody_held_out_to_be_contacted", changed("holdout_contacted = 1")),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working database with five campaigns and nothing wrong."""
    database = tmp_path_factory.mktemp("clean") / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(CLEAN)
    return database


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_suites(tmp_path_factory.mktemp("suites"), [TABLE])


def test_clean_rows_pass_every_check(clean: Path, suites: Path) -> None:
    assert failed_expectations(audit(clean, AS_OF_DATE, suites, [TABLE])) == set()


def test_a_shop_without_campaigns_passes(clean: Path, suites: Path, tmp_path: Path) -> None:
    empty = Path(shutil.copyfile(clean, tmp_path / "warehouse.duckdb"))
    with duckdb.connect(str(empty)) as connection:
        connection.execute(f"delete from {LIFT}; delete from features.recorded_campaign_members")
    assert failed_expectations(audit(empty, AS_OF_DATE, suites, [TABLE])) == set()


@pytest.mark.parametrize(("expectation", "fault"), FAULTS)
def test_each_check_finds_its_fault(clean: Path, suites: Path, tmp_path: Path, expectation: str, fault: str) -> None:
    faulty = Path(shutil.copyfile(clean, tmp_path / "warehouse.duckdb"))
    with duckdb.connect(str(faulty)) as connection:
        connection.execute(fault)
    assert expectation in failed_expectations(audit(faulty, AS_OF_DATE, suites, [TABLE]))


def test_no_check_is_without_its_fault(suites: Path) -> None:
    (suite,) = load_suites(suites, [TABLE])
    assert {check.name for check in suite.checks} == {expectation for expectation, _ in FAULTS}


def test_a_held_out_customer_who_was_written_to_warns_and_does_not_stop(clean: Path, suites: Path, tmp_path: Path) -> None:
    faulty = Path(shutil.copyfile(clean, tmp_path / "warehouse.duckdb"))
    with duckdb.connect(str(faulty)) as connection:
        connection.execute(changed("holdout_contacted = 1"))
    (result,) = [result for result in audit(faulty, AS_OF_DATE, suites, [TABLE]) if not result.passed]
    assert not result.blocks
