"""The suite of the audience memberships: clean rows pass every check, and each check finds the fault that it is there for."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.quality.gate import audit
from orchestration.quality.suites import load_suites
from tests.python.faults.segment_warehouse import copy_suites, failed_expectations

AS_OF_DATE = date(2026, 1, 1)
TABLE = "audience_memberships"
CLEAN = """
create schema segments; create schema intermediate; create schema audiences; create schema staging; create schema rules;
create table intermediate.int_customers as select unnest(['ann', 'bob', 'cem', 'dua']) as customer_id;
create table rules.contact_channels (name varchar, channel varchar);
insert into rules.contact_channels values ('email', 'email'), ('newsletter', 'email'), ('sms', 'sms');
create table audiences.audience_rules (
    audience_id varchar, purpose varchar, channel varchar, priority_group varchar, minimum_size integer
);
insert into audiences.audience_rules values
    ('first', 'marketing', 'email', 'group', 2), ('second', 'marketing', 'email', 'group', 1), ('small', 'marketing', 'email', 'small', 5);
create table staging.stg_consents (
    customer_id varchar, purpose varchar, channel varchar, is_granted boolean, changed_at timestamp, changed_date date
);
insert into staging.stg_consents values
    ('ann', 'marketing', 'newsletter', false, '2025-01-01', '2025-01-01'), ('ann', 'marketing', 'any', true, '2025-02-01', '2025-02-01'),
    ('bob', 'marketing', 'email', true, '2025-01-01', '2025-01-01'), ('bob', 'marketing', 'sms', false, '2025-02-01', '2025-02-01'),
    ('cem', 'marketing', 'email', false, '2025-01-01', '2025-01-01'), ('dua', 'marketing', 'email', true, '2026-01-01', '2026-01-01');
create table staging.stg_customers (customer_id varchar, email varchar);
insert into staging.stg_customers values
    ('ann', 'home@example.com'), ('bob', 'Home@example.com '), ('cem', 'cem@example.com'), ('dua', null), ('eve', 'eve@example.com');
create table staging.stg_erasure_requests (customer_id varchar, requested_date date);
insert into staging.stg_erasure_requests values ('cem', '2025-12-31'), ('bob', '2026-01-01');
create table segments.audience_memberships (
    person_id varchar, audience_id varchar, as_of_date date, is_contactable boolean, suppressed_reason varchar, is_holdout boolean
);
insert into segments.audience_memberships values
    ('ann', 'first', '2026-01-01', true, null, false), ('bob', 'first', '2026-01-01', true, null, false),
    ('cem', 'first', '2026-01-01', false, 'erased', false), ('dua', 'first', '2026-01-01', false, 'no_consent', true),
    ('bob', 'small', '2026-01-01', false, 'audience_too_small', false);
"""
MEMBERSHIPS = "segments.audience_memberships"
FAULTS = [
    ("expect_person_id_to_be_present", f"update {MEMBERSHIPS} set person_id = null where person_id = 'dua'"),
    ("expect_audience_id_to_be_present", f"update {MEMBERSHIPS} set audience_id = null where person_id = 'dua'"),
    ("expect_each_person_once_in_an_audience", f"insert into {MEMBERSHIPS} select * from {MEMBERSHIPS} where person_id = 'dua'"),
    ("expect_members_to_be_customers_of_the_day", "delete from intermediate.int_customers where customer_id = 'ann'"),
    ("expect_audiences_to_be_declared", f"update {MEMBERSHIPS} set audience_id = 'third' where person_id = 'dua'"),
    ("expect_as_of_date_to_be_the_day_of_the_night", f"update {MEMBERSHIPS} set as_of_date = '2025-12-31' where person_id = 'dua'"),
    (
        "expect_one_audience_of_a_priority_group",
        f"insert into {MEMBERSHIPS} values ('dua', 'second', '2026-01-01', false, 'no_consent', true)",
    ),
    ("expect_a_reason_exactly_where_nobody_may_be_contacted", f"update {MEMBERSHIPS} set suppressed_reason = null where person_id = 'dua'"),
    ("expect_a_reason_exactly_where_nobody_may_be_contacted", f"update {MEMBERSHIPS} set is_holdout = true where person_id = 'ann'"),
    (
        "expect_the_contactable_to_have_consented",
        "insert into staging.stg_consents values ('ann', 'marketing', 'email', false, '2025-03-01', '2025-03-01')",
    ),
    ("expect_the_contactable_to_have_consented", "update staging.stg_consents set purpose = 'profiling' where customer_id = 'ann'"),
    (
        "expect_the_contactable_to_have_consented",
        "insert into staging.stg_consents values ('ann', 'marketing', 'any', false, '2025-02-01', '2025-02-01')",
    ),
    (
        "expect_all_readers_of_an_address_to_have_consented",
        "update staging.stg_customers set email = ' CEM@example.com' where customer_id = 'ann'",
    ),
    (
        "expect_all_readers_of_an_address_to_have_consented",
        "update staging.stg_customers set email = 'HOME@example.com' where customer_id = 'eve'",
    ),
    ("expect_nobody_who_asked_to_be_erased", "update staging.stg_erasure_requests set requested_date = '2025-12-31'"),
    ("expect_audiences_large_enough_to_be_contacted", "update audiences.audience_rules set minimum_size = 5"),
]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working database with five memberships and nothing wrong."""
    database = tmp_path_factory.mktemp("clean") / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(CLEAN)
    return database


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_suites(tmp_path_factory.mktemp("suites"), [TABLE])


def test_clean_rows_pass_every_check(clean: Path, suites: Path) -> None:
    assert failed_expectations(audit(clean, AS_OF_DATE, suites, [TABLE])) == set()


@pytest.mark.parametrize(("expectation", "fault"), FAULTS)
def test_each_check_finds_its_fault(clean: Path, suites: Path, tmp_path: Path, expectation: str, fault: str) -> None:
    faulty = Path(shutil.copyfile(clean, tmp_path / "warehouse.duckdb"))
    with duckdb.connect(str(faulty)) as connection:
        connection.execute(fault)
    assert expectation in failed_expectations(audit(faulty, AS_OF_DATE, suites, [TABLE]))


def test_no_check_is_without_its_fault(suites: Path) -> None:
    (suite,) = load_suites(suites, [TABLE])
    assert {check.name for check in suite.checks} == {expectation for expectation, _ in FAULTS}
