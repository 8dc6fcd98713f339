"""Every check of the suites about people, proved twice: it passes on clean rows, and it fails on the fault that it is there to find."""

import shutil
from pathlib import Path

import duckdb
import pytest

from orchestration.quality.gate import audit
from orchestration.quality.suites import load_suites
from tests.python.faults.segment_warehouse import AS_OF_DATE, SEEDS_DIR, copy_suites, failed_expectations

TABLES = [f"{name}_segments" for name in ("demographic", "socio_economic", "geographic", "psychographic", "socio_cultural", "needs")]

# Nine customers who between them are everything these suites look at; written down, so that the models are not compared with themselves.
CLEAN = """
create table intermediate.int_customers as
select 'c' || number as customer_id from range(1, 10) as numbers (number);

create table intermediate.int_orders as
select * from (values ('c3', 's1', true), ('c4', null, true)) as orders (customer_id, store_id, is_purchase);

create table intermediate.int_places as
select * from (values ('city', 'de', 'munich', 'dach', 'continental')) as places (place_level, country, place, market, climate);

create table intermediate.int_customer_traits as
select *
from (
    values
    ('c1', 'values', 'value', 'nature', 'sustainable'), ('c1', 'leisure', 'leisure', 'gardening', 'sustainable'),
    ('c1', 'interests', 'interest', 'gadgets', 'technology'), ('c2', 'values', 'value', 'nature', 'sustainable'),
    ('c3', 'values', 'value', 'nature', 'sustainable'), ('c3', 'leisure', 'leisure', 'gaming', 'technology'),
    ('c1', 'pets_at_home', 'practical', 'dog', 'none'), ('c1', 'main_need', 'need', 'quality', 'none')
) as traits (customer_id, question, trait_family, trait, trait_group);

create table staging.stg_customers as
select
    customer_id,
    case when customer_id < 'c8' then date '1980-01-01' end as birth_date,
    cast(null as varchar) as age_band,
    case when customer_id < 'c6' then 50000 end as annual_income,
    cast(null as varchar) as income_band, cast(null as varchar) as education,
    cast(null as varchar) as occupation, cast(null as varchar) as job_level
from intermediate.int_customers;

create table staging.stg_consents as
select *
from (
    values
    ('c1', 'special_category', 'any', true, timestamp '2017-01-01'), ('c2', 'special_category', null, true, timestamp '2017-01-01'),
    ('c3', 'special_category', 'any', true, timestamp '2017-01-01'), ('c4', 'special_category', 'any', true, timestamp '2017-01-01'),
    ('c4', 'special_category', 'any', false, timestamp '2017-06-01'), ('c5', 'marketing', 'any', true, timestamp '2017-01-01')
) as consents (customer_id, purpose, channel, is_granted, changed_at);
alter table staging.stg_consents add column changed_date date;
update staging.stg_consents set changed_date = cast(changed_at as date);

create table segments.demographic_segments as
select customer_id, {as_of_date} as as_of_date, segment, age_group, household_type, cast(children_at_home as integer) as children_at_home
from (
    values
    ('c1', 'young_single', '18_24', 'single', 0), ('c2', 'young_couple', '25_34', 'couple', 0),
    ('c3', 'mature_shared_home', '35_44', 'shared_home', 0), ('c4', 'established_family', '55_64', 'family', 2),
    ('c5', 'senior', '65_plus', 'unknown', null), ('c6', 'unknown', 'under_18', 'family', 1),
    ('c7', 'unknown', '25_34', 'unknown', null), ('c8', 'unknown', null, 'single', 0), ('c9', 'unknown', null, 'unknown', null)
) as segments (customer_id, segment, age_group, household_type, children_at_home);

create table segments.socio_economic_segments as
select customer_id, {as_of_date} as as_of_date, segment, socio_economic_score, socio_economic_evidence
from (
    values
    ('c1', 'low', 20, 3), ('c2', 'lower_middle', 40, 3), ('c3', 'upper_middle', 60, 4), ('c4', 'high', 80, 9), ('c5', 'high', 75, 3),
    ('c6', 'unknown', 62, 1), ('c7', 'unknown', null, 0), ('c8', 'unknown', null, 0), ('c9', 'unknown', null, 0)
) as segments (customer_id, segment, socio_economic_score, socio_economic_evidence);

create table segments.geographic_segments as
select customer_id, {as_of_date} as as_of_date, segment, market, climate, market_region, location_evidence
from (
    values
    ('c1', 'dach_continental', 'dach', 'continental', 'bavaria', 'home_city'),
    ('c2', 'dach_saxony', 'dach', null, 'saxony', 'home_country'),
    ('c3', 'france', 'france', null, null, 'store_bought_at'), ('c4', 'unknown', null, null, null, 'none'),
    ('c5', 'unknown', null, null, null, 'none'), ('c6', 'unknown', null, null, null, 'none'), ('c7', 'unknown', null, null, null, 'none'),
    ('c8', 'unknown', null, null, null, 'none'), ('c9', 'unknown', null, null, null, 'none')
) as segments (customer_id, segment, market, climate, market_region, location_evidence);

create table segments.psychographic_segments as
select customer_id, {as_of_date} as as_of_date, segment, leading_group_answers, group_answers
from (
    values
    ('c1', 'sustainable', 2, 3), ('c2', 'unknown', 1, 1), ('c3', 'mixed', 1, 2), ('c4', 'unknown', 0, 0), ('c5', 'unknown', 0, 0),
    ('c6', 'unknown', 0, 0), ('c7', 'unknown', 0, 0), ('c8', 'unknown', 0, 0), ('c9', 'unknown', 0, 0)
) as segments (customer_id, segment, leading_group_answers, group_answers);

create table segments.socio_cultural_segments as
select
    customer_id, {as_of_date} as as_of_date, segment,
    segment <> 'not_permitted' as has_special_category_permission, socio_cultural_answers
from (
    values
    ('c1', 'moderate', 2), ('c2', 'unknown', 1), ('c3', 'mixed', 2), ('c4', 'not_permitted', 0), ('c5', 'not_permitted', 0),
    ('c6', 'not_permitted', 0), ('c7', 'not_permitted', 0), ('c8', 'not_permitted', 0), ('c9', 'not_permitted', 0)
) as segments (customer_id, segment, socio_cultural_answers);

create table segments.needs_segments as
select customer_id, {as_of_date} as as_of_date, segment, need_evidence, ticket_need_tickets, purchase_need_lift
from (
    values
    ('c1', 'quality', 'stated', 0, 5.0), ('c2', 'save_time', 'tickets', 2, null), ('c3', 'health', 'purchases', 1, 2.5),
    ('c4', 'unknown', 'none', 1, 1.5), ('c5', 'unknown', 'none', 0, null), ('c6', 'unknown', 'none', 0, null),
    ('c7', 'unknown', 'none', 0, null), ('c8', 'unknown', 'none', 0, null), ('c9', 'unknown', 'none', 0, null)
) as segments (customer_id, segment, need_evidence, ticket_need_tickets, purchase_need_lift);
"""

# Segmentation, check, and what is done to its table (`set …`) or to what it is compared with.
FAULTS = [
    ("demographic", "expect_household_type_to_be_known_words", "set household_type = 'commune' where customer_id = 'c9'"),
    ("demographic", "expect_children_not_to_be_negative", "set children_at_home = -1 where customer_id = 'c8'"),
    *(
        ("demographic", "expect_stages_to_agree_with_age_and_household", f"set {change}")
        for change in (
            "segment = 'mature_single' where customer_id = 'c1'",
            "segment = 'young_family' where customer_id = 'c2'",
            "segment = 'senior' where customer_id = 'c3'",
            "segment = 'unknown' where customer_id = 'c5'",
            "age_group = '25_34' where customer_id = 'c4'",
            "household_type = 'couple' where customer_id = 'c3'",
        )
    ),
    ("demographic", "expect_unknown_without_evidence_and_for_minors", "set segment = 'young_family' where customer_id = 'c6'"),
    ("demographic", "expect_unknown_without_evidence_and_for_minors", "set segment = 'young_single' where customer_id = 'c8'"),
    ("demographic", "expect_ages_to_be_those_of_the_customers", "set age_group = '25_34' where customer_id = 'c9'"),
    ("socio_economic", "expect_score_to_be_on_its_scale", "set socio_economic_score = 101 where customer_id = 'c4'"),
    ("socio_economic", "expect_evidence_to_be_present", "set socio_economic_evidence = null where customer_id = 'c9'"),
    ("socio_economic", "expect_unknown_exactly_on_thin_evidence", "set segment = 'upper_middle' where customer_id = 'c6'"),
    ("socio_economic", "expect_unknown_exactly_on_thin_evidence", "set segment = 'unknown' where customer_id = 'c1'"),
    (
        "socio_economic",
        "expect_bands_to_follow_the_scores",
        "set segment = case customer_id when 'c5' then 'upper_middle' else 'high' end where customer_id in ('c3', 'c5')",
    ),
    ("socio_economic", "expect_bands_to_follow_the_scores", "set socio_economic_score = 41 where customer_id = 'c1'"),
    ("socio_economic", "expect_evidence_to_be_stated", "update staging.stg_customers set annual_income = null where customer_id = 'c1'"),
    ("geographic", "expect_names_to_follow_from_the_parts", "set climate = 'oceanic' where customer_id = 'c1'"),
    ("geographic", "expect_unknown_exactly_without_evidence", "set location_evidence = 'home_city' where customer_id = 'c9'"),
    ("geographic", "expect_unknown_exactly_without_evidence", "set segment = 'unknown' where customer_id = 'c1'"),
    ("geographic", "expect_codes_to_be_lower_snake_case", "set segment = 'Dach_continental' where customer_id = 'c1'"),
    ("geographic", "expect_codes_to_be_lower_snake_case", "set segment = 'dach continental' where customer_id = 'c1'"),
    ("geographic", "expect_codes_to_be_lower_snake_case", "set segment = 'dach_' where customer_id = 'c1'"),
    ("geographic", "expect_stores_to_have_been_bought_at", "set location_evidence = 'store_bought_at' where customer_id = 'c1'"),
    ("geographic", "expect_stores_to_have_been_bought_at", "delete from intermediate.int_orders where customer_id = 'c3'"),
    ("geographic", "expect_climates_of_the_stores", "set climate = 'lunar', segment = 'dach_lunar' where customer_id = 'c1'"),
    ("psychographic", "expect_group_answers_to_be_present", "set group_answers = null where customer_id = 'c9'"),
    ("psychographic", "expect_leading_answers_to_be_part_of_all", "set leading_group_answers = 4 where customer_id = 'c1'"),
    ("psychographic", "expect_leading_answers_to_be_part_of_all", "set leading_group_answers = 0 where customer_id = 'c1'"),
    ("psychographic", "expect_unknown_exactly_on_thin_evidence", "set segment = 'sustainable' where customer_id = 'c2'"),
    ("psychographic", "expect_unknown_exactly_on_thin_evidence", "set segment = 'unknown' where customer_id = 'c1'"),
    ("psychographic", "expect_answers_to_agree_with_the_facts", "delete from intermediate.int_customer_traits where customer_id = 'c2'"),
    (
        "psychographic",
        "expect_no_special_question",
        "insert into intermediate.int_customer_traits values ('c1', 'political_opinion', 'opinion', 'left', 'none')",
    ),
    ("socio_cultural", "expect_permission_to_be_present", "set has_special_category_permission = null where customer_id = 'c9'"),
    ("socio_cultural", "expect_a_group_only_with_permission", "set segment = 'moderate' where customer_id = 'c4'"),
    ("socio_cultural", "expect_no_answer_counted_without_permission", "set socio_cultural_answers = 1 where customer_id = 'c4'"),
    (
        "socio_cultural",
        "expect_permission_to_be_that_of_the_consents",
        "set has_special_category_permission = true, segment = 'unknown' where customer_id = 'c4'",
    ),
    (
        "socio_cultural",
        "expect_permission_to_be_that_of_the_consents",
        "insert into staging.stg_consents values ('c1', 'special_category', 'email', false, '2017-12-31', '2017-12-31')",
    ),
    ("socio_cultural", "expect_unknown_exactly_on_thin_evidence", "set segment = 'moderate' where customer_id = 'c2'"),
    ("socio_cultural", "expect_unknown_exactly_on_thin_evidence", "set segment = 'unknown' where customer_id = 'c1'"),
    ("needs", "expect_known_evidence", "set need_evidence = 'guess' where customer_id = 'c3'"),
    ("needs", "expect_tickets_not_to_be_negative", "set ticket_need_tickets = -1 where customer_id = 'c9'"),
    ("needs", "expect_lift_to_be_positive", "set purchase_need_lift = 0 where customer_id = 'c4'"),
    ("needs", "expect_unknown_exactly_without_evidence", "set segment = 'health' where customer_id = 'c9'"),
    ("needs", "expect_unknown_exactly_without_evidence", "set segment = 'unknown' where customer_id = 'c1'"),
    ("needs", "expect_evidence_to_be_strong_enough", "set ticket_need_tickets = 1 where customer_id = 'c2'"),
    ("needs", "expect_evidence_to_be_strong_enough", "set purchase_need_lift = 1.9 where customer_id = 'c3'"),
    ("needs", "expect_stated_needs_to_come_first", "set segment = 'health' where customer_id = 'c1'"),
    (
        "needs",
        "expect_stated_needs_to_come_first",
        "insert into intermediate.int_customer_traits values ('c2', 'main_need', 'need', 'save_time', 'none')",
    ),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("people") / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        for schema in ("intermediate", "staging", "segments", "rules"):
            connection.execute(f"create schema {schema}")
        for seed in ("segment_definitions", "thresholds", "survey_traits"):
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
