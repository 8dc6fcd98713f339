"""Every check of every suite, proved twice: it passes on clean rows, and it fails on the fault that it is there to find."""

from pathlib import Path

import duckdb
import pytest

from orchestration.quality.gate import CheckResult, audit
from orchestration.quality.suites import COMMON_SUITE, OTHER_OUTPUTS, load_suites
from tests.python.faults.segment_warehouse import AS_OF_DATE, PROJECT_DIR, SEGMENT_TABLES, SUITES_DIR, copy_suites, failed

ONE_BUYER = "(select min(customer_id) from {table} where segment <> 'none')"

# The check, and a fault planted in each segment table at once.
COMMON_FAULTS = [
    ("expect_customer_id_to_be_present", f"update {{table}} set customer_id = null where customer_id = {ONE_BUYER}"),
    ("expect_customer_id_to_be_unique", f"insert into {{table}} from {{table}} where customer_id = {ONE_BUYER}"),
    ("expect_as_many_rows_as_customers", f"insert into {{table}} from {{table}} where customer_id = {ONE_BUYER}"),
    ("expect_every_customer_to_be_present", f"delete from {{table}} where customer_id = {ONE_BUYER}"),
    # As many rows as customers, but one of them is twice there and another is missing.
    (
        "expect_every_customer_to_be_present",
        "update {table} set customer_id = (select min(customer_id) from {table}) "
        "where customer_id = (select max(customer_id) from {table})",
    ),
    ("expect_every_customer_to_be_present", f"update {{table}} set customer_id = 'nobody' where customer_id = {ONE_BUYER}"),
    ("expect_as_of_date_to_be_present", f"update {{table}} set as_of_date = null where customer_id = {ONE_BUYER}"),
    ("expect_as_of_date_to_be_the_day_of_the_night", f"update {{table}} set as_of_date = as_of_date - 1 where customer_id = {ONE_BUYER}"),
    ("expect_segment_to_be_present", f"update {{table}} set segment = null where customer_id = {ONE_BUYER}"),
    ("expect_segment_to_be_declared", f"update {{table}} set segment = 'vip' where customer_id = {ONE_BUYER}"),
    # A segment of another segmentation is not one of this one.
    ("expect_segment_to_be_declared", f"update {{table}} set segment = 'contact_by_post' where customer_id = {ONE_BUYER}"),
    (
        "expect_shares_within_their_declared_range",
        "update rules.segment_definitions set expected_share_max = 0.01 where segment = (select mode(segment) from {table})",
    ),
    (
        "expect_shares_within_their_declared_range",
        "update rules.segment_definitions set expected_share_min = 0.99 where segment = (select mode(segment) from {table})",
    ),
]

# Table, check, fault. One customer is enough wherever one customer can be wrong.
FAULTS = [
    ("rfm_segments", "expect_order_count_to_be_present", f"set order_count = null where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_order_count_not_to_be_negative", f"set order_count = -1 where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_recency_in_the_past", f"set recency_days = 0 where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_recency_score_from_one_to_five", f"set recency_score = 6 where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_frequency_score_from_one_to_five", f"set frequency_score = 0 where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_monetary_score_from_one_to_five", f"set monetary_score = 6 where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_scores_exactly_for_buyers", f"set recency_score = null where customer_id = {ONE_BUYER}"),
    ("rfm_segments", "expect_scores_exactly_for_buyers", "set monetary_score = 1 where segment = 'none'"),
    ("rfm_segments", "expect_scores_exactly_for_buyers", f"set segment = 'none' where customer_id = {ONE_BUYER}"),
    # What a plain NTILE does: of two customers with equal values, one gets the next score.
    *(
        (
            "rfm_segments",
            "expect_equal_values_to_have_equal_scores",
            f"set {score} = case when {score} < 5 then {score} + 1 else 4 end where customer_id = ("
            f"select min(customer_id) from {{table}} where {value} in "
            f"(select {value} from {{table}} where order_count > 0 group by {value} having count(*) > 1))",
        )
        for score, value in (("recency_score", "recency_days"), ("frequency_score", "order_count"), ("monetary_score", "monetary_value"))
    ),
    # Scores upside down.
    ("rfm_segments", "expect_equal_values_to_have_equal_scores", "set recency_score = 6 - recency_score"),
    (
        "rfm_segments",
        "expect_segments_to_follow_the_rule_table",
        "set segment = 'champions' where customer_id = (select min(customer_id) from {table} where segment = 'lost')",
    ),
    ("rfm_segments", "expect_totals_to_agree_with_the_orders", f"set order_count = order_count + 1 where customer_id = {ONE_BUYER}"),
    (
        "rfm_segments",
        "expect_totals_to_agree_with_the_orders",
        f"set monetary_value = monetary_value + 0.01 where customer_id = {ONE_BUYER}",
    ),
    ("rfm_segments", "expect_totals_to_agree_with_the_orders", "set recency_days = recency_days + 1"),
    # Two customers' figures change places: every total stays what it was.
    *(
        (
            table,
            "expect_figures_to_be_those_of_the_customer",
            f"set {column} = (select max({column}) + min({column}) from {{table}}) - {column} where customer_id in ("
            f"select unnest([arg_max(customer_id, {column}), arg_min(customer_id, {column})]) from {{table}})",
        )
        for table, column in (
            ("rfm_segments", "monetary_value"),
            ("rfm_segments", "order_count"),
            ("rfm_segments", "recency_days"),
            ("loyalty_status_segments", "order_count"),
            ("loyalty_status_segments", "recency_days"),
            ("loyalty_status_segments", "buyer_days"),
            ("value_trend_segments", "last_window_amount"),
            ("value_trend_segments", "previous_window_amount"),
            ("promotion_affinity_segments", "promoted_order_share"),
        )
    ),
    ("loyalty_status_segments", "expect_order_count_to_be_present", f"set order_count = null where customer_id = {ONE_BUYER}"),
    ("loyalty_status_segments", "expect_order_count_not_to_be_negative", f"set order_count = -1 where customer_id = {ONE_BUYER}"),
    ("loyalty_status_segments", "expect_recency_in_the_past", f"set recency_days = 0 where customer_id = {ONE_BUYER}"),
    ("loyalty_status_segments", "expect_usual_gap_above_zero", f"set usual_gap_days = 0 where customer_id = {ONE_BUYER}"),
    ("loyalty_status_segments", "expect_figures_exactly_for_buyers", f"set segment = 'none' where customer_id = {ONE_BUYER}"),
    ("loyalty_status_segments", "expect_figures_exactly_for_buyers", "set silence_ratio = 1 where segment = 'none'"),
    (
        "loyalty_status_segments",
        "expect_first_purchase_not_after_the_last",
        f"set buyer_days = recency_days - 1 where customer_id = {ONE_BUYER}",
    ),
    (
        "loyalty_status_segments",
        "expect_silence_to_be_recency_over_the_usual_gap",
        f"set silence_ratio = silence_ratio * 1.001 where customer_id = {ONE_BUYER}",
    ),
    (
        "loyalty_status_segments",
        "expect_silence_to_rise_from_at_risk_to_lost",
        "set segment = 'lost' where customer_id = (select min(customer_id) from {table} where recency_days < 28)",
    ),
    (
        "loyalty_status_segments",
        "expect_totals_to_agree_with_the_orders",
        f"set order_count = order_count - 1 where customer_id = {ONE_BUYER}",
    ),
    ("loyalty_status_segments", "expect_totals_to_agree_with_the_orders", "set recency_days = recency_days + 1"),
    ("loyalty_status_segments", "expect_totals_to_agree_with_the_orders", "set buyer_days = buyer_days + 1"),
    ("value_trend_segments", "expect_last_window_orders_to_be_present", f"set last_window_orders = null where customer_id = {ONE_BUYER}"),
    (
        "value_trend_segments",
        "expect_previous_window_orders_to_be_present",
        f"set previous_window_orders = null where customer_id = {ONE_BUYER}",
    ),
    (
        "value_trend_segments",
        "expect_last_window_orders_not_to_be_negative",
        f"set last_window_orders = -1 where customer_id = {ONE_BUYER}",
    ),
    (
        "value_trend_segments",
        "expect_previous_window_orders_not_to_be_negative",
        f"set previous_window_orders = -1 where customer_id = {ONE_BUYER}",
    ),
    ("value_trend_segments", "expect_first_purchase_before_the_day", f"set first_order_date = as_of_date where customer_id = {ONE_BUYER}"),
    ("value_trend_segments", "expect_none_exactly_without_a_purchase", f"set segment = 'none' where customer_id = {ONE_BUYER}"),
    ("value_trend_segments", "expect_none_exactly_without_a_purchase", "set segment = 'steady' where segment = 'none'"),
    (
        "value_trend_segments",
        "expect_baseline_to_be_the_better_window",
        f"set baseline_amount = baseline_amount + 1 where customer_id = {ONE_BUYER}",
    ),
    *(
        ("value_trend_segments", "expect_segments_not_to_contradict_the_amounts", f"set segment = '{said}' where segment = '{is_}'")
        for said, is_ in (("declining", "rising"), ("rising", "declining"), ("declining_from_high", "rising"), ("inactive", "steady"))
    ),
    ("value_trend_segments", "expect_no_trend_within_chance", "set visit_evidence = 1.99 where segment = 'rising'"),
    ("value_trend_segments", "expect_no_trend_within_chance", "set basket_evidence = 0 where segment = 'declining_from_high'"),
    ("value_trend_segments", "expect_no_trend_within_chance", f"set basket_evidence = null where customer_id = {ONE_BUYER}"),
    ("value_trend_segments", "expect_season_to_be_that_of_the_comparable", "set last_window_amount = 2 * last_window_amount"),
    (
        "value_trend_segments",
        "expect_high_before_to_be_above_the_rest",
        "set segment = 'declining' "
        "where baseline_amount = (select max(baseline_amount) from {table} where segment = 'declining_from_high')",
    ),
    *(
        ("value_trend_segments", "expect_windows_to_agree_with_the_orders", f"set {column} = {column} + 1 where customer_id = {ONE_BUYER}")
        for column in ("last_window_orders", "previous_window_orders", "last_window_amount", "previous_window_amount")
    ),
    ("promotion_affinity_segments", "expect_order_count_to_be_present", f"set order_count = null where customer_id = {ONE_BUYER}"),
    ("promotion_affinity_segments", "expect_order_count_not_to_be_negative", f"set order_count = -1 where customer_id = {ONE_BUYER}"),
    (
        "promotion_affinity_segments",
        "expect_promoted_spend_share_to_be_a_share",
        f"set promoted_spend_share = 1.01 where customer_id = {ONE_BUYER}",
    ),
    (
        "promotion_affinity_segments",
        "expect_promoted_order_share_to_be_a_share",
        f"set promoted_order_share = -0.1 where customer_id = {ONE_BUYER}",
    ),
    (
        "promotion_affinity_segments",
        "expect_expected_promoted_share_to_be_a_share",
        f"set expected_promoted_share = 1.5 where customer_id = {ONE_BUYER}",
    ),
    (
        "promotion_affinity_segments",
        "expect_promotion_index_not_to_be_negative",
        f"set promotion_index = -1 where customer_id = {ONE_BUYER}",
    ),
    (
        "promotion_affinity_segments",
        "expect_promotion_index_to_be_share_over_expected_share",
        "set promotion_index = promotion_index * 1.01 where segment = 'promotion_driven'",
    ),
    (
        "promotion_affinity_segments",
        "expect_leaning_index_to_lean_on_the_usual_lines",
        "set leaning_index = promotion_index where segment = 'promotion_driven'",
    ),
    (
        "promotion_affinity_segments",
        "expect_leaning_index_to_lean_on_the_usual_lines",
        "set leaning_index = null where segment = 'mixed'",
    ),
    ("promotion_affinity_segments", "expect_unknown_without_evidence", "set segment = 'mixed' where order_count < 5"),
    ("promotion_affinity_segments", "expect_unknown_without_evidence", "set promotion_index = null where segment = 'mixed'"),
    (
        "promotion_affinity_segments",
        "expect_promotion_driven_above_full_price",
        "set leaning_index = 0.5 where segment = 'promotion_driven'",
    ),
    (
        "promotion_affinity_segments",
        "expect_totals_to_agree_with_the_orders",
        f"set order_count = order_count + 1, promoted_order_share = 0 where customer_id = {ONE_BUYER}",
    ),
    ("promotion_affinity_segments", "expect_totals_to_agree_with_the_orders", "set promoted_order_share = 0 where segment = 'mixed'"),
]


def plant(warehouse: Path, *statements: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_clean_rows_pass_every_check(clean_warehouse: Path, suites: Path) -> None:
    results = audit(clean_warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    assert failed(results) == set()
    assert {result.suite for result in results} == set(SEGMENT_TABLES)
    assert all(result.observed and result.expected for result in results)


@pytest.mark.parametrize(("expectation", "fault"), COMMON_FAULTS)
def test_faults_that_every_segmentation_can_have(warehouse: Path, suites: Path, expectation: str, fault: str) -> None:
    plant(warehouse, *(fault.format(table=f"segments.{table}") for table in SEGMENT_TABLES))
    results = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    assert failed(results) >= {(table, expectation) for table in SEGMENT_TABLES}


@pytest.mark.parametrize(("table", "expectation", "fault"), FAULTS)
def test_faults_of_one_segmentation(warehouse: Path, tmp_path: Path, table: str, expectation: str, fault: str) -> None:
    plant(warehouse, f"update segments.{table} {fault.format(table=f'segments.{table}')}")
    results = audit(warehouse, AS_OF_DATE, copy_suites(tmp_path, [table]), [table])
    assert (table, expectation) in failed(results)


def test_no_check_is_without_its_fault(suites: Path) -> None:
    planted = {(table, expectation) for table, expectation, _ in FAULTS}
    planted |= {(table, expectation) for table in SEGMENT_TABLES for expectation, _ in COMMON_FAULTS}
    assert planted == {(suite.table, check.name) for suite in load_suites(suites, SEGMENT_TABLES) for check in suite.checks}


def test_results_never_quote_a_customer(warehouse: Path, suites: Path) -> None:
    """Results are kept with builds and outlive an erasure."""
    plant(
        warehouse,
        "insert into segments.rfm_segments from segments.rfm_segments",
        "update segments.rfm_segments set as_of_date = null, segment = 'vip'",
    )
    results = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    assert failed(results)
    assert not any("customer-0" in f"{result.observed}{result.expected}{result.error}" for result in results)


def test_shares_are_not_judged_of_a_handful(warehouse: Path, suites: Path) -> None:
    few = [
        f"delete from {table} where customer_id > 'customer-0000005'"
        for table in ("intermediate.int_customers", *(f"segments.{t}" for t in SEGMENT_TABLES))
    ]
    plant(warehouse, *few, "update rules.segment_definitions set expected_share_max = 0.01")
    results = {(r.suite, r.expectation): r for r in audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)}
    share = results["rfm_segments", "expect_shares_within_their_declared_range"]
    assert share.passed
    assert share.observed == "not judged: fewer than 200 customers (6)"
    # A source may set the limit, as any dbt variable of the same name.
    variables = {"minimum_customers_for_shares": 6}
    results = {(r.suite, r.expectation): r for r in audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES, variables)}
    assert not results["rfm_segments", "expect_shares_within_their_declared_range"].passed


def test_monetary_value_may_be_the_mean(warehouse: Path, suites: Path) -> None:
    plant(
        warehouse,
        "update segments.rfm_segments set monetary_score = 3 where order_count > 0",
        """update segments.rfm_segments as segments set monetary_value = features.mean_order_amount
        from features.customer_order_features as features where features.customer_id = segments.customer_id""",
    )
    judged = {"expect_totals_to_agree_with_the_orders", "expect_figures_to_be_those_of_the_customer"}
    as_sum = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    as_mean = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES, {"rfm_monetary": "mean"})
    assert {name for _, name in failed(as_sum)} >= judged
    assert not {name for _, name in failed(as_mean)} & judged


def test_thresholds_of_a_source_are_those_of_the_models(warehouse: Path, suites: Path) -> None:
    """The window of the trend is a threshold that a source may override: the suite must look at the same window."""
    results = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES, {"trend_window_days": 30})
    assert failed(results) == {
        ("value_trend_segments", "expect_windows_to_agree_with_the_orders"),
        ("value_trend_segments", "expect_season_to_be_that_of_the_comparable"),
    }


@pytest.mark.parametrize(
    ("fault", "expectation", "error"),
    [
        ("alter table segments.rfm_segments drop column recency_score", "expect_recency_score_from_one_to_five", "recency_score"),
        ("alter table segments.rfm_segments drop column order_count", "expect_scores_exactly_for_buyers", "order_count"),
        ("drop table intermediate.int_orders", "expect_totals_to_agree_with_the_orders", "int_orders"),
        ("drop table intermediate.int_customers", "expect_as_many_rows_as_customers", "int_customers"),
        ("drop table rules.segment_definitions", "expect_segment_to_be_declared", "segment_definitions"),
        (
            "delete from rules.segment_definitions where segmentation = 'rfm'",
            "expect_segment_to_be_declared",
            "declares no segment of the segmentation rfm",
        ),
        ("delete from rules.segment_definitions", "expect_shares_within_their_declared_range", "nothing to compare"),
        ("alter table segments.rfm_segments alter recency_score type varchar using 'five'", "expect_recency_score_from_one_to_five", ""),
    ],
)
def test_what_cannot_be_evaluated_is_an_error(warehouse: Path, suites: Path, fault: str, expectation: str, error: str) -> None:
    plant(warehouse, fault)
    results = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    (found,) = [result for result in results if (result.suite, result.expectation) == ("rfm_segments", expectation)]
    assert found.blocks
    assert found.error is not None
    assert error in found.error
    assert "\n" not in found.error


def test_a_missing_table_is_one_error(warehouse: Path, suites: Path) -> None:
    plant(warehouse, "drop table segments.rfm_segments")
    results = audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES)
    (missing,) = [result for result in results if result.suite == "rfm_segments"]
    assert (missing.expectation, missing.blocks) == ("expect_table_to_exist", True)
    assert missing.error == "the table segments.rfm_segments does not exist in the working database"
    assert all(result.passed for result in results if result.suite != "rfm_segments")


def test_every_segment_model_of_the_project_has_its_suite() -> None:
    models = sorted({path.stem for path in (PROJECT_DIR / "models" / "segments").glob("*.sql")} | OTHER_OUTPUTS)
    assert {suite.table for suite in load_suites(SUITES_DIR, models)} == set(models)


def test_segments_named_by_the_data(warehouse: Path, suites: Path) -> None:
    """A definition of * allows any code, but nothing that is not one, and its range holds for the largest."""
    named = "case segment when 'champions' then 'ünï_9' when 'lost' then 'tea' else segment end"
    plant(
        warehouse,
        "delete from rules.segment_definitions where segment in ('champions', 'lost') and segmentation = 'rfm'",
        f"update segments.rfm_segments set segment = {named}",
    )
    declared, shares = "expect_segment_to_be_declared", "expect_shares_within_their_declared_range"

    def found() -> dict[str, CheckResult]:
        return {r.expectation: r for r in audit(warehouse, AS_OF_DATE, suites, SEGMENT_TABLES) if r.suite == "rfm_segments"}

    assert not found()[declared].passed
    plant(
        warehouse,
        "update rules.segment_definitions set segment = '*', expected_share_max = 0.2 where segmentation = 'rfm' and segment = 'others'",
    )
    results = found()
    assert results[declared].passed
    assert results[declared].expected.endswith("promising or a code that comes from the data")
    assert results[shares].passed
    assert "ünï_9 15.75 %" in results[shares].observed
    plant(warehouse, "update rules.segment_definitions set expected_share_max = 0.15 where segment = '*'")
    assert found()[shares].observed == "ünï_9 15.75 %"
    for wrong in ("Tea", "tea time", "", "_tea", "*x"):
        plant(
            warehouse,
            f"update segments.rfm_segments set segment = '{wrong}' where customer_id = {ONE_BUYER.format(table='segments.rfm_segments')}",
        )
        assert not found()[declared].passed, wrong


def test_common_suite_is_part_of_every_suite(suites: Path) -> None:
    for suite in load_suites(suites, SEGMENT_TABLES):
        assert {check.name for check in suite.checks} >= {name for name, _ in COMMON_FAULTS}, COMMON_SUITE
