"""Every check of the suites about journey, programme and response, proved twice: it passes on clean rows and fails on its fault."""

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.quality.gate import audit
from orchestration.quality.suites import load_suites
from tests.python.faults.segment_warehouse import AS_OF_DATE, SEEDS_DIR, copy_suites, failed_expectations

TABLES = [
    f"{name}_segments"
    for name in ("journey_stage", "campaign_response", "contact_preference", "enrolment", "programme_engagement", "advocacy")
]

# Nine customers who between them are everything these suites look at; written down, so that the models are not compared with themselves.
CLEAN = """
create table intermediate.int_customers as
select 'c' || number as customer_id from range(1, 10) as numbers (number);

create table intermediate.int_customer_days as
select *
from (
    values
    ('c4', date '2017-12-22', 1), ('c5', date '2017-06-01', 1), ('c6', date '2017-12-01', 1), ('c6', date '2017-12-22', 2),
    ('c7', date '2017-01-01', 1), ('c7', date '2017-12-22', 1), ('c9', date '2017-10-01', 1),
    -- Something taken back is no purchase.
    ('c1', date '2017-12-30', 0)
) as days (customer_id, order_date, purchase_orders);

create table intermediate.int_customer_web_days as
select *
from (
    values
    ('c2', date '2017-12-30', 'web'), ('c2', date '2017-12-30', 'app'), ('c2', date '2017-12-31', 'web'), ('c3', date '2017-12-27', 'web')
) as days (customer_id, web_date, channel);

create table segments.journey_stage_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'registered', 0, null, null, null, 0, null, null), ('c2', 'visitor_no_purchase', 0, null, null, null, 2, null, null),
    ('c3', 'cart_abandoner', 0, null, null, null, 1, 5, null), ('c4', 'first_purchase', 1, 10, 80, null, 0, null, null),
    ('c5', 'bought_once_lapsed', 1, 214, 80, null, 0, null, null), ('c6', 'repeat', 2, 10, 80, null, 0, null, null),
    ('c7', 'returning', 2, 10, 80, 10, 0, null, null), ('c8', 'support_waiting', 0, null, null, null, 0, null, 3),
    ('c9', 'support_waiting', 1, 92, 80, null, 0, null, 5)
) as segments (
    customer_id, segment, purchase_days, recency_days, long_gap_days, days_since_comeback, web_days, days_since_abandoned_cart,
    days_since_unreturned_reply
);

create table intermediate.int_customer_contact_channels as
select *
from (
    values
    ('c2', 'email', 10, 8, 1, 0, 4, null, 8, 1), ('c3', 'email', 5, 5, 3, 0, 2, null, 5, 3), ('c3', 'sms', 3, 3, 2, 0, 1, null, 3, 2),
    ('c4', 'email', 9, 9, 4, 1, 5, null, 9, 4), ('c5', 'email', 6, 6, 3, 0, 0, date '2017-06-01', 6, 3),
    ('c6', 'push', 40, 40, 2, 0, 20, null, 40, 2), ('c7', 'email', 2, 2, 1, 0, 2, null, 2, 1),
    ('c8', 'email', 6, 6, 1, 0, 0, date '2017-06-01', 6, 1)
) as channels (
    customer_id, channel, contact_count, window_contacts, window_answered, window_converted, recent_contacts, last_unsubscribed_at,
    preference_contacts, preference_answered
);

create table staging.stg_coupon_redemptions as
select *
from (
    values
    ('c4', 'k', date '2017-12-01'), ('c9', 'k', date '2017-01-01'),
    -- Of no campaign, before the window, on the day described.
    ('c2', null, date '2017-12-01'), ('c2', 'k', date '2016-12-31'), ('c2', 'k', date '2018-01-01')
) as redemptions (customer_id, campaign_id, redeemed_date);

create table staging.stg_consents as
select * from (values ('c8', 'marketing', true), ('c5', 'profiling', true)) as consents (customer_id, purpose, is_granted);

create table segments.campaign_response_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'never_contacted', 0, 0, 0, 0, null, 0, null, null, false), ('c2', 'unresponsive', 10, 8, 1, 0, 0.125, 4, 0.0, null, false),
    ('c3', 'engaged', 8, 8, 5, 0, 0.625, 3, 0.5, null, false), ('c4', 'responder', 9, 9, 4, 2, 0.444, 5, 0.2, 0.6, false),
    ('c5', 'unsubscribed', 6, 6, 3, 0, 0.5, 0, null, null, true), ('c6', 'over_contacted', 40, 40, 2, 0, 0.05, 20, 0.05, 0.5, false),
    ('c7', 'unknown', 2, 2, 1, 0, 0.5, 2, 0.5, null, false), ('c8', 'unresponsive', 6, 6, 1, 0, 0.166, 0, null, null, false),
    ('c9', 'responder', 0, 0, 0, 1, null, 0, null, null, false)
) as segments (
    customer_id, segment, contact_count, window_contacts, window_answered, window_responses, answer_rate, recent_contacts,
    recent_answer_rate, answer_rate_change, is_unsubscribed
);

create table segments.contact_preference_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'unknown', null, null, null, null, null, null), ('c2', 'unknown', null, null, null, null, null, null),
    ('c3', 'email', null, 'email', 5, 3, 1, 0), ('c4', 'post', 'post', 'email', 9, 4, 7, 23),
    ('c5', 'none', 'none', 'email', 6, 3, null, null), ('c6', 'push', null, 'push', 40, 2, null, null),
    ('c7', 'other', 'other', null, null, null, null, null), ('c8', 'unknown', null, null, null, null, null, null),
    ('c9', 'sms', 'sms', null, null, null, null, null)
) as segments (
    customer_id, segment, stated_channel, answering_channel, answering_channel_contacts, answering_channel_answers, best_weekday, best_hour
);

create table staging.stg_customers as
select *
from (
    values
    ('c1', 'app', date '2017-12-31'), ('c2', 'ios', date '2017-10-01'), ('c3', 'web', date '2017-01-15'),
    ('c4', 'pigeon', date '2016-01-01'), ('c5', null, date '2015-06-30'), ('c6', 'store', null),
    ('c7', 'unknown', date '2010-01-01'), ('c8', 'event', date '2017-12-31'),
    -- Signed up after the first purchase, and after the day described.
    ('c9', 'store', date '2018-03-01')
) as customers (customer_id, enrolment_channel, signed_up_date);

create table segments.enrolment_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'app', date '2017-12-31', 0, 'first_3_months'), ('c2', 'app', date '2017-10-01', 3, 'first_year'),
    ('c3', 'web', date '2017-01-15', 11, 'first_year'), ('c4', 'other', date '2016-01-01', 24, '2_to_5_years'),
    ('c5', 'unknown', date '2015-06-30', 30, '2_to_5_years'), ('c6', 'store', null, null, 'unknown'),
    ('c7', 'unknown', date '2010-01-01', 96, 'over_5_years'), ('c8', 'event', date '2017-12-31', 0, 'first_3_months'),
    ('c9', 'store', null, null, 'unknown')
) as segments (customer_id, segment, enrolled_date, months_since_enrolment, tenure_band);

create table intermediate.int_customer_programme as
select *
from (
    values ('c2', 120.0, 50.0, 30.0, 1), ('c3', 80.0, 40.0, 0.0, 0), ('c4', 10.0, 0.0, 0.0, 0), ('c5', 5.0, 0.0, 0.0, 1)
) as programme (customer_id, points_balance, month_points_earned, month_points_spent, recent_points_redemptions);

create table segments.programme_engagement_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'not_a_member', false, null, 'unknown', 0, 0.0, 0.0, 0, 0.0),
    ('c2', 'active_redeemer', true, 'gold', 'up', 2, 50.0, 30.0, 1, 120.0),
    ('c3', 'collector', true, null, 'unknown', 1, 40.0, 0.0, 0, 80.0), ('c4', 'dormant', true, 'silver', 'down', 0, 0.0, 0.0, 0, 10.0),
    ('c5', 'dormant', true, null, 'unknown', 0, 0.0, 0.0, 1, 5.0), ('c6', 'dormant', true, 'gold', 'none', 0, 0.0, 0.0, 0, 0.0),
    ('c7', 'not_a_member', false, null, 'unknown', 0, 0.0, 0.0, 0, 0.0),
    ('c8', 'not_a_member', false, null, 'unknown', 0, 0.0, 0.0, 0, 0.0),
    ('c9', 'not_a_member', false, null, 'unknown', 0, 0.0, 0.0, 0, 0.0)
) as segments (
    customer_id, segment, is_member, loyalty_tier, tier_move, month_activity, month_points_earned, month_points_spent,
    recent_points_redemptions, points_balance
);

create table intermediate.int_customer_referrals as
select * from (values ('c2', 2, 1), ('c3', 1, 0), ('c5', 3, 3)) as referrals (customer_id, recent_referrals_made, recent_referrals_kept);

create table intermediate.int_survey_answers as
select *
from (
    values
    ('c4', 'recommendation_score', '9'), ('c5', 'recommendation_score', '3'), ('c6', 'recommendation_score', '8'),
    ('c7', 'satisfaction', '5')
) as answers (customer_id, question, answer);

create table segments.advocacy_segments as
select customer_id, {as_of_date} as as_of_date, * exclude (customer_id)
from (
    values
    ('c1', 'unknown', 0, 0, null, null, null, null), ('c2', 'ambassador', 2, 1, null, null, null, null),
    ('c3', 'promoter', 1, 0, null, null, 1.0, 'detractor'), ('c4', 'promoter', 0, 0, 9, 'promoter', null, null),
    ('c5', 'detractor', 3, 3, 3, 'detractor', null, null), ('c6', 'passive', 0, 0, 8, 'passive', null, null),
    ('c7', 'passive', 0, 0, null, null, null, 'promoter'), ('c8', 'detractor', 0, 0, null, null, 1.5, 'detractor'),
    ('c9', 'unknown', 0, 0, null, null, null, null)
) as segments (
    customer_id, segment, recent_referrals_made, recent_referrals_kept, recommendation_score, recommendation, ticket_satisfaction,
    satisfaction
);
"""

# Segmentation, check, and what is done to its table (`set …`) or to what it is compared with.
FAULTS = [
    ("journey_stage", "expect_purchase_days_to_be_present", "set purchase_days = null where customer_id = 'c1'"),
    ("journey_stage", "expect_web_days_to_be_present", "set web_days = null where customer_id = 'c1'"),
    ("journey_stage", "expect_recency_in_the_past", "set recency_days = 0 where customer_id = 'c4'"),
    ("journey_stage", "expect_comebacks_in_the_past", "set days_since_comeback = 0 where customer_id = 'c7'"),
    ("journey_stage", "expect_carts_in_the_past", "set days_since_abandoned_cart = -1 where customer_id = 'c3'"),
    ("journey_stage", "expect_replies_in_the_past", "set days_since_unreturned_reply = 0 where customer_id = 'c8'"),
    ("journey_stage", "expect_recency_exactly_for_buyers", "set recency_days = 3 where customer_id = 'c1'"),
    ("journey_stage", "expect_recency_exactly_for_buyers", "set long_gap_days = null where customer_id = 'c6'"),
    *(
        ("journey_stage", "expect_stages_to_agree_with_their_figures", f"set segment = '{stage}' where customer_id = '{customer}'")
        for customer, stage in (
            ("c2", "registered"),
            ("c4", "registered"),
            ("c1", "visitor_no_purchase"),
            ("c9", "visitor_no_purchase"),
            ("c2", "cart_abandoner"),
            ("c6", "support_waiting"),
            ("c5", "first_purchase"),
            ("c6", "first_purchase"),
            ("c4", "bought_once_lapsed"),
            ("c5", "repeat"),
            ("c6", "returning"),
            ("c1", "promoter"),
        )
    ),
    (
        "journey_stage",
        "expect_abandoned_carts_not_to_be_bought_since",
        "insert into intermediate.int_customer_days values ('c3', '2017-12-27', 1)",
    ),
    ("journey_stage", "expect_figures_to_be_those_of_the_customer", "delete from intermediate.int_customer_days where customer_id = 'c6'"),
    ("journey_stage", "expect_figures_to_be_those_of_the_customer", "set web_days = 3 where customer_id = 'c2'"),
    ("journey_stage", "expect_figures_to_be_those_of_the_customer", "set recency_days = 11 where customer_id = 'c6'"),
    ("campaign_response", "expect_contact_count_to_be_present", "set contact_count = null where customer_id = 'c1'"),
    ("campaign_response", "expect_window_responses_to_be_present", "set window_responses = null where customer_id = 'c1'"),
    ("campaign_response", "expect_is_unsubscribed_to_be_present", "set is_unsubscribed = null where customer_id = 'c1'"),
    ("campaign_response", "expect_answer_rate_to_be_a_share", "set answer_rate = 1.01 where customer_id = 'c3'"),
    ("campaign_response", "expect_recent_answer_rate_to_be_a_share", "set recent_answer_rate = -0.1 where customer_id = 'c3'"),
    *(
        ("campaign_response", "expect_counts_to_nest", f"set {change}")
        for change in (
            "window_contacts = 11 where customer_id = 'c2'",
            "window_answered = 9 where customer_id = 'c2'",
            "recent_contacts = 11 where customer_id = 'c2'",
            "answer_rate = null where customer_id = 'c2'",
            "recent_answer_rate = 0 where customer_id = 'c1'",
            "window_responses = -1 where customer_id = 'c2'",
        )
    ),
    *(
        ("campaign_response", "expect_segments_to_agree_with_their_figures", f"set {change}")
        for change in (
            "segment = 'engaged' where customer_id = 'c5'",
            "segment = 'unsubscribed' where customer_id = 'c4'",
            "segment = 'never_contacted' where customer_id = 'c2'",
            "segment = 'never_contacted' where customer_id = 'c9'",
            "segment = 'responder' where customer_id = 'c3'",
            "segment = 'engaged' where customer_id = 'c4'",
            "segment = 'engaged', window_answered = 0 where customer_id = 'c2'",
            "segment = 'unknown' where customer_id = 'c1'",
        )
    ),
    ("campaign_response", "expect_figures_to_be_those_of_the_customer", "set recent_contacts = 3 where customer_id = 'c2'"),
    (
        "campaign_response",
        "expect_figures_to_be_those_of_the_customer",
        "insert into staging.stg_coupon_redemptions values ('c2', 'k', '2017-12-31')",
    ),
    # Two customers change places: every total stays what it was.
    (
        "campaign_response",
        "expect_figures_to_be_those_of_the_customer",
        "set contact_count = 18 - contact_count where customer_id in ('c2', 'c3')",
    ),
    ("campaign_response", "expect_a_no_to_have_been_said", "set segment = 'unsubscribed', is_unsubscribed = true where customer_id = 'c3'"),
    ("campaign_response", "expect_a_no_to_have_been_said", "set segment = 'engaged', is_unsubscribed = false where customer_id = 'c5'"),
    ("contact_preference", "expect_best_weekday_of_the_iso_week", "set best_weekday = 0 where customer_id = 'c4'"),
    ("contact_preference", "expect_best_hour_of_the_day", "set best_hour = 24 where customer_id = 'c4'"),
    ("contact_preference", "expect_statements_before_habits", "set segment = 'email' where customer_id = 'c4'"),
    ("contact_preference", "expect_statements_before_habits", "set segment = 'unknown' where customer_id = 'c6'"),
    ("contact_preference", "expect_habits_only_with_evidence", "set answering_channel_contacts = 2 where customer_id = 'c6'"),
    ("contact_preference", "expect_habits_only_with_evidence", "set answering_channel_answers = 1 where customer_id = 'c6'"),
    ("contact_preference", "expect_habits_only_with_evidence", "set answering_channel_answers = 41 where customer_id = 'c6'"),
    ("contact_preference", "expect_habits_only_with_evidence", "set answering_channel_contacts = null where customer_id = 'c6'"),
    (
        "contact_preference",
        "expect_channels_of_the_rule_table",
        "set segment = 'pigeon', stated_channel = 'pigeon' where customer_id = 'c7'",
    ),
    (
        "contact_preference",
        "expect_habits_to_be_those_of_the_customer",
        "update intermediate.int_customer_contact_channels set preference_answered = 5 where customer_id = 'c6'",
    ),
    (
        "contact_preference",
        "expect_habits_to_be_those_of_the_customer",
        "set answering_channel = 'push', segment = 'push' where customer_id = 'c3'",
    ),
    ("enrolment", "expect_months_since_enrolment_not_to_be_negative", "set months_since_enrolment = -1 where customer_id = 'c1'"),
    ("enrolment", "expect_tenure_band_to_be_present", "set tenure_band = null where customer_id = 'c1'"),
    ("enrolment", "expect_months_and_bands_exactly_with_a_date", "set enrolled_date = null where customer_id = 'c1'"),
    ("enrolment", "expect_months_and_bands_exactly_with_a_date", "set tenure_band = 'first_year' where customer_id = 'c6'"),
    ("enrolment", "expect_months_and_bands_exactly_with_a_date", "set enrolled_date = as_of_date where customer_id = 'c1'"),
    ("enrolment", "expect_months_to_fit_the_date", "set months_since_enrolment = 12 where customer_id = 'c3'"),
    ("enrolment", "expect_months_to_fit_the_date", "set months_since_enrolment = 22 where customer_id = 'c4'"),
    ("enrolment", "expect_channels_of_the_rule_table", "set segment = 'ios' where customer_id = 'c2'"),
    ("enrolment", "expect_channels_to_be_those_of_the_profile", "set segment = 'store' where customer_id = 'c3'"),
    ("enrolment", "expect_channels_to_be_those_of_the_profile", "set enrolled_date = enrolled_date + 1 where customer_id = 'c3'"),
    (
        "enrolment",
        "expect_channels_to_be_those_of_the_profile",
        "update staging.stg_customers set enrolment_channel = 'web' where customer_id = 'c5'",
    ),
    ("programme_engagement", "expect_is_member_to_be_present", "set is_member = null where customer_id = 'c1'"),
    ("programme_engagement", "expect_month_points_spent_not_to_be_negative", "set month_points_spent = -30 where customer_id = 'c2'"),
    ("programme_engagement", "expect_tier_move_to_be_named", "set tier_move = 'sideways' where customer_id = 'c2'"),
    *(
        ("programme_engagement", "expect_segments_to_agree_with_their_figures", f"set {change}")
        for change in (
            "segment = 'not_a_member' where customer_id = 'c6'",
            "segment = 'dormant' where customer_id = 'c1'",
            "segment = 'active_redeemer' where customer_id = 'c3'",
            "segment = 'collector' where customer_id = 'c2'",
            "segment = 'dormant' where customer_id = 'c3'",
            "month_activity = 0 where customer_id = 'c3'",
            "segment = 'not_a_member', is_member = false where customer_id = 'c4'",
        )
    ),
    ("programme_engagement", "expect_unknown_for_all_or_for_nobody", "set segment = 'unknown' where customer_id = 'c1'"),
    ("programme_engagement", "expect_points_to_be_those_of_the_customer", "set points_balance = 121 where customer_id = 'c2'"),
    (
        "programme_engagement",
        "expect_points_to_be_those_of_the_customer",
        "insert into intermediate.int_customer_programme values ('c8', 0, 0, 0, 0)",
    ),
    ("advocacy", "expect_recent_referrals_made_to_be_present", "set recent_referrals_made = null where customer_id = 'c1'"),
    ("advocacy", "expect_recommendation_to_be_named", "set recommendation = 'fan' where customer_id = 'c4'"),
    ("advocacy", "expect_satisfaction_to_be_named", "set satisfaction = 'happy' where customer_id = 'c7'"),
    ("advocacy", "expect_kept_within_made", "set recent_referrals_kept = 3 where customer_id = 'c2'"),
    ("advocacy", "expect_kept_within_made", "set recommendation_score = null where customer_id = 'c4'"),
    *(
        ("advocacy", "expect_segments_to_agree_with_their_figures", f"set segment = '{segment}' where customer_id = '{customer}'")
        for customer, segment in (
            ("c3", "ambassador"),
            ("c5", "ambassador"),
            ("c6", "promoter"),
            ("c4", "passive"),
            ("c4", "detractor"),
            ("c7", "unknown"),
            ("c3", "unknown"),
            ("c1", "passive"),
        )
    ),
    ("advocacy", "expect_figures_to_be_those_of_the_customer", "delete from intermediate.int_customer_referrals where customer_id = 'c3'"),
    ("advocacy", "expect_figures_to_be_those_of_the_customer", "set recommendation_score = 10 where customer_id = 'c4'"),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("journey") / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        for schema in ("intermediate", "staging", "segments", "rules"):
            connection.execute(f"create schema {schema}")
        for seed in ("segment_definitions", "thresholds", "contact_channels", "enrolment_channels"):
            connection.read_csv(str(SEEDS_DIR / f"{seed}.csv"), header=True).create(f"rules.{seed}")
        connection.execute(CLEAN.format(as_of_date=f"date '{AS_OF_DATE}'"))
    return database


def test_clean_rows_pass_every_check(clean: Path, tmp_path: Path) -> None:
    assert failed_expectations(audit(clean, AS_OF_DATE, copy_suites(tmp_path, TABLES), TABLES)) == set()


@pytest.mark.parametrize(("segmentation", "expectation", "fault"), FAULTS)
def test_each_check_finds_its_fault(clean: Path, tmp_path: Path, segmentation: str, expectation: str, fault: str) -> None:
    table = f"{segmentation}_segments"
    faulty = Path(shutil.copyfile(clean, tmp_path / "warehouse.duckdb"))
    with duckdb.connect(str(faulty)) as connection:
        connection.execute(f"update segments.{table} {fault}" if fault.startswith("set ") else fault)
    suites = tmp_path / "suites"
    suites.mkdir()
    assert expectation in failed_expectations(audit(faulty, AS_OF_DATE, copy_suites(suites, [table]), [table]))


def test_no_check_is_without_its_fault(tmp_path: Path) -> None:
    declared = {(suite.table, check.name) for suite in load_suites(copy_suites(tmp_path, TABLES), TABLES) for check in suite.checks}
    # What every segmentation must hold has its faults with the gate's own tests.
    common = set.intersection(*({name for table, name in declared if table == each} for each in TABLES))
    planted = {(f"{segmentation}_segments", expectation) for segmentation, expectation, _ in FAULTS}
    assert planted == {(table, name) for table, name in declared if name not in common}
